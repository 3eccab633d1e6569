"""The card: what it shows at every stage, what it never shows, and that Slack would take it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.views.actions import FITS, available_actions
from bots.slack.views.card import EXECUTIVE, card
from bots.slack.views.proposal import rule_names
from complaints.case_values import RecordedSign
from complaints.forms import FORMS
from complaints.similarity import SimilarCase
from complaints.vocabulary import CloseCode, State
from simulator.slack.block_kit import message_problems
from tests.rules.slack_cases import ALICE, NOW, REF, Story, assessed, proposed, stages, voice

STAGES = stages()


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("purpose", ["card", "restricted", EXECUTIVE])
def test_slack_would_take_the_card_at_every_stage(name: str, language: str, purpose: str) -> None:
    drawn = card(STAGES[name].case, voice(language), now=NOW, draw=1, purpose=purpose)

    assert message_problems(drawn.blocks) == []
    assert drawn.text.strip() != ""


LIKES = (
    SimilarCase("B2B-B2B-22", 0.9, "p1", NOW - timedelta(days=2), is_open=True),
    SimilarCase("C3C-C3C-33", 0.8, "p2", NOW - timedelta(days=2), is_open=True, incident=7),
    SimilarCase(
        "D4D-D4D-44", 0.7, "p3", NOW - timedelta(days=2), is_open=False, closed_at=NOW - timedelta(days=1)
    ),
)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("language", ["en", "tr"])
def test_like_complaints_stand_in_two_lines_at_most_and_on_open_ones_alone(name: str, language: str) -> None:
    case = STAGES[name].case
    bare = card(case, voice(language), now=NOW, draw=1)
    drawn = card(case, voice(language), now=NOW, draw=1, similar=LIKES)
    added = [one for one in drawn.blocks if one not in bare.blocks]

    assert message_problems(drawn.blocks) == []
    assert drawn.blocks[-1] == bare.blocks[-1]
    assert drawn.text == bare.text
    assert [one["accessory"]["action_id"] for one in added] == ["case.link"] * len(added)
    assert len(added) == (2 if case.is_open and case.incident is None else int(case.is_open))


def test_the_button_of_a_like_complaint_says_which_is_tied_to_which() -> None:
    case = Story().case
    drawn = card(case, voice(), now=NOW, draw=1, similar=LIKES)
    values = [one["accessory"]["value"] for one in drawn.blocks if "accessory" in one]

    assert values == [f"{REF}:duplicate:B2B-B2B-22", f"{REF}:same_incident:C3C-C3C-33"]
    assert "D4D-D4D-44" not in json.dumps(drawn.blocks)


@pytest.mark.parametrize("name", STAGES)
def test_a_card_offers_two_or_three_buttons_that_fit_and_the_rest_in_one_menu(name: str) -> None:
    case = STAGES[name].case
    offer = available_actions(case)

    assert len(offer.buttons) in (2, 3)
    assert "open" in offer.buttons
    assert set(offer.buttons) & set(offer.others) == set()
    assert {one for one in (*offer.buttons, *offer.others) if not FITS[one](case)} == set()
    # The form of an incident stands with the incidents: it has a text of each language.
    assert set(FITS) - {"open", "due", "incident"} <= set(FORMS)


def test_an_unassessed_complaint_is_assessed_first() -> None:
    assert available_actions(Story().case).buttons == ("assess", "take", "open")


def test_a_slight_assessed_complaint_may_be_resolved_on_the_spot() -> None:
    assert available_actions(assessed(Story()).case).buttons == ("resolve", "investigate", "open")


def test_a_grave_one_is_never_offered_the_short_road() -> None:
    offer = available_actions(STAGES["assessed gravely"].case)

    assert "resolve" not in (*offer.buttons, *offer.others)


def test_danger_asks_for_a_receipt_before_anything_else() -> None:
    assert available_actions(STAGES["danger"].case).buttons[0] == "receipt"


def test_a_waiting_decision_is_approved_first() -> None:
    assert available_actions(STAGES["waits for approval"].case).buttons[0] == "approve"


def test_a_question_is_answered_before_the_complaint_is_closed() -> None:
    assert available_actions(STAGES["question"].case).buttons[0] == "reply"


def test_closing_is_offered_only_when_it_would_be_allowed() -> None:
    assert available_actions(STAGES["accepted"].case).buttons[0] == "close"
    assert "close" not in str(available_actions(STAGES["resolved"].case))


def test_the_row_says_which_work_version_and_drawing_it_is() -> None:
    case = assessed(Story()).case
    drawn = card(case, voice(), now=NOW, draw=7)

    assert drawn.blocks[-1]["block_id"] == "actions:1.7"
    assert [one["action_id"] for one in drawn.blocks[-1]["elements"]] == [
        "case.resolve",
        "case.investigate",
        "case.open",
        "case.more",
    ]
    assert drawn.blocks[-1]["elements"][-1]["options"][0]["value"] == f"case.assess:{REF}"


def test_the_executive_card_asks_for_a_receipt_until_somebody_gave_it() -> None:
    case = STAGES["danger"].case
    shown = card(case, voice(), now=NOW, draw=1, purpose=EXECUTIVE).blocks[-1]["elements"]
    after = replace(case, danger_receipt_at=NOW, executive_receipt_at=NOW)
    then = card(after, voice(), now=NOW, draw=2, purpose=EXECUTIVE).blocks[-1]["elements"]

    assert [one["action_id"] for one in shown] == ["case.receipt", "case.open"]
    assert [one["action_id"] for one in then] == ["case.open"]


def test_the_card_says_what_is_due_next_and_what_was_missed() -> None:
    case = STAGES["danger"].case
    before = card(case, voice(), now=NOW, draw=1)
    after = card(case, voice(), now=NOW + timedelta(hours=1), draw=2)

    assert "Next: assessment by a person by Tue 3 Nov, 10:30" in before.text
    assert "Next: assessment by a person missed, was due Tue 3 Nov, 10:30" in after.text


def test_what_is_due_when_a_day_ends_names_that_day_and_24_00() -> None:
    midnight = datetime(2026, 11, 15, tzinfo=UTC)
    assert voice().due_time(midnight, "Europe/London") == "Sat 14 Nov, 24:00"
    assert voice("tr").due_time(midnight, "Europe/London") == "Cmt 14 Kas, 24:00"
    assert voice().due_time(midnight, "Europe/Istanbul") == "Sun 15 Nov, 03:00"


def test_the_card_shows_the_proposal_its_probability_and_the_rules_that_fired() -> None:
    signs = (RecordedSign("cutoff_eviction", 3, 0, False, NOW),)
    shown = json.dumps(card(proposed(Story(signs=signs)).case, voice(), now=NOW, draw=1).blocks)

    assert "Money, 83 % sure" in shown
    assert "Rules that fired: cutoff eviction" in shown


@pytest.mark.parametrize(
    ("rule", "language", "said"),
    [
        ("gas.gas_smell", "en", "smell of gas"),
        ("gas.gas_smell", "tr", "gaz kokusu"),
        ("fire.fire_possible", "en", "fire (possible)"),
        ("gas.gas_smell_past", "tr", "gaz kokusu (geçmişte)"),
        ("own.fire", "tr", "fire"),
        ("own.smell_of_gas", "en", "smell of gas"),
        ("cutoff_eviction", "en", "cutoff eviction"),
    ],
)
def test_a_rule_is_shown_in_the_readers_language_and_an_own_one_as_it_is_called(
    rule: str, language: str, said: str
) -> None:
    case = proposed(Story(signs=(RecordedSign(rule, 3, 0, False, NOW),))).case

    assert rule_names(case, voice(language)) == said


def test_the_card_says_that_voice_was_not_heard() -> None:
    assert "not yet heard" in json.dumps(card(STAGES["voice only"].case, voice(), now=NOW, draw=1).blocks)


def test_a_closed_card_says_how_it_ended() -> None:
    assert STAGES["closed"].case.state is State.CLOSED
    assert "Closed: resolved" in card(STAGES["closed"].case, voice(), now=NOW, draw=1).text


@pytest.mark.parametrize("code", CloseCode)
def test_every_ending_has_a_name(code: CloseCode) -> None:
    case = replace(STAGES["closed"].case, close_code=code)

    assert card(case, voice(), now=NOW, draw=1).text.startswith(f"{REF} · Closed: ")


def test_an_erased_complaint_keeps_only_its_reference() -> None:
    drawn = card(replace(STAGES["closed"].case, erased_at=NOW), voice(), now=NOW, draw=1)

    assert message_problems(drawn.blocks) == []
    assert len(drawn.blocks) == 3


CANARY = "Zzyzx-canary"


@given(st.text(max_size=200))
def test_the_card_never_shows_a_word_of_the_complainant(text: str) -> None:
    drawn = card(proposed(Story(f"{CANARY} {text}")).case, voice(), now=NOW, draw=1)

    assert CANARY not in json.dumps(drawn.blocks) + drawn.text


# With what stands round it as long as a name can be in the record.
@given(st.text(min_size=1, max_size=160))
def test_a_rule_named_by_the_organisation_makes_no_control_token(name: str) -> None:
    story = Story(signs=(RecordedSign(f"<!channel> {name} <@U1> <http://a|b>", 3, 1, False, NOW),))
    shown = card(story.case, voice(), now=NOW, draw=1)
    texts = json.dumps(shown.blocks, ensure_ascii=False)

    assert message_problems(shown.blocks) == []
    assert "<" not in texts.replace(f"<@{ALICE.id}>", "")
