"""Receiving, acknowledging, assessing, reclassifying: the guards up to the inquiry (docs/domain.md, section 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.actions.intake import Arrival
from complaints.actions.perform import receive
from complaints.actors import SYSTEM
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import CloseCode, ContactKind, Flag, State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    BURAK,
    CRITERIA,
    METE,
    MONA,
    REF,
    RULES,
    TUESDAY,
    TUGBA,
    a_case_at_level_two,
    a_message,
    a_received_case,
    a_sign,
    a_told_case,
    acknowledged,
    an_assessed_case,
    assessed,
    decided,
    has,
    heard_at,
    proposed,
)

LOWER = {"override_reason": "She says herself that nobody was hurt."}


@clause("7.2")
def test_a_record_begins_with_words_or_a_file() -> None:
    assert a_received_case().case.state is State.RECEIVED
    assert a_received_case(has_words=False, media=1).case.state is State.RECEIVED
    with pytest.raises(BadFacts, match="begins with words or a file"):
        a_received_case(has_words=False)


def test_nothing_is_received_in_the_future() -> None:
    arrival = Arrival(REF, ANNA.id, "telegram", "en", TUESDAY + timedelta(hours=1), RULES)
    with pytest.raises(BadFacts, match="cannot have been received in the future"):
        receive(arrival, at=TUESDAY, by=ANNA, facts=a_message(), words={})


@clause("7.2")
def test_send_signs_once_and_ends_the_questions() -> None:
    told = a_received_case().do(Verb.CONFIRM, ANNA)
    assert not told.case.form_open
    again = told.later(days=1).do(Verb.CONFIRM, ANNA)
    assert again.case.confirmed_at == told.case.confirmed_at


def test_the_questions_end_once() -> None:
    told = a_received_case().do(Verb.END_FORM, SYSTEM, {"because": "silence"})
    assert told.case.form_ended_at is not None
    with pytest.raises(AlreadyDone):
        told.do(Verb.END_FORM, SYSTEM, {"because": "latest"})


@pytest.mark.parametrize("verb", [Verb.REPLY, Verb.ASK, Verb.INFORM])
def test_a_first_message_of_staff_ends_the_questions(verb: Verb) -> None:
    facts = {"needed_by": "2026-11-09", "next_date": "2026-11-09"}
    words = {"text": "Thank you.", "done": "Read.", "left": "Ask."}
    assert not a_received_case().do(verb, ALICE, facts, words).case.form_open


@clause("7.4")
def test_the_acknowledgement_counts_once_a_level() -> None:
    told = acknowledged(a_received_case())
    assert set(told.case.acks) == {1}
    with pytest.raises(AlreadyDone):
        told.do(Verb.ACKNOWLEDGE, SYSTEM)
    with pytest.raises(BadFacts, match="has not reached level 2"):
        told.do(Verb.ACKNOWLEDGE, SYSTEM, {"level": 2})


@clause("7.4")
def test_an_acknowledgement_by_voice_says_when_and_by_whom_and_is_a_human_contact() -> None:
    told = a_received_case()
    with pytest.raises(BadFacts, match="Say when this was heard"):
        told.do(Verb.ACKNOWLEDGE, ALICE)
    with pytest.raises(BadFacts, match="Say who told it"):
        told.do(Verb.ACKNOWLEDGE, ALICE, heard_at(told))
    by_voice = told.do(Verb.ACKNOWLEDGE, ALICE, heard_at(told), {"by_whom": "Alice to the complainant."})
    assert by_voice.case.contacted
    assert not acknowledged(told).case.contacted


def test_what_was_heard_was_not_heard_in_the_future() -> None:
    told = a_received_case()
    with pytest.raises(BadFacts, match="lies in the future"):
        told.do(Verb.ACKNOWLEDGE, ALICE, heard_at(told.later(hours=2)), {"by_whom": "Alice."})


@clause("7.5")
def test_the_first_assessment_moves_a_received_complaint_on() -> None:
    assert an_assessed_case().case.state is State.ASSESSED


def test_an_assessment_during_the_inquiry_leaves_the_state() -> None:
    told = acknowledged(a_received_case()).do(Verb.INVESTIGATE, ALICE, {"evidence": []})
    assert assessed(told).case.state is State.INVESTIGATING


@clause("7.5")
def test_a_complaint_told_only_in_media_is_heard_before_it_is_assessed() -> None:
    told = a_received_case(has_words=False, media=1, audible=1)
    with pytest.raises(BadFacts, match="listen or look first"):
        assessed(told)
    heard = assessed(told, media_heard=True)
    assert heard.case.media_heard
    assert not has(heard, Flag.MEDIA_UNHEARD)


def test_words_that_follow_media_are_enough_to_assess() -> None:
    told = a_received_case(has_words=False, media=1).do(Verb.ADD, ANNA, a_message())
    assert assessed(told).case.state is State.ASSESSED


@clause("7.5")
def test_an_immediate_action_that_is_needed_asks_whether_it_is_possible() -> None:
    # Unsaid counts as not possible: what is significant is rather told once too often.
    assert has(an_assessed_case(immediate_needed="yes"), Flag.SIGNIFICANT)
    assert not has(an_assessed_case(immediate_needed="yes", immediate_possible="yes"), Flag.SIGNIFICANT)
    assert has(an_assessed_case(immediate_needed="yes", immediate_possible="no"), Flag.SIGNIFICANT)


def test_a_second_first_assessment_is_refused() -> None:
    with pytest.raises(BadFacts, match="assess it again"):
        an_assessed_case().do(Verb.ASSESS, ALICE, CRITERIA)


def test_nothing_is_assessed_again_that_was_not_assessed() -> None:
    with pytest.raises(BadFacts, match="is not assessed yet"):
        a_received_case().do(Verb.REASSESS, ALICE, CRITERIA)


@clause("7.5")
def test_a_first_assessment_below_the_model_is_no_lowering() -> None:
    told = proposed(acknowledged(a_received_case()), severity=5, safety=2)
    assert assessed(told).case.severity == 2


@clause("7.5")
def test_only_a_manager_with_a_reason_assesses_below_a_fired_rule() -> None:
    told = acknowledged(a_received_case(signs=(a_sign(severity=4, safety=2),)))
    with pytest.raises(NotAllowed, match="Only a manager may lower"):
        assessed(told, ALICE, LOWER)
    with pytest.raises(BadFacts, match="Say why"):
        assessed(told, MONA)
    assert assessed(told, MONA, LOWER).case.severity == 2
    assert assessed(told, ALICE, severity=4, safety=2).case.severity == 4


@clause("7.5")
@pytest.mark.parametrize(
    ("before", "lower"),
    [
        ({"severity": 3}, {"severity": 2}),
        ({"safety": 1}, {"safety": 0}),
        ({"severity": 3, "recurrence": 3}, {"recurrence": 1}),
        ({"severity": 2, "reach": 3}, {"reach": 1}),
        ({"complexity": 1}, {"complexity": 3}),
    ],
)
def test_only_a_manager_lowers_or_delays_afterwards(before: dict[str, int], lower: dict[str, int]) -> None:
    told = an_assessed_case(**before)
    with pytest.raises(NotAllowed, match="Only a manager may lower"):
        assessed(told, ALICE, LOWER, **{**before, **lower})
    assert assessed(told, MONA, LOWER, **{**before, **lower}).last.verb is Verb.REASSESS


def test_anybody_who_handles_raises() -> None:
    assert assessed(an_assessed_case(), BURAK, severity=4).case.severity == 4


@clause("7.5")
def test_a_rule_that_fires_after_the_assessment_raises_it_until_somebody_looks() -> None:
    told = an_assessed_case().do(
        Verb.ADD, ANNA, a_message(signs=(a_sign(severity=5, safety=3, danger=True),))
    )
    assert (told.case.severity, told.case.safety) == (5, 3)
    assert has(told, Flag.SIGNIFICANT)
    with pytest.raises(NotAllowed, match="Only a manager may lower"):
        assessed(told, ALICE, LOWER)
    assert assessed(told, MONA, LOWER).case.severity == 2


def test_what_a_manager_set_below_a_rule_a_handler_may_keep() -> None:
    told = acknowledged(a_received_case(signs=(a_sign(severity=4, safety=2),)))
    lowered = assessed(told, MONA, LOWER)
    assert assessed(lowered, ALICE, category="service").case.severity == 2


@clause("7.5")
def test_issues_are_named_at_the_assessment_and_kept_when_none_are_given_again() -> None:
    told = an_assessed_case(issues=[{"category": "money"}, {"category": "service"}])
    assert [one.category for one in told.case.issues] == ["money", "service"]
    assert [one.category for one in assessed(told).case.issues] == ["money", "service"]
    assert [one.category for one in assessed(told, issues=[{}]).case.issues] == ["money"]


def test_issues_stand_once_they_were_decided() -> None:
    with pytest.raises(BadFacts, match="leave their rows as they are"):
        assessed(a_told_case(), issues=[{"category": "money"}, {"category": "service"}])


def test_issues_stand_while_a_draft_of_their_findings_waits() -> None:
    drafted = decided(an_assessed_case(severity=4).do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE}))
    with pytest.raises(BadFacts, match="leave their rows as they are"):
        assessed(drafted, ALICE, severity=4, issues=[{"category": "service"}])
    assert assessed(drafted, ALICE, severity=5).case.drafted is not None


PRAISE = {"kind": "praise"}
WHY = {"reason": "She only says thank you."}
YES, NO = {"agreed": "yes"}, {"agreed": "no"}


@clause("3")
def test_a_second_person_agrees_that_it_is_no_complaint() -> None:
    told = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    assert told.case.state is State.RECEIVED
    closed = told.do(Verb.APPROVE, MONA, YES)
    assert (closed.case.state, closed.case.close_code) == (State.CLOSED, CloseCode.NOT_COMPLAINT)
    assert closed.case.kind is ContactKind.PRAISE


@clause("3")
def test_whoever_proposed_it_does_not_agree_to_it() -> None:
    told = acknowledged(a_received_case()).do(Verb.RECLASSIFY, MONA, PRAISE, WHY)
    with pytest.raises(NotAllowed, match="a second person approves"):
        told.do(Verb.APPROVE, MONA, YES)


@clause("3")
def test_a_no_leaves_it_a_complaint() -> None:
    told = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    with pytest.raises(BadFacts, match="Say why not"):
        told.do(Verb.APPROVE, MONA, NO)
    kept = told.do(Verb.APPROVE, MONA, NO, {"reason": "She asks for an answer."})
    assert (kept.case.state, kept.case.kind) == (State.RECEIVED, ContactKind.COMPLAINT)
    assert kept.case.reclassification is None


@clause("3")
def test_harm_stays_a_complaint_whatever_its_words() -> None:
    with pytest.raises(NotAllowed, match="severity 3"):
        an_assessed_case(severity=3).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    with pytest.raises(NotAllowed, match="severity 4"):
        a_received_case(signs=(a_sign(),)).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)


def test_harm_seen_after_the_proposal_stops_the_agreement() -> None:
    told = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    harmed = told.do(Verb.ADD, ANNA, a_message(signs=(a_sign(),)))
    with pytest.raises(NotAllowed, match="by now"):
        harmed.do(Verb.APPROVE, MONA, YES)


def test_a_guess_of_the_model_does_not_keep_praise_a_complaint() -> None:
    told = proposed(acknowledged(a_received_case()), severity=4)
    assert told.do(Verb.RECLASSIFY, ALICE, PRAISE, WHY).case.reclassification is not None


def test_a_complaint_is_not_reclassified_as_one_nor_twice_nor_after_a_decision() -> None:
    told = acknowledged(a_received_case())
    with pytest.raises(BadFacts, match="is a complaint already"):
        told.do(Verb.RECLASSIFY, ALICE, {"kind": "complaint"}, WHY)
    with pytest.raises(OutOfOrder, match="waits for approval"):
        told.do(Verb.RECLASSIFY, ALICE, PRAISE, WHY).do(Verb.RECLASSIFY, BURAK, PRAISE, WHY)
    with pytest.raises(OutOfOrder, match="decided as a complaint"):
        a_case_at_level_two().do(Verb.RECLASSIFY, METE, PRAISE, WHY)


@clause("3")
def test_insisting_makes_it_a_complaint_again() -> None:
    told = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY).do(Verb.APPROVE, MONA, YES)
    back = told.do(Verb.REOPEN, ANNA, {}, {"reason": "I do want an answer."})
    assert (back.case.state, back.case.kind) == (State.INVESTIGATING, ContactKind.COMPLAINT)


def test_a_refusal_to_deal_with_it_is_a_managers_with_reasons() -> None:
    told = acknowledged(a_received_case())
    with pytest.raises(NotAllowed):
        told.do(Verb.NOT_ACCEPT, ALICE, {}, WHY)
    with pytest.raises(BadFacts, match="the complainant is told"):
        told.do(Verb.NOT_ACCEPT, MONA)
    refused = told.do(Verb.NOT_ACCEPT, MONA, {}, WHY)
    assert (refused.case.state, refused.case.close_code) == (State.CLOSED, CloseCode.NOT_ACCEPTED)


def test_what_was_decided_once_is_not_refused_at_the_next_level() -> None:
    with pytest.raises(OutOfOrder, match="decided before"):
        a_case_at_level_two().do(Verb.NOT_ACCEPT, TUGBA, {}, WHY)


@clause("5.3")
def test_a_receipt_of_the_top_is_one_and_a_receipt_at_danger_another() -> None:
    told = a_received_case(signs=(a_sign("gas.gas_smell", 5, 3, danger=True),))
    by_manager = told.do(Verb.RECEIPT, MONA)
    assert by_manager.case.danger_receipt_at is not None
    assert by_manager.case.executive_receipt_at is None
    by_top = by_manager.do(Verb.RECEIPT, TUGBA)
    assert by_top.case.executive_receipt_at is not None
    assert by_top.case.danger_receipt_at == by_manager.case.danger_receipt_at


def test_a_manager_may_sign_in_the_executive_channel() -> None:
    told = an_assessed_case(severity=4).do(Verb.RECEIPT, MONA, {"of": "executive"})
    assert told.case.executive_receipt_at is not None


def test_nobody_signs_for_what_asks_for_no_receipt() -> None:
    with pytest.raises(OutOfOrder, match="open it instead"):
        an_assessed_case().do(Verb.RECEIPT, MONA)


def test_a_new_danger_asks_for_a_new_receipt() -> None:
    danger = a_sign("gas.gas_smell", 5, 3, danger=True)
    told = a_received_case(signs=(danger,)).do(Verb.RECEIPT, MONA)
    again = told.do(Verb.ADD, ANNA, a_message(signs=(danger,)))
    assert again.case.danger_receipt_at is None
    assert again.case.danger_at == again.at
