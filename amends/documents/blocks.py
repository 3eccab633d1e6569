"""The content of a document as plain values: headings, fields, quoted words, tables, lists, pictures.

`document.typ` draws these blocks and no others.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amends.documents.fonts import is_rtl, printable


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 1
    new_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A text of the desk; `**text**` is bold. `quiet` prints it small and grey."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Fields:
    """Names with values, as on a form. None is printed as a dash."""

    rows: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Wording:
    """A person's exact words, under a line that names the person and the time."""

    about: str
    text: str


@dataclass(frozen=True)
class Lines:
    """A paragraph exactly as it was written, line by line."""

    text: str


@dataclass(frozen=True)
class Rows:
    """A table. `widths` are shares of the page's width; `small` is for long tables.

    `caption` is the title over it. The columns of numbers, `numeric`, are aligned at the right; the second line of a
    cell in one of them is small.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    widths: tuple[float, ...] = ()
    small: bool = False
    caption: str | None = None
    numeric: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Items:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A picture with the line under it; `alt` is for readers who do not see it, else the same line."""

    svg: str
    caption: str
    alt: str | None = None


Block = Heading | Paragraph | Fields | Wording | Lines | Rows | Items | Picture


@dataclass(frozen=True)
class Document:
    """A whole document: `subject` is in each page's header, `created` and `page` are in its footer.

    `page` has the fields {n} and {of}; the template fills them in. `cover` are the lines of a first page with the
    title and the headings under `contents`; without them the document begins with its title.
    """

    title: str
    language: str
    organisation: str
    subject: str
    created: str
    page: str
    body: tuple[Block, ...]
    cover: tuple[str, ...] = ()
    contents: str = ""


def as_data(document: Document) -> dict[str, Any]:
    """The document as JSON values for document.typ; every text is made printable."""
    return {
        "title": printable(document.title),
        "language": document.language[:2],
        "organisation": printable(document.organisation),
        "subject": printable(document.subject),
        "made": printable(document.created),
        "page": document.page,
        "cover": [printable(line) for line in document.cover],
        "contents": printable(document.contents),
        "body": [_block(block) for block in _without_level_gaps(document.body)],
    }


def _without_level_gaps(body: Sequence[Block]) -> Iterator[Block]:
    """The blocks with no heading level skipped: PDF/UA requires this for screen readers."""
    level = 0
    for block in body:
        if isinstance(block, Heading):
            level = min(block.level, level + 1)
            yield replace(block, level=level)
        else:
            yield block


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {
                "is": "heading",
                "text": printable(block.text),
                "level": block.level,
                "new_page": block.new_page,
            }
        case Paragraph():
            return {"is": "paragraph", "spans": _spans(block.text), "quiet": block.quiet}
        case Fields():
            return {"is": "fields", "rows": [[printable(name), _value(value)] for name, value in block.rows]}
        case Wording():
            return {"is": "words", "about": printable(block.about), **_value(block.text)}
        case Lines():
            return {"is": "lines", **_value(block.text)}
        case Rows():
            widths = block.widths or (1.0,) * len(block.head)
            return {
                "is": "rows",
                "head": [printable(title) for title in block.head],
                "rows": [[_value(cell) for cell in row] for row in block.rows],
                "widths": list(widths),
                "small": block.small,
                "caption": None if block.caption is None else printable(block.caption),
                "numeric": list(block.numeric or (False,) * len(block.head)),
            }
        case Items():
            return {"is": "items", "items": [_spans(item) for item in block.items]}
        case Picture():
            alt = printable(block.alt or block.caption)
            return {"is": "picture", "svg": block.svg, "caption": printable(block.caption), "alt": alt}


def _value(text: str | None) -> dict[str, Any]:
    visible = "–" if text is None or not text.strip() else printable(text)
    lines = visible.split("\n")
    return {"lines": lines, "rtl": [is_rtl(line) for line in lines]}


def _spans(text: str) -> list[dict[str, Any]]:
    """The pieces of a text of the desk; those between two `**` are bold."""
    pieces: Sequence[str] = re.split(r"\*\*(.+?)\*\*", text)
    return [{"text": printable(piece), "bold": n % 2 == 1} for n, piece in enumerate(pieces) if piece]
