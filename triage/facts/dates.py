"""Days and ranges of days in a story, absolute or counted from the day of receipt, as ISO dates."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from triage.facts.fact import Story, StoryFact
from triage.matching import any_of, lines_of, read_phrases, spaced, whole_words

Range = tuple[date, date]

#: Countries that write the month first in 11/03/2026.
MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW"})
_MONTHS = 12
#: What replaces {iso}, {day} … in a line of a language table.
_PLACEHOLDERS = {
    "iso": r"(?P<iso>(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})",
    "numeric": r"(?P<a>[0-9]{1,2})(?P<mark>[./\-])(?P<b>[0-9]{1,2})(?P=mark)(?P<c>(?:19|20)[0-9]{2}|[0-9]{2})",
    "short": r"(?P<a>[0-9]{1,2})(?P<mark>[./])(?P<b>[0-9]{1,2})\.?",
    "day": r"(?P<day>[0-9]{1,2})",
    "year": r"(?P<year>(?:19|20)[0-9]{2})",
}
#: A line of a table may have words before this mark that must be there but are not part of the day.
_LEAD = ">>"
#: Characters before a day in which words may show that it is in the future, or the beginning of a range.
_CONTEXT = 24
#: Characters of a sentence before and after a day that are searched for a demand.
_DEMAND_WITHIN = 80
_NEVER = re.compile(r"(?!)")
#: In a sentence that demands something, these forms say until when and not when it happened: "I need it this week!"
_OF_DEMAND = frozenset({"period_this_week", "period_this_month", "period_this_year", "back_0", "weekday"})
_SENTENCE_END = re.compile(r"[.!?;\n]")
#: What follows it is another clause: "I was charged on Tuesday and I want it back" demands nothing by Tuesday.
_CONJUNCTION = re.compile(r"\b(?:and|but|und|aber|y|pero|ve|ama)\b")
#: "From 6 to" before "8 November".
_RANGE_BEFORE = re.compile(
    r"(?<![\w.,/])(?:(?:from|vom|del?) )?(?:the )?(?P<first>[0-9]{1,2})(?:st|nd|rd|th|\.)?"
    r"\s{0,2}(?:-|to|bis|al?|ile|until|till)(?: the| zum| el)?\s{0,2}$"
)
_SINGLE_DAYS = ("iso", "numeric", "short", "day", "bare")


def dates(story: Story, language: str) -> Iterator[StoryFact]:
    """The days and ranges in a story; days that the calendar does not have are left out."""
    patterns, folded = _patterns(language), story.folded.text
    for form in patterns.forms:
        for match in form.pattern.finditer(folded):
            start, end = match.span("core")
            context = folded[max(0, start - _CONTEXT) : start]
            since_before = patterns.since_before.search(context)
            since_after = patterns.since_after.match(folded, match.end())
            is_since = since_before is not None or since_after is not None
            if form.only_since and not is_since:
                continue
            if form.kind in _OF_DEMAND and not is_since and _is_demanded(patterns, folded, start, end):
                continue
            before = _RANGE_BEFORE.search(context) if form.kind in ("day", "short", "numeric") else None
            is_future = before is None and bool(
                patterns.future_before.search(context) or patterns.future_after.match(folded, match.end())
            )
            days = _days(patterns, form.kind, match, story, is_future=is_future)
            if days is None:
                continue
            first, last = days
            if before and 0 < int(before["first"]) < first.day and first == last:
                first, start = first.replace(day=int(before["first"])), start - len(context) + before.start()
            if is_since and first <= story.received:
                last = story.received
                start = start - len(context) + since_before.start() if since_before else start
                end = since_after.end() if since_after else end
            yield story.fact("date", _iso(first, last, story.received), start, end)


def _is_demanded(patterns: _DatePatterns, folded: str, start: int, end: int) -> bool:
    """True for a day in a sentence of demand, or alone in its sentence with an exclamation mark ("This week!")."""
    before = _SENTENCE_END.split(folded[max(0, start - _DEMAND_WITHIN) : start])[-1]
    stop = _SENTENCE_END.search(folded, end)
    after = folded[end : min(end + _DEMAND_WITHIN, stop.start() if stop else len(folded))]
    if not before.strip() and not after.strip():
        return stop is not None and stop.group() == "!"
    return any(patterns.demanded.search(words) for words in (before, _CONJUNCTION.split(after)[0]))


def _iso(first: date, last: date, received: date) -> str:
    """An ISO date or range; a range that begins before the day of receipt ends on it at the latest."""
    if first <= received < last:
        last = received
    return first.isoformat() if last <= first else f"{first.isoformat()}/{last.isoformat()}"


@dataclass(frozen=True, slots=True)
class _DateForm:
    """One form in which a language writes a day; `only_since`: only as the beginning of a range ("since Monday")."""

    kind: str
    pattern: re.Pattern[str]
    only_since: bool


@dataclass(frozen=True, slots=True)
class _DatePatterns:
    """The forms in which a language writes a day, and the values of its words."""

    forms: tuple[_DateForm, ...]
    months: tuple[re.Pattern[str], ...]
    weekdays: tuple[re.Pattern[str], ...]
    units: Mapping[str, re.Pattern[str]]
    counts: Mapping[str, int]
    since_before: re.Pattern[str]
    since_after: re.Pattern[str]
    future_before: re.Pattern[str]
    future_after: re.Pattern[str]
    demanded: re.Pattern[str]

    def number(self, word: str) -> int:
        return int(word) if word.isdigit() else self.counts[word]

    def unit(self, word: str) -> str:
        return next(name for name, pattern in self.units.items() if pattern.fullmatch(word))


@lru_cache(maxsize=8)
def _patterns(language: str) -> _DatePatterns:
    table: dict[str, Any] = read_phrases("facts", language)["dates"]
    counts = {word: int(number) for number, words in table["counts"].items() for word in words.split()}
    count_words = "|".join(sorted(counts, key=len, reverse=True))
    placeholders = {
        **_PLACEHOLDERS,
        "month": rf"(?P<month>{any_of(table['months'])})",
        "weekday": rf"(?P<weekday>{any_of(table['weekdays'])})",
        "n": rf"(?P<n>[0-9]{{1,3}}|{count_words})",
        "unit": f"(?P<unit>{any_of(chr(10).join(table['units'].values()))})",
    }
    lines = [("iso", "{iso}"), ("numeric", "{numeric}")]
    lines += [(kind, line) for kind, text in table["ways"].items() for line in lines_of(text)]
    lines += [(f"back_{days}", any_of(words)) for days, words in table["words"].items()]
    lines += [(f"period_{name}", any_of(words)) for name, words in table["periods"].items()]
    return _DatePatterns(
        forms=tuple(
            _DateForm(
                kind.removesuffix("_since"),
                _compiled(line, placeholders, table["ending"]),
                kind.endswith("_since"),
            )
            for kind, line in lines
        ),
        months=tuple(re.compile(spaced(line)) for line in lines_of(table["months"])),
        weekdays=tuple(re.compile(spaced(line)) for line in lines_of(table["weekdays"])),
        units={unit: re.compile(any_of(words)) for unit, words in table["units"].items()},
        counts=counts,
        since_before=_words_before(table["since_before"]),
        since_after=_words_after(table["since_after"]),
        future_before=_words_before(table["ahead_before"]),
        future_after=_words_after(table["ahead_after"]),
        demanded=whole_words(table["demanded"]),
    )


def _words_before(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){any_of(words)}\s{{1,3}}$") if words.strip() else _NEVER


def _words_after(words: str) -> re.Pattern[str]:
    return re.compile(rf"\s{{0,3}}{any_of(words)}(?![^\W_])") if words.strip() else _NEVER


def _compiled(line: str, placeholders: Mapping[str, str], ending: str) -> re.Pattern[str]:
    lead, mark, core = line.rpartition(_LEAD)
    pattern = rf"(?:{spaced(lead.strip())}\s{{1,3}})" if mark else ""
    pattern += rf"(?P<core>{spaced(core.strip())})(?:{ending})?(?![^\W_])(?!['.,/\-]?[0-9])"
    for name, replacement in placeholders.items():
        pattern = pattern.replace(f"{{{name}}}", replacement)
    return re.compile(rf"(?<![^\W_])(?<![0-9][.,/:\-]){pattern}")


def _days(
    patterns: _DatePatterns, kind: str, match: re.Match[str], story: Story, *, is_future: bool
) -> Range | None:
    """The first and last day that a form means on the day of receipt."""
    received = story.received
    if kind in _SINGLE_DAYS:
        day = _single_day(patterns, kind, match, story, is_future=is_future)
        return None if day is None else (day, day)
    if kind == "month":
        return _month(patterns, match, received, is_future=is_future)
    if is_future:
        # "Next Monday", "in the coming week": it has not happened yet.
        return None
    if kind in ("weekday", "weekday_last"):
        day = _weekday_before(
            received, _index(patterns.weekdays, match["weekday"]), not_today=kind == "weekday_last"
        )
        return day, day
    if kind == "weekday_of_last_week":
        day = _period(received, "last_week")[0] + timedelta(_index(patterns.weekdays, match["weekday"]))
        return day, day
    if kind == "ago":
        return _ago(received, patterns.number(match["n"]), patterns.unit(match["unit"]))
    if kind == "so_long":
        return _last_units(received, patterns.number(match["n"]), patterns.unit(match["unit"]))
    name = kind.partition("_")[2]
    if kind.startswith("period_"):
        return _period(received, name)
    day = received - timedelta(days=int(name))
    return day, day


def _index(patterns: tuple[re.Pattern[str], ...], word: str) -> int:
    return next(index for index, pattern in enumerate(patterns) if pattern.fullmatch(word))


def _single_day(
    patterns: _DatePatterns, kind: str, match: re.Match[str], story: Story, *, is_future: bool
) -> date | None:
    received = story.received
    if kind == "iso":
        year, month, day = (int(part) for part in match["iso"].split("-"))
        return _calendar_day(year, month, day)
    if kind == "bare":
        # "On the 15th": the last such day, of this month or of an earlier one.
        day, days = int(match["day"]), (received - timedelta(days=back) for back in range(62))
        return None if is_future else next((candidate for candidate in days if candidate.day == day), None)
    if kind == "day":
        month = _index(patterns.months, match["month"]) + 1
        if match["year"]:
            return _calendar_day(int(match["year"]), month, int(match["day"]))
        return _day_without_year(month, int(match["day"]), received, is_future=is_future)
    day, month = _day_and_month(
        int(match["a"]), int(match["b"]), is_slashed=match["mark"] == "/", country=story.country
    )
    if kind == "numeric":
        return _calendar_day(_full_year(int(match["c"]), received), month, day)
    return _day_without_year(month, day, received, is_future=is_future)


def _month(patterns: _DatePatterns, match: re.Match[str], received: date, *, is_future: bool) -> Range | None:
    month = _index(patterns.months, match["month"]) + 1
    if match.groupdict().get("year"):
        return _whole_month(int(match["year"]), month)
    if is_future:
        return None
    return _whole_month(received.year if month <= received.month else received.year - 1, month)


def _calendar_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _whole_month(year: int, month: int) -> Range:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _day_and_month(first: int, second: int, *, is_slashed: bool, country: str | None) -> tuple[int, int]:
    """The month is first only in the countries that write so, or where the second number can be no month."""
    month_first = is_slashed and (country or "").upper() in MONTH_FIRST
    if (month_first or second > _MONTHS) and first <= _MONTHS:
        return second, first
    return first, second


def _full_year(year: int, received: date) -> int:
    """Two digits are a year up to 10 years after receipt, or one of the century before."""
    if year >= 100:
        return year
    candidate = received.year // 100 * 100 + year
    return candidate if candidate <= received.year + 10 else candidate - 100


def _day_without_year(month: int, day: int, received: date, *, is_future: bool) -> date | None:
    """The last such day up to receipt, or the next one where the words say that it is in the future."""
    years = (received.year, received.year + 1) if is_future else (received.year, received.year - 1)
    for year in years:
        candidate = _calendar_day(year, month, day)
        if candidate is not None and (candidate >= received if is_future else candidate <= received):
            return candidate
    return None


def _weekday_before(received: date, weekday: int, *, not_today: bool) -> date:
    """The last Monday (0) to Sunday (6) up to the day of receipt, or before it where `not_today`."""
    back = (received.weekday() - weekday) % 7
    return received - timedelta(days=back or (7 if not_today else 0))


def _ago(received: date, number: int, unit: str) -> Range | None:
    """So many days or weeks ago is a day; months and years ago name no day and are a whole month or year."""
    if unit in ("day", "week"):
        days = number * (7 if unit == "week" else 1)
        if days >= received.toordinal():
            return None
        day = received - timedelta(days=days)
        return day, day
    months = _months_before(received, number, unit)
    if months < 12:
        return None
    if unit == "year":
        return date(months // 12, 1, 1), date(months // 12, 12, 31)
    return _whole_month(months // 12, months % 12 + 1)


def _last_units(received: date, number: int, unit: str) -> Range | None:
    """The last so many days, weeks, months or years up to receipt."""
    if unit in ("day", "week"):
        days = _ago(received, number, unit)
        return None if days is None else (days[0], received)
    months = _months_before(received, number, unit)
    if months < 12:
        return None
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(received.day, calendar.monthrange(year, month)[1])), received


def _months_before(received: date, number: int, unit: str) -> int:
    """Months since the year 0; below 12 there is no date."""
    return received.year * 12 + received.month - 1 - number * (12 if unit == "year" else 1)


def _period(received: date, name: str) -> Range:
    """`last_week`, `this_week`, and the same of months and years; weeks begin on Monday."""
    which, unit = name.split("_")
    if unit == "week":
        first = received - timedelta(days=received.weekday() + (7 if which == "last" else 0))
        return first, first + timedelta(days=6)
    if unit == "month":
        day = received if which == "this" else received.replace(day=1) - timedelta(days=1)
        return _whole_month(day.year, day.month)
    year = received.year - (which == "last")
    return date(year, 1, 1), date(year, 12, 31)
