"""Scheme rules for early settlement, and for complaints that come too late (docs/domain.md, section 7)."""

from __future__ import annotations

from datetime import date, datetime

from complaints.case import Case, Facts
from complaints.deadlines.local_time import MINUTES_A_DAY, at_minute
from complaints.deadlines.working_time import due
from complaints.lifecycle import UNDECIDED
from complaints.timestamps import parse_time
from complaints.vocabulary import Flag

#: Is an acceptance within the fast track confirmed in writing always, or only on request and in hardship?
ALWAYS, ON_REQUEST = "always", "on_request"

#: Safety signs of hardship: such a person gets the confirmation without asking.
_HARDSHIP_SIGNS = frozenset({"vulnerable", "cutoff_eviction"})


def early_until(case: Case) -> datetime | None:
    """Until when an acceptance settles it early; None after the first level or a reopening."""
    track = case.rules.fast_track
    if track is None or case.level > 1 or case.reopened:
        return None
    return due(case.received_at, track.within, case.rules.calendar).at


def settled_early(case: Case, facts: Facts, at: datetime) -> str | None:
    """How an acceptance is confirmed; None outside the fast track. `given_at` counts if staff record it later."""
    until, track = early_until(case), case.rules.fast_track
    given_at = facts.get("given_at")
    accepted = parse_time(str(given_at)) if given_at else at
    return track.confirmed if track is not None and until is not None and accepted <= until else None


def summary_owed(case: Case) -> bool:
    """True when the acceptance is confirmed in writing without a request."""
    if case.settled_early != ON_REQUEST:
        return case.settled_early == ALWAYS
    return Flag.SUPPORT_NEED in case.flags or any(sign.kind in _HARDSHIP_SIGNS for sign in case.signs)


def last_day_if_too_old(case: Case) -> date | None:
    """The last day that the complaint is about, if the scheme no longer takes up a matter of that day; or None.

    Only before a decision at the first level. A manager decides in each case whether to refuse it.
    """
    within = case.rules.accept_within
    last_day = case.proposed.happened_by if case.proposed is not None else None
    if within is None or last_day is None or case.level > 1 or case.state not in UNDECIDED or case.reopened:
        return None
    ended = at_minute(last_day, MINUTES_A_DAY, case.rules.calendar.zone)
    return last_day if due(ended, within, case.rules.calendar).at < case.received_at else None
