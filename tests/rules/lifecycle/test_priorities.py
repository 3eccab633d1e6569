"""The priority matrix and the rules that only raise it (7.5; docs/domain.md, section 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from complaints.actions.perform import apply_event
from complaints.actors import MODEL
from complaints.case import Case, Event
from complaints.case_values import RecordedSign
from complaints.priorities import matrix, more_urgent, priority_of, raised
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

#: Severity by row, recurrence by column.
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
    complaint = an_assessed_case(severity=severity, recurrence=recurrence)
    assert priority_of(complaint.case) == expected


@pytest.mark.parametrize(("severity", "recurrence", "expected"), CELLS)
def test_a_higher_severity_or_recurrence_never_lowers_the_priority(
    severity: int, recurrence: int, expected: str
) -> None:
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
def test_a_minor_a_vulnerability_or_a_cutoff_raises_by_one_step(rule: str) -> None:
    complaint = assessed(acknowledged(a_received_case(signs=(a_sign(rule, 2, 0),))))
    assert priority_of(complaint.case) is Priority.P2


def test_signs_of_other_kinds_do_not_raise_the_priority() -> None:
    complaint = assessed(acknowledged(a_received_case(signs=(a_sign("legal_threat.legal_threat", 2, 0),))))
    assert priority_of(complaint.case) is Priority.P3


def test_raising_stops_at_the_top() -> None:
    assert raised(Priority.P2, 3) is Priority.P1
    assert raised(Priority.P4, 1) is Priority.P3
    assert more_urgent(Priority.P2, Priority.P4) is Priority.P2


@clause("7.5")
def test_before_an_assessment_the_higher_of_proposal_and_rules_applies() -> None:
    assert priority_of(a_received_case().case) is Priority.P3
    assert priority_of(proposed(a_received_case(), severity=5).case) is Priority.P1
    assert priority_of(proposed(a_received_case(), severity=1).case) is Priority.P4
    by_rule = a_received_case(signs=(a_sign(severity=4, safety=0),))
    assert priority_of(proposed(by_rule, severity=1).case) is Priority.P2
    assert priority_of(proposed(a_received_case(), safety=2).case) is Priority.P1


@clause("7.5")
def test_a_later_proposal_never_lowers_an_earlier_one() -> None:
    complaint = proposed(a_received_case(), severity=4, safety=1, category="safety")
    promised = {target.target: target.internal_due for target in complaint.case.current_targets()}
    complaint = complaint.do(Verb.ADD, ANNA, a_message())
    complaint = proposed(complaint, words=2, severity=2, safety=0, category="money", abstained=True)
    assert (complaint.case.severity, complaint.case.safety) == (4, 1)
    assert priority_of(complaint.case) is Priority.P1
    assert {target.target: target.internal_due for target in complaint.case.current_targets()} == promised
    assert complaint.case.proposed is not None
    assert (complaint.case.category, complaint.case.proposed.abstained) == ("money", True)
    assert complaint.events[-1].facts["read"] == {"severity": 2, "safety": 0}
    worse = proposed(complaint, words=2, severity=5, safety=0).case
    assert (worse.severity, worse.safety) == (5, 1)
    assert assessed(complaint, severity=2, safety=0).case.severity == 2


def test_an_old_record_with_a_lowering_proposal_still_folds_as_before() -> None:
    complaint = proposed(a_received_case(), severity=4)
    old = Event(
        complaint.case.version + 1, Verb.PROPOSE, complaint.at, MODEL.id, Role.MODEL, a_proposal(severity=2)
    )
    assert apply_event(complaint.case, old).severity == 2


@clause("7.5")
def test_a_complaint_made_only_in_media_is_p2_until_it_is_heard() -> None:
    complaint = a_received_case(has_words=False, media=1, audible=1)
    assert priority_of(complaint.case) is Priority.P2
    assert priority_of(assessed(complaint, media_heard=True).case) is Priority.P3
    assert priority_of(complaint.do(Verb.ADD, ANNA, a_message()).case) is Priority.P3
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
def test_significant_complaints_are_flagged_for_top_management(
    criteria: dict[str, Any], expected: bool
) -> None:
    assert has(an_assessed_case(**criteria), Flag.SIGNIFICANT) is expected


def test_a_significant_complaint_stays_significant() -> None:
    complaint = assessed(an_assessed_case(severity=5), MONA, LOWER_REASON, severity=1)
    assert has(complaint, Flag.SIGNIFICANT)


def test_the_kind_of_a_sign_is_the_part_before_the_dot() -> None:
    case: Case = a_received_case().case
    sign = RecordedSign("minor.minor_mentioned", 1, 0, False, TUESDAY)
    assert sign.kind == "minor"
    assert priority_of(replace(case, signs=(sign,))) is Priority.P2
