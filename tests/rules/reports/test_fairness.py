"""Staff complained about: excluded, informed, heard, and judged by independent people (4.5, 4.7, Annex C)."""

from __future__ import annotations

import pytest

from complaints import actors
from complaints.actions.authorisation import authorise
from complaints.actions.decision import fairness_owed
from complaints.actors import Actor
from complaints.case_values import independent
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import Flag, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    AUDREY,
    BURAK,
    METE,
    MONA,
    SYSTEM,
    TUGBA,
    BuiltComplaint,
    a_message,
    a_received_case,
    a_resolved_case,
    acknowledged,
    assessed,
    at,
    decided,
    has,
)

REASON = {"reason": "She is named in it."}


def about(subject: Actor, *roles: str, lines: tuple[str, ...] = (), **more: object) -> BuiltComplaint:
    """Acknowledged, with a person named whose roles and managers the store knew."""
    facts = {"subject_roles": list(roles), "lines": list(lines), "eligible": 2, **more}
    return acknowledged(a_received_case()).do(
        Verb.ADD, ANNA, {**a_message(subjects=(subject.id,)), **facts}, {"addition": "It was them."}
    )


def investigated(complaint: BuiltComplaint, **fair: object) -> BuiltComplaint:
    """Mona assessed it and gathered all evidence; `fair` are the dates on which the person was informed and
    heard."""
    by = TUGBA if complaint.case.fairness.leads else MONA
    return assessed(complaint, by, category="staff_conduct").do(
        Verb.INVESTIGATE, by, {"evidence": ALL_EVIDENCE, **fair}
    )


@clause("C")
@pytest.mark.parametrize("who", [BURAK, MONA])
def test_the_person_named_and_their_manager_are_refused_every_verb(who: Actor) -> None:
    complaint = about(BURAK, "handler", lines=(MONA.id,))
    for verb in (verb for verb in Verb if verb is not Verb.RECEIVE):
        with pytest.raises(NotAllowed):
            authorise(complaint.case, verb, who)
    assert not actors.may_read(complaint.case, who)


def test_an_owner_who_is_named_loses_the_complaint() -> None:
    complaint = about(ALICE, "handler", lines=(MONA.id,))
    assert complaint.case.denied == {ALICE.id, MONA.id}
    assert complaint.case.owner is None
    owned = acknowledged(a_received_case()).do(Verb.ASSIGN, MONA)
    facts = {**a_message(subjects=(ALICE.id,)), "lines": [MONA.id]}
    assert owned.do(Verb.ADD, ANNA, facts, {"addition": "x"}).case.owner is None


@clause("4.7")
def test_a_complaint_about_a_manager_is_only_for_top_management() -> None:
    complaint = about(MONA, "manager")
    assert has(complaint, Flag.RESTRICTED)
    assert has(complaint, Flag.SIGNIFICANT)
    assert not actors.may_read(complaint.case, METE)
    assert actors.may_read(complaint.case, TUGBA)
    assert actors.may_read(complaint.case, AUDREY)
    assigned = complaint.do(Verb.ASSIGN, TUGBA, {"owner": METE.id})
    assert actors.may_read(assigned.case, METE)
    with pytest.raises(NotAllowed):
        assigned.do(Verb.ASSIGN, METE, {"owner": ALICE.id})
    with pytest.raises(NotAllowed):
        assigned.do(Verb.UNRESTRICT, METE, words=REASON)
    assert not has(assigned.do(Verb.UNRESTRICT, TUGBA, words=REASON), Flag.RESTRICTED)


@clause("C")
def test_no_decision_before_the_person_complained_about_was_informed_and_heard() -> None:
    silent = investigated(about(BURAK, "handler"))
    with pytest.raises(OutOfOrder) as refused:
        decided(silent, MONA)
    assert refused.value.code == "subject_not_heard"
    complaint = silent.do(Verb.INVESTIGATE, MONA, {"subject_informed_at": silent.at.isoformat()})
    assert fairness_owed(complaint.case)
    after_hearing = complaint.do(Verb.INVESTIGATE, MONA, {"evidence": ["subject_heard"]})
    assert not fairness_owed(after_hearing.case)
    assert decided(after_hearing, MONA).case.decisions


def test_a_manager_postpones_informing_them_with_a_reason_and_a_date() -> None:
    silent = investigated(about(BURAK, "handler"))
    later = {"subject_not_yet": "evidence", "subject_review_by": "2026-11-06"}
    assigned = silent.do(Verb.ASSIGN, MONA, {"owner": ALICE.id})
    with pytest.raises(NotAllowed) as refused:
        assigned.do(Verb.INVESTIGATE, ALICE, later)
    assert refused.value.code == "not_allowed.manager"
    with pytest.raises(BadFacts) as far:
        silent.do(Verb.INVESTIGATE, MONA, {**later, "subject_review_by": "2026-11-20"})
    assert far.value.code == "too_far"
    with pytest.raises(BadFacts):
        silent.do(Verb.INVESTIGATE, MONA, {"subject_not_yet": "crime"})
    put_off = silent.do(Verb.INVESTIGATE, MONA, later)
    due = put_off.case.target(Target.SUBJECT)
    assert due is not None
    assert due.internal_due == at("2026-11-06 17:30")
    assert decided(put_off, MONA).case.decisions


def test_who_is_named_after_the_decision_is_informed_of_the_outcome_from_then_on() -> None:
    communicated = a_resolved_case().later(days=7)
    named = communicated.do(Verb.ADD, ANNA, a_message(subjects=(BURAK.id,)), {"addition": "It was him."})
    outcome = named.case.target(Target.SUBJECT, 1)

    assert outcome is not None
    assert outcome.start == named.at
    assert outcome.internal_due > named.at


def test_informing_them_of_complaint_and_outcome_each_has_a_deadline() -> None:
    silent = investigated(about(BURAK, "handler"))
    due = silent.case.target(Target.SUBJECT)
    assert due is not None
    assert due.internal_due == at("2026-11-04 17:30")
    assert "remind:subject:0:1:due" in silent.keys
    fair = {"subject_informed_at": silent.at.isoformat(), "subject_heard_at": silent.at.isoformat()}
    complaint = decided(silent.do(Verb.INVESTIGATE, MONA, fair), MONA).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    assert complaint.case.target(Target.SUBJECT).met_at is not None  # type: ignore[union-attr]
    outcome = complaint.case.target(Target.SUBJECT, 1)
    assert outcome is not None
    assert outcome.met_at is None
    noted = complaint.do(
        Verb.NOTE, MONA, {"subject_outcome_at": complaint.at.isoformat()}, {"text": "In person."}
    )
    assert noted.case.target(Target.SUBJECT, 1).met_at is not None  # type: ignore[union-attr]


def test_a_person_named_later_must_be_informed_and_heard_too() -> None:
    silent = investigated(about(BURAK, "handler"))
    fair = {"subject_informed_at": silent.at.isoformat(), "subject_heard_at": silent.at.isoformat()}
    after_hearing = silent.do(Verb.INVESTIGATE, MONA, fair)
    again = after_hearing.do(Verb.ADD, ANNA, a_message(subjects=(ALICE.id,)), {"addition": "And Alice."})
    assert fairness_owed(again.case)


def test_a_manager_may_name_the_subject_and_a_handler_may_not() -> None:
    complaint = acknowledged(a_received_case())
    with pytest.raises(NotAllowed):
        complaint.do(Verb.RESTRICT, ALICE, {"subject": BURAK.id}, REASON)
    named = complaint.do(Verb.RESTRICT, MONA, {"subject": BURAK.id, "lines": [METE.id]}, REASON)
    assert named.case.subjects == {BURAK.id}
    assert named.case.denied == {BURAK.id, METE.id}
    assert named.do(Verb.RESTRICT, MONA, {"subject": ALICE.id}, REASON).case.subjects == {BURAK.id, ALICE.id}


def test_without_an_independent_person_recourse_is_offered_at_once() -> None:
    left = about(MONA, "manager", eligible=0)
    assert left.case.no_reviewer_left
    assert "no_independent" in left.kinds
    assert "no_independent" not in about(MONA, "manager", eligible=1).kinds


def test_independent_people_hold_a_role_of_a_later_level_and_took_no_part() -> None:
    members = {
        "a": frozenset({"handler"}),
        "b": frozenset({"manager"}),
        "c": frozenset({"top_management"}),
        "d": frozenset({"auditor"}),
    }
    levels = {1: ("handler", "manager"), 2: ("manager", "top_management")}

    def left(*denied: str, leads: bool = False, level: int = 1, acted: str = "") -> tuple[str, ...]:
        return independent(
            members,
            levels=levels,
            level=level,
            acted_at={1: acted},
            denied=frozenset(denied),
            leads=leads,
        )

    assert left() == ("a", "b", "c")
    assert left("a") == ("b", "c")
    assert left("c", leads=True) == ()
    assert left("b", leads=True) == ("a", "c")
    assert left(level=2, acted="b") == ("c",)
    assert left("a", "b", "c") == ()
