"""Closing, withdrawing, reopening, merging and erasing (7.9, 8.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actions.perform import fold
from complaints.actors import OPERATOR, SYSTEM
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import CloseCode, Finding, Flag, State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    CAUSE,
    MONA,
    OTHER_REF,
    REF,
    TUGBA,
    BuiltComplaint,
    a_case_offered_recourse,
    a_closed_case,
    a_communicated_case,
    a_received_case,
    a_refund,
    a_resolved_case,
    a_sign,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    decided,
    has,
    remedied,
)

NEW = {"reason": "It came back."}
WHY = {"reason": "A claim is expected."}


@clause("7.9")
def test_an_accepted_and_remedied_complaint_is_closed_as_resolved() -> None:
    complaint = remedied(a_communicated_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA))
    assert complaint.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.RESOLVED


@clause("7.9")
def test_an_exhausted_complaint_is_closed_as_exhausted() -> None:
    assert a_case_offered_recourse().do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.EXHAUSTED


@clause("7.9")
def test_closing_before_a_decision_is_refused() -> None:
    for complaint in (a_received_case(), an_assessed_case(), an_investigated_case()):
        with pytest.raises(OutOfOrder):
            complaint.do(Verb.CLOSE, MONA, {}, CAUSE)


@clause("7.9")
def test_a_complaint_with_an_unverified_remedy_is_not_closed() -> None:
    complaint = a_communicated_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA)
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        complaint.do(Verb.CLOSE, ALICE, {}, CAUSE)
    done = complaint.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": complaint.at.isoformat()})
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        done.do(Verb.CLOSE, ALICE, {}, CAUSE)
    exhausted = a_case_offered_recourse(remedies=[a_refund()])
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        exhausted.do(Verb.CLOSE, ALICE, {}, CAUSE)


@clause("7.9")
def test_a_decision_without_an_answer_is_not_closed_manually() -> None:
    with pytest.raises(OutOfOrder, match="ends by itself"):
        a_communicated_case().do(Verb.CLOSE, ALICE, {}, CAUSE)


@clause("8.2")
def test_closing_names_the_root_cause() -> None:
    with pytest.raises(BadFacts) as refused:
        a_resolved_case().do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE)
    assert refused.value.field == "root_cause"


def _never_acknowledged() -> BuiltComplaint:
    complaint = assessed(a_received_case()).do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE})
    return decided(complaint).do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.ACCEPT, ANNA)


@clause("7.4")
def test_closing_needs_an_acknowledgement_or_a_failed_one_with_another_route() -> None:
    complaint = _never_acknowledged()
    with pytest.raises(OutOfOrder, match="record how the complainant was told"):
        complaint.do(Verb.CLOSE, ALICE, {}, CAUSE)
    noted = complaint.do(Verb.NOTE, ALICE, {}, {"text": "Sent by post."})
    with pytest.raises(OutOfOrder, match="record how the complainant was told"):
        noted.do(Verb.CLOSE, ALICE, {}, CAUSE)
    failed = complaint.do(Verb.FAIL_DELIVERY, SYSTEM).do(Verb.NOTE, ALICE, {}, {"text": "Sent by post."})
    assert failed.do(Verb.CLOSE, ALICE, {}, CAUSE).case.state is State.CLOSED


@clause("7.9")
def test_a_withdrawn_complaint_is_closed() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.WITHDRAW, ANNA)
    assert (complaint.case.state, complaint.case.close_code) == (State.CLOSED, CloseCode.WITHDRAWN)


@clause("7.9")
def test_a_withdrawn_safety_minor_or_systemic_complaint_continues_internally() -> None:
    unsafe = acknowledged(a_received_case(signs=(a_sign(safety=1),)))
    minor = acknowledged(a_received_case(signs=(a_sign("minor.minor_mentioned", 2, 0),)))
    systemic = decided(an_investigated_case(), cause_class="systemic")
    owing_remedy = a_communicated_case(remedies=[a_refund()])
    for complaint in (unsafe, minor, systemic, owing_remedy):
        withdrawn = complaint.do(Verb.WITHDRAW, ANNA)
        assert withdrawn.case.is_open
        assert has(withdrawn, Flag.WITHDRAWN)


@clause("7.9")
def test_a_complaint_continued_internally_ends_as_withdrawn() -> None:
    complaint = remedied(a_communicated_case(remedies=[a_refund()]).do(Verb.WITHDRAW, ANNA))
    assert complaint.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.WITHDRAWN


def test_a_complaint_continued_internally_neither_lapses_nor_is_withdrawn_twice() -> None:
    withdrawn = remedied(a_communicated_case(remedies=[a_refund()]).do(Verb.WITHDRAW, ANNA))
    with pytest.raises(OutOfOrder):
        withdrawn.later(days=60).do(Verb.LAPSE, SYSTEM)
    with pytest.raises(AlreadyDone):
        withdrawn.do(Verb.WITHDRAW, ANNA)


@clause("7.9")
def test_reopening_restarts_the_deadlines_and_resets_answer_and_findings() -> None:
    closed = a_closed_case()
    complaint = closed.later(days=30).do(Verb.REOPEN, ANNA, {}, NEW)
    case = complaint.case
    assert (case.state, case.close_code, case.reply, case.reopened) == (State.INVESTIGATING, None, None, 1)
    assert case.level_started_at == complaint.at
    assert case.decision is None
    assert len(case.decisions) == 1
    assert [issue.finding for issue in closed.case.issues] == [Finding.UPHELD]
    assert [issue.finding for issue in case.issues] == [None]


@clause("7.9")
def test_a_reopened_complaint_needs_a_new_decision_to_be_answered() -> None:
    complaint = a_closed_case().do(Verb.REOPEN, ANNA, {}, NEW)
    with pytest.raises(OutOfOrder):
        complaint.do(Verb.ACCEPT, ANNA)
    again = decided(complaint.do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE}))
    with pytest.raises(OutOfOrder, match="has not reached the complainant yet"):
        again.do(Verb.ACCEPT, ANNA)
    assert again.case.decision == again.case.decisions[1]


@clause("7.9")
def test_the_complainant_reopens_within_the_window_and_a_manager_later() -> None:
    closed = a_closed_case()
    assert closed.later(days=180).do(Verb.REOPEN, ANNA, {}, NEW).case.is_open
    late = closed.later(days=190)
    with pytest.raises(OutOfOrder, match="a manager may reopen it"):
        late.do(Verb.REOPEN, ANNA, {}, NEW)
    assert late.do(Verb.REOPEN, MONA, {}, NEW).case.is_open
    with pytest.raises(NotAllowed):
        closed.do(Verb.REOPEN, ALICE, {}, NEW)


def test_reopening_needs_a_reason() -> None:
    with pytest.raises(BadFacts, match="Say what is new"):
        a_closed_case().do(Verb.REOPEN, ANNA)


def test_reopening_a_withdrawn_complaint_cancels_the_withdrawal() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.WITHDRAW, ANNA).do(Verb.REOPEN, ANNA, {}, NEW)
    assert not has(complaint, Flag.WITHDRAWN)
    assert complaint.case.withdrawn_at is None


MERGING = {"other_ref": "777 777 7e", "other_complainant": ANNA.id}


def test_a_duplicate_of_the_same_person_is_merged_and_cannot_be_reopened() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.MERGE, ALICE, MERGING)
    assert (complaint.case.state, complaint.case.close_code) == (State.CLOSED, CloseCode.MERGED)
    assert complaint.last.facts["other_ref"] == OTHER_REF
    with pytest.raises(OutOfOrder, match="go on with that one"):
        complaint.do(Verb.REOPEN, ANNA, {}, NEW)


def test_complaints_of_two_people_are_linked_not_merged() -> None:
    complaint = acknowledged(a_received_case())
    with pytest.raises(NotAllowed, match="link them instead"):
        complaint.do(Verb.MERGE, ALICE, {**MERGING, "other_complainant": "p2"})
    linked = complaint.do(Verb.LINK, ALICE, {"other_ref": OTHER_REF, "relation": "same_incident"})
    assert replace(linked.case, version=0, work_version=0) == replace(
        complaint.case,
        version=0,
        work_version=0,
        workers=frozenset({ALICE.id}),
        participants=frozenset({ALICE.id}),
    )


@pytest.mark.parametrize("verb", [Verb.LINK, Verb.MERGE])
def test_linking_and_merging_need_a_valid_reference_to_another_complaint(verb: Verb) -> None:
    complaint = acknowledged(a_received_case())
    with pytest.raises(BadFacts, match="no reference"):
        complaint.do(verb, ALICE, {**MERGING, "other_ref": "777-777-77"})
    with pytest.raises(BadFacts, match="itself"):
        complaint.do(verb, ALICE, {**MERGING, "other_ref": REF})


def test_a_complaint_with_a_due_remedy_is_not_merged() -> None:
    with pytest.raises(OutOfOrder, match="do and verify"):
        a_communicated_case(remedies=[a_refund()]).do(Verb.MERGE, ALICE, MERGING)


@clause("8.1")
def test_a_closed_complaint_is_erased_unless_it_is_on_hold() -> None:
    closed = a_closed_case()
    with pytest.raises(OutOfOrder):
        a_communicated_case().do(Verb.ERASE, SYSTEM)
    with pytest.raises(OutOfOrder, match="release it first"):
        closed.do(Verb.HOLD, MONA, {}, WHY).do(Verb.ERASE, SYSTEM)
    assert closed.do(Verb.ERASE, TUGBA).case.erased_at is not None
    on_hold = closed.do(Verb.HOLD, MONA, {}, WHY)
    assert on_hold.do(Verb.RELEASE, MONA, {}, WHY).do(Verb.ERASE, SYSTEM).case.erased_at is not None


@clause("8.1")
def test_a_hold_ends_after_its_last_day_which_may_be_changed() -> None:
    closed = a_closed_case()
    today = closed.case.closed_at.date()
    held = closed.do(Verb.HOLD, MONA, {"hold_until": today.isoformat()}, WHY)
    with pytest.raises(OutOfOrder, match="release it first"):
        held.do(Verb.ERASE, SYSTEM)
    with pytest.raises(AlreadyDone):
        held.do(Verb.HOLD, MONA, {"hold_until": today.isoformat()}, WHY)
    later = (today + timedelta(days=9)).isoformat()
    extended = held.do(Verb.HOLD, OPERATOR, {"hold_until": later}, WHY)
    assert extended.case.hold_until == today + timedelta(days=9)
    earlier = closed.do(Verb.HOLD, MONA, {"hold_until": (today - timedelta(days=1)).isoformat()}, WHY)
    assert earlier.do(Verb.ERASE, SYSTEM).case.erased_at is not None


@clause("8.1")
def test_after_erasure_every_act_is_refused_and_only_the_card_is_updated() -> None:
    complaint = a_closed_case().do(Verb.ERASE, SYSTEM)
    assert complaint.kinds == {"thread", "card"}
    for verb, by in ((Verb.ADD, ANNA), (Verb.REOPEN, MONA), (Verb.NOTE, ALICE), (Verb.ERASE, SYSTEM)):
        with pytest.raises(OutOfOrder, match="was erased"):
            complaint.do(verb, by, {}, {"text": "More.", "reason": "More."})


@clause("8.1")
@pytest.mark.parametrize(("verb", "undo"), [(Verb.HOLD, Verb.RELEASE), (Verb.RESTRICT, Verb.UNRESTRICT)])
def test_hold_and_restriction_are_set_and_cleared_once_with_a_reason(verb: Verb, undo: Verb) -> None:
    complaint = an_assessed_case()
    with pytest.raises(BadFacts, match="Give the reason"):
        complaint.do(verb, MONA)
    with pytest.raises(AlreadyDone):
        complaint.do(undo, MONA, {}, WHY)
    with pytest.raises(AlreadyDone):
        complaint.do(verb, MONA, {}, WHY).do(verb, MONA, {}, WHY)
    assert complaint.do(verb, MONA, {}, WHY).do(undo, MONA, {}, WHY).case.flags == complaint.case.flags


@clause("8.3")
def test_survey_steps_are_kept_until_the_complaint_is_reopened() -> None:
    complaint = (
        a_closed_case().do(Verb.SURVEY, SYSTEM, {"step": "sent"}).do(Verb.SURVEY, ANNA, {"step": "answered"})
    )
    assert complaint.case.surveys == ("sent", "answered")
    assert complaint.do(Verb.REOPEN, ANNA, {}, NEW).case.surveys == ()


def test_a_case_is_rebuilt_from_its_events_alone() -> None:
    complaint = a_closed_case()
    assert fold(complaint.events, complaint.case.rules) == complaint.case
    with pytest.raises(ValueError, match="at least the event"):
        fold((), complaint.case.rules)
