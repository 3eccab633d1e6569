"""Approval by a second person (Annex E; docs/permissions.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from complaints.actors import SYSTEM
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    BURAK,
    METE,
    MONA,
    RESOLUTION,
    RESOLVED,
    RULES,
    TUGBA,
    BuiltComplaint,
    a_refund,
    an_investigated_case,
    decided,
)

ONLY_TOP_AT_TWO = replace(RULES, levels={1: ("handler", "manager"), 2: ("top_management",)})
YES, NO = {"agreed": "yes"}, {"agreed": "no"}
WHY_NOT = {"reason": "The letter does not answer the second matter."}


NEEDING = [
    ({"severity": 4}, {}),
    ({"safety": 1}, {}),
    ({"recurrence": 5}, {"finding": "not_upheld"}),
    ({"recurrence": 5}, {"finding": "no_finding"}),
    ({}, {"remedies": [a_refund("100.01")]}),
    ({}, {"remedies": [a_refund("60.00"), a_refund("60.00")]}),
    ({}, {"remedies": [a_refund("1.00", currency="EUR")]}),
]


@clause("E")
@pytest.mark.parametrize(("criteria", "decision"), NEEDING)
def test_a_serious_or_expensive_decision_needs_a_second_person(
    criteria: dict[str, Any], decision: dict[str, Any]
) -> None:
    complaint = decided(an_investigated_case(**criteria), **decision)
    assert complaint.case.state is State.INVESTIGATING
    assert complaint.case.decisions == ()
    assert complaint.case.drafted is not None
    assert complaint.obligation("ask_approval").facts["seq"] == complaint.last.seq


@clause("E")
@pytest.mark.parametrize(
    ("criteria", "decision"),
    [
        ({}, {"finding": "not_upheld"}),
        ({"recurrence": 5}, {"finding": "partly"}),
        ({"severity": 3}, {"remedies": [a_refund("100.00")]}),
    ],
)
def test_one_person_decides_within_the_limits(criteria: dict[str, Any], decision: dict[str, Any]) -> None:
    assert decided(an_investigated_case(**criteria), **decision).case.state is State.DECIDED


def _a_draft(**criteria: Any) -> BuiltComplaint:
    return decided(an_investigated_case(**{"severity": 4, **criteria}), remedies=[a_refund()])


@clause("E")
def test_the_approver_is_another_person_in_a_managing_role() -> None:
    complaint = _a_draft()
    with pytest.raises(NotAllowed):
        complaint.do(Verb.APPROVE, BURAK, YES)
    for by in (MONA, TUGBA):
        assert complaint.do(Verb.APPROVE, by, YES).case.state is State.DECIDED
    with pytest.raises(NotAllowed, match="a second person approves"):
        decided(an_investigated_case(by=MONA, severity=4), MONA).do(Verb.APPROVE, MONA, YES)


@clause("E")
def test_a_decision_of_top_management_is_approved_by_top_management() -> None:
    complaint = an_investigated_case(severity=4, rules=ONLY_TOP_AT_TWO)
    complaint = decided(complaint).do(Verb.APPROVE, MONA, YES).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    second = complaint.do(Verb.DISAGREE, ANNA, {"reviewers": 2}).do(
        Verb.INVESTIGATE, TUGBA, {"evidence": ALL_EVIDENCE}
    )
    drafted = decided(second, TUGBA)
    with pytest.raises(NotAllowed, match="needs a higher role: ask top_management"):
        drafted.do(Verb.APPROVE, METE, YES)


@clause("E")
def test_an_amount_is_approved_only_within_the_approvers_limit() -> None:
    complaint = decided(an_investigated_case(), remedies=[a_refund("2000.01")])
    with pytest.raises(NotAllowed, match="above your limit"):
        complaint.do(Verb.APPROVE, MONA, YES)
    assert complaint.do(Verb.APPROVE, TUGBA, YES).case.state is State.DECIDED
    assert complaint.do(Verb.APPROVE, MONA, NO, WHY_NOT).case.drafted is None


def test_a_refused_approval_returns_the_complaint_to_investigation_with_a_reason() -> None:
    complaint = _a_draft()
    with pytest.raises(BadFacts, match="Say why not"):
        complaint.do(Verb.APPROVE, MONA, NO)
    back = complaint.do(Verb.APPROVE, MONA, NO, WHY_NOT)
    assert (back.case.state, back.case.drafted, back.case.remedies) == (State.INVESTIGATING, None, ())
    assert decided(back).case.drafted is not None


def test_a_draft_by_a_person_with_a_conflict_of_interest_is_not_approved() -> None:
    complaint = _a_draft().do(Verb.DECLARE_CONFLICT, ALICE, {"who": ALICE.id}, {"reason": "A neighbour."})
    with pytest.raises(NotAllowed, match="stepped aside"):
        complaint.do(Verb.APPROVE, MONA, YES)
    assert complaint.do(Verb.APPROVE, MONA, NO, WHY_NOT).case.drafted is None


def test_no_other_decision_is_drafted_while_an_approval_is_pending() -> None:
    complaint = _a_draft()
    with pytest.raises(OutOfOrder, match="waits for approval"):
        decided(complaint)
    with pytest.raises(OutOfOrder, match="waits for approval"):
        complaint.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    with pytest.raises(OutOfOrder, match="Nothing on"):
        an_investigated_case().do(Verb.APPROVE, MONA, YES)


def test_without_an_eligible_approver_the_complaint_goes_to_the_next_level() -> None:
    complaint = _a_draft().do(Verb.ESCALATE, ALICE, {}, {"reason": "Nobody is left to agree."})
    assert (complaint.case.state, complaint.case.drafted, complaint.case.level) == (State.ESCALATED, None, 2)
