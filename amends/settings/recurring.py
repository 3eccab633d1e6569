"""On which days an event that comes again each year falls (RFC 5545, RRULE); no other rhythm is a day off's."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NTH = re.compile(r"([+-]?[1-5])(MO|TU|WE|TH|FR|SA|SU)")
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"})


class NotCounted(Exception):
    """An event that cannot be counted as days off; the message says why and what to write instead."""


def repeated(rule: str, begins: date, first: date, last: date) -> Iterator[date]:
    """The days between two days on which the event begins; an empty rule gives `begins` alone.

    Raises NotCounted for a rhythm other than a day of a month each year.
    """
    if not rule:
        if first <= begins <= last:
            yield begins
        return
    parts = _parts(rule)
    every, count = _number(parts, "INTERVAL", 1), _number(parts, "COUNT", 0)
    until = _until(parts.get("UNTIL"))
    month = _number(parts, "BYMONTH", begins.month)
    if every < 1 or not 1 <= month <= 12:
        raise _unknown(rule)
    happened = 0
    for year in range(begins.year, last.year + 1, every):
        day = _in_year(parts, year, month, begins, rule)
        if day is None or day < begins:
            continue
        happened += 1
        if (count and happened > count) or (until is not None and day > until):
            return
        if first <= day <= last:
            yield day


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for one in filter(None, rule.strip().upper().split(";")):
        key, _, value = one.partition("=")
        parts[key] = value
    if parts.get("FREQ") != "YEARLY" or set(parts) - _KNOWN or {"BYDAY", "BYMONTHDAY"} <= set(parts):
        raise _unknown(rule)
    return parts


def _unknown(rule: str) -> NotCounted:
    return NotCounted(f"only a day of each year may come again, not {rule.strip()}: write an event for each")


def _number(parts: dict[str, str], key: str, otherwise: int) -> int:
    text = parts.get(key, str(otherwise))
    if not re.fullmatch(r"[+-]?\d{1,4}", text, re.ASCII):
        raise _unknown(";".join(f"{name}={value}" for name, value in parts.items()))
    return int(text)


def _until(text: str | None) -> date | None:
    if text is None:
        return None
    found = re.match(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    if found is None:
        raise NotCounted(f"its UNTIL {text!r} is not a date")
    return date(int(found[1]), int(found[2]), int(found[3]))


def _in_year(parts: dict[str, str], year: int, month: int, begins: date, rule: str) -> date | None:
    """The day of that year; None where it has none (29 February)."""
    longest = monthrange(year, month)[1]
    if "BYDAY" in parts:
        found = _NTH.fullmatch(parts["BYDAY"])
        if found is None or "BYMONTH" not in parts:
            raise _unknown(rule)
        return _nth(year, month, int(found[1]), _DAYS.index(found[2]))
    day = _number(parts, "BYMONTHDAY", begins.day)
    day = longest + 1 + day if day < 0 else day
    return date(year, month, day) if 1 <= day <= longest else None


def _nth(year: int, month: int, nth: int, weekday: int) -> date | None:
    days = [
        day for day in range(1, monthrange(year, month)[1] + 1) if date(year, month, day).weekday() == weekday
    ]
    at = nth - 1 if nth > 0 else nth
    return date(year, month, days[at]) if -len(days) <= at < len(days) else None
