"""The complainant's quiet hours: we start no conversation in them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from complaints.deadlines.local_time import MINUTES_A_DAY, at_minute, local_time, to_utc

ACCEPTED = '"20:00-08:00", or "none"'

_WRITTEN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", re.ASCII)


class BadQuietHours(ValueError):
    """The text is not quiet hours; the message names the accepted forms."""


def parse_quiet(text: str) -> tuple[int, int] | None:
    """Start and end in minutes after midnight; they include midnight where start >= end. None for "none"."""
    if text.strip().lower() == "none":
        return None
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise BadQuietHours(f"{text!r} does not say quiet hours; write {ACCEPTED}")
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or start >= MINUTES_A_DAY or end > MINUTES_A_DAY:
        raise BadQuietHours(f"{text!r} does not say quiet hours; write {ACCEPTED}")
    if (end - start) % MINUTES_A_DAY == 0:
        raise BadQuietHours(f"{text!r} would be quiet all day, so nothing would ever leave; write {ACCEPTED}")
    return start, end


def in_quiet_hours(at: datetime, quiet: str, zone: str) -> bool:
    """True in the quiet hours of a person in this zone; the end is outside."""
    return quiet_until(at, quiet, zone) != to_utc(at)


def quiet_until(at: datetime, quiet: str, zone: str) -> datetime:
    """The first instant from `at` on that is not quiet (UTC); `at` itself outside quiet hours."""
    at = to_utc(at)
    spans = parse_quiet(quiet)
    if spans is None:
        return at
    today = local_time(at, zone).date()
    for day in (today - timedelta(days=1), today):
        start, end = _night(day, spans, zone)
        if start <= at < end:
            return end
    return at


def last_spoken_by(at: datetime, quiet: str, zone: str) -> datetime:
    """The last minute up to `at` that is not quiet (UTC): a message needed by `at` leaves then."""
    at = to_utc(at)
    spans = parse_quiet(quiet)
    if spans is None:
        return at
    today = local_time(at, zone).date()
    for day in (today, today - timedelta(days=1)):
        start, end = _night(day, spans, zone)
        if start <= at < end:
            return start - timedelta(minutes=1)
    return at


def _night(day: date, spans: tuple[int, int], zone: str) -> tuple[datetime, datetime]:
    start, end = spans
    return at_minute(day, start, zone), at_minute(day, end if start < end else end + MINUTES_A_DAY, zone)
