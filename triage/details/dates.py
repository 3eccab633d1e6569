"""Dates in a story: each language's ways of saying a day, tried on the folded text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from triage.details import days
from triage.details.days import When
from triage.details.detail import Detail, Story
from triage.language_tables import any_of, lines_of, read_phrases, spaced

_PLACES = {
    "iso": r"(?P<iso>(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})",
    "numeric": r"(?P<a>[0-9]{1,2})(?P<mark>[./\-])(?P<b>[0-9]{1,2})(?P=mark)(?P<c>(?:19|20)[0-9]{2}|[0-9]{2})",
    "short": r"(?P<a>[0-9]{1,2})(?P<mark>[./])(?P<b>[0-9]{1,2})\.?",
    "day": r"(?P<day>[0-9]{1,2})",
    "year": r"(?P<year>(?:19|20)[0-9]{2})",
}
#: A line of a table may begin with what is not shown of the day, before this mark.
_LEAD = ">>"
#: How far before a day the words may stand that put it ahead or make it a beginning.
_NEAR = 24
_NEVER = re.compile(r"(?!)")
_DAYS = ("iso", "numeric", "short", "day")


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of saying a day; `bare`: only as a beginning ("since Monday")."""

    kind: str
    pattern: re.Pattern[str]
    bare: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """A language's ways of saying a day, and the values of its words."""

    ways: tuple[_Way, ...]
    months: tuple[re.Pattern[str], ...]
    weekdays: tuple[re.Pattern[str], ...]
    units: Mapping[str, re.Pattern[str]]
    counts: Mapping[str, int]
    since: re.Pattern[str]
    since_after: re.Pattern[str]
    ahead: re.Pattern[str]
    ahead_after: re.Pattern[str]

    def number(self, written: str) -> int:
        return int(written) if written.isdigit() else self.counts[written]

    def unit(self, written: str) -> str:
        return next(name for name, one in self.units.items() if one.fullmatch(written))


def _which(patterns: tuple[re.Pattern[str], ...], written: str) -> int:
    return next(place for place, one in enumerate(patterns) if one.fullmatch(written))


def _before(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){any_of(words)}\s{{1,3}}$") if words.strip() else _NEVER


def _after(words: str) -> re.Pattern[str]:
    return re.compile(rf"\s{{0,3}}{any_of(words)}(?![^\W_])") if words.strip() else _NEVER


def _compiled(line: str, places: Mapping[str, str], ending: str) -> re.Pattern[str]:
    lead, mark, core = line.rpartition(_LEAD)
    pattern = rf"(?:{spaced(lead.strip())}\s{{1,3}})" if mark else ""
    pattern += rf"(?P<core>{spaced(core.strip())})(?:{ending})?(?![^\W_])(?!['.,/\-]?[0-9])"
    for name, meaning in places.items():
        pattern = pattern.replace(f"{{{name}}}", meaning)
    return re.compile(rf"(?<![^\W_])(?<![0-9][.,/:\-]){pattern}")


@lru_cache(maxsize=8)
def _table(language: str) -> _Table:
    table: dict[str, Any] = read_phrases("details", language)["dates"]
    counts = {word: int(number) for number, words in table["counts"].items() for word in words.split()}
    counted = "|".join(sorted(counts, key=len, reverse=True))
    places = {
        **_PLACES,
        "month": rf"(?P<month>{any_of(table['months'])})",
        "weekday": rf"(?P<weekday>{any_of(table['weekdays'])})",
        "n": rf"(?P<n>[0-9]{{1,3}}|{counted})",
        "unit": f"(?P<unit>{any_of(chr(10).join(table['units'].values()))})",
    }
    lines = [("iso", "{iso}"), ("numeric", "{numeric}")]
    lines += [(kind, line) for kind, text in table["ways"].items() for line in lines_of(text)]
    lines += [(f"back_{back}", any_of(words)) for back, words in table["words"].items()]
    lines += [(f"period_{name}", any_of(words)) for name, words in table["periods"].items()]
    return _Table(
        ways=tuple(
            _Way(
                kind.removesuffix("_since"),
                _compiled(line, places, table["ending"]),
                kind.endswith("_since"),
            )
            for kind, line in lines
        ),
        months=tuple(re.compile(spaced(one)) for one in lines_of(table["months"])),
        weekdays=tuple(re.compile(spaced(one)) for one in lines_of(table["weekdays"])),
        units={unit: re.compile(any_of(words)) for unit, words in table["units"].items()},
        counts=counts,
        since=_before(table["since_before"]),
        since_after=_after(table["since_after"]),
        ahead=_before(table["ahead_before"]),
        ahead_after=_after(table["ahead_after"]),
    )


def dates(story: Story, language: str) -> Iterator[Detail]:
    """The days and ranges that a story names; none that its calendar does not have."""
    table, folded = _table(language), story.folded.text
    for way in table.ways:
        for hit in way.pattern.finditer(folded):
            start, end = hit.span("core")
            near = folded[max(0, start - _NEAR) : start]
            since = table.since.search(near)
            begins = table.since_after.match(folded, hit.end())
            if way.bare and since is None and begins is None:
                continue
            ahead = bool(table.ahead.search(near) or table.ahead_after.match(folded, hit.end()))
            found = _read(table, way.kind, hit, story, ahead=ahead)
            if found is None:
                continue
            first, last = found
            goes_on = bool(since or begins) and first <= story.received
            if goes_on:
                start = start - len(near) + since.start() if since else start
                end = begins.end() if begins else end
            value = When(first, last, goes_on).value(story.received)
            yield story.detail("date", value, start, end)


def _read(
    table: _Table, kind: str, hit: re.Match[str], story: Story, *, ahead: bool
) -> tuple[date, date] | None:
    """What a way of saying it means on the day of receipt."""
    received = story.received
    if kind in _DAYS:
        one = _one_day(table, kind, hit, story, ahead=ahead)
        return None if one is None else (one, one)
    if kind == "month":
        return _month(table, hit, received, ahead=ahead)
    if ahead:
        # "Next Monday", "in the coming week": nothing that has happened.
        return None
    if kind in ("weekday", "weekday_last"):
        number = _which(table.weekdays, hit["weekday"])
        one = days.weekday_before(received, number, strictly=kind == "weekday_last")
        return one, one
    if kind == "ago":
        return days.ago(received, table.number(hit["n"]), table.unit(hit["unit"]))
    if kind == "so_long":
        return days.so_long(received, table.number(hit["n"]), table.unit(hit["unit"]))
    name = kind.partition("_")[2]
    if kind.startswith("period_"):
        return days.period(received, name)
    one = received - timedelta(days=int(name))
    return one, one


def _one_day(table: _Table, kind: str, hit: re.Match[str], story: Story, *, ahead: bool) -> date | None:
    received = story.received
    if kind == "iso":
        year, month, day = (int(part) for part in hit["iso"].split("-"))
        return days.day_of(year, month, day)
    if kind == "day":
        month = _which(table.months, hit["month"]) + 1
        day, written = int(hit["day"]), hit["year"]
        if written:
            return days.day_of(int(written), month, day)
        return days.without_year(month, day, received, ahead=ahead)
    slashed = hit["mark"] == "/"
    day, month = days.in_order(int(hit["a"]), int(hit["b"]), slashed=slashed, country=story.country)
    if kind == "numeric":
        return days.day_of(days.full_year(int(hit["c"]), received), month, day)
    return days.without_year(month, day, received, ahead=ahead)


def _month(table: _Table, hit: re.Match[str], received: date, *, ahead: bool) -> tuple[date, date] | None:
    month = _which(table.months, hit["month"]) + 1
    if hit.groupdict().get("year"):
        return days.month_of(int(hit["year"]), month)
    if ahead:
        return None
    return days.month_of(received.year if month <= received.month else received.year - 1, month)
