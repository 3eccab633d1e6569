"""The search form, and what it found: codes and dates of each complaint, and none of its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.client.block_kit import Block, button, context, escaped, option, plain, section
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import VALUE
from bots.slack.views.forms import View, metadata, modal
from bots.slack.views.home import case_row
from complaints.case import Case

CALLBACK = "search"
#: Characters of a search.
LONGEST = 200


def search_form(categories: Sequence[str], texts: StaffTexts) -> View:
    named = [option(code, texts.text(f"category.{code}")) for code in categories]
    elements: dict[str, Block] = {
        "text": {"type": "plain_text_input", "max_length": LONGEST},
        "category": {"type": "static_select", "options": named},
        "since": {"type": "datepicker"},
        "until": {"type": "datepicker"},
        "owner": {"type": "users_select"},
    }
    inputs: list[Block] = [
        {
            "type": "input",
            "block_id": name,
            "label": plain(texts.text(f"search.{name}")),
            "element": {**element, "action_id": VALUE},
            "optional": True,
        }
        for name, element in elements.items()
    ]
    blocks = [*inputs, context(texts.text("search.hint"))]
    return modal(texts, CALLBACK, metadata("", 0), blocks, title="search.form", submit="search.button")


def result_blocks(
    cases: Sequence[Case], notes: Sequence[str], texts: StaffTexts, now: datetime
) -> list[Block]:
    """A row with the button *Open* for each complaint, and what was searched."""
    rows = [
        section(
            case_row(case, texts, now),
            block_id=f"actions:{case.work_version}.{number}",
            accessory=button(texts.text("verb.open"), "case.open", case.ref),
        )
        for number, case in enumerate(cases)
    ]
    return [*rows, *([context(*notes)] if notes else [])]


def quoted(text: str) -> str:
    """What a person searched for, on one line and without markup."""
    return f"“{escaped(' '.join(text.split()), LONGEST)}”"
