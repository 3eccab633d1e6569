"""A report as a document: a cover, then the parts of its outline, with charts next to their tables (clause 8)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from amends.documents.blocks import Block, Document, Heading, Items, Paragraph, Picture, Rows
from amends.documents.labels import Labels
from reports.document import Cell, Estimate, Money, Report, Table
from reports.output.outline import (
    OutlineChart,
    OutlineHeading,
    OutlineItems,
    OutlinePart,
    OutlineTable,
    clause_words,
    outline,
)
from reports.output.render_charts import draw_chart
from reports.output.wording import in_words, period_words, with_detail
from reports.statistics import Share

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
