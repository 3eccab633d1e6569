"""A report as a document: reads the Markdown that `reports` writes back into blocks (clause 8)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from amends.documents.blocks import Block, Document, Heading, Items, Paragraph, Picture, Rows
from amends.documents.labels import Labels
from amends.documents.typst import can_draw

_HEADING = re.compile(r"(#{1,3}) +(.+)")
#: A table with more columns is printed small.
_MAX_COLUMNS = 5
#: A column's share of the page is the length of its longest text, within these limits.
_NARROWEST, _WIDEST = 4, 28


def report_document(
    markdown: str,
    labels: Labels,
    *,
    organisation: str,
    made_at: datetime,
    drawn: Mapping[str, str] | None = None,
) -> Document:
    """The report as a document; its first heading becomes the title.

    `drawn` maps the title of each chart to its SVG; the charts come last.
    """
    charts = [Picture(svg, title) for title, svg in (drawn or {}).items()]
    body = list(blocks(markdown))
    first = body[0] if body and isinstance(body[0], Heading) else None
    title = organisation if first is None else first.text
    return Document(
        title=title,
        language=labels.language,
        organisation=organisation,
        subject=title,
        created=labels.text("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=(*(body if first is None else body[1:]), *(chart for chart in charts if can_draw(chart))),
    )


def blocks(markdown: str) -> Iterator[Block]:
    """Headings, tables, lists and paragraphs: all that the reports use."""
    for lines in _groups(markdown):
        heading = _HEADING.fullmatch(lines[0])
        if heading is not None:
            # The report's level 1 is the document's title: its level 2 becomes the document's level 1.
            yield Heading(heading.group(2), max(1, len(heading.group(1)) - 1))
            if lines[1:]:
                yield from blocks("\n".join(lines[1:]))
        elif lines[0].startswith("|"):
            yield _table(lines)
        elif lines[0].startswith("- "):
            yield Items(tuple(line.removeprefix("- ") for line in lines))
        else:
            for line in lines:
                yield Paragraph(line)


def _groups(markdown: str) -> Iterator[list[str]]:
    group: list[str] = []
    for line in (*markdown.splitlines(), ""):
        if line.strip():
            group.append(line.strip())
        elif group:
            yield group
            group = []


def _table(lines: Sequence[str]) -> Rows:
    head, *rest = (_cells(line) for line in lines)
    rows = [row for row in rest if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    widths = [
        min(_WIDEST, max(_NARROWEST, *(len(row[column]) for row in (head, *rows) if column < len(row))))
        for column in range(len(head))
    ]
    return Rows(
        head=tuple(head),
        rows=tuple(
            tuple(row[column].replace("**", "") if column < len(row) else None for column in range(len(head)))
            for row in rows
        ),
        widths=tuple(float(width) for width in widths),
        small=len(head) > _MAX_COLUMNS,
    )


def _cells(line: str) -> list[str]:
    inner = line.strip().strip("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
