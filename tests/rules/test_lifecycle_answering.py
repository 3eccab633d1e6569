"""Accepting, disagreeing, silence, remedies, the outside: the guards of 7.9 while it is open
(docs/domain.md, section 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.actors import SYSTEM
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import CloseCode, Flag, State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    BURAK,
    CAUSE,
    HEARD,
    METE,
    MONA,
    Told,
    a_case_at_level_two,
    a_case_offered_recourse,
    a_closed_case,
    a_decided_case,
    a_message,
    a_received_case,
    a_refund,
    a_resolved_case,
    a_told_case,
    acknowledged,
    assessed,
    at,
    decided,
    has,
    heard_at,
    remedied,
)

OFFER = a_refund(needs_acceptance=True)
BODY = {"body": "Consumer ombudsman", "outcome": "Pay 40 GBP."}


@clause("7.9")
def test_a_yes_of_the_complainant_is_an_acceptance() -> None:
    assert a_told_case().do(Verb.ACCEPT, ANNA).case.reply == "accept"


@clause("7.9")
def test_a_yes_is_given_once_and_only_to_a_decision_that_was_told() -> None:
    with pytest.raises(OutOfOrder, match="has not reached the complainant yet"):
        a_decided_case().do(Verb.ACCEPT, ANNA)
    with pytest.raises(AlreadyDone):
        a_told_case().do(Verb.ACCEPT, ANNA).do(Verb.ACCEPT, ANNA)


@clause("7.9")
@pytest.mark.parametrize("verb", [Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW, Verb.OFFER_RECOURSE])
def test_staff_speak_for_the_complainant_only_with_when_and_by_whom(verb: Verb) -> None:
    told = a_told_case()
    if verb is Verb.OFFER_RECOURSE:
        told = told.do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    with pytest.raises(BadFacts, match="Say when this was heard"):
        told.do(verb, ALICE, {}, HEARD)
    with pytest.raises(BadFacts, match="Say who told it"):
        told.do(verb, ALICE, heard_at(told))
    assert told.do(verb, ALICE, heard_at(told), HEARD).last.by == ALICE.id


@clause("7.9")
def test_an_answer_on_the_phone_shows_that_the_decision_is_known() -> None:
    told = a_decided_case(remedies=[a_refund()]).do(Verb.FAIL_DELIVERY, SYSTEM)
    accepted = told.do(Verb.ACCEPT, ALICE, heard_at(told), HEARD)
    assert accepted.case.decisions[0].communicated_at == accepted.at
    assert accepted.case.state is State.REMEDYING
    refused = told.do(Verb.DISAGREE, ALICE, {**heard_at(told), "reviewers": 1}, HEARD)
    assert refused.case.state is State.ESCALATED


@clause("7.9")
def test_remedies_start_at_the_decision_but_an_offer_waits_for_the_yes() -> None:
    promised = a_told_case(remedies=[a_refund()])
    assert [one.owed for one in promised.case.remedies] == [True]
    offered = a_told_case(remedies=[OFFER])
    assert [one.owed for one in offered.case.remedies] == [False]
    with pytest.raises(OutOfOrder, match="waits for the complainant"):
        offered.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": offered.at.isoformat()})
    accepted = offered.do(Verb.ACCEPT, ANNA)
    assert accepted.case.state is State.REMEDYING
    assert [one.owed for one in accepted.case.remedies] == [True]


@clause("7.9")
def test_an_offer_that_was_refused_is_never_owed_again() -> None:
    told = a_case_at_level_two(remedies=[OFFER])
    assert not told.case.open_offer
    second = decided(told.do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE}), MONA)
    accepted = second.do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.ACCEPT, ANNA)
    assert accepted.case.owed_remedies == ()
    assert accepted.case.everything_verified


@clause("7.9")
def test_what_was_promised_outright_stands_after_a_disagreement() -> None:
    told = a_case_at_level_two(remedies=[a_refund()])
    assert [one.owed for one in told.case.remedies] == [True]
    assert remedied(told).case.everything_verified


def test_the_time_of_an_accepted_offer_counts_from_the_yes() -> None:
    offer = {"type": "repair", "needs_acceptance": True}
    told = a_told_case(remedies=[offer])
    accepted = told.later(days=7).do(Verb.ACCEPT, ANNA)
    assert accepted.case.remedies[0].due > told.case.remedies[0].due


@clause("F")
def test_a_no_goes_to_the_next_level_with_another_owner_and_stays_open() -> None:
    told = a_told_case().do(Verb.DISAGREE, ANNA, {"reviewers": 2})
    case = told.case
    assert (case.state, case.level, case.owner, case.reply) == (State.ESCALATED, 2, None, None)
    assert case.evidence == frozenset()


@clause("7.9")
@pytest.mark.parametrize("reviewers", [0, None])
def test_a_no_with_nobody_left_to_review_offers_the_outside_at_once(reviewers: int | None) -> None:
    told = a_told_case().do(Verb.DISAGREE, ANNA, {"reviewers": reviewers})
    assert (told.case.state, told.case.reply, told.case.level) == (State.DISAGREED, "disagree", 1)
    assert told.duty("recourse").due == told.at


@clause("7.9")
def test_a_no_at_the_top_offers_the_outside_however_many_there_are() -> None:
    second = a_case_at_level_two().do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE})
    told = decided(second, MONA).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    refused = told.do(Verb.DISAGREE, ANNA, {"reviewers": 5})
    assert refused.case.state is State.DISAGREED
    offered = refused.do(Verb.OFFER_RECOURSE, SYSTEM)
    assert offered.case.state is State.RECOURSE_OFFERED


def test_after_closing_a_no_is_a_reopening() -> None:
    with pytest.raises(OutOfOrder, match="reopen it first"):
        a_closed_case().do(Verb.DISAGREE, ANNA, {"reviewers": 1})


@clause("7.9")
def test_a_question_keeps_it_open_until_it_is_answered() -> None:
    told = a_resolved_case().do(Verb.ACCEPT, ANNA).do(Verb.ADD, ANNA, a_message(kind="question"))
    assert has(told, Flag.QUESTION_OPEN)
    with pytest.raises(OutOfOrder, match="answer it first"):
        told.do(Verb.CLOSE, ALICE, {}, CAUSE)
    replied = told.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert not has(replied, Flag.QUESTION_OPEN)
    assert replied.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.RESOLVED


def test_escalating_leaves_the_question_open() -> None:
    told = acknowledged(a_received_case()).do(Verb.ADD, ANNA, a_message(kind="question"))
    assert has(told.do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."}), Flag.QUESTION_OPEN)


@clause("D")
def test_a_remedy_is_done_once_in_the_past_and_then_checked_once() -> None:
    told = a_told_case(remedies=[a_refund()])
    with pytest.raises(BadFacts, match="in the future"):
        told.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": told.later(days=1).at.isoformat()})
    with pytest.raises(OutOfOrder, match="record it as done first"):
        told.do(Verb.VERIFY, MONA, {"remedy": "0"}, {"how": "Looked."})
    with pytest.raises(BadFacts, match="has no remedy 7"):
        told.do(Verb.VERIFY, MONA, {"remedy": "7"}, {"how": "Looked."})
    checked = remedied(told)
    with pytest.raises(BadFacts, match="was done before"):
        checked.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": told.at.isoformat()})
    with pytest.raises(BadFacts, match="was checked before"):
        checked.do(Verb.VERIFY, MONA, {"remedy": "0"}, {"how": "Looked."})


@clause("D")
def test_a_check_says_how() -> None:
    told = a_resolved_case()
    with pytest.raises(BadFacts, match="Say how you checked"):
        told.do(Verb.VERIFY, MONA, {"remedy": "0"})


@clause("7.9")
def test_an_urgent_remedy_is_checked_by_another_person() -> None:
    told = a_told_case(recurrence=5, remedies=[a_refund()])
    with pytest.raises(NotAllowed, match="another person checks it"):
        remedied(told, by=ALICE, checked_by=ALICE)
    assert remedied(told, by=ALICE, checked_by=BURAK).case.everything_verified


@clause("7.9")
def test_a_remedy_above_the_limit_is_checked_by_another_person() -> None:
    drafted = a_decided_case(remedies=[a_refund("150.00")]).do(Verb.APPROVE, MONA, {"agreed": "yes"})
    told = drafted.do(Verb.COMMUNICATE_DECISION, SYSTEM)
    with pytest.raises(NotAllowed, match="another person checks it"):
        remedied(told, by=ALICE, checked_by=ALICE)


def test_a_small_remedy_may_be_checked_by_whoever_did_it() -> None:
    assert remedied(a_told_case(remedies=[a_refund()]), by=ALICE, checked_by=ALICE).case.everything_verified


def test_a_remedy_is_late_only_from_shortly_before_its_date() -> None:
    told = a_told_case(remedies=[a_refund()])
    for early in (told, replace(told, at=at("2026-11-17 16:28"))):
        with pytest.raises(OutOfOrder, match="is not late"):
            early.do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert (
        replace(told, at=at("2026-11-17 16:29"))
        .do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
        .case.remedies[0]
        .late
    )
    late = told.later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert late.duty("remedy_notice").facts["verb"] == "remedy_late"
    with pytest.raises(OutOfOrder, match="is not late"):
        remedied(told).later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})


def _silent(told: Told, days: int = 40) -> Told:
    return told.later(days=days).do(Verb.LAPSE, SYSTEM)


@clause("7.9")
def test_silence_with_nothing_owed_lapses() -> None:
    told = _silent(a_told_case())
    assert (told.case.close_code, told.case.reply) == (CloseCode.LAPSED, None)


@clause("7.9")
def test_silence_on_an_open_offer_lapses_and_the_offer_with_it() -> None:
    told = _silent(a_told_case(remedies=[OFFER]))
    assert told.case.close_code is CloseCode.LAPSED
    assert told.case.remedies[0].ended_at is not None


@clause("7.9")
def test_silence_after_everything_owed_was_done_and_checked_is_counted_apart() -> None:
    told = _silent(remedied(a_told_case(remedies=[a_refund()])))
    assert (told.case.close_code, told.case.reply) == (CloseCode.ANSWERED_NO_REPLY, None)


@clause("7.9")
def test_no_owed_remedy_lapses() -> None:
    told = a_told_case(remedies=[a_refund()])
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        _silent(told)
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        _silent(a_resolved_case())


@clause("7.9")
def test_nothing_lapses_before_its_time_an_answer_or_a_decision_that_was_told() -> None:
    with pytest.raises(OutOfOrder, match="wait for its date"):
        _silent(a_told_case(), days=20)
    with pytest.raises(OutOfOrder, match="has not reached the complainant"):
        _silent(a_decided_case())
    with pytest.raises(OutOfOrder, match="has an answer or a question"):
        _silent(a_told_case().do(Verb.ACCEPT, ANNA))
    with pytest.raises(OutOfOrder, match="has an answer or a question"):
        _silent(a_told_case().do(Verb.ADD, ANNA, a_message(kind="question")))


@clause("7.9")
def test_after_an_answered_question_there_is_time_for_a_reply() -> None:
    asked = a_told_case().later(days=27).do(Verb.ADD, ANNA, a_message(kind="question"))
    replied = asked.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    with pytest.raises(OutOfOrder, match="wait for its date"):
        _silent(replied, days=5)
    assert _silent(replied, days=15).case.close_code is CloseCode.LAPSED


@clause("7.9")
def test_an_outside_body_may_step_in_at_any_time() -> None:
    for told in (a_received_case(), a_told_case(), a_closed_case()):
        notified = told.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"}, BODY)
        assert has(notified, Flag.EXTERNAL)
        assert notified.case.state is told.case.state


@clause("7.9")
def test_what_the_outside_orders_is_owed_whatever_was_decided_before() -> None:
    final = {"event": "final", "comply_by": "2026-12-01"}
    told = a_closed_case().do(Verb.CONCLUDE_EXTERNAL, ALICE, final, BODY)
    assert (told.case.state, told.case.close_code) == (State.REMEDYING, None)
    (_, ordered) = told.case.remedies
    assert (ordered.external, ordered.owed, ordered.promised_by is not None) == (True, True, True)


@clause("7.9")
def test_a_complaint_concluded_outside_is_closed_as_exhausted_once_it_was_complied_with() -> None:
    final = {"event": "final", "comply_by": "2026-12-01"}
    told = a_case_offered_recourse().do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"}, BODY)
    with pytest.raises(OutOfOrder, match="record its conclusion first"):
        told.do(Verb.CLOSE, ALICE, {}, CAUSE)
    concluded = told.do(Verb.CONCLUDE_EXTERNAL, ALICE, final, BODY)
    with pytest.raises(OutOfOrder, match="do and verify"):
        concluded.do(Verb.CLOSE, ALICE, {}, CAUSE)
    complied = concluded.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "complied"}, BODY)
    assert complied.case.remedies[0].done_by == ALICE.id
    checked = complied.do(Verb.VERIFY, MONA, {"remedy": "0"}, {"how": "Seen."})
    assert checked.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.EXHAUSTED


def test_an_outside_word_is_recorded_for_what_it_is() -> None:
    told = a_told_case()
    with pytest.raises(BadFacts, match="record it as its conclusion"):
        told.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "final"}, BODY)
    with pytest.raises(BadFacts, match="record it as a notice"):
        told.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "provisional"}, BODY)
    final = told.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "final"}, {"body": "Consumer ombudsman"})
    assert final.case.external_final_at is not None
    with pytest.raises(BadFacts, match="Name the body"):
        told.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "final"}, {"outcome": "Nothing."})
    with pytest.raises(BadFacts, match="Name the body"):
        told.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"})


def test_a_second_level_decides_for_itself() -> None:
    told = assessed(a_case_at_level_two(), MONA)
    second = decided(told.do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE}), MONA, finding="not_upheld")
    assert [(one.level, one.by) for one in second.case.decisions] == [(1, ALICE.id), (2, MONA.id)]
    assert second.case.decision == second.case.decisions[1]
    assert METE.id not in second.case.acted_at[2]
