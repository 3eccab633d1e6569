"""The returns to regulators, as far as the record holds them: each field with its source, or why it is not held.

A return is a file in `returns/`. Its fields are those that a law or a regulator's text names; no code is invented.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from complaints.measures.row import CaseMeasures
from reports.document import Cell, Estimate, MeasureUnit, Money, Report, Section, Table, Verbatim, text
from reports.monitoring import Monitoring
from reports.shared_tables import columns
from reports.statistics import Share
from reports.tally import Measured, Period

FILES = tuple(
    Path(__file__).with_name("returns") / f"{name}.toml"
    for name in ("fca_disp", "fca_disp_2027", "au_rg271", "municipality", "es_ley10_2025")
)
RETURNS: Sequence[Mapping[str, Any]] = [tomllib.loads(FILE.read_text(encoding="utf-8")) for FILE in FILES]


@dataclass
class ReturnCount:
    """What `monitor` does not count: complaints by field of their row that is filled, and a few others."""

    filled: Counter[str] = field(default_factory=Counter)
    support_need: int = 0
    written: int = 0
    same_language: int = 0

    def through(self, rows: Iterable[Measured], is_counted: Callable[[Measured], bool]) -> Iterator[Measured]:
        """The same rows, each counted as it passes."""
        for row in rows:
            if is_counted(row):
                self._add(row[0])
            yield row

    def _add(self, row: CaseMeasures) -> None:
        self.filled.update(name for name, value in zip(row._fields, row, strict=True) if value is not None)
        self.support_need += row.support_need
        self.written += row.written_in is not None
        self.same_language += row.written_in is not None and row.written_in == row.language


@dataclass(frozen=True)
class ReturnFigures:
    """`legal` has for each rule of the law the answers in time, and those and the overdue ones together.

    `improvements` are the actions of the register that were opened in the period, without mere proposals.
    """

    organisation: str
    monitoring: Monitoring
    count: ReturnCount
    legal: Mapping[str, tuple[int, int]]
    improvements: int = 0


def applying(presets: Iterable[str], first: date) -> list[Mapping[str, Any]]:
    """The returns of these presets for a period that starts on this day."""
    wanted = set(presets)
    return [
        file
        for file in RETURNS
        if wanted.intersection(file["presets"])
        and file.get("from", first) <= first <= file.get("until", first)
    ]


def returns_report(
    returns: Mapping[str, tuple[Mapping[str, Any], ReturnFigures]], period: Period, now: datetime, zone: str
) -> Report:
    """The report of these returns, by scheme."""
    sections = tuple(_section(file, figures, period, zone) for file, figures in returns.values())
    return Report(
        "returns",
        "8.1",
        text("returns.title"),
        now,
        period,
        summary=(text("returns.summary", len(sections)) if sections else text("returns.none"),),
        sections=sections,
        method=(
            Section("method", text("returns.method"), items=(text("returns.fields"), text("returns.check"))),
        ),
    )


def _section(file: Mapping[str, Any], figures: ReturnFigures, period: Period, zone: str) -> Section:
    rows = tuple(_field(row, figures) for row in file["field"])
    heads = columns("returns.column", "field", "value", "source")
    first, last = period.days(zone)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    is_whole = first.day == 1 and (last + timedelta(days=1)).day == 1 and months == file["months"]
    is_whole = is_whole and (first.month - 1) % file["months"] == 0
    notes = [text("returns.source", source=Verbatim(file["source"]))]
    notes += [text(f"returns.{file['note']}")] if "note" in file else []
    notes += [] if is_whole else [text(f"returns.months_{file['months']}")]
    scheme = f"{file['scheme']}{'_2027' if file.get('from') == date(2027, 1, 1) else ''}"
    title = text(f"returns.scheme.{scheme}")
    return Section(scheme, title, tuple(notes), (Table(scheme, title, heads, rows),))


def _field(row: Mapping[str, Any], figures: ReturnFigures) -> tuple[Cell, ...]:
    if "query" in row:
        query, _, argument = row["query"].partition(":")
        value: Cell = _QUERIES[query](figures, argument)
    else:
        value = text("returns.not_held", why=text(f"returns.why.{row['not_held']}"))
    source = Verbatim(row["source"])
    name = text(f"returns.field.{row['id']}")
    return (
        (
            text("returns.noted", field=name, note=text(f"returns.note.{row['note']}"))
            if "note" in row
            else name
        ),
        value,
        source,
    )


def _find_share(figures: ReturnFigures, key: str, group: str | None) -> Share:
    rows = (row.share for row in figures.monitoring.shares if (row.key, row.group) == (key, group))
    return next(rows, Share(0, 0))


def _share(figures: ReturnFigures, argument: str) -> Share:
    key, _, part = argument.partition(":")
    share = _find_share(figures, key, None)
    return Share(share.of - share.hits, share.of) if part else share


def _upheld(figures: ReturnFigures, level: str) -> Share:
    whole, partly = (_find_share(figures, key, level) for key in ("upheld", "partly"))
    return Share(whole.hits + partly.hits, whole.of)


def _median(figures: ReturnFigures, level: str) -> Estimate:
    rows = (row for row in figures.monitoring.durations if (row.key, row.group) == ("time_at_level", level))
    return Estimate(next((row.working_days.median for row in rows), None), MeasureUnit.WORKING_DAYS, 0)


def _redress(figures: ReturnFigures, _: str) -> tuple[Cell, ...]:
    promised: Mapping[str, Decimal] = figures.monitoring.redress.promised
    return tuple(Money(amount, currency) for currency, amount in sorted(promised.items()))


def _person_wait(figures: ReturnFigures, _: str) -> Cell:
    wait = figures.monitoring.person_requests.mean_wait
    return None if wait is None else Estimate(wait.total_seconds() / 60, MeasureUnit.MINUTES)


def _score(figures: ReturnFigures, key: str) -> Estimate:
    return Estimate(
        next(row.mean for row in figures.monitoring.scores if (row.key, row.group) == (key, None)), digits=2
    )


#: What a field may ask for, and how it is counted; what follows a colon is the argument.
_QUERIES: Mapping[str, Callable[[ReturnFigures, str], Cell]] = {
    "organisation": lambda figures, _: Verbatim(figures.organisation),
    "received": lambda figures, _: figures.monitoring.received,
    "nil": lambda figures, _: figures.monitoring.received == 0,
    "support_need": lambda figures, _: figures.count.support_need,
    "same_language": lambda figures, _: Share(figures.count.same_language, figures.count.written),
    "held": lambda figures, name: Share(figures.count.filled[name], figures.monitoring.received),
    "improvements": lambda figures, _: figures.improvements,
    "legal": lambda figures, rule: Share(*figures.legal.get(rule, (0, 0))),
    "share": _share,
    "upheld": _upheld,
    "median": _median,
    "redress": _redress,
    "person_wait": _person_wait,
    "score": _score,
}
