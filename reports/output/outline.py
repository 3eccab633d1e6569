"""The order and the words of a report in one language, so that every format has the same parts and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from reports.document import Chart, Column, Mark, Ref, Report, Section, Sentence, Table, Verbatim, text
from reports.output.wording import ReportTexts, in_words, period_words


@dataclass(frozen=True)
class OutlineHeading:
    words: str
    level: int = 1
    new_page: bool = False


@dataclass(frozen=True)
class OutlineText:
    words: str


@dataclass(frozen=True)
class OutlineItems:
    items: tuple[str, ...]


@dataclass(frozen=True)
class OutlineTable:
    """A table with its numbered title; without rows the title is followed by a sentence."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    table: Table


@dataclass(frozen=True)
class OutlineChart:
    """A chart with its numbered title, and the table that holds its numbers."""

    title: str
    chart: Chart
    table: Table


OutlinePart = OutlineHeading | OutlineText | OutlineItems | OutlineTable | OutlineChart
#: The table of key figures on the first page.
_FIGURE_COLUMNS = tuple(
    Column(name, text(f"report.column.{name}")) for name in ("figure", "value", "target", "verdict")
)


def outline(report: Report, texts: ReportTexts) -> Iterator[OutlinePart]:
    """Summary, key figures, what the report cannot say, the sections, and the method at the end."""
    tables, charts = count(1), count(1)
    yield OutlineText(f"{clause_words(report, texts)}. {period_words(report, texts)}.")
    if report.summary:
        yield OutlineHeading(texts.text("report.summary"))
        yield OutlineItems(sentences(report.summary, texts))
    if report.figures:
        yield _table(figures_table(report), next(tables), texts)
    if limits := limit_sentences(report):
        yield OutlineHeading(texts.text("report.limits"))
        yield OutlineItems(sentences(limits, texts))
    for section in report.sections:
        yield from _section(section, 1, tables, charts, texts)
    if report.method:
        yield OutlineHeading(texts.text("report.method"))
        for section in report.method:
            yield from _section(section, 2, tables, charts, texts)


def clause_words(report: Report, texts: ReportTexts) -> str:
    return in_words(text("report.clause", clause=Verbatim(report.clause)), texts)


def charts_of(report: Report) -> Iterator[tuple[Chart, Table]]:
    """Every chart that has something to show, with its table."""
    for section in (*report.sections, *report.method):
        tables = {table.id: table for table in section.tables}
        for chart in section.charts:
            if tables[chart.table].rows:
                yield chart, tables[chart.table]


def sentences(parts: tuple[Sentence | Mark, ...], texts: ReportTexts) -> tuple[str, ...]:
    return tuple(in_words(part, texts) for part in parts)


def figures_table(report: Report) -> Table:
    """The key figures as a table."""
    rows = tuple((figure.title, figure.value, figure.target, figure.mark) for figure in report.figures)
    return Table("figures", text("report.figures"), _FIGURE_COLUMNS, rows)


def limit_sentences(report: Report) -> tuple[Sentence, ...]:
    """What the report cannot say; complaints that cannot be read come first."""
    damage = []
    if report.damaged:
        damage.append(text("report.damaged", len(report.damaged)))
    if refs := tuple(Ref(ref) for ref in report.damaged if ref):
        damage.append(text("report.damaged_refs", refs=refs))
    return (*damage, *report.limits)


def _section(
    section: Section, level: int, tables: Iterator[int], charts: Iterator[int], texts: ReportTexts
) -> Iterator[OutlinePart]:
    yield OutlineHeading(in_words(section.title, texts), level, section.new_page)
    yield from map(OutlineText, sentences(section.notes, texts))
    for table in section.tables:
        yield _table(table, next(tables), texts)
        yield from map(OutlineText, sentences(table.notes, texts))
        for chart in section.charts:
            if chart.table == table.id and table.rows:
                title = texts.text("report.chart", n=next(charts), title=in_words(chart.title, texts))
                yield OutlineChart(title, chart, table)
    if section.items:
        yield OutlineItems(sentences(section.items, texts))


def _table(table: Table, number: int, texts: ReportTexts) -> OutlineTable:
    return OutlineTable(
        title=texts.text("report.table", n=number, title=in_words(table.title, texts)),
        head=tuple(in_words(column.title, texts) for column in table.columns),
        rows=tuple(tuple(in_words(cell, texts) for cell in row) for row in table.rows),
        table=table,
    )
