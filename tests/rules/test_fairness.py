"""Staff complained about: kept away, told, heard, and judged by nobody below or beside them (4.5, 4.7, C)."""

from __future__ import annotations

import pytest

from complaints import permissions
from complaints.actions.authorisation import require_permission
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
    Told,
    a_message,
    a_received_case,
    acknowledged,
    assessed,
    at,
    decided,
    has,
)

REASON = {"reason": "She is named in it."}


def about(subject: Actor, *roles: str, lines: tuple[str, ...] = (), **more: object) -> Told:
    """Acknowledged, and the person named with the roles and the line that the store knew."""
    facts = {"subject_roles": list(roles), "lines": list(lines), "eligible": 2, **more}
    return acknowledged(a_received_case()).do(
        Verb.ADD, ANNA, {**a_message(subjects=(subject.id,)), **facts}, {"addition": "It was them."}
    )


def investigated(told: Told, **fair: object) -> Told:
    """Mona assessed it and gathered all evidence; `fair` are the dates of what the person was given."""
    by = TUGBA if told.case.fairness.leads else MONA
    return assessed(told, by, category="staff_conduct").do(
        Verb.INVESTIGATE, by, {"evidence": ALL_EVIDENCE, **fair}
    )


@clause("C")
@pytest.mark.parametrize("verb", [one for one in Verb if one is not Verb.RECEIVE])
@pytest.mark.parametrize("who", [BURAK, MONA])
def test_the_person_named_and_their_manager_may_do_nothing_with_it(verb: Verb, who: Actor) -> None:
    told = about(BURAK, "handler", lines=(MONA.id,))
    with pytest.raises(NotAllowed):
        require_permission(told.case, verb, who)
    assert not permissions.may_read(told.case, who)


def test_who_had_it_when_they_were_named_has_it_no_longer() -> None:
    told = about(ALICE, "handler", lines=(MONA.id,))
    assert told.case.denied == {ALICE.id, MONA.id}
    assert told.case.owner is None
    owned = acknowledged(a_received_case()).do(Verb.ASSIGN, MONA)
    facts = {**a_message(subjects=(ALICE.id,)), "lines": [MONA.id]}
    assert owned.do(Verb.ADD, ANNA, facts, {"addition": "x"}).case.owner is None


@clause("4.7")
def test_a_manager_complained_about_is_for_top_management_alone() -> None:
    told = about(MONA, "manager")
    assert has(told, Flag.RESTRICTED)
    assert has(told, Flag.SIGNIFICANT)
    assert not permissions.may_read(told.case, METE)
    assert permissions.may_read(told.case, TUGBA)
    assert permissions.may_read(told.case, AUDREY)
    given = told.do(Verb.ASSIGN, TUGBA, {"owner": METE.id})
    assert permissions.may_read(given.case, METE)
    with pytest.raises(NotAllowed):
        given.do(Verb.ASSIGN, METE, {"owner": ALICE.id})
    with pytest.raises(NotAllowed):
        given.do(Verb.UNRESTRICT, METE, words=REASON)
    assert not has(given.do(Verb.UNRESTRICT, TUGBA, words=REASON), Flag.RESTRICTED)


@clause("C")
def test_nothing_is_decided_before_the_person_was_told_and_heard() -> None:
    silent = investigated(about(BURAK, "handler"))
    with pytest.raises(OutOfOrder) as refused:
        decided(silent, MONA)
    assert refused.value.code == "subject_not_heard"
    told = silent.do(Verb.INVESTIGATE, MONA, {"subject_informed_at": silent.at.isoformat()})
    assert fairness_owed(told.case)
    heard = told.do(Verb.INVESTIGATE, MONA, {"evidence": ["subject_heard"]})
    assert not fairness_owed(heard.case)
    assert decided(heard, MONA).case.decisions


def test_a_manager_puts_off_telling_them_with_a_reason_and_a_day() -> None:
    silent = investigated(about(BURAK, "handler"))
    later = {"subject_not_yet": "evidence", "subject_review_by": "2026-11-06"}
    given = silent.do(Verb.ASSIGN, MONA, {"owner": ALICE.id})
    with pytest.raises(NotAllowed) as refused:
        given.do(Verb.INVESTIGATE, ALICE, later)
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


def test_telling_them_has_a_clock_and_so_has_the_outcome() -> None:
    silent = investigated(about(BURAK, "handler"))
    due = silent.case.target(Target.SUBJECT)
    assert due is not None
    assert due.internal_due == at("2026-11-04 17:30")
    assert "remind:subject:0:1:due" in silent.keys
    fair = {"subject_informed_at": silent.at.isoformat(), "subject_heard_at": silent.at.isoformat()}
    told = decided(silent.do(Verb.INVESTIGATE, MONA, fair), MONA).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    assert told.case.target(Target.SUBJECT).met_at is not None  # type: ignore[union-attr]
    outcome = told.case.target(Target.SUBJECT, 1)
    assert outcome is not None
    assert outcome.met_at is None
    noted = told.do(Verb.NOTE, MONA, {"subject_outcome_at": told.at.isoformat()}, {"text": "In person."})
    assert noted.case.target(Target.SUBJECT, 1).met_at is not None  # type: ignore[union-attr]


def test_somebody_named_later_is_told_and_heard_anew() -> None:
    silent = investigated(about(BURAK, "handler"))
    fair = {"subject_informed_at": silent.at.isoformat(), "subject_heard_at": silent.at.isoformat()}
    heard = silent.do(Verb.INVESTIGATE, MONA, fair)
    again = heard.do(Verb.ADD, ANNA, a_message(subjects=(ALICE.id,)), {"addition": "And Alice."})
    assert fairness_owed(again.case)


def test_a_manager_names_by_hand_whom_it_is_about_and_a_handler_does_not() -> None:
    told = acknowledged(a_received_case())
    with pytest.raises(NotAllowed):
        told.do(Verb.RESTRICT, ALICE, {"subject": BURAK.id}, REASON)
    named = told.do(Verb.RESTRICT, MONA, {"subject": BURAK.id, "lines": [METE.id]}, REASON)
    assert named.case.subjects == {BURAK.id}
    assert named.case.denied == {BURAK.id, METE.id}
    assert named.do(Verb.RESTRICT, MONA, {"subject": ALICE.id}, REASON).case.subjects == {BURAK.id, ALICE.id}


def test_where_nobody_independent_is_left_the_outside_is_offered_at_once() -> None:
    left = about(MONA, "manager", eligible=0)
    assert left.case.nobody_left
    assert "no_independent" in left.kinds
    assert "no_independent" not in about(MONA, "manager", eligible=1).kinds


def test_independent_is_who_holds_a_role_of_a_level_to_come_and_has_no_part_in_it() -> None:
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
