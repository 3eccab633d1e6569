"""A report as a document: the Markdown that our own reports write, read back into blocks (clause 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from amends.documents.blocks import Block, Document, Heading, Items, Paragraph, Picture, Rows
from amends.documents.labels import Labels
from amends.documents.typst import can_draw

_HEADING = re.compile(r"(#{1,3}) +(.+)")
#: From so many columns on a table is set small.
_MANY = 5
#: A column takes a share of the page by its longest text, within these.
_NARROWEST, _WIDEST = 4, 28


def report_document(
    markdown: str,
    labels: Labels,
    *,
    organisation: str,
    made_at: datetime,
    drawn: Mapping[str, str] | None = None,
) -> Document:
    """The report set like every other document; its first heading is the title.

    `drawn` are pictures as SVG by what they show; they come last.
    """
    pictures = [Picture(svg, title) for title, svg in (drawn or {}).items()]
    body = list(blocks(markdown))
    first = body[0] if body and isinstance(body[0], Heading) else None
    title = organisation if first is None else first.text
    return Document(
        title=title,
        language=labels.language,
        organisation=organisation,
        subject=title,
        made=labels.say("document.made", when=labels.moment(made_at)),
        page=labels.page(),
        body=(*(body if first is None else body[1:]), *(one for one in pictures if can_draw(one))),
    )


def blocks(markdown: str) -> Iterator[Block]:
    """Headings, tables, lists and paragraphs, which is all that our reports use."""
    for lines in _groups(markdown):
        heading = _HEADING.fullmatch(lines[0])
        if heading is not None:
            # What is one report's title is a part of the document: its parts are headings of level 1.
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
    """Lines that stand together, between empty ones."""
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
        min(_WIDEST, max(_NARROWEST, *(len(row[at]) for row in (head, *rows) if at < len(row))))
        for at in range(len(head))
    ]
    return Rows(
        head=tuple(head),
        rows=tuple(
            tuple(row[at].replace("**", "") if at < len(row) else None for at in range(len(head)))
            for row in rows
        ),
        widths=tuple(float(one) for one in widths),
        small=len(head) > _MANY,
    )


def _cells(line: str) -> list[str]:
    inner = line.strip().strip("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
