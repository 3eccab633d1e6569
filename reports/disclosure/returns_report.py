"""The returns to regulators, as far as the record holds them: each field with its source, or why it is not held.

A return is a file in `returns/`. Its fields are those that a law or a regulator's text names; no code is invented.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from complaints.measures.row import CaseMeasures
from reports.document import Cell, Estimate, MeasureUnit, Report, Section, Table, Verbatim, text
from reports.monitoring import Monitoring
from reports.shared_tables import columns
from reports.statistics import Share
from reports.tally import Measured, Period

FILES = tuple(
    Path(__file__).with_name("returns") / f"{name}.toml" for name in ("municipality", "es_ley10_2025")
)
RETURNS: Sequence[Mapping[str, Any]] = [tomllib.loads(FILE.read_text(encoding="utf-8")) for FILE in FILES]


@dataclass
class ReturnCount:
    """What `monitor` does not count: complaints in a language that was detected, and those answered in it."""

    written: int = 0
    same_language: int = 0

    def through(self, rows: Iterable[Measured], is_counted: Callable[[Measured], bool]) -> Iterator[Measured]:
        """The same rows, each counted as it passes."""
        for row in rows:
            if is_counted(row):
                self._add(row[0])
            yield row

    def _add(self, row: CaseMeasures) -> None:
        self.written += row.written_in is not None
        self.same_language += row.written_in is not None and row.written_in == row.language


@dataclass(frozen=True)
class ReturnFigures:
    """`legal` has for each rule of the law the answers in time, and those and the overdue ones together.

    `improvements` are the actions of the register that were opened in the period, without mere proposals.
    """

    monitoring: Monitoring
    count: ReturnCount
    legal: Mapping[str, tuple[int, int]]
    improvements: int = 0


def applying(presets: Iterable[str], first: date) -> list[Mapping[str, Any]]:
    """The returns of these presets for a period that starts on this day."""
    wanted = set(presets)
    return [file for file in RETURNS if wanted.intersection(file["presets"]) and file["from"] <= first]


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
    notes = [text("returns.source", source=Verbatim(file["source"]))]
    if (first, last) != (date(first.year, 1, 1), date(first.year, 12, 31)):
        notes.append(text("returns.months_12"))
    scheme = file["scheme"]
    title = text(f"returns.scheme.{scheme}")
    return Section(scheme, title, tuple(notes), (Table(scheme, title, heads, rows),))


def _field(row: Mapping[str, Any], figures: ReturnFigures) -> tuple[Cell, ...]:
    if "query" in row:
        query, _, argument = row["query"].partition(":")
        value: Cell = _QUERIES[query](figures, argument)
    else:
        value = text("returns.not_held", why=text(f"returns.why.{row['not_held']}"))
    return text(f"returns.field.{row['id']}"), value, Verbatim(row["source"])


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


def _person_wait(figures: ReturnFigures, _: str) -> Cell:
    wait = figures.monitoring.person_requests.mean_wait
    return None if wait is None else Estimate(wait.total_seconds() / 60, MeasureUnit.MINUTES)


def _score(figures: ReturnFigures, key: str) -> Estimate:
    return Estimate(
        next(row.mean for row in figures.monitoring.scores if (row.key, row.group) == (key, None)), digits=2
    )


#: What a field may ask for, and how it is counted; what follows a colon is the argument.
_QUERIES: Mapping[str, Callable[[ReturnFigures, str], Cell]] = {
    "received": lambda figures, _: figures.monitoring.received,
    "same_language": lambda figures, _: Share(figures.count.same_language, figures.count.written),
    "improvements": lambda figures, _: figures.improvements,
    "legal": lambda figures, rule: Share(*figures.legal.get(rule, (0, 0))),
    "share": _share,
    "upheld": _upheld,
    "median": _median,
    "person_wait": _person_wait,
    "score": _score,
}
