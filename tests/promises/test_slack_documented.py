"""Every form is on a card or a shortcut, and every form and command is in docs/slack.md."""

from __future__ import annotations

import re
from pathlib import Path

from bots.slack.app import LISTENERS
from bots.texts.catalogues import load_catalogues
from complaints.forms import CARD_ACTS, FORMS

DOCS = (Path(__file__).parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")
TEXTS = load_catalogues(("en",), domain="staff")
#: Creates a complaint, so it is a shortcut and a command and on no card.
SHORTCUTS = {"log_complaint"}


def test_every_form_is_on_a_card_or_is_a_shortcut() -> None:
    assert set(FORMS) - set(CARD_ACTS) == SHORTCUTS


def test_every_form_of_a_card_has_a_row_in_the_table_of_rights() -> None:
    labels = {TEXTS.text("en", f"verb.{name}") for name in CARD_ACTS}
    rows = {row.strip() for row in re.findall(r"^\| ([^|]+) \|", DOCS, re.MULTILINE)}

    assert labels - rows == set()


def test_every_command_is_in_the_help_and_in_the_documentation() -> None:
    words = {word for module in LISTENERS for word in module.router.words}
    help_text = TEXTS.text("en", "command.help")

    assert {word for word in words if f"`{word}" not in help_text} == set()
    assert {word for word in words if f"`{word}" not in DOCS} == set()
