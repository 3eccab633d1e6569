"""Which readings are unusual: without assignment, by a former owner, at night, and many on one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from complaints.case import Case
from complaints.history import CaseHistory, ReadEntry
from complaints.vocabulary import Verb
from reports.unusual_reading import ACTS_WITHIN, AFTER_CLOSING, MANY, AccessSign, find_unusual_access
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    CAUSE,
    MONA,
    TUESDAY,
    BuiltComplaint,
    a_resolved_case,
    an_assessed_case,
)

YEAR = timedelta(days=365)


def history(complaint: BuiltComplaint, *reads: ReadEntry) -> CaseHistory:
    return CaseHistory.of(complaint.events, complaint.case.rules, reads=reads)


def read(case: Case, by: str = BURAK.id, role: str = "handler", **more: object) -> ReadEntry:
    at = more.get("at", TUESDAY + timedelta(hours=2))
    assert isinstance(at, datetime)
    return ReadEntry(by, role, at, int(str(more.get("version", case.version))), "help")


def signs(*histories: CaseHistory) -> list[tuple[AccessSign, str]]:
    findings = find_unusual_access(histories, TUESDAY - YEAR, TUESDAY + YEAR, "Europe/London")
    return [(finding.sign, finding.by) for finding in findings]


@clause("4.7")
def test_a_colleague_without_any_part_in_the_complaint_is_named_once_a_day_with_the_reason() -> None:
    complaint = an_assessed_case()
    entry = read(complaint.case)
    found = find_unusual_access(
        [history(complaint, entry, replace(entry, at=entry.at + timedelta(minutes=1)))],
        TUESDAY, TUESDAY + YEAR, "Europe/London",
    )  # fmt: skip
    assert [(finding.sign, finding.by, finding.reason) for finding in found] == [
        (AccessSign.UNASSIGNED, BURAK.id, "help")
    ]


@pytest.mark.parametrize(
    ("by", "role"),
    [(ALICE.id, "handler"), (MONA.id, "manager"), ("U9", "auditor"), ("operator:x", "operator")],
)
def test_owner_manager_auditor_and_operator_are_not_without_assignment(by: str, role: str) -> None:
    complaint = an_assessed_case()
    assert signs(history(complaint, read(complaint.case, by, role))) == []


def test_a_colleague_who_acts_on_the_complaint_within_a_week_had_a_part_in_it() -> None:
    complaint = an_assessed_case()
    entry = read(complaint.case, at=complaint.events[-1].at)
    soon = complaint.later(days=2).do(Verb.NOTE, BURAK, {}, {"text": "Called them."})
    late = complaint.later(days=ACTS_WITHIN.days + 1).do(Verb.NOTE, BURAK, {}, {"text": "Called them."})
    assert signs(history(soon, entry)) == []
    assert signs(history(late, entry)) == [(AccessSign.UNASSIGNED, BURAK.id)]


def test_a_former_owner_is_named_a_week_after_the_closing() -> None:
    complaint = a_resolved_case().do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE, {}, CAUSE)
    closed = complaint.case.closed_at
    assert closed is not None
    soon = read(complaint.case, ALICE.id, at=closed + AFTER_CLOSING)
    assert signs(history(complaint, soon)) == []
    late = replace(soon, at=soon.at + timedelta(hours=1))
    assert signs(history(complaint, late)) == [(AccessSign.FORMER, ALICE.id)]


@pytest.mark.parametrize(("hour", "expected"), [(5, True), (6, False), (21, False), (22, True)])
def test_reading_at_night_is_named_in_local_time(hour: int, expected: bool) -> None:
    complaint = an_assessed_case()
    entry = read(complaint.case, MONA.id, "manager", at=TUESDAY.replace(hour=hour) + timedelta(days=1))
    assert (signs(history(complaint, entry)) == [(AccessSign.NIGHT, MONA.id)]) is expected


def test_reading_many_complaints_on_one_day_is_named_once() -> None:
    complaint = an_assessed_case()

    def readings(number: int) -> list[CaseHistory]:
        made = history(complaint, read(complaint.case, MONA.id, "manager"))
        return [replace(made, case=replace(made.case, ref=f"R{n}")) for n in range(number)]

    assert signs(*readings(MANY)) == []
    assert signs(*readings(MANY + 1)) == [(AccessSign.MANY, MONA.id)]


def test_a_search_and_the_persons_own_export_are_no_reading() -> None:
    complaint = an_assessed_case()
    entries = [read(complaint.case, version=0), read(complaint.case, "complainant", "complainant")]
    assert signs(history(complaint, *entries)) == []
