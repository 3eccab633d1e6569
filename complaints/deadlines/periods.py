"""The periods in the order of a complaint's life: the form, too late, settled early, kept when closed (8.1).

docs/domain.md, section 7, gives the schemes that have them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from complaints.case import Case, Facts
from complaints.case_values import ContactLimit
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.working_time import Span, due
from complaints.rulebook import Calendar
from complaints.times import MINUTES_A_DAY, at_minute, parse_time
from complaints.vocabulary import UNDECIDED, Flag, State

#: Is an acceptance within the fast track confirmed in writing always, or only on request and in hardship?
ALWAYS, ON_REQUEST = "always", "on_request"

#: Safety signs of hardship: such a person gets the confirmation without asking.
_HARDSHIP_SIGNS = frozenset({"vulnerable", "cutoff_eviction"})
_WRITTEN = re.compile(r"(.*?)(?:\s+from\s+(receipt|closing))?\s*", re.DOTALL)


def form_ends(case: Case) -> tuple[datetime, datetime]:
    """When an abandoned form is filed as it is: after a silence, which a danger interrupts, and at the latest."""
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    calm = (alarm.talks_until for alarm in case.alarms)
    silent_since = max(at for at in (case.last_words_at or case.logged_at, *calm) if at is not None)
    return (
        due(silent_since, dialogue.file_abandoned_after, calendar).at,
        due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at,
    )


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


def early_until(case: Case) -> datetime | None:
    """Until when an acceptance settles it early, by the calendar of the law; None after level 1 or a reopening."""
    track = case.rules.fast_track
    if track is None or case.level > 1 or case.reopened:
        return None
    return due(case.received_at, track.within, case.rules.calendar.by_law).at


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


@dataclass(frozen=True)
class RetentionPeriod:
    """A span, and whether it counts from receipt instead of from closing."""

    span: str
    from_receipt: bool = False

    @classmethod
    def parse(cls, text: str) -> RetentionPeriod:
        """Read "72 months", "72 months from closing" or "36 months from receipt"; raises BadSpan."""
        match = _WRITTEN.fullmatch(text)
        span, since = (match[1], match[2]) if match is not None else (text, None)
        return cls(str(Span.parse(span)), since == "receipt")

    def __str__(self) -> str:
        return f"{self.span} from receipt" if self.from_receipt else self.span

    def until(self, *, received: datetime, closed: datetime, calendar: Calendar) -> datetime:
        """When it may be erased; never before it is closed."""
        return max(closed, due(received if self.from_receipt else closed, self.span, calendar).at)


# a limit on contact


def limit_ends(case: Case, limit: ContactLimit) -> datetime:
    """The end of its last day: the limit lapses then, unless it was renewed."""
    return closing_time(limit.until, case.rules.calendar)


def reply_held_until(case: Case, at: datetime) -> datetime | None:
    """Until when the limit lets the answer to words wait that come at `at`; None where nothing is limited.

    Only for repeated messages about the closed matter: one reply in each period, counted from the last one.
    """
    limit = case.conduct.limit
    if limit is None or limit.reply_days is None or limit.since is None or case.state is not State.CLOSED:
        return None
    last = max(filter(None, (limit.since, case.question_answered_at)))
    until = min(last + timedelta(days=limit.reply_days), limit_ends(case, limit))
    return until if until > at else None
