"""What the shipped fonts can show: everything else is written as its number, so that nothing is lost silently.

Typst brings its own fonts and no others are used: a document looks the same on every machine. `covered.json`
holds what each of them has, written by `python -m amends.documents.font_probe`.

A document as plain values: headings, fields, words, tables, pictures; the template knows these and no others.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

#: In the order in which they are tried.
FAMILIES = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")

#: Marks that join, separate or choose a form of letters; invisible, and harmless beside a letter.
_JOINERS = frozenset("\u200c\u200d\u200e\u200f\ufe0e\ufe0f")
#: A line breaks only at spaces: longer runs of anything else would leave the page.
_LONGEST_RUN = 40
_RUN = re.compile(rf"\S{{{_LONGEST_RUN}}}(?=\S)")
_NEWLINES = re.compile(r"\r\n|\r|\u2028|\u2029|\x0b|\x0c|\x85")
#: Most text needs none of the care below: these are in every font.
_PLAIN = re.compile(r"[ -~\n]*")


def shown(text: str) -> str:
    """The text as the fonts can show it: `[U+1F621]` for what they lack and for what would be invisible.

    Line ends become one newline, tabs four spaces. A letter with marks is shown only where one font has all
    of it. Very long words get places to break, which are invisible.
    """
    plain = _NEWLINES.sub("\n", text).replace("\t", "    ")
    if _PLAIN.fullmatch(plain) is None:
        plain = "".join(_cluster(one) for one in _clusters(plain))
    return _RUN.sub(lambda run: run.group() + "\u200b", plain)


def is_rtl(text: str) -> bool:
    """True where the first letter with a direction runs from right to left (UAX 9, rule P2)."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _clusters(text: str) -> Iterator[str]:
    """Each letter with the marks and joiners that follow it."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not (unicodedata.category(text[at]).startswith("M") or text[at] in _JOINERS):
            yield text[start:at]
            start = at


def _cluster(one: str) -> str:
    # A joiner after a letter, as Persian writes it, is kept; one that joins nothing is shown.
    seen = one[:1] + "".join(letter for letter in one[1:] if letter not in _JOINERS)
    if seen == "\n" or any(all(has(family, letter) for letter in seen) for family in FAMILIES):
        return one
    return "".join(f"[U+{ord(letter):04X}]" for letter in one)


def has(family: str, letter: str) -> bool:
    """True when this font has this character, and it is one that can be seen."""
    starts, ends = _covered()[family]
    at = bisect_right(starts, ord(letter)) - 1
    return at >= 0 and ord(letter) <= ends[at]


@cache
def _covered() -> dict[str, tuple[list[int], list[int]]]:
    ranges = json.loads(files("amends.documents").joinpath("covered.json").read_text(encoding="ascii"))
    return {
        family: ([first for first, _ in ranges[family]], [last for _, last in ranges[family]])
        for family in FAMILIES
    }


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
class Wording:
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


Block = Heading | Paragraph | Fields | Wording | Rows | Items | Picture


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
        case Wording():
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
