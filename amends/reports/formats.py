"""A report in the formats that people and programs read: JSON, Markdown, and PDF with a cover (clause 8)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from amends.documents.blocks import Block, Document, Heading, Items, Paragraph, Picture, Rows
from amends.documents.labels import Labels, load_labels
from amends.reports.report_kinds import Format
from reports.document import Cell, Estimate, Money, Report, Table
from reports.monitoring import Monitoring
from reports.output.outline import (
    OutlineChart,
    OutlineHeading,
    OutlineItems,
    OutlinePart,
    OutlineTable,
    charts_of,
    clause_words,
    outline,
)
from reports.output.render_charts import draw_chart
from reports.output.render_json import as_json
from reports.output.render_markdown import as_markdown
from reports.output.wording import in_words, period_words, with_detail
from reports.statistics import Share
from store.people.staff import list_members

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.store import Store


def report_labels(settings: Settings, store: Store, language: str | None = None) -> Labels:
    """The texts of reports in this language, by default that of staff, with the names of staff as of now.

    Raises TextsError for a language without texts.
    """
    organisation = settings.organisation
    languages = (language or organisation.staff_language,)
    labels = load_labels(
        languages, organisation.timezone, settings.texts_folder, staff=True, own=settings.own_names
    )
    names = {member.id: member.name for member in store.read(list_members) if member.name}
    return replace(labels, names=names)


def as_text(report: Report, format_: Format, labels: Labels, pictures: dict[str, str] | None = None) -> str:
    """The report as JSON or Markdown; the JSON of monitoring has further keys."""
    if format_ is Format.JSON:
        own = report.data.as_json() if isinstance(report.data, Monitoring) else {}
        values = as_json(report, labels) | own
        values["damaged"] = list(report.damaged)
        return json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    return as_markdown(report, labels, pictures)


def report_pdf(report: Report, labels: Labels, *, organisation: str, made_at: datetime) -> bytes:
    """The report as PDF. Raises TypesettingFailed."""
    from amends.documents.typst import as_pdf

    document = report_document(report, labels, organisation=organisation, made_at=made_at)
    return as_pdf(document, created_at=made_at)


def chart_files(report: Report, labels: Labels) -> dict[str, str]:
    """The charts as SVG by their ids."""
    return {chart.id: draw_chart(chart, table, labels) for chart, table in charts_of(report)}


#: A table with more columns is printed small.
_MAX_COLUMNS = 5
#: A column's share of the page is the length of its longest text, within these limits.
_NARROWEST, _WIDEST = 9, 48


def report_document(report: Report, labels: Labels, *, organisation: str, made_at: datetime) -> Document:
    """The report with a cover; the contents of the cover are the headings."""
    title = in_words(report.title, labels)
    cover = (clause_words(report, labels), period_words(report, labels))
    # The first part is on the cover already.
    _, *parts = outline(report, labels)
    return Document(
        title=title,
        language=labels.language,
        organisation=organisation,
        subject=title,
        created=labels.text("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=tuple(block for part in parts for block in _blocks(part, labels)),
        cover=(*cover, labels.text("document.made", when=labels.moment(report.as_of))),
        contents=labels.text("report.contents"),
    )


def _blocks(part: OutlinePart, labels: Labels) -> Iterator[Block]:
    match part:
        case OutlineHeading():
            yield Heading(part.words, part.level, part.new_page)
        case OutlineItems():
            yield Items(part.items)
        case OutlineTable():
            yield _rows(part, labels)
        case OutlineChart():
            described = labels.text("report.chart_text", title=part.title)
            yield Picture(draw_chart(part.chart, part.table, labels), part.title, described)
        case _:
            yield Paragraph(part.words)


def _rows(part: OutlineTable, labels: Labels) -> Block:
    if not part.rows:
        return Paragraph(f"**{part.title}** – {labels.text('report.empty')}")
    rows = tuple(tuple(_cell(cell, labels) for cell in row) for row in part.table.rows)
    lengths = (max(_longest(cell) for cell in column) for column in zip(*rows, strict=True))
    heads = (max(map(len, title.split())) for title in part.head)
    return Rows(
        head=part.head,
        rows=rows,
        widths=tuple(
            float(min(_WIDEST, max(_NARROWEST, length + 2, head + 2)))
            for length, head in zip(lengths, heads, strict=True)
        ),
        small=len(part.head) > _MAX_COLUMNS,
        caption=part.title,
        numeric=tuple(_is_numeric(part.table, index) for index in range(len(part.head))),
    )


def _cell(cell: Cell, labels: Labels) -> str:
    value, detail = with_detail(cell, labels)
    return value if detail is None else f"{value}\n{detail}"


def _longest(cell: str) -> int:
    return max(map(len, cell.split("\n")))


def _is_numeric(table: Table, index: int) -> bool:
    cells: Sequence[Cell] = [row[index] for row in table.rows if row[index] is not None]
    return bool(cells) and all(
        isinstance(cell, int | Estimate | Share | Money) and not isinstance(cell, bool) for cell in cells
    )
