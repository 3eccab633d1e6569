"""What a scheme asks where a complaint is settled early and accepted, and of one that comes late
(docs/domain.md, section 7)."""

from __future__ import annotations

from datetime import date, datetime

from complaints.case import Case, Facts
from complaints.deadlines.local_time import MINUTES_A_DAY, at_minute
from complaints.deadlines.working_time import due
from complaints.lifecycle import UNDECIDED
from complaints.timestamps import parse_time
from complaints.vocabulary import Flag

#: An acceptance within the fast track is confirmed in writing, or only where that is asked for or money is short.
ALWAYS, ON_REQUEST = "always", "on_request"

#: Signs and flags that somebody may be in hardship: whoever they are gets it in writing unasked.
_HARDSHIP_SIGNS = frozenset({"vulnerable", "cutoff_eviction"})


def early_until(case: Case) -> datetime | None:
    """Until when an acceptance settles it early: by the day of receipt, at the first level, before any reopening."""
    track = case.rules.fast_track
    if track is None or case.level > 1 or case.reopened:
        return None
    return due(case.received_at, track.within, case.rules.calendar).at


def settled_early(case: Case, facts: Facts, at: datetime) -> str | None:
    """How an acceptance that is heard now is confirmed; None outside the fast track. What was given counts then."""
    until, track = early_until(case), case.rules.fast_track
    given = facts.get("given_at")
    accepted = parse_time(str(given)) if given else at
    return track.confirmed if track is not None and until is not None and accepted <= until else None


def summary_owed(case: Case) -> bool:
    """Is the acceptance confirmed in writing unasked?"""
    if case.settled_early != ON_REQUEST:
        return case.settled_early == ALWAYS
    return Flag.SUPPORT_NEED in case.flags or any(sign.kind in _HARDSHIP_SIGNS for sign in case.signs)


def out_of_time(case: Case) -> date | None:
    """The last day that the story tells of, where it lies before what the scheme takes up.

    Only until a decision at the first level: refusing it for that is a manager's act, case by case, never ours.
    """
    within = case.rules.accept_within
    told = case.proposed.happened_by if case.proposed is not None else None
    if within is None or told is None or case.level > 1 or case.state not in UNDECIDED or case.reopened:
        return None
    ended = at_minute(told, MINUTES_A_DAY, case.rules.calendar.zone)
    return told if due(ended, within, case.rules.calendar).at < case.received_at else None
