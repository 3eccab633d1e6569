"""The proposal as staff see it: figures and names on the card, words only where somebody opened them (7.5)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bots.slack.views.card import card
from bots.slack.views.case import case_view
from bots.slack.views.forms import form_view, with_matters
from bots.slack.views.prefill import prefill
from bots.slack.views.proposal import take_matters_blocks
from complaints.case import Case
from complaints.forms import read
from complaints.vocabulary import Category
from store.values import OpenedCase
from tests.rules.slack_cases import NOW, Story, assessed, proposed, voice

WORDS = "You charged me twice for May. Also your clerk shouted at my mother in the branch."
DOUBT = {
    "abstained": True,
    "probability": 0.41,
    "alternatives": [{"category": "staff_conduct", "probability": 0.38}],
}
MATTERS = {
    "issues": [{"category": "money", "probability": 0.6}, {"category": "staff_conduct", "probability": 0.7}]
}
CRITERIA = {
    "criteria": [
        {"field": "complexity", "value": 2, "reason": "several_issues"},
        {"field": "recurrence", "value": 3, "reason": "again"},
        {"field": "immediate_needed", "value": "no", "reason": "nothing_presses"},
        {"field": "compensation_likely", "value": True, "reason": "amount_lost"},
    ]
}
BEHIND = {
    "because": [{"word": "charged", "weight": 0.8}, {"word": "mother", "weight": -0.3}],
    "details": [{"kind": "amount", "value": "40.00 GBP", "text": "40 pounds"}],
    "similar": [{"ref": "B7K-M3Q-9T", "category": "money", "severity": 2, "likeness": 0.81}],
}


def a_story(**more: Any) -> Story:
    return proposed(Story(WORDS), **more)


def on_card(case: Case) -> str:
    return str(card(case, voice(), now=NOW, draw=1).blocks)


def opened(story: Story, **more: Any) -> OpenedCase:
    texts = ("You charged me twice for May.", "Also your clerk shouted at my mother in the branch.")
    before = story.opened()
    known = dict(before.proposal or {})
    matters = [{**one, "text": text} for one, text in zip(known.get("issues", ()), texts, strict=False)]
    return replace(before, proposal={**known, "issues": matters, **BEHIND, **more})


def assess_form(story: Story, **more: Any) -> dict[str, Any]:
    seen = opened(story, **more)
    return form_view(
        "assess", story.case, voice(), prefill("assess", story.case, (), voice(), now=NOW, opened=seen)
    )


def inputs(view: dict[str, Any]) -> dict[str, Any]:
    return {one["block_id"]: one["element"] for one in view["blocks"] if one["type"] == "input"}


def chosen(element: dict[str, Any]) -> str | None:
    return element["initial_option"]["value"] if "initial_option" in element else None


def test_a_sure_proposal_names_one_category_and_how_sure() -> None:
    assert "Proposed: " in on_card(a_story().case)
    assert "83 %" in on_card(a_story().case)
    assert "Not sure between" not in on_card(a_story().case)


def test_a_doubtful_proposal_says_between_which_two() -> None:
    told = on_card(a_story(**DOUBT).case)
    assert "Not sure between" in told
    assert "41 %" in told
    assert "38 %" in told


def test_without_a_model_the_card_says_that_the_rules_alone_propose() -> None:
    told = on_card(a_story(probability=0.0, abstained=True, category="other", model="rules").case)
    assert "No model yet" in told
    assert "0 %" not in told


def test_a_model_that_knows_none_of_the_desks_categories_is_no_missing_model() -> None:
    told = on_card(a_story(probability=0.0, abstained=True, category="other", model="v1").case)
    assert "No model yet" not in told
    assert "The model knows none of our categories for this" in told
    assert "0 %" not in told


def test_another_intent_than_a_complaint_is_only_a_hint_to_reclassify() -> None:
    told = on_card(a_story(intent="praise", intent_probability=0.93).case)
    assert "Reads like praise (93 %)" in told
    assert "Reads like" not in on_card(a_story(intent="complaint", intent_probability=0.93).case)


def test_several_matters_are_counted_on_the_card_and_one_is_not() -> None:
    assert "2 matters: " in on_card(a_story(**MATTERS).case)
    assert "matters" not in on_card(a_story(issues=MATTERS["issues"][:1]).case)


def test_the_card_holds_no_word_of_the_complainant() -> None:
    told = on_card(a_story(**DOUBT, **MATTERS, **CRITERIA, intent="request", intent_probability=0.9).case)
    assert not any(word in told for word in ("charged", "mother", "May", "shouted", "40"))


def test_once_assessed_the_card_proposes_nothing() -> None:
    told = on_card(assessed(a_story(**DOUBT, **MATTERS)).case)
    assert "Not sure" not in told
    assert "matters" not in told


def test_the_form_of_doubt_offers_both_categories_first_and_chooses_none() -> None:
    category = inputs(assess_form(a_story(**DOUBT)))["category"]
    assert [one["value"] for one in category["options"]][:2] == ["money", "staff_conduct"]
    assert {one["value"] for one in category["options"]} == set(Category)
    assert chosen(category) is None


def test_the_form_of_a_sure_proposal_keeps_the_usual_order() -> None:
    category = inputs(assess_form(a_story()))["category"]
    assert [one["value"] for one in category["options"]] == list(Category)
    assert chosen(category) == "money"


def test_the_form_starts_from_the_proposed_criteria_and_never_from_a_safety() -> None:
    found = inputs(assess_form(a_story(**CRITERIA)))
    assert chosen(found["complexity"]) == "2"
    assert chosen(found["recurrence"]) == "3"
    assert chosen(found["immediate_needed"]) == "no"
    assert "initial_options" in found["compensation_likely"]
    assert chosen(found["safety"]) is None


def test_the_form_starts_from_the_severity_that_holds_and_not_from_the_one_with_a_reason() -> None:
    told = a_story(severity=5)
    doubted = [{"field": "severity", "value": 4, "reason": "doubted_category"}]
    later = proposed(told, severity=4, criteria=doubted)
    assert chosen(inputs(assess_form(later))["severity"]) == "5"


def taken(view: dict[str, Any], **typed: Any) -> dict[str, Any]:
    """The form after its button for the matters was pressed; `typed` is the state of its inputs."""
    pressed = next(
        element
        for block in view["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "matters"
    )
    assert len(pressed["value"]) <= 2000
    return with_matters({**view, "state": {"values": typed}}, json.loads(pressed["value"]), voice())


def test_a_form_starts_without_rows_that_nobody_asked_for() -> None:
    found = inputs(assess_form(a_story(**MATTERS)))
    assert "initial_value" not in found["issues.0.text"]
    assert chosen(found["issues.0.category"]) is None


def test_a_press_puts_a_row_for_each_matter_with_its_words_and_category() -> None:
    after = taken(assess_form(a_story(**MATTERS)))
    found = inputs(after)
    assert [one for one in found if one.startswith("issues.")] == [
        "issues.1.text", "issues.1.category", "issues.2.text", "issues.2.category"
    ]  # fmt: skip
    assert found["issues.1.text"]["initial_value"] == "You charged me twice for May."
    assert chosen(found["issues.1.category"]) == "money"
    assert found["issues.2.text"]["initial_value"].startswith("Also your clerk")
    assert chosen(found["issues.2.category"]) == "staff_conduct"
    facts, words = read("assess", {
        "category": "money", "severity": "2", "safety": "0", "complexity": "1", "reach": "1", "recurrence": "2",
        "immediate_needed": "no", "issues.1.text": "A", "issues.1.category": "money",
        "issues.2.text": "B", "issues.2.category": "staff_conduct",
    })  # fmt: skip
    assert [one["category"] for one in facts["issues"]] == ["money", "staff_conduct"]
    assert words["issues.1.text"] == "B"


def test_taking_the_matters_keeps_what_was_typed_and_goes_once() -> None:
    typed = {"type": "plain_text_input", "value": "My own row"}
    after = taken(assess_form(a_story(**MATTERS)), **{"issues.0.text": {"value": typed}})
    found = inputs(after)
    assert found["issues.0.text"]["initial_value"] == "My own row"
    assert found["issues.1.text"]["initial_value"] == "You charged me twice for May."
    assert "Take these matters" not in str(after["blocks"])


def test_a_single_matter_is_the_story_itself_and_offers_nothing_to_take() -> None:
    assert "Take these matters" not in str(assess_form(a_story(issues=MATTERS["issues"][:1])))


def test_four_long_matters_fit_into_the_button() -> None:
    story = a_story(issues=[{"category": "staff_conduct", "probability": 0.5}] * 4)
    seen = opened(story, issues=[{"category": "staff_conduct", "text": '"ş\\' * 600}] * 4)
    (row,) = take_matters_blocks(seen, voice())
    assert len(row["elements"][0]["value"]) <= 2000


@pytest.mark.parametrize("form", ["assess", "open"])
def test_whoever_opens_it_sees_words_reasons_facts_and_like_cases(form: str) -> None:
    story = a_story(**MATTERS, **CRITERIA)
    seen = opened(story)
    view = assess_form(story) if form == "assess" else case_view(seen, voice(), now=NOW)
    told = str(view["blocks"])
    for words in (
        "Because of: “charged”",
        "Against it: “mother”",
        "Amount: 40 pounds",
        "B7K-M3Q-9T · ",
        "81 % alike",
        "Complexity – ",
    ):
        assert words in told


def test_who_assesses_again_starts_from_the_assessment_in_force() -> None:
    story = assessed(a_story(**MATTERS, **CRITERIA))
    found = inputs(assess_form(story))
    assert chosen(found["complexity"]) == "1"
    assert "initial_value" not in found["issues.0.text"]
