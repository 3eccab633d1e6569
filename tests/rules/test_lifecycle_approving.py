"""A second person agrees, or sends it back (Annex E; docs/surfaces.md, "Who may")."""

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
    Told,
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
def test_a_second_person_agrees_where_it_weighs_more(
    criteria: dict[str, Any], decision: dict[str, Any]
) -> None:
    told = decided(an_investigated_case(**criteria), **decision)
    assert told.case.state is State.INVESTIGATING
    assert told.case.decisions == ()
    assert told.case.drafted is not None
    assert told.duty("ask_approval").facts["seq"] == told.last.seq


@clause("E")
@pytest.mark.parametrize(
    ("criteria", "decision"),
    [
        ({}, {"finding": "not_upheld"}),
        ({"recurrence": 5}, {"finding": "partly"}),
        ({"severity": 3}, {"remedies": [a_refund("100.00")]}),
    ],
)
def test_within_the_limits_one_person_decides(criteria: dict[str, Any], decision: dict[str, Any]) -> None:
    assert decided(an_investigated_case(**criteria), **decision).case.state is State.DECIDED


def _a_draft(**criteria: Any) -> Told:
    return decided(an_investigated_case(**{"severity": 4, **criteria}), remedies=[a_refund()])


@clause("E")
def test_the_approver_is_another_person_of_managing_rank() -> None:
    told = _a_draft()
    with pytest.raises(NotAllowed):
        told.do(Verb.APPROVE, BURAK, YES)
    for by in (MONA, TUGBA):
        assert told.do(Verb.APPROVE, by, YES).case.state is State.DECIDED
    with pytest.raises(NotAllowed, match="a second person approves"):
        decided(an_investigated_case(by=MONA, severity=4), MONA).do(Verb.APPROVE, MONA, YES)


@clause("E")
def test_a_level_of_the_top_is_approved_by_the_top() -> None:
    told = an_investigated_case(severity=4, rules=ONLY_TOP_AT_TWO)
    told = decided(told).do(Verb.APPROVE, MONA, YES).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    second = told.do(Verb.DISAGREE, ANNA, {"reviewers": 2}).do(
        Verb.INVESTIGATE, TUGBA, {"evidence": ALL_EVIDENCE}
    )
    drafted = decided(second, TUGBA)
    with pytest.raises(NotAllowed, match="needs a higher role: ask top_management"):
        drafted.do(Verb.APPROVE, METE, YES)


@clause("E")
def test_a_sum_is_approved_within_ones_own_limit() -> None:
    told = decided(an_investigated_case(), remedies=[a_refund("2000.01")])
    with pytest.raises(NotAllowed, match="above your limit"):
        told.do(Verb.APPROVE, MONA, YES)
    assert told.do(Verb.APPROVE, TUGBA, YES).case.state is State.DECIDED
    assert told.do(Verb.APPROVE, MONA, NO, WHY_NOT).case.drafted is None


def test_a_no_sends_it_back_to_the_inquiry_with_the_reason() -> None:
    told = _a_draft()
    with pytest.raises(BadFacts, match="Say why not"):
        told.do(Verb.APPROVE, MONA, NO)
    back = told.do(Verb.APPROVE, MONA, NO, WHY_NOT)
    assert (back.case.state, back.case.drafted, back.case.remedies) == (State.INVESTIGATING, None, ())
    assert decided(back).case.drafted is not None


def test_the_draft_of_somebody_in_conflict_is_not_agreed_to() -> None:
    told = _a_draft().do(Verb.DECLARE_CONFLICT, ALICE, {"who": ALICE.id}, {"reason": "A neighbour."})
    with pytest.raises(NotAllowed, match="stepped aside"):
        told.do(Verb.APPROVE, MONA, YES)
    assert told.do(Verb.APPROVE, MONA, NO, WHY_NOT).case.drafted is None


def test_nothing_else_is_drafted_while_something_waits() -> None:
    told = _a_draft()
    with pytest.raises(OutOfOrder, match="waits for approval"):
        decided(told)
    with pytest.raises(OutOfOrder, match="waits for approval"):
        told.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    with pytest.raises(OutOfOrder, match="Nothing on"):
        an_investigated_case().do(Verb.APPROVE, MONA, YES)


def test_where_nobody_can_agree_the_next_level_takes_it() -> None:
    told = _a_draft().do(Verb.ESCALATE, ALICE, {}, {"reason": "Nobody is left to agree."})
    assert (told.case.state, told.case.drafted, told.case.level) == (State.ESCALATED, None, 2)
