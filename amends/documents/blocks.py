"""A document as plain values: headings, fields, words, tables, pictures; the template knows these and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amends.documents.glyphs import is_rtl, shown


@dataclass(frozen=True)
class Heading:
    """A title of level 1 to 3; each part of level 1 starts on a new page where `new_page`."""

    text: str
    level: int = 1
    new_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A text of ours; `**so**` is bold. `quiet` is small and grey."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Fields:
    """Names with values, as on a form; a value that is None is a dash."""

    rows: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Words:
    """What somebody said, exactly, under a line that says who and when."""

    about: str
    text: str


@dataclass(frozen=True)
class Rows:
    """A table; `widths` are shares of the page's width, `small` for long registers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    widths: tuple[float, ...] = ()
    small: bool = False


@dataclass(frozen=True)
class Items:
    """A list; `**so**` is bold."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """An image as SVG, with the text that stands for it."""

    svg: str
    caption: str


Block = Heading | Paragraph | Fields | Words | Rows | Items | Picture


@dataclass(frozen=True)
class Document:
    """`subject` stands at the head of each page, `made` and the page's number at its foot ({n} of {of})."""

    title: str
    language: str
    organisation: str
    subject: str
    made: str
    page: str
    body: tuple[Block, ...]


def as_data(document: Document) -> dict[str, Any]:
    """The document as JSON values, every text as the fonts can show it."""
    return {
        "title": shown(document.title),
        "language": document.language[:2],
        "organisation": shown(document.organisation),
        "subject": shown(document.subject),
        "made": shown(document.made),
        "page": document.page,
        "body": [_block(one) for one in _in_order(document.body)],
    }


def _in_order(body: Sequence[Block]) -> Iterator[Block]:
    """The blocks with no level of headings left out on the way down, as readers aloud need it (PDF/UA)."""
    level = 0
    for one in body:
        if isinstance(one, Heading):
            level = min(one.level, level + 1)
            yield replace(one, level=level)
        else:
            yield one


def _block(one: Block) -> dict[str, Any]:
    match one:
        case Heading():
            return {"is": "heading", "text": shown(one.text), "level": one.level, "new_page": one.new_page}
        case Paragraph():
            return {"is": "paragraph", "spans": spans(one.text), "quiet": one.quiet}
        case Fields():
            return {"is": "fields", "rows": [[shown(name), _value(value)] for name, value in one.rows]}
        case Words():
            return {"is": "words", "about": shown(one.about), **_value(one.text)}
        case Rows():
            widths = one.widths or (1.0,) * len(one.head)
            return {
                "is": "rows",
                "head": [shown(each) for each in one.head],
                "rows": [[_value(each) for each in row] for row in one.rows],
                "widths": list(widths),
                "small": one.small,
            }
        case Items():
            return {"is": "items", "items": [spans(each) for each in one.items]}
        case Picture():
            return {"is": "picture", "svg": one.svg, "caption": shown(one.caption)}


def _value(text: str | None) -> dict[str, Any]:
    seen = "–" if text is None or not text.strip() else shown(text)
    lines = seen.split("\n")
    return {"lines": lines, "rtl": [is_rtl(line) for line in lines]}


def spans(text: str) -> list[dict[str, Any]]:
    """A text of ours in pieces, those between two `**` bold."""
    pieces: Sequence[str] = re.split(r"\*\*(.+?)\*\*", text)
    return [{"text": shown(piece), "bold": n % 2 == 1} for n, piece in enumerate(pieces) if piece]
