"""The cells of a report in the words of one language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from complaints.times import local_time
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
#: Not recorded, or not applicable.
DASH = "–"


class ReportTexts(Protocol):
    """The catalogues in one language; `amends.documents.labels.Labels` is one. Times are shown in its zone."""

    @property
    def zone(self) -> str: ...

    def text(self, id_: str, **fields: object) -> str: ...

    def count(self, id_: str, number: int, **fields: object) -> str: ...

    def code(self, family: str, code: str | None) -> str | None: ...

    def moment(self, instant: datetime) -> str | None: ...

    def short_date(self, day: date) -> str: ...

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
            return cell.words
        case Ref():
            return cell.ref
        case Colleague():
            return cell.id
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
    first = local_time(report.period.start, texts.zone).date()
    last = local_time(report.period.end - timedelta(microseconds=1), texts.zone).date()
    return in_words(text("report.period", first=first, last=last), texts)


def interval_words(low: float, high: float, unit: MeasureUnit, digits: int, texts: ReportTexts) -> str:
    """`71.2 to 89.0 %`: an interval without the name of its unit, except a percent sign."""
    if unit is MeasureUnit.SHARE:
        return texts.text("report.interval", low=texts.percent(low, digits), high=texts.percent(high, digits))
    factor = 100 if unit is MeasureUnit.POINTS else 1
    signed = unit is MeasureUnit.POINTS
    return texts.text(
        "report.interval",
        low=texts.decimal(low * factor, digits, signed=signed),
        high=texts.decimal(high * factor, digits, signed=signed),
    )


def _number(number: Estimate, texts: ReportTexts) -> str:
    if number.value is None:
        return texts.text("report.too_few")
    if number.unit is MeasureUnit.SHARE:
        written = texts.percent(number.value, number.digits)
    else:
        is_points = number.unit is MeasureUnit.POINTS
        value = number.value * (100 if is_points else 1)
        written = texts.decimal(value, number.digits, signed=is_points)
        if number.unit is not MeasureUnit.PLAIN:
            # Plural forms are for whole numbers: 1.5 days is the form of two.
            form = int(value) if value == int(value) else 2
            written = texts.count(f"report.unit.{number.unit}", form, value=written)
    if number.low is None or number.high is None:
        return written
    interval = interval_words(number.low, number.high, number.unit, number.digits, texts)
    return texts.text("report.with_interval", value=written, interval=interval)


def _share(share: Share, texts: ReportTexts) -> str:
    counts = texts.text("report.counts", hits=texts.decimal(share.hits, 0), total=texts.decimal(share.of, 0))
    if share.value is None or share.interval is None:
        return texts.text("report.too_few_of", total=texts.decimal(share.of, 0))
    interval = interval_words(*share.interval, MeasureUnit.SHARE, 1, texts)
    return texts.text("report.share", value=texts.percent(share.value, 1), interval=interval, counts=counts)
