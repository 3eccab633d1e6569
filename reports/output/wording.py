"""The cells of a report in the words of one language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from reports.document import (
    CalendarMonth,
    Cell,
    Colleague,
    Estimate,
    Label,
    Mark,
    MeasureUnit,
    Money,
    Ref,
    Report,
    Sentence,
    Tone,
    Verbatim,
    Week,
    text,
)
from reports.statistics import Share

#: The sign of each tone, for readers who cannot see colours; the fonts of documents have them.
SIGNS: Mapping[Tone, str] = {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.WATCH: "!", Tone.NEUTRAL: "–"}
#: Marks of direction: one in a title would turn the words around it, up to the end of the line.
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
#: Not recorded, or not applicable.
DASH = "–"


class ReportTexts(Protocol):
    """The catalogues in one language; `amends.documents.labels.Labels` is one.

    Times are shown in its zone. `names` are those of members of staff by id.
    """

    @property
    def language(self) -> str: ...

    @property
    def zone(self) -> str: ...

    @property
    def names(self) -> Mapping[str, str]: ...

    def text(self, id_: str, **fields: object) -> str: ...

    def count(self, id_: str, number: int, **fields: object) -> str: ...

    def code(self, family: str, code: str | None) -> str | None: ...

    def language_name(self, code: str) -> str: ...

    def moment(self, instant: datetime) -> str | None: ...

    def short_date(self, day: date) -> str: ...

    def day_of_year(self, day: date) -> str: ...

    def month(self, day: date) -> str: ...

    def amount(self, amount: str | None, currency: str | None) -> str | None: ...

    def decimal(self, value: float, digits: int, *, signed: bool = False) -> str: ...

    def percent(self, value: float, digits: int) -> str: ...

    def yes_or_no(self, true: bool | None) -> str | None: ...

    def together(self, things: list[str]) -> str: ...


def in_words(cell: Cell, texts: ReportTexts) -> str:
    """The cell as a reader of this language sees it."""
    match cell:
        case Sentence():
            fields: dict[str, Any] = {name: in_words(value, texts) for name, value in cell.fields.items()}
            if cell.number is not None:
                return texts.count(cell.id, cell.number, **fields)
            return texts.text(cell.id, **fields)
        case Mark():
            return f"{SIGNS[cell.tone]} {in_words(cell.text, texts)}"
        case Verbatim():
            return cell.words.translate(_DIRECTIONS)
        case Ref():
            return cell.ref
        case Colleague():
            return texts.names.get(cell.id, cell.id)
        case Share():
            return _share(cell, texts)
        case Estimate():
            return _number(cell, texts)
        case tuple():
            return texts.together([in_words(part, texts) for part in cell]) if cell else DASH
        case date() | CalendarMonth() | Week():
            return _day(cell, texts)
        case _:
            return _plain(cell, texts) or DASH


def _plain(cell: bool | int | Label | Money | None, texts: ReportTexts) -> str | None:
    match cell:
        case None:
            return None
        case bool():
            return texts.yes_or_no(cell)
        case Label(family="language"):
            return texts.language_name(cell.code)
        case Label():
            return texts.code(cell.family, cell.code)
        case Money():
            return texts.amount(str(cell.amount), cell.currency)
        case _:
            return texts.decimal(cell, 0)


def _day(cell: date | CalendarMonth | Week, texts: ReportTexts) -> str:
    match cell:
        case CalendarMonth():
            return texts.month(cell.day)
        case Week():
            return texts.short_date(cell.monday)
        case datetime():
            return texts.moment(cell) or DASH
        case _:
            return texts.short_date(cell)


def period_words(report: Report, texts: ReportTexts) -> str:
    """`1 October 2026 to 31 October 2026`, or the moment of a report without a period."""
    if report.period is None:
        return in_words(text("report.as_of", moment=report.as_of), texts)
    first, last = report.period.days(texts.zone)
    return in_words(text("report.period", first=first, last=last), texts)


def _interval_words(
    low: float | None, high: float | None, unit: MeasureUnit, digits: int, texts: ReportTexts
) -> str | None:
    """`71.2 to 89.0 %`, or `2 or more` where too few complaints have ended to know the other end.

    Without the name of its unit, except a percent sign. None without an interval.
    """
    ends = {
        name: _bare(end, unit, digits, texts)
        for name, end in (("low", low), ("high", high))
        if end is not None
    }
    if not ends:
        return None
    return texts.text("report.interval" if len(ends) == 2 else f"report.interval.{next(iter(ends))}", **ends)


def with_detail(cell: Cell, texts: ReportTexts) -> tuple[str, str | None]:
    """The words of a cell, and what a narrow column shows in small print under them: interval and counts."""
    if isinstance(cell, Share) and cell.value is not None and cell.interval is not None:
        total, hits = texts.decimal(cell.of, 0), texts.decimal(cell.hits, 0)
        interval = _interval_words(*cell.interval, MeasureUnit.SHARE, 1, texts)
        detail = texts.text("report.counts", hits=hits, total=total, interval=interval)
        return texts.percent(cell.value, 1), detail
    if isinstance(cell, Estimate) and cell.value is not None:
        return _value(cell, texts), _interval_words(cell.low, cell.high, cell.unit, cell.digits, texts)
    return in_words(cell, texts), None


def _share(share: Share, texts: ReportTexts) -> str:
    if share.value is None:
        return texts.text("report.too_few_of", total=texts.decimal(share.of, 0))
    value, detail = with_detail(share, texts)
    return texts.text("report.with_interval", value=value, interval=detail)


def _number(number: Estimate, texts: ReportTexts) -> str:
    if number.value is None:
        return texts.text("report.too_few")
    value, detail = with_detail(number, texts)
    return value if detail is None else texts.text("report.with_interval", value=value, interval=detail)


def _value(number: Estimate, texts: ReportTexts) -> str:
    value = _in_unit(number.value or 0.0, number.unit)
    written = _bare(number.value or 0.0, number.unit, number.digits, texts)
    if number.unit in (MeasureUnit.SHARE, MeasureUnit.PLAIN):
        return written
    # Plural forms are for whole numbers: 1.5 days is the form of two.
    return texts.count(f"report.unit.{number.unit}", int(value) if value == int(value) else 2, value=written)


def _bare(value: float, unit: MeasureUnit, digits: int, texts: ReportTexts) -> str:
    """The number without the name of its unit, except a percent sign."""
    if unit is MeasureUnit.SHARE:
        return texts.percent(value, digits)
    return texts.decimal(_in_unit(value, unit), digits, signed=unit is MeasureUnit.POINTS)


def _in_unit(value: float, unit: MeasureUnit) -> float:
    return value * 100 if unit is MeasureUnit.POINTS else value
