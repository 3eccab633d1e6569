"""British rules with two holidays, and the dates of a complaint's targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import Due, explain_step
from complaints.deadlines.quiet_hours import quiet_until
from complaints.times import to_utc
from complaints.vocabulary import Target
from tests.rules.builders import RULES, BuiltComplaint

HOLIDAYS = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 28): "Boxing Day"}
BRITISH = replace(RULES, calendar=replace(RULES.calendar, holidays=HOLIDAYS))


def latest_target(complaint: BuiltComplaint, target: Target, of: int = 0) -> TargetSet:
    """The latest version of a target, which must exist."""
    target_set = complaint.case.target(target, of)
    assert target_set is not None
    return target_set


def due(complaint: BuiltComplaint, target: Target, of: int = 0) -> datetime:
    """The internal due time."""
    return latest_target(complaint, target, of).internal_due


def in_quiet_hours(at: datetime, quiet: str, zone: str) -> bool:
    """True in the quiet hours of a person in this zone; the end is outside."""
    return quiet_until(at, quiet, zone) != to_utc(at)


def explain(due: Due) -> list[str]:
    """The steps to a due time in English."""
    return [explain_step(step) for step in due.because]
