"""The complainant's quiet hours: we start no conversation in them, and they hold letters back."""

from datetime import datetime, timedelta

from complaints.case import Case
from complaints.deadlines.opening_hours import parse_clock_span
from complaints.deadlines.working_time import due
from complaints.times import MINUTES_A_DAY, at_minute, local_time, to_utc
from complaints.vocabulary import Target

ACCEPTED = '"20:00-08:00", or "none"'


class BadQuietHours(ValueError):
    """The text is not quiet hours; the message names the accepted forms."""


def parse_quiet(text: str) -> tuple[int, int] | None:
    """Start and end in minutes after midnight; they include midnight where start >= end. None for "none"."""
    if text.strip().lower() == "none":
        return None
    span = parse_clock_span(text)
    if span is None:
        raise BadQuietHours(f"{text!r} does not say quiet hours; write {ACCEPTED}")
    start, end = span
    if (end - start) % MINUTES_A_DAY == 0:
        raise BadQuietHours(f"{text!r} would be quiet all day, so nothing would ever leave; write {ACCEPTED}")
    return start, end


def quiet_until(at: datetime, quiet: str, zone: str) -> datetime:
    """The first instant from `at` on that is not quiet (UTC); `at` itself outside quiet hours."""
    nights = _nights_at(at, quiet, zone)
    return nights[0][1] if nights else to_utc(at)


def last_spoken_by(at: datetime, quiet: str, zone: str) -> datetime:
    """The last minute up to `at` that is not quiet (UTC): a message needed by `at` leaves then."""
    nights = _nights_at(at, quiet, zone)
    return nights[-1][0] - timedelta(minutes=1) if nights else to_utc(at)


def checked_by(case: Case) -> datetime | None:
    """Until when a decision may wait for a second reader: two hours before the promised date, outside quiet hours.

    An hour before that date the complainant would be written that it is missed. None where no date is promised.
    """
    target = case.target(Target.DECIDE)
    if target is None or target.met_at is not None:
        return None
    latest = target.promised_due - timedelta(hours=2)
    return last_spoken_by(latest, case.rules.dialogue.quiet_hours, case.rules.calendar.zone)


def letter_held_until(
    case: Case, now: datetime, *, is_reply: bool = False, is_closing: bool = False
) -> datetime | None:
    """The end of the quiet hours that hold a letter back (UTC); None: it may leave now.

    `is_reply`: a reply, question or progress report of staff leaves at once within `answer_at_once_within` (half
    an hour by default) of the complainant's last message. `is_closing`: the closing letter answers a complainant
    who withdrew just now, so it is not held back.
    """
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    if is_closing and case.close_code == "withdrawn":
        return None
    until = quiet_until(now, dialogue.quiet_hours, calendar.zone)
    if until <= now:
        return None
    if is_reply and case.last_words_at is not None:
        answers_at_once_until = due(case.last_words_at, dialogue.answer_at_once_within, calendar).at
        return None if now <= answers_at_once_until else until
    return until


def _nights_at(at: datetime, quiet: str, zone: str) -> list[tuple[datetime, datetime]]:
    """The quiet hours that `at` lies in: none, or one. Where the clocks change, two may overlap."""
    at, spans = to_utc(at), parse_quiet(quiet)
    if spans is None:
        return []
    start, end = spans
    end += MINUTES_A_DAY if start >= end else 0
    today = local_time(at, zone).date()
    days = (today - timedelta(days=1), today)
    nights = [(at_minute(day, start, zone), at_minute(day, end, zone)) for day in days]
    return [(begins, ends) for begins, ends in nights if begins <= at < ends]
