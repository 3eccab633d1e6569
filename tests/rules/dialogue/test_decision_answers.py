"""Acceptance, disagreement, silence, remedies and outside bodies: the checks of 7.9 (docs/domain.md, section
3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.slack.views.actions import first_actions
from complaints.actors import SYSTEM
from complaints.deadlines.targets import next_due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import CloseCode, Flag, State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    BURAK,
    BY_PHONE,
    CAUSE,
    METE,
    MONA,
    BuiltComplaint,
    a_case_at_level_two,
    a_case_offered_recourse,
    a_closed_case,
    a_communicated_case,
    a_decided_case,
    a_message,
    a_received_case,
    a_refund,
    a_resolved_case,
    acknowledged,
    assessed,
    at,
    decided,
    has,
    phone_facts,
    remedied,
)
from tests.rules.target_dates import latest_target

OFFER = a_refund(needs_acceptance=True)
BODY = {"body": "Consumer ombudsman", "outcome": "Pay 40 GBP."}


@clause("7.9")
def test_the_complainants_acceptance_is_recorded() -> None:
    assert a_communicated_case().do(Verb.ACCEPT, ANNA).case.reply == "accept"


@clause("7.9")
def test_a_decision_is_accepted_once_and_only_after_it_was_communicated() -> None:
    with pytest.raises(OutOfOrder, match="has not reached the complainant yet"):
        a_decided_case().do(Verb.ACCEPT, ANNA)
    with pytest.raises(AlreadyDone):
        a_communicated_case().do(Verb.ACCEPT, ANNA).do(Verb.ACCEPT, ANNA)


@clause("7.9")
@pytest.mark.parametrize("verb", [Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW, Verb.OFFER_RECOURSE])
def test_staff_record_an_answer_only_with_its_time_and_its_source(verb: Verb) -> None:
    complaint = a_communicated_case()
    if verb is Verb.OFFER_RECOURSE:
        complaint = complaint.do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    with pytest.raises(BadFacts, match="Say when this was heard"):
        complaint.do(verb, ALICE, {}, BY_PHONE)
    with pytest.raises(BadFacts, match="Say who told it"):
        complaint.do(verb, ALICE, phone_facts(complaint))
    assert complaint.do(verb, ALICE, phone_facts(complaint), BY_PHONE).last.by == ALICE.id


@clause("7.9")
def test_an_answer_by_phone_proves_that_the_decision_was_communicated() -> None:
    complaint = a_decided_case(remedies=[a_refund()]).do(Verb.FAIL_DELIVERY, SYSTEM)
    accepted = complaint.do(Verb.ACCEPT, ALICE, phone_facts(complaint), BY_PHONE)
    assert accepted.case.decisions[0].communicated_at == complaint.at
    assert accepted.case.state is State.REMEDYING
    refused = complaint.do(Verb.DISAGREE, ALICE, {**phone_facts(complaint), "reviewers": 1}, BY_PHONE)
    assert refused.case.state is State.ESCALATED


@clause("7.9")
def test_remedies_start_with_the_decision_but_an_offer_waits_for_acceptance() -> None:
    promised = a_communicated_case(remedies=[a_refund()])
    assert [remedy.owed for remedy in promised.case.remedies] == [True]
    offered = a_communicated_case(remedies=[OFFER])
    assert [remedy.owed for remedy in offered.case.remedies] == [False]
    with pytest.raises(OutOfOrder, match="waits for the complainant"):
        offered.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": offered.at.isoformat()})
    accepted = offered.do(Verb.ACCEPT, ANNA)
    assert accepted.case.state is State.REMEDYING
    assert [remedy.owed for remedy in accepted.case.remedies] == [True]


@clause("7.9")
def test_a_refused_offer_is_never_due_again() -> None:
    complaint = a_case_at_level_two(remedies=[OFFER])
    assert not complaint.case.open_offer
    second = decided(complaint.do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE}), MONA)
    accepted = second.do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.ACCEPT, ANNA)
    assert accepted.case.owed_remedies == ()
    assert accepted.case.everything_verified


@clause("7.9")
def test_a_remedy_promised_without_condition_stays_due_after_disagreement() -> None:
    complaint = a_case_at_level_two(remedies=[a_refund()])
    assert [remedy.owed for remedy in complaint.case.remedies] == [True]
    assert remedied(complaint).case.everything_verified


def test_the_time_of_an_accepted_offer_counts_from_the_acceptance() -> None:
    offer = {"type": "repair", "needs_acceptance": True}
    complaint = a_communicated_case(remedies=[offer])
    accepted = complaint.later(days=7).do(Verb.ACCEPT, ANNA)
    assert accepted.case.remedies[0].due > complaint.case.remedies[0].due


@clause("F")
def test_disagreement_goes_to_the_next_level_without_owner_and_stays_open() -> None:
    complaint = a_communicated_case().do(Verb.DISAGREE, ANNA, {"reviewers": 2})
    case = complaint.case
    assert (case.state, case.level, case.owner, case.reply) == (State.ESCALATED, 2, None, None)
    assert case.evidence == frozenset()


@clause("7.9")
@pytest.mark.parametrize("reviewers", [0, None])
def test_disagreement_without_an_eligible_reviewer_offers_recourse_at_once(reviewers: int | None) -> None:
    complaint = a_communicated_case().do(Verb.DISAGREE, ANNA, {"reviewers": reviewers})
    assert (complaint.case.state, complaint.case.reply, complaint.case.level) == (
        State.DISAGREED,
        "disagree",
        1,
    )
    assert complaint.obligation("recourse").due == complaint.at


@clause("7.9")
def test_disagreement_at_the_top_level_offers_recourse_whatever_the_reviewers() -> None:
    second = a_case_at_level_two().do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE})
    complaint = decided(second, MONA).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    refused = complaint.do(Verb.DISAGREE, ANNA, {"reviewers": 5})
    assert refused.case.state is State.DISAGREED
    offered = refused.do(Verb.OFFER_RECOURSE, SYSTEM)
    assert offered.case.state is State.RECOURSE_OFFERED


def test_disagreement_after_closing_requires_reopening() -> None:
    with pytest.raises(OutOfOrder, match="reopen it first"):
        a_closed_case().do(Verb.DISAGREE, ANNA, {"reviewers": 1})


@clause("7.9")
def test_an_open_question_prevents_closing_until_it_is_answered() -> None:
    complaint = a_resolved_case().do(Verb.ACCEPT, ANNA).do(Verb.ADD, ANNA, a_message(kind="question"))
    assert has(complaint, Flag.QUESTION_OPEN)
    with pytest.raises(OutOfOrder, match="answer it first"):
        complaint.do(Verb.CLOSE, ALICE, {}, CAUSE)
    replied = complaint.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert not has(replied, Flag.QUESTION_OPEN)
    assert replied.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.RESOLVED


def test_escalating_leaves_the_question_open() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.ADD, ANNA, a_message(kind="question"))
    assert has(complaint.do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."}), Flag.QUESTION_OPEN)


@clause("D")
def test_a_remedy_is_done_once_in_the_past_and_then_verified_once() -> None:
    complaint = a_communicated_case(remedies=[a_refund()])
    with pytest.raises(BadFacts, match="in the future"):
        complaint.do(
            Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": complaint.later(days=1).at.isoformat()}
        )
    with pytest.raises(OutOfOrder, match="record it as done first"):
        complaint.do(Verb.VERIFY, MONA, {"remedy": "0"}, {"how": "Looked."})
    with pytest.raises(BadFacts, match="has no remedy 7"):
        complaint.do(Verb.VERIFY, MONA, {"remedy": "7"}, {"how": "Looked."})
    checked = remedied(complaint)
    with pytest.raises(BadFacts, match="was done before"):
        checked.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": complaint.at.isoformat()})
    with pytest.raises(BadFacts, match="was checked before"):
        checked.do(Verb.VERIFY, MONA, {"remedy": "0"}, {"how": "Looked."})


@clause("D")
def test_a_verification_records_how_it_was_checked() -> None:
    complaint = a_resolved_case()
    with pytest.raises(BadFacts, match="Say how you checked"):
        complaint.do(Verb.VERIFY, MONA, {"remedy": "0"})


@clause("7.9")
def test_an_urgent_remedy_is_verified_by_another_person() -> None:
    complaint = a_communicated_case(recurrence=5, remedies=[a_refund()])
    with pytest.raises(NotAllowed, match="another person checks it"):
        remedied(complaint, by=ALICE, checked_by=ALICE)
    assert remedied(complaint, by=ALICE, checked_by=BURAK).case.everything_verified


@clause("7.9")
def test_a_remedy_above_the_limit_is_verified_by_another_person() -> None:
    drafted = a_decided_case(remedies=[a_refund("150.00")]).do(Verb.APPROVE, MONA, {"agreed": "yes"})
    complaint = drafted.do(Verb.COMMUNICATE_DECISION, SYSTEM)
    with pytest.raises(NotAllowed, match="another person checks it"):
        remedied(complaint, by=ALICE, checked_by=ALICE)


def test_a_small_remedy_may_be_verified_by_the_person_who_did_it() -> None:
    assert remedied(
        a_communicated_case(remedies=[a_refund()]), by=ALICE, checked_by=ALICE
    ).case.everything_verified


def test_a_remedy_is_late_only_from_shortly_before_its_date() -> None:
    complaint = a_communicated_case(remedies=[a_refund()])
    for early in (complaint, replace(complaint, at=at("2026-11-17 16:28"))):
        with pytest.raises(OutOfOrder, match="is not late"):
            early.do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert (
        replace(complaint, at=at("2026-11-17 16:29"))
        .do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
        .case.remedies[0]
        .late
    )
    late = complaint.later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert late.obligation("remedy_notice").facts["verb"] == "remedy_late"
    with pytest.raises(OutOfOrder, match="is not late"):
        remedied(complaint).later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})


def _silent(complaint: BuiltComplaint, days: int = 40) -> BuiltComplaint:
    return complaint.later(days=days).do(Verb.LAPSE, SYSTEM)


@clause("7.9")
def test_silence_lapses_when_no_remedy_is_due() -> None:
    complaint = _silent(a_communicated_case())
    assert (complaint.case.close_code, complaint.case.reply) == (CloseCode.LAPSED, None)


@clause("7.9")
def test_silence_lapses_the_complaint_together_with_its_open_offer() -> None:
    complaint = _silent(a_communicated_case(remedies=[OFFER]))
    assert complaint.case.close_code is CloseCode.LAPSED
    assert complaint.case.remedies[0].ended_at is not None


@clause("7.9")
def test_silence_after_all_remedies_were_verified_has_its_own_close_code() -> None:
    complaint = _silent(remedied(a_communicated_case(remedies=[a_refund()])))
    assert (complaint.case.close_code, complaint.case.reply) == (CloseCode.ANSWERED_NO_REPLY, None)


@clause("7.9")
def test_a_complaint_with_a_due_remedy_does_not_lapse() -> None:
    complaint = a_communicated_case(remedies=[a_refund()])
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        _silent(complaint)
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        _silent(a_resolved_case())


@clause("7.9")
def test_lapsing_needs_its_date_a_communicated_decision_and_no_answer() -> None:
    with pytest.raises(OutOfOrder, match="wait for its date"):
        _silent(a_communicated_case(), days=20)
    with pytest.raises(OutOfOrder, match="has not reached the complainant"):
        _silent(a_decided_case())
    with pytest.raises(OutOfOrder, match="has an answer or a question"):
        _silent(a_communicated_case().do(Verb.ACCEPT, ANNA))
    with pytest.raises(OutOfOrder, match="has an answer or a question"):
        _silent(a_communicated_case().do(Verb.ADD, ANNA, a_message(kind="question")))


@clause("7.9")
def test_an_answered_question_leaves_time_for_a_reply_before_lapsing() -> None:
    questioned = a_communicated_case().later(days=27).do(Verb.ADD, ANNA, a_message(kind="question"))
    replied = questioned.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    with pytest.raises(OutOfOrder, match="wait for its date"):
        _silent(replied, days=5)
    assert _silent(replied, days=15).case.close_code is CloseCode.LAPSED


@clause("7.9")
def test_an_outside_body_may_step_in_at_any_stage() -> None:
    for complaint in (a_received_case(), a_communicated_case(), a_closed_case()):
        notified = complaint.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"}, BODY)
        assert has(notified, Flag.EXTERNAL)
        assert notified.case.state is complaint.case.state


@clause("7.9")
def test_a_remedy_ordered_by_an_outside_body_is_due_after_any_decision() -> None:
    final = {"event": "final", "comply_by": "2026-12-01"}
    complaint = a_closed_case().do(Verb.CONCLUDE_EXTERNAL, ALICE, final, BODY)
    assert (complaint.case.state, complaint.case.close_code) == (State.REMEDYING, None)
    (_, ordered) = complaint.case.remedies
    assert (ordered.external, ordered.owed, ordered.promised_by is not None) == (True, True, True)


@clause("7.9")
def test_a_concluded_external_case_closes_as_exhausted_after_compliance() -> None:
    final = {"event": "final", "comply_by": "2026-12-01"}
    complaint = a_case_offered_recourse().do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"}, BODY)
    with pytest.raises(OutOfOrder, match="record its conclusion first"):
        complaint.do(Verb.CLOSE, ALICE, {}, CAUSE)
    concluded = complaint.do(Verb.CONCLUDE_EXTERNAL, ALICE, final, BODY)
    with pytest.raises(OutOfOrder, match="do and verify"):
        concluded.do(Verb.CLOSE, ALICE, {}, CAUSE)
    complied = concluded.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "complied"}, BODY)
    assert complied.case.remedies[0].done_by == ALICE.id
    checked = complied.do(Verb.VERIFY, MONA, {"remedy": "0"}, {"how": "Seen."})
    assert checked.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.EXHAUSTED


def test_an_external_event_is_recorded_as_a_notice_or_as_a_conclusion() -> None:
    complaint = a_communicated_case()
    with pytest.raises(BadFacts, match="record it as its conclusion"):
        complaint.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "final"}, BODY)
    with pytest.raises(BadFacts, match="record it as a notice"):
        complaint.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "provisional"}, BODY)
    final = complaint.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "final"}, {"body": "Consumer ombudsman"})
    assert final.case.external_final_at is not None
    with pytest.raises(BadFacts, match="Name the body"):
        complaint.do(Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "final"}, {"outcome": "Nothing."})
    with pytest.raises(BadFacts, match="Name the body"):
        complaint.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"})


def test_the_second_level_takes_its_own_decision() -> None:
    complaint = assessed(a_case_at_level_two(), MONA)
    second = decided(
        complaint.do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE}), MONA, finding="not_upheld"
    )
    assert [(decision.level, decision.by) for decision in second.case.decisions] == [
        (1, ALICE.id),
        (2, MONA.id),
    ]
    assert second.case.decision == second.case.decisions[1]
    assert METE.id not in second.case.acted_at[2]


@clause("7.9")
def test_an_accepted_complaint_with_nothing_left_to_do_is_due_for_closing() -> None:
    accepted = a_resolved_case().do(Verb.ACCEPT, ANNA)
    closing = next_due(accepted.case)
    assert closing is not None
    assert (closing.target, closing.start) == (Target.CLOSE, accepted.at)
    assert first_actions(accepted.case)[0] == "close"
    assert "remind:close:0:1:due" in accepted.keys
    closed = accepted.do(Verb.CLOSE, ALICE, {}, CAUSE)
    assert latest_target(closed, Target.CLOSE).met_at == closed.at
    assert "closing" in closed.kinds


@clause("7.9")
def test_the_closing_is_due_from_the_last_check_and_not_while_a_question_is_open() -> None:
    accepted = a_communicated_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA)
    assert accepted.case.target(Target.CLOSE) is None
    checked = remedied(accepted)
    assert latest_target(checked, Target.CLOSE).start == checked.at
    questioned = checked.do(Verb.ADD, ANNA, a_message(kind="question"))
    assert latest_target(questioned, Target.CLOSE).met_at == questioned.at
    answered = questioned.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert latest_target(answered, Target.CLOSE).start == answered.at
