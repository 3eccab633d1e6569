"""A date that was told and will not be kept is told before it passes: never silence (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.quiet_hours import last_spoken_by
from complaints.deadlines.targets import outside_when_missed
from complaints.rulebook import Limit
from complaints.vocabulary import Target

#: So long before the date, where that leaves room after the date was told.
BEFORE_MISSED = timedelta(hours=1)


def missed_notice_at(case: Case, one: TargetSet) -> datetime | None:
    """When the complainant hears that this date will not be kept; None where it had passed when it was told.

    Half-way between the telling and the date where an hour before it would be no later than the telling.
    """
    told, date = one.set_at, one.promised_due
    if date <= told:
        return None
    at = said_by(case, date - BEFORE_MISSED, since=told)
    return at if at > told else said_by(case, told + (date - told) / 2, since=told)


def remedy_notice_at(case: Case, one: TargetSet) -> datetime:
    """From when a remedy is told to be late: shortly before its date, at one that had passed when promised."""
    return missed_notice_at(case, one) or one.internal_due


def payment_owed(case: Case, now: datetime) -> Limit | None:
    """What the scheme has paid unasked, once for each of its own times that was missed (uk_water); None: nothing.

    Its times are the legal maximum, and at a later level the one that opens the outside.
    """
    each, legal, decide = case.rules.missed_payment, case.target(Target.LEGAL), case.target(Target.DECIDE)
    if each is None:
        return None
    ours = [legal, decide if decide is not None and outside_when_missed(case, decide) else None]
    missed = sum(one is not None and one.internal_due < (one.met_at or now) for one in ours)
    return replace(each, amount=each.amount * missed) if missed else None


def said_by(case: Case, at: datetime, *, since: datetime) -> datetime:
    """Said by then: before the quiet hours in which it falls, else it would only be heard after the date."""
    spoken = last_spoken_by(at, case.rules.dialogue.quiet_hours, case.rules.calendar.zone)
    return spoken if spoken > since else at
