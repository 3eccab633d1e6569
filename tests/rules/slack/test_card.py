"""The card: what it shows at every stage, what it never shows, and that Slack accepts it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.views.actions import available_actions, due_served, fits
from bots.slack.views.card import EXECUTIVE, card, event_line, owner_text
from bots.slack.views.home import case_row
from bots.slack.views.open_form import next_act, verb_of
from bots.slack.views.proposal_blocks import rule_names
from complaints.actions.authorisation import authorise
from complaints.actors import staff
from complaints.case import Case
from complaints.case_values import ExtensionAsked, RecordedSign, TargetSet
from complaints.deadlines.targets import next_due
from complaints.forms import CARD_ACTS, FORMS, SERVING
from complaints.similarity import SimilarCase
from complaints.vocabulary import CloseCode, State, Target, Verb
from simulator.slack.block_kit import message_problems
from tests.clauses import clause
from tests.rules.slack_cases import (
    ALICE,
    MONA,
    NOW,
    REF,
    TUGBA,
    Story,
    assessed,
    communicated,
    investigated,
    proposed,
    responded,
    stages,
    voice,
)

STAGES = stages()


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
@pytest.mark.parametrize("purpose", ["card", "restricted", EXECUTIVE])
def test_the_card_is_valid_for_slack_at_every_stage(language: str, purpose: str) -> None:
    for name, story in STAGES.items():
        message = card(story.case, voice(language), now=NOW, draw=1, purpose=purpose)

        assert (name, message_problems(message.blocks)) == (name, [])
        assert message.text.strip() != "", name


SIMILAR = (
    SimilarCase("B2B-B2B-22", 0.9, "p1", NOW - timedelta(days=2), is_open=True),
    SimilarCase("C3C-C3C-33", 0.8, "p2", NOW - timedelta(days=2), is_open=True, incident=7),
    SimilarCase(
        "D4D-D4D-44", 0.7, "p3", NOW - timedelta(days=2), is_open=False, closed_at=NOW - timedelta(days=1)
    ),
)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_at_most_two_similar_cases_are_shown_and_only_on_open_complaints(name: str, language: str) -> None:
    case = STAGES[name].case
    without = card(case, voice(language), now=NOW, draw=1)
    message = card(case, voice(language), now=NOW, draw=1, similar=SIMILAR)
    added = [block for block in message.blocks if block not in without.blocks]

    assert message_problems(message.blocks) == []
    assert message.blocks[-1] == without.blocks[-1]
    assert message.text == without.text
    assert [block["accessory"]["action_id"] for block in added] == ["case.link"] * len(added)
    assert len(added) == (2 if case.is_open and case.incident is None else int(case.is_open))


def test_the_button_of_a_similar_case_names_both_complaints_and_the_relation() -> None:
    case = Story().case
    message = card(case, voice(), now=NOW, draw=1, similar=SIMILAR)
    values = [block["accessory"]["value"] for block in message.blocks if "accessory" in block]

    assert values == [f"{REF}:duplicate:B2B-B2B-22", f"{REF}:same_incident:C3C-C3C-33"]
    assert "D4D-D4D-44" not in json.dumps(message.blocks)


@pytest.mark.parametrize("name", STAGES)
def test_a_card_offers_two_or_three_buttons_that_fit_and_the_rest_in_one_menu(name: str) -> None:
    case = STAGES[name].case
    offer = available_actions(case)

    assert len(offer.buttons) in (2, 3)
    assert "open" in offer.buttons
    assert set(offer.buttons) & set(offer.others) == set()
    assert {action for action in (*offer.buttons, *offer.others) if not fits(action, case)} == set()
    # The forms of an incident and of a register are not in FORMS: their fields depend on the languages.
    assert set(CARD_ACTS) - {"open", "due", "incident", "improvement", "withdraw_draft"} <= set(FORMS)


def test_an_act_that_the_complaint_does_not_admit_with_any_form_is_not_offered() -> None:
    case = assessed(Story()).case
    later = ExtensionAsked(by=ALICE.id, target=Target.DECIDE, of=0, until=NOW, seq=case.version)
    closed = replace(case, state=State.CLOSED, close_code=CloseCode.RESOLVED)

    assert fits("resolve", case)
    assert not fits("resolve", replace(case, level=2))
    assert fits("reclassify", case)
    assert not fits("reclassify", replace(case, extension=later))
    assert fits("reopen", closed)
    assert not fits("reopen", replace(closed, close_code=CloseCode.MERGED))


def test_an_unassessed_complaint_is_assessed_first() -> None:
    assert available_actions(Story().case).buttons == ("assess", "take", "open")


def test_an_assessed_complaint_of_low_severity_may_be_resolved_at_once() -> None:
    assert available_actions(assessed(Story()).case).buttons == ("resolve", "investigate", "open")


@clause("4.9")
def test_a_complaint_whose_owner_has_left_is_offered_to_take_and_says_so() -> None:
    case = assessed(Story()).case
    left = replace(case, former_owner=case.owner)
    assert available_actions(left).buttons == ("take", "investigate", "open")
    assert owner_text(case, voice()) == f"<@{case.owner}>"
    assert owner_text(left, voice()) == f"nobody now (before: <@{case.owner}>)"


def test_a_grave_complaint_never_offers_the_quick_resolution() -> None:
    offer = available_actions(STAGES["assessed gravely"].case)

    assert "resolve" not in (*offer.buttons, *offer.others)


def test_the_card_names_what_a_decision_lacks_until_it_is_on_record() -> None:
    story = assessed(proposed(Story()), severity=3)
    assert "Before a decision these are missing: " in str(card(story.case, voice(), now=NOW, draw=0).blocks)
    investigated(story)
    assert "these are missing" not in str(card(story.case, voice(), now=NOW, draw=0).blocks)


def test_the_card_asks_for_a_translation_only_until_the_complaint_is_assessed() -> None:
    new, after = proposed(Story()).case, assessed(proposed(Story())).case
    before, later = (
        str(card(replace(case, written_in="pl"), voice(), now=NOW, draw=0).blocks) for case in (new, after)
    )
    assert "Polish. Get it translated" in before
    assert "Polish" in later
    assert "Get it translated" not in later


def test_a_complaint_with_danger_asks_for_a_receipt_first() -> None:
    assert available_actions(STAGES["danger"].case).buttons[0] == "receipt"


def test_a_decision_waiting_for_approval_offers_approving_first() -> None:
    assert available_actions(STAGES["waits for approval"].case).buttons[0] == "approve"


def only_due(case: Case, target: Target, number: int = 0) -> Case:
    """The complaint with one open due time."""
    end = NOW + timedelta(days=1)
    row = TargetSet(target, 1, number, NOW, end, end, "rule", "1 bd", NOW)
    return replace(case, targets=(row,))


@pytest.mark.parametrize(
    ("stage", "target", "number", "act"),
    [
        ("owned", Target.LOOK, 0, "assess"),
        ("owned", Target.ACT_BY, 0, "assess"),
        ("assessed gravely", Target.FIRST_ACTION, 0, "reply"),
        ("assessed", Target.FIRST_ACTION, 0, "resolve"),
        ("investigating", Target.UPDATE, 0, "inform"),
        ("investigating", Target.DECIDE, 0, "decide"),
        ("investigating", Target.STATEMENT, 1, "investigate"),
        ("investigating", Target.REPLY, 0, "reply"),
        ("investigating", Target.PRIVACY, 0, "reply"),
        ("investigating", Target.SUBJECT, 0, "investigate"),
        ("investigating", Target.BODY_REPLY, 0, "external"),
        ("waits for approval", Target.APPROVE, 0, "approve"),
        ("remedying", Target.REMEDY, 0, "remedy"),
        ("decided", Target.SUBJECT, 1, "note"),
    ],
)
def test_the_first_act_of_a_row_meets_the_due_time_of_that_row(
    stage: str, target: Target, number: int, act: str
) -> None:
    case = replace(only_due(STAGES[stage].case, target, number), owner=ALICE.id)
    top = replace(MONA, roles=MONA.roles | TUGBA.roles)
    assert next_act(case, top) == act
    assert next_due(case) == due_served(case, act)


def test_a_row_of_a_complaint_without_an_owner_offers_taking_it_and_danger_comes_first() -> None:
    unowned = replace(only_due(STAGES["investigating"].case, Target.UPDATE), owner=None)
    assert next_act(unowned, MONA) == "take"
    assert next_act(replace(unowned, owner=ALICE.id, former_owner=ALICE.id), MONA) == "take"
    assert next_act(only_due(STAGES["danger"].case, Target.UPDATE), MONA) == "receipt"


def test_a_row_about_a_second_person_shows_the_due_time_of_that_act() -> None:
    case = STAGES["waits for approval"].case
    approval = case.target(Target.APPROVE)
    assert approval is not None
    earlier = replace(approval, target=Target.UPDATE, version=99, internal_due=NOW)
    case = replace(case, targets=(*case.targets, earlier))
    assert "progress notice" in case_row(case, voice(), NOW)
    assert "approval by" in case_row(case, voice(), NOW, act="approve")


def test_every_due_time_has_its_act_or_waits_for_nobody_of_staff() -> None:
    by_the_decision_or_the_bot = {Target.DECIDE, Target.LEGAL, Target.ACK}
    of_the_complainant = {Target.REPLY_REMINDER, Target.LAPSE, Target.WAITING}
    served = {Target(target.partition(".")[0]) for target in SERVING}
    assert {form for forms in SERVING.values() for form in forms} <= set(CARD_ACTS)
    assert served == set(Target) - by_the_decision_or_the_bot - of_the_complainant


def test_an_open_question_offers_replying_first() -> None:
    assert available_actions(STAGES["question"].case).buttons[0] == "reply"


def test_closing_is_offered_only_when_it_would_be_allowed() -> None:
    assert available_actions(STAGES["accepted"].case).buttons[0] == "close"
    assert "close" not in str(available_actions(STAGES["resolved"].case))


def test_the_row_of_buttons_carries_the_work_version_and_the_drawing_number() -> None:
    case = assessed(Story()).case
    message = card(case, voice(), now=NOW, draw=7)

    assert message.blocks[-1]["block_id"] == "actions:1.7"
    assert [button["action_id"] for button in message.blocks[-1]["elements"]] == [
        "case.resolve",
        "case.investigate",
        "case.open",
        "case.more",
    ]
    assert message.blocks[-1]["elements"][-1]["options"][0]["value"] == f"case.assess:{REF}"


def test_the_executive_card_asks_for_a_receipt_until_it_was_confirmed() -> None:
    case = STAGES["danger"].case
    buttons = card(case, voice(), now=NOW, draw=1, purpose=EXECUTIVE).blocks[-1]["elements"]
    confirmed = replace(case, alarms=(replace(case.alarms[0], seen_at=NOW),), executive_receipt_at=NOW)
    buttons_after = card(confirmed, voice(), now=NOW, draw=2, purpose=EXECUTIVE).blocks[-1]["elements"]

    assert [button["action_id"] for button in buttons] == ["case.receipt", "case.open"]
    assert [button["action_id"] for button in buttons_after] == ["case.open"]


def test_the_card_states_the_next_due_date_and_whether_it_was_missed() -> None:
    case = STAGES["danger"].case
    before = card(case, voice(), now=NOW, draw=1)
    after = card(case, voice(), now=NOW + timedelta(hours=1), draw=2)

    assert "Next: assessment by a person by Tue 3 Nov, 10:30" in before.text
    assert "Next: assessment by a person missed, was due Tue 3 Nov, 10:30" in after.text


def test_a_due_time_at_midnight_is_shown_as_24_00_of_the_ending_day() -> None:
    midnight = datetime(2026, 11, 15, tzinfo=UTC)
    assert voice().due_time(midnight, "Europe/London") == "Sat 14 Nov, 24:00"
    assert voice("tr").due_time(midnight, "Europe/London") == "Cmt 14 Kas, 24:00"
    assert voice().due_time(midnight, "Europe/Istanbul") == "Sun 15 Nov, 03:00"


def test_the_card_shows_the_proposal_its_probability_and_the_rules_that_fired() -> None:
    signs = (RecordedSign("cutoff_eviction", 3, 0, False, NOW),)
    text = json.dumps(card(proposed(Story(signs=signs)).case, voice(), now=NOW, draw=1).blocks)

    assert "Money, 83 % sure" in text
    assert "Rules that fired: cutoff eviction" in text


@pytest.mark.parametrize(
    ("rule", "language", "name"),
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
def test_a_built_in_rule_is_named_in_the_readers_language_and_an_own_rule_by_its_own_name(
    rule: str, language: str, name: str
) -> None:
    case = proposed(Story(signs=(RecordedSign(rule, 3, 0, False, NOW),))).case

    assert rule_names(case, voice(language)) == name


def test_the_card_mentions_a_voice_message_that_no_one_has_listened_to() -> None:
    assert "not yet heard" in json.dumps(card(STAGES["voice only"].case, voice(), now=NOW, draw=1).blocks)


def test_a_closed_card_states_how_the_complaint_ended() -> None:
    assert STAGES["closed"].case.state is State.CLOSED
    assert "Closed: resolved" in card(STAGES["closed"].case, voice(), now=NOW, draw=1).text


@pytest.mark.parametrize("code", CloseCode)
def test_every_close_code_has_a_name(code: CloseCode) -> None:
    case = replace(STAGES["closed"].case, close_code=code)

    assert card(case, voice(), now=NOW, draw=1).text.startswith(f"{REF} · Closed: ")


def test_the_card_of_an_erased_complaint_shows_only_its_reference() -> None:
    message = card(replace(STAGES["closed"].case, erased_at=NOW), voice(), now=NOW, draw=1)

    assert message_problems(message.blocks) == []
    assert len(message.blocks) == 3


CANARY = "Zzyzx-canary"


@given(st.text(max_size=200))
def test_the_card_never_shows_the_complainants_words(text: str) -> None:
    message = card(proposed(Story(f"{CANARY} {text}")).case, voice(), now=NOW, draw=1)

    assert CANARY not in json.dumps(message.blocks) + message.text


# With the tokens around it, the name has the longest form that the record allows.
@given(st.text(min_size=1, max_size=160))
def test_the_name_of_an_own_rule_is_escaped(name: str) -> None:
    story = Story(signs=(RecordedSign(f"<!channel> {name} <@U1> <http://a|b>", 3, 1, False, NOW),))
    message = card(story.case, voice(), now=NOW, draw=1)
    texts = json.dumps(message.blocks, ensure_ascii=False)

    assert message_problems(message.blocks) == []
    assert "<" not in texts.replace(f"<@{ALICE.id}>", "")


@pytest.mark.parametrize("name", STAGES)
def test_the_green_button_of_a_card_is_one_that_every_handler_may_press(name: str) -> None:
    case = STAGES[name].case
    row = card(case, voice(), now=NOW, draw=1).blocks[-1]["elements"]
    green = [
        element["action_id"].removeprefix("case.") for element in row if element.get("style") == "primary"
    ]
    # In the restricted channel are managers.
    handler = staff("U0000009", "manager" if case.restricted else "handler")

    for form in green:
        authorise(case, verb_of(form, case), handler)
    if case.owner is None and case.is_open:
        offered = [element["action_id"] for element in row]
        assert not {"case.resolve", "case.decide", "case.close"} & set(offered)


def test_after_a_lower_assessment_the_card_says_so_and_names_the_rule_as_overruled() -> None:
    signs = (RecordedSign("crash.crash", 5, 2, False, NOW),)
    story = assessed(proposed(Story(signs=signs)), by=MONA, severity=2, safety=0)
    text = json.dumps(card(story.case, voice(), now=NOW, draw=1).blocks, ensure_ascii=False)
    assert "severity 2 instead of 5, safety 0 instead of 2" in text
    assert "(overruled)" in text
    before = json.dumps(card(proposed(Story(signs=signs)).case, voice(), now=NOW, draw=1).blocks)
    assert "overruled" not in before


def test_a_likely_danger_shows_that_a_person_should_look_and_offers_the_receipt() -> None:
    signs = (RecordedSign("fire.fire_likely", 4, 2, False, NOW, look=True),)
    case = Story(signs=signs).case
    assert "should look now" in json.dumps(card(case, voice(), now=NOW, draw=1).blocks)
    assert available_actions(case).buttons[0] == "receipt"


def test_an_assessed_card_shows_the_severity_and_safety_that_a_person_chose() -> None:
    story = proposed(Story())
    cases = (story.case, assessed(story).case)
    before, after = (str(card(case, voice(), now=NOW, draw=1).blocks) for case in cases)

    assert "*Assessed*\\nseverity 2 · safety 0" in after
    assert "*Assessed*" not in before


def test_the_line_of_a_done_remedy_names_the_remedy() -> None:
    story = communicated(responded(investigated(assessed(Story()))))
    story.act(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": NOW.isoformat()}, {"proof": "R-1"})
    line = event_line(story.events[-1], story.case, voice())

    assert line.startswith("Remedy done (1: Refund 20.00 GBP) · ")
