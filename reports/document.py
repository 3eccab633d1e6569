"""A report of clause 8 as plain values: sentences, tables and charts, without a language and without a format.

A new report is a pure function that returns a `Report`. The renderers know only this module. Sentences are ids of the
catalogues bots/texts/<language>/reports.po; `text("id", name=value)` makes one. `docs/reports.md` has an example.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reports.statistics import Share
from reports.tally import Period


@dataclass(frozen=True)
class Sentence:
    """A sentence, heading or label: an id of the catalogue and its fields, which are cells themselves.

    `number` chooses the plural form and is the field {number}.
    """

    id: str
    fields: Mapping[str, Cell] = field(default_factory=dict)
    number: int | None = None


def text(id_: str, number: int | None = None, /, **fields: Cell) -> Sentence:
    return Sentence(id_, fields, number)


@dataclass(frozen=True)
class Label:
    """A code of the record by its label `<family>.<code>`, such as Label("category", "delivery")."""

    family: str
    code: str


@dataclass(frozen=True)
class Verbatim:
    """Words that no catalogue has: names from settings, titles by staff, masked words."""

    words: str


@dataclass(frozen=True)
class Ref:
    """The reference of a complaint. A reader who may not know of it does not see it (`without_references`)."""

    ref: str


@dataclass(frozen=True)
class Colleague:
    """A member of staff by id; in Slack a mention."""

    id: str


class MeasureUnit(StrEnum):
    """What an `Estimate` counts. POINTS is a difference of two shares, both between -1 and 1 as SHARE is."""

    PLAIN = "plain"
    SHARE = "share"
    POINTS = "points"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    HOURS = "hours"
    MINUTES = "minutes"
    PER_THOUSAND = "per_thousand"


@dataclass(frozen=True)
class Estimate:
    """A computed number with its 95 % interval, if it has one; None is a number that too few units would decide."""

    value: float | None
    unit: MeasureUnit = MeasureUnit.PLAIN
    digits: int = 1
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class CalendarMonth:
    """The month that contains this day."""

    day: date


@dataclass(frozen=True)
class Week:
    """The week that begins on this Monday."""

    monday: date


class Tone(StrEnum):
    """How a mark looks; each has a sign of its own for readers who cannot see the colours."""

    GOOD = "good"
    BAD = "bad"
    WATCH = "watch"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Mark:
    """A verdict or a statement with its tone: target met, worth a look."""

    tone: Tone
    text: Sentence


#: What a cell or a field may be. A plain int is a count. `Share` shows its value, its interval and its counts, and
#: "too few" below ten units; in JSON it has all five. A tuple is a list. None is "–".
Cell = (
    None
    | bool
    | int
    | date
    | datetime
    | Sentence
    | Label
    | Verbatim
    | Ref
    | Colleague
    | Estimate
    | Share
    | Money
    | CalendarMonth
    | Week
    | Mark
    | tuple["Cell", ...]
)


@dataclass(frozen=True)
class Column:
    """`id` is the key in JSON and does not change with the language."""

    id: str
    title: Sentence


@dataclass(frozen=True)
class Table:
    """Rows of cells, one for each column. Renderers number tables; one without rows says so."""

    id: str
    title: Sentence
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Sentence, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.id}: each row needs {len(self.columns)} cells")

    def column(self, id_: str) -> tuple[Cell, ...]:
        """The cells of a column. Raises ValueError without one of this id."""
        at = [column.id for column in self.columns].index(id_)
        return tuple(row[at] for row in self.rows)


class ChartKind(StrEnum):
    """BAR: a count for each row. LINE: values over time. DOTS: values with their intervals, one row each."""

    BAR = "bar"
    LINE = "line"
    DOTS = "dots"


@dataclass(frozen=True)
class Chart:
    """A picture of numbers in the table `table` of the same section; all other ids are its columns.

    `label` names each row and `values` are one series or several. `target` is a fixed value, or a column of
    dots, which take their intervals from the cells.
    """

    id: str
    title: Sentence
    kind: ChartKind
    table: str
    label: str
    values: tuple[str, ...]
    target: float | str | None = None


@dataclass(frozen=True)
class Section:
    """Notes first, then each table followed by its charts, then `items` as a list.

    `private`: it has what single members of staff did, words of a register, or masked words, so it is never posted
    in a channel.
    """

    id: str
    title: Sentence
    notes: tuple[Sentence | Mark, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    items: tuple[Sentence | Mark, ...] = ()
    new_page: bool = False
    private: bool = False

    def __post_init__(self) -> None:
        for chart in self.charts:
            if chart.table not in {table.id for table in self.tables}:
                raise ValueError(f"chart {chart.id}: the section {self.id} has no table {chart.table}")


@dataclass(frozen=True)
class KeyFigure:
    """A line of the first page: a figure, its target in words, and the verdict."""

    id: str
    title: Sentence
    value: Cell
    target: Cell = None
    mark: Mark | None = None


@dataclass(frozen=True)
class Report:
    """One report. `summary`, `figures` and `limits` are its first page; `method` is its end.

    `period` is None for a report on the state at `as_of`. `limits` says what the report cannot say and why. `damaged`
    are references of complaints that cannot be read and are in no figure. `data` has the figures of a report whose
    JSON has further keys.
    """

    kind: str
    clause: str
    title: Sentence
    as_of: datetime
    period: Period | None = None
    summary: tuple[Sentence | Mark, ...] = ()
    figures: tuple[KeyFigure, ...] = ()
    sections: tuple[Section, ...] = ()
    method: tuple[Section, ...] = ()
    limits: tuple[Sentence, ...] = ()
    damaged: tuple[str, ...] = ()
    data: Any = None


def references(report: Report) -> frozenset[str]:
    """Every reference that the report names."""
    return frozenset(_references(replace(report, data=None))) | frozenset(report.damaged)


def without_references(report: Report, hidden: frozenset[str]) -> Report:
    """The report for a reader who may not know of these complaints, which stay in its figures.

    Rows and sentences about one of them are left out, and so is its reference in a list. A damaged complaint stays
    counted, without its reference.
    """
    readable: Report = _readable(replace(report, data=None), hidden)
    return replace(readable, damaged=tuple("" if ref in hidden else ref for ref in report.damaged))


def for_channel(report: Report) -> Report:
    """The report as every member of a channel may read it: without references and private sections."""
    sections = tuple(section for section in report.sections if not section.private)
    return without_references(replace(report, sections=sections), references(report))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Ref):
        yield value.ref
    elif isinstance(value, tuple | Mapping):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _references(part)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _references(tuple(getattr(value, part.name) for part in fields(value)))


#: What a hidden reference becomes, and a sentence or a row about it.
_HIDDEN = object()


def _readable(value: Any, hidden: frozenset[str]) -> Any:
    match value:
        case Ref():
            return _HIDDEN if value.ref in hidden else value
        case Table():
            rows = (tuple(_readable(cell, hidden) for cell in row) for row in value.rows)
            notes = _readable(value.notes, hidden)
            return replace(value, rows=tuple(row for row in rows if _HIDDEN not in row), notes=notes)
        case tuple():
            parts = tuple(part for part in (_readable(part, hidden) for part in value) if part is not _HIDDEN)
            return parts if parts or not value else _HIDDEN
        case Sentence():
            cells = {name: _readable(cell, hidden) for name, cell in value.fields.items()}
            return _HIDDEN if _HIDDEN in cells.values() else replace(value, fields=cells)
        case Mark():
            words = _readable(value.text, hidden)
            return _HIDDEN if words is _HIDDEN else replace(value, text=words)
        case KeyFigure():
            cell = _readable(value.value, hidden)
            return replace(value, value=None if cell is _HIDDEN else cell)
        case Section() | Report():
            read = {part.name: _readable(getattr(value, part.name), hidden) for part in fields(value)}
            changes: dict[str, Any] = {name: () if part is _HIDDEN else part for name, part in read.items()}
            return replace(value, **changes)
        case _:
            return value
