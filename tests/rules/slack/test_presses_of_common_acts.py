"""Presses and typed fields of the ten most common acts, counted from the forms as a member of staff gets them.

A menu or a calendar counts as two presses. Public pages of Zendesk, counted in the same way, give for a reply 1
press and 1 typed field, for asking 2 and 1, for informing 1 and 1, for resolving 2 and 1, for approving 1, and for
closing 0; those of Netflix Dispatch for informing 1 and 4. Neither documents a preview, a finding, a cause or a
safety for these acts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bots.letters.suggestions import suggested_words, template_values
from bots.slack.client.block_kit import Block
from bots.slack.views.form_modals import form_view
from bots.slack.views.opened_case import case_view
from bots.slack.views.prefill import FormStart, prefill
from bots.texts.catalogues import load_catalogues
from bots.texts.texts import capitalised
from complaints.actions.intake import message_facts
from complaints.actions.perform import perform
from complaints.forms import FORMS, PREVIEWED, filled_rows
from complaints.vocabulary import Verb
from tests.rules.slack_cases import (
    ALICE,
    ANNA,
    NOW,
    Story,
    assessed,
    communicated,
    filled_in,
    investigated,
    proposed,
    resolved,
    responded,
    voice,
)
from triage.letters.letter_warnings import find_warnings

#: A menu needs a press to open it and one to choose, a calendar too.
_PRESSES = {
    "static_select": 2,
    "users_select": 2,
    "datepicker": 2,
    "datetimepicker": 2,
    "radio_buttons": 1,
    "checkboxes": 1,
}


def a_refund() -> Story:
    story = Story("The bill of 84.00 was taken twice. I want 42.00 back.")
    facts = message_facts(field="remedy_requested", has_words=True)
    facts |= {"remedy_requested": "money_back", "amount_requested": 4200, "currency_requested": "GBP"}
    story.act(Verb.ADD, ANNA, facts, {"remedy_requested": "42.00 back"})
    return proposed(story)


def cases() -> Mapping[str, Story]:
    owned = assessed(a_refund())
    waits = responded(investigated(assessed(a_refund())), amount="500.00")
    done = communicated(responded(investigated(assessed(a_refund()))))
    done.act(
        Verb.REMEDY_DONE,
        ALICE,
        {"remedy": "0", "done_at": "2026-11-03T10:00:00Z"},
        {"proof": "Transfer 4711"},
    )
    accepted = communicated(resolved(assessed(a_refund()))).act(Verb.ACCEPT, ANNA)
    return {
        "take": a_refund(), "assess": a_refund(), "reply": owned, "ask": owned, "inform": owned, "resolve": owned,
        "decide": investigated(assessed(a_refund())), "approve": waits, "close": accepted, "verify": done,
    }  # fmt: skip


def form_of(form: str, story: Story) -> list[Block]:
    """The inputs of the form; the desk has closed complaints of this category, so their usual cause is on record."""
    texts = load_catalogues(("en",))
    start = filled_in(
        form, story.opened(), voice(), events=story.events,
        recorded=suggested_words(form, story.case, texts=texts),
        usual_cause=("recurring", "The terminal books twice"),
    )  # fmt: skip
    drawn = form_view(form, story.case, voice(), start)
    return [block for block in drawn["blocks"] if block["type"] == "input"]


def counted(form: str, story: Story) -> tuple[int, int]:
    """Presses from the opened complaint until the act is recorded, and fields that have to be typed."""
    view = case_view(story.opened(), voice(), now=NOW)
    row = next(block for block in view["blocks"] if str(block.get("block_id")).startswith("actions:"))
    presses = 1 if f"case.{form}" in {element["action_id"] for element in row["elements"]} else 2
    if not FORMS[form].fields:
        return presses, 0
    needed = [block["element"] for block in form_of(form, story) if not block["optional"]]
    empty = [element for element in needed if not any(name.startswith("initial_") for name in element)]
    typed = [element for element in empty if element["type"] == "plain_text_input"]
    chosen = sum(_PRESSES[element["type"]] for element in empty if element not in typed)
    return presses + chosen + (2 if form in PREVIEWED else 1), len(typed)


#: By act: presses and typed fields.
COUNTED = {
    "take": (1, 0),
    "assess": (3, 0),  # safety has no first value: one press more
    "reply": (3, 1),
    "ask": (3, 1),
    "inform": (3, 0),
    # The finding has no first value: one press more. What was done and agreed is typed: it is in no record.
    "resolve": (4, 3),
    "decide": (4, 1),  # the same, and its reasons are typed
    "approve": (2, 0),
    "close": (3, 0),
    "verify": (2, 0),
}


@pytest.mark.parametrize("form", COUNTED)
def test_an_act_takes_so_many_presses_and_typed_fields(form: str) -> None:
    assert counted(form, cases()[form]) == COUNTED[form]


def first_values(form: str, story: Story) -> dict[str, Any]:
    return {
        block["block_id"]: value
        for block in form_of(form, story)
        for name, value in block["element"].items()
        if name.startswith("initial_")
    }


def test_resolving_shows_what_was_asked_for_and_never_says_that_it_was_done_or_agreed() -> None:
    story = cases()["resolve"]
    values = first_values("resolve", story)
    start = prefill("resolve", FormStart(story.case, story.events, voice(), now=NOW))

    assert not {"done", "agreed_how", "finding"} & set(values)
    assert "They asked for: Money back, 42.00 GBP." in json.dumps(start.preface)
    assert values["cause_class"]["value"] == "recurring"
    assert values["others_affected"]["value"] == "unknown"
    assert "safety" not in first_values("assess", cases()["assess"])


def test_what_was_done_starts_with_the_remedies_that_were_carried_out() -> None:
    case, texts = cases()["verify"].case, load_catalogues(["en"])
    promised = replace(case, remedies=tuple(replace(remedy, done_at=None) for remedy in case.remedies))

    assert suggested_words("resolve", case, texts=texts) == {"done": "Money back (£20.00)"}
    assert suggested_words("resolve", promised, texts=texts) == {"done": ""}
    # A template that says what was done names no amount that is only asked for.
    assert template_values("resolve", case, texts)["amount"] == "£20.00"
    assert "amount" not in template_values("resolve", promised, texts)
    assert "amount" not in template_values("inform", promised, texts)
    assert template_values("reply", promised, texts)["amount"] == "£42.00"


def test_deciding_starts_with_the_money_that_was_asked_for_and_it_can_be_refused() -> None:
    story = cases()["decide"]
    start = prefill("decide", FormStart(story.case, story.events, voice(), now=NOW))
    shown = json.dumps(form_view("decide", story.case, voice(), start)["blocks"])
    values = first_values("decide", story)

    assert "They asked for: Money back, 42.00 GBP." in shown
    assert values["remedies.0.type"]["value"] == "refund"
    assert (values["remedies.0.amount"], values["remedies.0.currency"]) == ("42.00", "GBP")
    assert "issues.0.finding" not in values
    chosen = {"remedies.0.type": "no_remedy", "remedies.0.amount": "42.00", "remedies.1.type": "apology"}
    assert filled_rows("decide", "remedies", chosen) == [1]


@pytest.mark.parametrize(
    ("asked_for", "remedy", "amount", "currency"),
    [
        (("compensation", "apology"), "compensation", "340.00", "EUR"),
        (("repair",), None, None, "EUR"),
        # Of two remedies the record has one sum.
        (("money_back", "compensation"), None, None, "EUR"),
    ],
)
def test_deciding_starts_with_one_remedy_of_money_in_the_currency_of_the_complainant(
    asked_for: tuple[str, ...], remedy: str | None, amount: str | None, currency: str
) -> None:
    story = cases()["decide"]
    wish = {"remedies_requested": asked_for, "amount_requested": 34000, "currency_requested": "EUR"}
    case = replace(story.case, **wish)
    initial = prefill("decide", FormStart(case, story.events, voice(), now=NOW)).initial
    assert [initial[f"remedies.0.{name}"] for name in ("type", "amount", "currency")] == [
        remedy,
        amount,
        currency,
    ]


@pytest.mark.parametrize("form", ["ask", "inform"])
@pytest.mark.parametrize("days", [0, 1, 5, 9, 13, 14, 15, 60])
def test_the_first_date_of_a_letter_is_one_that_the_rules_accept(form: str, days: int) -> None:
    story = cases()[form]
    now = NOW + timedelta(days=days)
    start = prefill(form, FormStart(story.case, story.events, voice(), now=now))
    words = {"text": "Which day?", "done": "Read", "left": "Decide"}
    facts = {name: value for name, value in start.initial.items() if name in ("needed_by", "next_date")}

    assert perform(story.case, Verb(form), at=now, actor=ALICE, facts=facts, words=words)


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_first_words_of_a_letter_raise_no_warning(language: str) -> None:
    texts = load_catalogues((language,))
    for story in cases().values():
        case = replace(story.case, language=language)
        for form in ("inform", "resolve"):
            for words in suggested_words(form, case, texts=texts).values():
                assert find_warnings(words, language=language, may_admit=False) == ()


def test_the_first_word_of_a_turkish_letter_keeps_its_dotted_i() -> None:
    texts, story = load_catalogues(("tr",)), next(iter(cases().values()))
    words = suggested_words("inform", replace(story.case, language="tr"), texts=texts).values()
    assert not any(text.startswith("I") for text in words)
    assert capitalised("inceleme ve karar", "tr") == "İnceleme ve karar"
