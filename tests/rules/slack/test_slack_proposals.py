"""The proposal as staff see it: figures and names on the card, words only after opening the complaint (7.5)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bots.slack.views.card import card
from bots.slack.views.form_modals import form_view, with_matters
from bots.slack.views.opened_case import model_view
from bots.slack.views.prefill import FormStart, prefill
from bots.slack.views.proposal_blocks import take_matters_blocks
from complaints.actors import Actor
from complaints.case import Case
from complaints.case_values import RecordedSign
from complaints.forms import read
from complaints.vocabulary import Category
from store.values import OpenedCase
from tests.rules.slack_cases import ALICE, MONA, NOW, Story, assessed, proposed, voice

WORDS = "You charged me twice for May. Also your clerk shouted at my mother in the branch."
CRITICAL = ("severity", "safety")
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
DETAILS = {
    "because": [{"word": "charged", "weight": 0.8}, {"word": "mother", "weight": -0.3}],
    "details": [{"kind": "amount", "value": "40.00 GBP", "text": "40 pounds"}],
    "similar": [{"ref": "B7K-M3Q-9T", "category": "money", "severity": 2, "likeness": 0.81}],
}


def a_story(**more: Any) -> Story:
    return proposed(Story(WORDS), **more)


def card_text(case: Case) -> str:
    return str(card(case, voice(), now=NOW, draw=1).blocks)


def opened(story: Story, **more: Any) -> OpenedCase:
    texts = ("You charged me twice for May.", "Also your clerk shouted at my mother in the branch.")
    before = story.opened()
    proposal = dict(before.proposal or {})
    matters = [
        {**issue, "text": text} for issue, text in zip(proposal.get("issues", ()), texts, strict=False)
    ]
    return replace(before, proposal={**proposal, "issues": matters, **DETAILS, **more})


def assess_form(story: Story, **more: Any) -> dict[str, Any]:
    opened_case = opened(story, **more)
    return form_view(
        "assess",
        story.case,
        voice(),
        prefill("assess", FormStart(story.case, (), voice(), now=NOW, opened=opened_case)),
    )


def inputs(view: dict[str, Any]) -> dict[str, Any]:
    return {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}


def chosen(element: dict[str, Any]) -> str | None:
    return element["initial_option"]["value"] if "initial_option" in element else None


def test_a_confident_proposal_shows_one_category_and_its_probability() -> None:
    assert "Proposed: " in card_text(a_story().case)
    assert "83 %" in card_text(a_story().case)
    assert "Not sure between" not in card_text(a_story().case)


def test_a_doubtful_proposal_shows_two_categories_with_their_probabilities() -> None:
    text = card_text(a_story(**DOUBT).case)
    assert "Not sure between" in text
    assert "41 %" in text
    assert "38 %" in text


@pytest.mark.parametrize(
    ("probability", "other", "words"),
    [
        (0.70, 0.07, "Probably "),
        (0.53, 0.20, "Probably "),
        (0.34, 0.10, "No clear category; most likely "),
        (0.41, 0.38, "Not sure between "),
        (0.55, 0.40, "Not sure between "),
    ],
)
def test_the_wording_of_doubt_follows_the_figures(probability: float, other: float, words: str) -> None:
    alternatives = [{"category": "staff_conduct", "probability": other}]
    story = a_story(abstained=True, probability=probability, alternatives=alternatives)
    text = card_text(story.case)
    assert words in text
    assert f"{probability * 100:.0f} %" in text
    assert ("Not sure between" in text) is (words == "Not sure between ")


GRAVE = {"field": "severity", "value": 4, "reason": "critical", "probability": 0.624, "limit": 0.35}


def test_a_grave_severity_without_a_rule_shows_its_figure_on_the_card_and_its_words_after_opening() -> None:
    story = a_story(severity=4, criteria=[GRAVE])
    line = "Severity 4 – The model reads it as grave: 62.4 % (grave from 35 % on)"
    assert line in card_text(story.case)
    view = assess_form(story, criteria=[{**GRAVE, "words": ["lost", "baggage"]}])
    assert f"{line}, “lost”, “baggage”" in str(view["blocks"])


def test_a_severity_that_an_earlier_proposal_raised_says_so() -> None:
    story = proposed(
        a_story(severity=5), severity=2, criteria=[{**GRAVE, "value": 2, "reason": "nothing_graver"}]
    )
    assert "Severity 5 – Earlier words of this complaint were graver" in card_text(story.case)
    assert "No sign of anything graver" not in str(assess_form(story)["blocks"])


def test_the_severity_of_a_category_names_the_category_and_its_probability() -> None:
    usual = {"field": "severity", "value": 4, "reason": "doubted_category"}
    story = a_story(severity=4, criteria=[{**usual, "category": "staff_conduct", "probability": 0.38}])
    text = card_text(story.case)
    assert "Severity 4 – Usual for a category that is possible here: Staff conduct 38 %" in text


def test_a_calm_severity_adds_no_line_to_the_card() -> None:
    story = a_story(criteria=[{"field": "severity", "value": 2, "reason": "nothing_graver"}])
    assert "No sign of anything graver" not in card_text(story.case)
    assert "No sign of anything graver" in str(assess_form(story)["blocks"])


def test_a_proposed_safety_is_explained_but_never_selected() -> None:
    view = assess_form(a_story(safety=1, criteria=[{"field": "safety", "value": 1, "reason": "rule"}]))
    assert "Safety 1 – Words that a safety rule looks for" in str(view["blocks"])
    assert chosen(inputs(view)["safety"]) is None


def test_severity_and_safety_below_a_fired_rule_are_offered_to_managers_only() -> None:
    story = proposed(
        Story("It smells of gas", signs=(RecordedSign("gas", 4, 2, True, NOW),)), severity=4, safety=2
    )

    def offered(actor: Actor) -> tuple[dict[str, list[str]], bool]:
        start = prefill(
            "assess", FormStart(story.case, (), voice(), now=NOW, opened=opened(story), actor=actor)
        )
        view = form_view("assess", story.case, voice(), start)
        elements = inputs(view)
        values = {name: [option["value"] for option in elements[name]["options"]] for name in CRITICAL}
        return values, "Only a manager may go lower" in str(view["blocks"])

    assert offered(ALICE) == ({"severity": ["4", "5"], "safety": ["2", "3"]}, True)
    assert offered(MONA) == ({"severity": list("12345"), "safety": list("0123")}, False)


def test_a_fact_that_the_story_and_an_answer_name_is_shown_once() -> None:
    fact = {"kind": "amount", "value": "40.00 GBP", "text": "40 pounds"}
    other = {"kind": "date", "value": "2026-11-03", "text": "3 November"}
    again = {**fact, "text": "£40"}
    assert str(assess_form(a_story(), details=[fact, other, again])).count("Amount: 40 pounds") == 1
    assert "£40" not in str(assess_form(a_story(), details=[fact, other, again]))


def test_without_a_model_the_card_states_that_no_model_was_in_use() -> None:
    text = card_text(a_story(probability=0.0, abstained=True, category="other", model="rules").case)
    assert "No model was in use" in text
    assert "0 %" not in text


def test_words_without_a_category_of_the_desk_are_reported_as_such() -> None:
    text = card_text(a_story(probability=0.0, abstained=True, category="other", model="v1").case)
    assert "No model" not in text
    assert "The model found none of our categories in these words" in text
    assert "0 %" not in text


def test_another_intent_than_a_complaint_is_only_a_hint_to_reclassify() -> None:
    text = card_text(a_story(intent="praise", intent_probability=0.93).case)
    assert "Reads like praise (93 %)" in text
    assert "Reads like" not in card_text(a_story(intent="complaint", intent_probability=0.93).case)


def test_several_issues_are_counted_on_the_card_and_a_single_one_is_not() -> None:
    assert "2 matters: " in card_text(a_story(**MATTERS).case)
    assert "matters" not in card_text(a_story(issues=MATTERS["issues"][:1]).case)


def test_the_proposal_on_the_card_contains_no_word_of_the_complainant() -> None:
    text = card_text(a_story(**DOUBT, **MATTERS, **CRITERIA, intent="request", intent_probability=0.9).case)
    assert not any(word in text for word in ("charged", "mother", "May", "shouted", "40"))


def test_an_assessed_complaints_card_shows_no_proposal() -> None:
    text = card_text(assessed(a_story(**DOUBT, **MATTERS)).case)
    assert "Not sure" not in text
    assert "matters" not in text


def test_in_doubt_the_form_lists_both_categories_first_and_selects_none() -> None:
    category = inputs(assess_form(a_story(**DOUBT)))["category"]
    assert [option["value"] for option in category["options"]][:2] == ["money", "staff_conduct"]
    assert {option["value"] for option in category["options"]} == set(Category)
    assert chosen(category) is None


def test_for_a_confident_proposal_the_form_keeps_the_usual_order() -> None:
    category = inputs(assess_form(a_story()))["category"]
    assert [option["value"] for option in category["options"]] == list(Category)
    assert chosen(category) == "money"


def test_the_form_is_prefilled_with_the_proposed_criteria_except_safety() -> None:
    fields = inputs(assess_form(a_story(**CRITERIA)))
    assert chosen(fields["complexity"]) == "2"
    assert chosen(fields["recurrence"]) == "3"
    assert chosen(fields["immediate_needed"]) == "no"
    assert "initial_options" in fields["compensation_likely"]
    assert chosen(fields["safety"]) is None


def test_the_form_is_prefilled_with_the_highest_severity_proposed() -> None:
    story = a_story(severity=5)
    doubted = [{"field": "severity", "value": 4, "reason": "doubted_category"}]
    later = proposed(story, severity=4, criteria=doubted)
    assert chosen(inputs(assess_form(later))["severity"]) == "5"


def press_add_issues(view: dict[str, Any], **typed: Any) -> dict[str, Any]:
    """The form after its button for the matters was pressed; `typed` is the state of its inputs."""
    pressed = next(
        element
        for block in view["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "matters"
    )
    assert len(pressed["value"]) <= 2000
    return with_matters({**view, "state": {"values": typed}}, json.loads(pressed["value"]))


def test_the_form_starts_without_rows_for_the_proposed_issues() -> None:
    fields = inputs(assess_form(a_story(**MATTERS)))
    assert "initial_value" not in fields["issues.0.text"]
    assert chosen(fields["issues.0.category"]) is None


def test_the_button_adds_a_row_for_each_proposed_issue_with_its_title_and_category() -> None:
    after = press_add_issues(assess_form(a_story(**MATTERS)))
    fields = inputs(after)
    assert [name for name in fields if name.startswith("issues.")] == [
        "issues.1.text", "issues.1.category", "issues.2.text", "issues.2.category"
    ]  # fmt: skip
    assert fields["issues.1.text"]["initial_value"] == "You charged me twice for May"
    assert chosen(fields["issues.1.category"]) == "money"
    assert fields["issues.2.text"]["initial_value"].startswith("Also your clerk")
    assert chosen(fields["issues.2.category"]) == "staff_conduct"
    facts, words = read("assess", {
        "category": "money", "severity": "2", "safety": "0", "complexity": "1", "reach": "1", "recurrence": "2",
        "immediate_needed": "no", "issues.1.text": "A", "issues.1.category": "money",
        "issues.2.text": "B", "issues.2.category": "staff_conduct",
    })  # fmt: skip
    assert [issue["category"] for issue in facts["issues"]] == ["money", "staff_conduct"]
    assert words["issues.1.text"] == "B"


def test_adding_the_proposed_issues_keeps_the_input_and_removes_the_button() -> None:
    typed = {"type": "plain_text_input", "value": "My own row"}
    after = press_add_issues(assess_form(a_story(**MATTERS)), **{"issues.0.text": {"value": typed}})
    fields = inputs(after)
    assert fields["issues.0.text"]["initial_value"] == "My own row"
    assert fields["issues.1.text"]["initial_value"] == "You charged me twice for May"
    assert "Take these matters" not in str(after["blocks"])


def test_a_single_proposed_issue_offers_no_button() -> None:
    assert "Take these matters" not in str(assess_form(a_story(issues=MATTERS["issues"][:1])))


def test_four_long_issues_fit_into_the_value_of_the_button() -> None:
    story = a_story(issues=[{"category": "staff_conduct", "probability": 0.5}] * 4)
    opened_case = opened(story, issues=[{"category": "staff_conduct", "text": '"ş\\' * 600}] * 4)
    (row,) = take_matters_blocks(opened_case, voice())
    assert len(row["elements"][0]["value"]) <= 2000


@pytest.mark.parametrize("form", ["assess", "model"])
def test_opening_the_complaint_shows_words_reasons_facts_and_similar_cases(form: str) -> None:
    story = a_story(**MATTERS, **CRITERIA)
    opened_case = opened(story)
    view = assess_form(story) if form == "assess" else model_view(opened_case, voice(), now=NOW)
    text = str(view["blocks"])
    for words in (
        "Because of: “charged”",
        "Against it: “mother”",
        "Amount: 40 pounds",
        "B7K-M3Q-9T · ",
        "81 % alike",
        "Complexity – ",
    ):
        assert words in text


def test_a_reassessment_form_is_prefilled_with_the_current_assessment() -> None:
    story = assessed(a_story(**MATTERS, **CRITERIA))
    fields = inputs(assess_form(story))
    assert chosen(fields["complexity"]) == "1"
    assert "initial_value" not in fields["issues.0.text"]
