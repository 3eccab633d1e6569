"""Typesets a document with Typst: data in, PDF/A-3a out, in milliseconds and without any system library.

People's words reach Typst only as an input string. The template draws strings and never evaluates them, so no
text can act as markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from amends.documents.blocks import Document, Picture, as_data
from amends.documents.fonts import printable_data
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
