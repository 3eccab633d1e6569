"""The proposal as staff see it: figures and names on the card, words only where somebody opened them (7.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bots.slack.card import card
from bots.slack.fillings import filling
from bots.slack.modals import modal
from bots.slack.open_view import open_view
from complaints.record import Case
from complaints.vocabulary import Category
from store.values import Opened
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


def opened(story: Story, **more: Any) -> Opened:
    texts = ("You charged me twice for May.", "Also your clerk shouted at my mother in the branch.")
    before = story.opened()
    known = dict(before.proposal or {})
    matters = [{**one, "text": text} for one, text in zip(known.get("issues", ()), texts, strict=False)]
    return replace(before, proposal={**known, "issues": matters, **BEHIND, **more})


def assess_form(story: Story, **more: Any) -> dict[str, Any]:
    seen = opened(story, **more)
    return modal(
        "assess", story.case, voice(), filling("assess", story.case, (), voice(), now=NOW, opened=seen)
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


def test_each_matter_has_its_row_with_its_words_and_category() -> None:
    found = inputs(assess_form(a_story(**MATTERS)))
    assert found["issues.0.text"]["initial_value"] == "You charged me twice for May."
    assert chosen(found["issues.0.category"]) == "money"
    assert found["issues.1.text"]["initial_value"].startswith("Also your clerk")
    assert chosen(found["issues.1.category"]) == "staff_conduct"
    assert "issues.2.text" not in found


def test_a_single_matter_is_the_story_itself_and_prefills_no_row() -> None:
    found = inputs(assess_form(a_story(issues=MATTERS["issues"][:1])))
    assert "initial_value" not in found["issues.0.text"]


@pytest.mark.parametrize("form", ["assess", "open"])
def test_whoever_opens_it_sees_words_reasons_facts_and_like_cases(form: str) -> None:
    story = a_story(**MATTERS, **CRITERIA)
    seen = opened(story)
    view = assess_form(story) if form == "assess" else open_view(seen, voice(), now=NOW)
    told = str(view["blocks"])
    for words in (
        "Because of: “charged”",
        "Against it: “mother”",
        "Amount: 40 pounds",
        "B7K-M3Q-9T · ",
        "81 % alike",
        "Complexity: ",
    ):
        assert words in told


def test_who_assesses_again_starts_from_the_assessment_in_force() -> None:
    story = assessed(a_story(**MATTERS, **CRITERIA))
    found = inputs(assess_form(story))
    assert chosen(found["complexity"]) == "1"
    assert "initial_value" not in found["issues.0.text"]
