"""How soon: the matrix of docs/domain.md, section 4 and the rules that only raise (7.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from complaints.actions.fold import after
from complaints.actors import MODEL
from complaints.case import Case, Event
from complaints.case_values import RecordedSign
from complaints.priorities import matrix, priority_of, raised, sooner
from complaints.vocabulary import Flag, Priority, Role, Safety, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ANNA,
    LOWER_REASON,
    MONA,
    TUESDAY,
    a_message,
    a_proposal,
    a_received_case,
    a_sign,
    acknowledged,
    an_assessed_case,
    assessed,
    has,
    proposed,
)

#: Severity down, recurrence across, as the section shows it.
TABLE = """
    P4 P4 P4 P3 P3
    P4 P3 P3 P2 P2
    P3 P3 P2 P2 P1
    P2 P2 P2 P1 P1
    P1 P1 P1 P1 P1
"""
CELLS = [
    (severity, recurrence, cell)
    for severity, row in enumerate(TABLE.strip().splitlines(), start=1)
    for recurrence, cell in enumerate(row.split(), start=1)
]


@clause("7.5")
@pytest.mark.parametrize(("severity", "recurrence", "expected"), CELLS)
def test_the_matrix_gives_the_priority(severity: int, recurrence: int, expected: str) -> None:
    assert matrix(severity, recurrence) == expected
    told = an_assessed_case(severity=severity, recurrence=recurrence)
    assert priority_of(told.case) == expected


@pytest.mark.parametrize(("severity", "recurrence", "expected"), CELLS)
def test_worse_or_likelier_is_never_later(severity: int, recurrence: int, expected: str) -> None:
    if severity < 5:
        assert matrix(severity + 1, recurrence) <= Priority(expected)
    if recurrence < 5:
        assert matrix(severity, recurrence + 1) <= Priority(expected)


@clause("7.5")
@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"safety": Safety.NONE}, "P3"),
        ({"safety": Safety.POSSIBLE}, "P2"),
        ({"safety": Safety.LIKELY}, "P1"),
        ({"safety": Safety.PRESENT}, "P1"),
        ({"reach": 2}, "P3"),
        ({"reach": 3}, "P2"),
        ({"reach": 4, "safety": Safety.POSSIBLE}, "P2"),
    ],
)
def test_safety_and_reach_raise_by_one_step_or_to_the_top(criteria: dict[str, Any], expected: str) -> None:
    assert priority_of(an_assessed_case(**criteria).case) == expected


@clause("7.5")
@pytest.mark.parametrize(
    "rule",
    [
        "minor.minor_affected",
        "vulnerable.vulnerable_person",
        "cutoff_eviction.eviction",
        "cutoff_eviction.cut_off",
    ],
)
def test_a_minor_need_or_threat_in_the_words_raises_by_one_step(rule: str) -> None:
    told = assessed(acknowledged(a_received_case(signs=(a_sign(rule, 2, 0),))))
    assert priority_of(told.case) is Priority.P2


def test_a_sign_of_another_kind_raises_nothing_by_itself() -> None:
    told = assessed(acknowledged(a_received_case(signs=(a_sign("legal_threat.legal_threat", 2, 0),))))
    assert priority_of(told.case) is Priority.P3


def test_raising_stops_at_the_top() -> None:
    assert raised(Priority.P2, 3) is Priority.P1
    assert raised(Priority.P4, 1) is Priority.P3
    assert sooner(Priority.P2, Priority.P4) is Priority.P2


@clause("7.5")
def test_until_a_person_has_assessed_the_higher_of_model_and_rules_holds() -> None:
    assert priority_of(a_received_case().case) is Priority.P3
    assert priority_of(proposed(a_received_case(), severity=5).case) is Priority.P1
    assert priority_of(proposed(a_received_case(), severity=1).case) is Priority.P4
    by_rule = a_received_case(signs=(a_sign(severity=4, safety=0),))
    assert priority_of(proposed(by_rule, severity=1).case) is Priority.P2
    assert priority_of(proposed(a_received_case(), safety=2).case) is Priority.P1


@clause("7.5")
def test_a_later_proposal_never_lowers_what_an_earlier_one_held_until_a_person_assesses() -> None:
    told = proposed(a_received_case(), severity=4, safety=1, category="safety")
    promised = {one.target: one.internal_due for one in told.case.current_targets()}
    told = told.do(Verb.ADD, ANNA, a_message())
    told = proposed(told, words=2, severity=2, safety=0, category="money", abstained=True)
    assert (told.case.severity, told.case.safety) == (4, 1)
    assert priority_of(told.case) is Priority.P1
    assert {one.target: one.internal_due for one in told.case.current_targets()} == promised
    assert told.case.proposed is not None
    assert (told.case.category, told.case.proposed.abstained) == ("money", True)
    assert told.events[-1].facts["read"] == {"severity": 2, "safety": 0}
    worse = proposed(told, words=2, severity=5, safety=0).case
    assert (worse.severity, worse.safety) == (5, 1)
    assert assessed(told, severity=2, safety=0).case.severity == 2


def test_a_record_of_before_in_which_a_proposal_lowered_another_adds_up_as_it_did() -> None:
    told = proposed(a_received_case(), severity=4)
    old = Event(told.case.version + 1, Verb.PROPOSE, told.at, MODEL.id, Role.MODEL, a_proposal(severity=2))
    assert after(told.case, old).severity == 2


@clause("7.5")
def test_a_matter_told_only_in_media_runs_at_p2_until_it_was_heard() -> None:
    told = a_received_case(has_words=False, media=1, audible=1)
    assert priority_of(told.case) is Priority.P2
    assert priority_of(assessed(told, media_heard=True).case) is Priority.P3
    assert priority_of(told.do(Verb.ADD, ANNA, a_message()).case) is Priority.P3
    later = a_received_case().do(Verb.ADD, ANNA, a_message(has_words=False, media=1, audible=1))
    assert priority_of(later.case) is Priority.P3
    assert has(later, Flag.MEDIA_UNHEARD)


@clause("5.3")
@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, False),
        ({"severity": 4}, True),
        ({"reach": 4}, True),
        ({"safety": 2}, True),
        ({"immediate_needed": "yes", "immediate_possible": "no"}, True),
        ({"immediate_needed": "yes", "immediate_possible": "yes"}, False),
        ({"severity": 3, "recurrence": 4}, False),
        ({"severity": 3, "recurrence": 5}, True),
    ],
)
def test_what_the_top_must_know_at_once(criteria: dict[str, Any], expected: bool) -> None:
    assert has(an_assessed_case(**criteria), Flag.SIGNIFICANT) is expected


def test_once_significant_it_stays_so() -> None:
    told = assessed(an_assessed_case(severity=5), MONA, LOWER_REASON, severity=1)
    assert has(told, Flag.SIGNIFICANT)


def test_the_kind_of_a_sign_stands_before_the_dot() -> None:
    case: Case = a_received_case().case
    sign = RecordedSign("minor.minor_mentioned", 1, 0, False, TUESDAY)
    assert sign.kind == "minor"
    assert priority_of(replace(case, signs=(sign,))) is Priority.P2
