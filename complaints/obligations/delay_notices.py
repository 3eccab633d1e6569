"""Notices before a promised date is missed: the complainant never learns of it by silence (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.quiet_hours import last_spoken_by
from complaints.deadlines.targets import outside_when_missed
from complaints.rulebook import Limit
from complaints.vocabulary import Target

#: The notice leaves this long before the date, if that is still after the date was set.
BEFORE_MISSED = timedelta(hours=1)


def missed_notice_at(case: Case, target: TargetSet) -> datetime | None:
    """When to send the notice that this date will not be kept; None if it had passed when it was set.

    If an hour before the date is too early, it leaves half-way between the setting and the date.
    """
    set_at, promised = target.set_at, target.promised_due
    if promised <= set_at:
        return None
    notice_at = sent_by(case, promised - BEFORE_MISSED, since=set_at)
    return notice_at if notice_at > set_at else sent_by(case, set_at + (promised - set_at) / 2, since=set_at)


def remedy_notice_at(case: Case, target: TargetSet) -> datetime:
    """From when to record a remedy as late: shortly before its date, or at a date that had passed when promised."""
    return missed_notice_at(case, target) or target.internal_due


def missed_times_payment(case: Case, now: datetime) -> Limit | None:
    """The payment that the scheme prescribes for each of its times that was missed (uk_water), or None.

    These times are the legal maximum, and at a later level the time that opens the outside.
    """
    payment, legal, decide = case.rules.missed_payment, case.target(Target.LEGAL), case.target(Target.DECIDE)
    if payment is None:
        return None
    own_times = [legal, decide if decide is not None and outside_when_missed(case, decide) else None]
    missed = sum(target is not None and target.internal_due < (target.met_at or now) for target in own_times)
    return replace(payment, amount=payment.amount * missed) if missed else None


def sent_by(case: Case, latest: datetime, *, since: datetime) -> datetime:
    """This time, or if it is in quiet hours the last minute before them (not before `since`)."""
    leaves_at = last_spoken_by(latest, case.rules.dialogue.quiet_hours, case.rules.calendar.zone)
    return leaves_at if leaves_at > since else latest
