"""Typesets a document with Typst: data in, PDF/A-3a out, in milliseconds and without any system library.

People's words reach Typst only as an input string. The template draws strings and never evaluates them, so no
text can act as markup. Only the fonts that Typst ships are used: `covered.json` lists the characters of each font,
and `python -m tests.font_coverage` writes it. All others are printed as their code point, so none is lost.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from amends.documents.blocks import Document, Picture, as_data
from amends.documents.labels import Labels

#: Only the fonts that come with Typst, loaded once.
FONTS = typst.Fonts(include_system_fonts=False)
#: Archival with attachments, and accessible (4.3): pictures have a text, headings and tables are tagged.
STANDARDS: tuple[typst.PDFStandard, ...] = ("a-3a", "ua-1")

#: A path and not bytes: Typst gives every source in bytes a new number and ends the process after 65,535.
_TEMPLATE = Path(__file__).with_name("document.typ")


#: What the sections say: the ids of texts, and the names of fields and steps that have a text.
_NAMES = frozenset(
    re.findall(r'"([a-z_.]+)"', _TEMPLATE.with_name("sections.typ").read_text(encoding="utf-8"))
)
_FAMILIES = ("case", "step")


class TypesettingFailed(Exception):
    """Typst refused a document: a defect of the desk, never of the person whose words are in it."""


def as_pdf(
    document: Document, *, created_at: datetime, attachments: Mapping[str, str] | None = None
) -> bytes:
    """The document as PDF/A-3a; `attachments` maps a file name to its exact text (JSON or plain).

    `created_at` is the creation time in the file. Raises TypesettingFailed.
    """
    return typeset(_TEMPLATE, as_data(document), created_at=created_at, attachments=attachments)


def typeset(
    template: Path,
    data: Mapping[str, Any],
    *,
    created_at: datetime,
    attachments: Mapping[str, str] | None = None,
) -> bytes:
    """The template with these JSON values, one of which is "title", as PDF/A-3a. Raises TypesettingFailed."""
    try:
        return _compile(template, data, int(created_at.timestamp()), attachments or {})
    except typst.TypstError as error:
        # Typst's message quotes the text that has no glyph: report only the kind of error, never the words.
        raise TypesettingFailed(f"{data['title']}: {error.message.partition('`')[0].strip()}") from None


def template_texts(labels: Labels) -> dict[str, str]:
    """The texts that sections.typ names, with their fields not filled in."""
    ids = (*_NAMES, *(f"{family}.{name}" for family in _FAMILIES for name in _NAMES))
    return {id_: labels.raw(id_) for id_ in ids if labels.has(id_)}


def can_draw(picture: Picture) -> bool:
    """False if a picture is broken or of a type that PDF/A refuses: it would make the whole document fail."""
    page = Document("-", "en", "-", "-", "-", "-", (picture,))
    try:
        _compile(_TEMPLATE, as_data(page), 0, {})
    except typst.TypstError:
        return False
    return True


def _compile(template: Path, data: Mapping[str, Any], timestamp: int, attached: Mapping[str, str]) -> bytes:
    return typst.compile(
        template,
        root=template.parent,
        sys_inputs={
            "document": json.dumps(printable_data(data), ensure_ascii=False),
            "attached": json.dumps(list(attached.items()), ensure_ascii=False),
        },
        font_paths=FONTS,
        ignore_system_fonts=True,
        pdf_standards=list(STANDARDS),
        format="pdf",
        timestamp=timestamp,
    )


#: In the order in which Typst tries them; document.typ has the same list.
FAMILIES = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")

#: Joiners, direction marks and variation selectors: invisible, and harmless after a letter.
_JOINERS = frozenset("\u200c\u200d\u200e\u200f\ufe0e\ufe0f")
#: Typst breaks lines only at spaces: a longer run without one would leave the page.
_LONGEST_RUN = 40
_RUN = re.compile(rf"\S{{{_LONGEST_RUN}}}(?=\S)")
_NEWLINES = re.compile(r"\r\n|\r|\u2028|\u2029|\x0b|\x0c|\x85")
#: Every font has these characters; most texts have no others and need no further check.
_ASCII = re.compile(r"[ -~\n]*")


def printable(text: str) -> str:
    """The text as the fonts can show it: `[U+1F621]` replaces what no font has and what would be invisible.

    Line ends become one newline, a tab becomes four spaces. A letter with marks is kept only if one font has
    all of its characters. Invisible break points are added to very long words.
    """
    plain = _NEWLINES.sub("\n", text).replace("\t", "    ")
    if _ASCII.fullmatch(plain) is None:
        plain = "".join(_printable_cluster(cluster) for cluster in _clusters(plain))
    return _RUN.sub(lambda run: run.group() + "\u200b", plain)


def printable_data(data: Any) -> Any:
    """JSON values with every text made printable, except pictures."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, Mapping):
        return {name: value if name == "svg" else printable_data(value) for name, value in data.items()}
    return [printable_data(value) for value in data] if isinstance(data, list | tuple) else data


def has_glyph(family: str, letter: str) -> bool:
    starts, ends = _covered()[family]
    index = bisect_right(starts, ord(letter)) - 1
    return index >= 0 and ord(letter) <= ends[index]


def _clusters(text: str) -> Iterator[str]:
    """Each letter with the marks and joiners that follow it."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not (unicodedata.category(text[end]).startswith("M") or text[end] in _JOINERS):
            yield text[start:end]
            start = end


def _printable_cluster(cluster: str) -> str:
    # A joiner after a letter is kept: Persian is written so. A joiner without a letter is printed as its code point.
    visible = cluster[:1] + "".join(letter for letter in cluster[1:] if letter not in _JOINERS)
    if visible == "\n" or any(all(has_glyph(family, letter) for letter in visible) for family in FAMILIES):
        return cluster
    return "".join(f"[U+{ord(letter):04X}]" for letter in cluster)


@cache
def _covered() -> dict[str, tuple[list[int], list[int]]]:
    ranges = json.loads(files("amends.documents").joinpath("covered.json").read_text(encoding="ascii"))
    return {
        family: ([first for first, _ in ranges[family]], [last for _, last in ranges[family]])
        for family in FAMILIES
    }
