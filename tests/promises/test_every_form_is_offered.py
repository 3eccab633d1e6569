"""Every form of staff has a button or menu entry, a story and a row in the docs, and its table names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bots.slack.listeners.form_checks import CHECKS
from bots.slack.views.prefill import SOURCES
from complaints.form_conditions import holds
from complaints.forms import CARD_ACTS, FORMS
from tests.rules.slack_cases import stages, voice

ROOT = Path(__file__).parents[2]
STORIES = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "stories").rglob("*.story"))
)
PAGE = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
#: Forms that create a complaint: opened by a shortcut or a command, not from a card.
WITHOUT_A_CARD = frozenset({"log_complaint"})


def test_every_form_of_a_case_is_offered_when_it_fits() -> None:
    assert set(FORMS) - WITHOUT_A_CARD <= set(CARD_ACTS)


@pytest.mark.parametrize("form", sorted({*FORMS, "open"}))
def test_a_story_uses_the_form(form: str) -> None:
    label = voice().text(f"verb.{form}")
    step = f"uses {form}" if form in WITHOUT_A_CARD else f"presses {label}"
    assert re.search(rf"^\w+ {re.escape(step)}\b", STORIES, re.MULTILINE), f"no story presses {label}"


@pytest.mark.parametrize("form", sorted({*FORMS, "open"}))
def test_the_docs_describe_the_form(form: str) -> None:
    label = voice().text(f"verb.{form}")
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    assert any(re.search(rf"\b{re.escape(label)}\b", row) for row in rows), (
        f"docs/slack.md has no row for {label}"
    )


def test_every_source_and_check_is_named_by_a_form_and_exists() -> None:
    assert {source for form in FORMS.values() for source in form.starts} == set(SOURCES)
    assert {check for form in FORMS.values() for check in form.checks} == set(CHECKS)


def test_every_condition_can_be_asked_of_a_complaint_at_any_stage() -> None:
    of_fields = {(field.asked_if, field.required_if) for form in FORMS.values() for field in form.fields}
    conditions = {act.of_use for act in CARD_ACTS.values()}.union(*of_fields) - {""}
    for story in stages().values():
        assert {holds(condition, story.case, "en") for condition in conditions} == {True, False}
