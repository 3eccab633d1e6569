"""Closing, withdrawing, reopening, merging, erasing: how handling stops and begins again (7.9, 8.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.actions.fold import fold
from complaints.actors import SYSTEM
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
    Told,
    a_case_offered_recourse,
    a_closed_case,
    a_received_case,
    a_refund,
    a_resolved_case,
    a_sign,
    a_told_case,
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
    told = remedied(a_told_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA))
    assert told.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.RESOLVED


@clause("7.9")
def test_an_exhausted_complaint_is_closed_as_such() -> None:
    assert a_case_offered_recourse().do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.EXHAUSTED


@clause("7.9")
def test_closing_before_a_decision_is_refused() -> None:
    for told in (a_received_case(), an_assessed_case(), an_investigated_case()):
        with pytest.raises(OutOfOrder):
            told.do(Verb.CLOSE, MONA, {}, CAUSE)


@clause("7.9")
def test_nothing_is_closed_with_a_remedy_owed_or_unverified() -> None:
    told = a_told_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA)
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        told.do(Verb.CLOSE, ALICE, {}, CAUSE)
    done = told.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": told.at.isoformat()})
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        done.do(Verb.CLOSE, ALICE, {}, CAUSE)
    exhausted = a_case_offered_recourse(remedies=[a_refund()])
    with pytest.raises(OutOfOrder, match="do and verify them first"):
        exhausted.do(Verb.CLOSE, ALICE, {}, CAUSE)


@clause("7.9")
def test_a_decision_without_an_answer_is_not_closed_by_hand() -> None:
    with pytest.raises(OutOfOrder, match="ends by itself"):
        a_told_case().do(Verb.CLOSE, ALICE, {}, CAUSE)


@clause("8.2")
def test_closing_names_the_root_cause() -> None:
    with pytest.raises(BadFacts) as refused:
        a_resolved_case().do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE)
    assert refused.value.field == "root_cause"


def _never_acknowledged() -> Told:
    told = assessed(a_received_case()).do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE})
    return decided(told).do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.ACCEPT, ANNA)


@clause("7.4")
def test_closing_needs_an_acknowledgement_or_a_failed_one_and_another_route() -> None:
    told = _never_acknowledged()
    with pytest.raises(OutOfOrder, match="record how the complainant was told"):
        told.do(Verb.CLOSE, ALICE, {}, CAUSE)
    noted = told.do(Verb.NOTE, ALICE, {}, {"text": "Sent by post."})
    with pytest.raises(OutOfOrder, match="record how the complainant was told"):
        noted.do(Verb.CLOSE, ALICE, {}, CAUSE)
    failed = told.do(Verb.FAIL_DELIVERY, SYSTEM).do(Verb.NOTE, ALICE, {}, {"text": "Sent by post."})
    assert failed.do(Verb.CLOSE, ALICE, {}, CAUSE).case.state is State.CLOSED


@clause("7.9")
def test_a_withdrawn_complaint_is_closed() -> None:
    told = acknowledged(a_received_case()).do(Verb.WITHDRAW, ANNA)
    assert (told.case.state, told.case.close_code) == (State.CLOSED, CloseCode.WITHDRAWN)


@clause("7.9")
def test_a_matter_of_safety_a_minor_or_a_systemic_cause_goes_on_inside() -> None:
    unsafe = acknowledged(a_received_case(signs=(a_sign(safety=1),)))
    minor = acknowledged(a_received_case(signs=(a_sign("minor.minor_mentioned", 2, 0),)))
    systemic = decided(an_investigated_case(), cause_class="systemic")
    owed = a_told_case(remedies=[a_refund()])
    for told in (unsafe, minor, systemic, owed):
        withdrawn = told.do(Verb.WITHDRAW, ANNA)
        assert withdrawn.case.is_open
        assert has(withdrawn, Flag.WITHDRAWN)


@clause("7.9")
def test_what_goes_on_inside_ends_as_withdrawn() -> None:
    told = remedied(a_told_case(remedies=[a_refund()]).do(Verb.WITHDRAW, ANNA))
    assert told.do(Verb.CLOSE, ALICE, {}, CAUSE).case.close_code is CloseCode.WITHDRAWN


def test_what_goes_on_inside_neither_lapses_nor_is_withdrawn_twice() -> None:
    withdrawn = remedied(a_told_case(remedies=[a_refund()]).do(Verb.WITHDRAW, ANNA))
    with pytest.raises(OutOfOrder):
        withdrawn.later(days=60).do(Verb.LAPSE, SYSTEM)
    with pytest.raises(AlreadyDone):
        withdrawn.do(Verb.WITHDRAW, ANNA)


@clause("7.9")
def test_reopening_begins_again_with_new_clocks_and_a_clean_sheet() -> None:
    closed = a_closed_case()
    told = closed.later(days=30).do(Verb.REOPEN, ANNA, {}, NEW)
    case = told.case
    assert (case.state, case.close_code, case.reply, case.reopened) == (State.INVESTIGATING, None, None, 1)
    assert case.level_started_at == told.at
    assert case.decision is None
    assert len(case.decisions) == 1
    assert [one.finding for one in closed.case.issues] == [Finding.UPHELD]
    assert [one.finding for one in case.issues] == [None]


@clause("7.9")
def test_a_reopened_complaint_needs_a_new_decision_to_be_answered() -> None:
    told = a_closed_case().do(Verb.REOPEN, ANNA, {}, NEW)
    with pytest.raises(OutOfOrder):
        told.do(Verb.ACCEPT, ANNA)
    again = decided(told.do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE}))
    with pytest.raises(OutOfOrder, match="has not reached the complainant yet"):
        again.do(Verb.ACCEPT, ANNA)
    assert again.case.decision == again.case.decisions[1]


@clause("7.9")
def test_the_complainant_reopens_within_the_window_a_manager_later() -> None:
    closed = a_closed_case()
    assert closed.later(days=180).do(Verb.REOPEN, ANNA, {}, NEW).case.is_open
    late = closed.later(days=190)
    with pytest.raises(OutOfOrder, match="a manager may reopen it"):
        late.do(Verb.REOPEN, ANNA, {}, NEW)
    assert late.do(Verb.REOPEN, MONA, {}, NEW).case.is_open
    with pytest.raises(NotAllowed):
        closed.do(Verb.REOPEN, ALICE, {}, NEW)


def test_reopening_says_what_is_new() -> None:
    with pytest.raises(BadFacts, match="Say what is new"):
        a_closed_case().do(Verb.REOPEN, ANNA)


def test_reopening_a_withdrawn_complaint_takes_the_withdrawal_back() -> None:
    told = acknowledged(a_received_case()).do(Verb.WITHDRAW, ANNA).do(Verb.REOPEN, ANNA, {}, NEW)
    assert not has(told, Flag.WITHDRAWN)
    assert told.case.withdrawn_at is None


MERGING = {"other_ref": "777 777 7e", "other_complainant": ANNA.id}


def test_a_duplicate_of_the_same_person_is_merged_and_stays_so() -> None:
    told = acknowledged(a_received_case()).do(Verb.MERGE, ALICE, MERGING)
    assert (told.case.state, told.case.close_code) == (State.CLOSED, CloseCode.MERGED)
    assert told.last.facts["other_ref"] == OTHER_REF
    with pytest.raises(OutOfOrder, match="go on with that one"):
        told.do(Verb.REOPEN, ANNA, {}, NEW)


def test_complaints_of_two_people_are_linked_not_merged() -> None:
    told = acknowledged(a_received_case())
    with pytest.raises(NotAllowed, match="link them instead"):
        told.do(Verb.MERGE, ALICE, {**MERGING, "other_complainant": "p2"})
    linked = told.do(Verb.LINK, ALICE, {"other_ref": OTHER_REF, "relation": "same_incident"})
    assert replace(linked.case, version=0, work_version=0) == replace(told.case, version=0, work_version=0)


@pytest.mark.parametrize("verb", [Verb.LINK, Verb.MERGE])
def test_another_complaint_is_named_by_a_reference_that_is_one(verb: Verb) -> None:
    told = acknowledged(a_received_case())
    with pytest.raises(BadFacts, match="no reference"):
        told.do(verb, ALICE, {**MERGING, "other_ref": "777-777-77"})
    with pytest.raises(BadFacts, match="itself"):
        told.do(verb, ALICE, {**MERGING, "other_ref": REF})


def test_nothing_is_merged_away_with_a_remedy_owed() -> None:
    with pytest.raises(OutOfOrder, match="do and verify"):
        a_told_case(remedies=[a_refund()]).do(Verb.MERGE, ALICE, MERGING)


@clause("8.1")
def test_a_closed_complaint_is_erased_unless_it_is_held() -> None:
    closed = a_closed_case()
    with pytest.raises(OutOfOrder):
        a_told_case().do(Verb.ERASE, SYSTEM)
    with pytest.raises(OutOfOrder, match="release it first"):
        closed.do(Verb.HOLD, MONA, {}, WHY).do(Verb.ERASE, SYSTEM)
    assert closed.do(Verb.ERASE, TUGBA).case.erased_at is not None
    held = closed.do(Verb.HOLD, MONA, {}, WHY)
    assert held.do(Verb.RELEASE, MONA, {}, WHY).do(Verb.ERASE, SYSTEM).case.erased_at is not None


@clause("8.1")
def test_after_erasure_nothing_more_happens_and_only_the_card_is_owed() -> None:
    told = a_closed_case().do(Verb.ERASE, SYSTEM)
    assert told.kinds == {"thread", "card"}
    for verb, by in ((Verb.ADD, ANNA), (Verb.REOPEN, MONA), (Verb.NOTE, ALICE), (Verb.ERASE, SYSTEM)):
        with pytest.raises(OutOfOrder, match="was erased"):
            told.do(verb, by, {}, {"text": "More.", "reason": "More."})


@clause("8.1")
@pytest.mark.parametrize(("verb", "undo"), [(Verb.HOLD, Verb.RELEASE), (Verb.RESTRICT, Verb.UNRESTRICT)])
def test_a_flag_is_set_and_cleared_with_reasons_and_once(verb: Verb, undo: Verb) -> None:
    told = an_assessed_case()
    with pytest.raises(BadFacts, match="Give the reason"):
        told.do(verb, MONA)
    with pytest.raises(AlreadyDone):
        told.do(undo, MONA, {}, WHY)
    with pytest.raises(AlreadyDone):
        told.do(verb, MONA, {}, WHY).do(verb, MONA, {}, WHY)
    assert told.do(verb, MONA, {}, WHY).do(undo, MONA, {}, WHY).case.flags == told.case.flags


@clause("8.3")
def test_each_step_of_the_survey_is_kept_for_its_round() -> None:
    told = (
        a_closed_case().do(Verb.SURVEY, SYSTEM, {"step": "sent"}).do(Verb.SURVEY, ANNA, {"step": "answered"})
    )
    assert told.case.surveys == ("sent", "answered")
    assert told.do(Verb.REOPEN, ANNA, {}, NEW).case.surveys == ()


def test_a_case_is_the_fold_of_its_events_and_of_nothing_else() -> None:
    told = a_closed_case()
    assert fold(told.events, told.case.rules) == told.case
    with pytest.raises(ValueError, match="at least the event"):
        fold((), told.case.rules)
