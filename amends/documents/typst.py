"""Setting a document with Typst: data in, PDF/A-3a out, in milliseconds and without any system library.

What people wrote reaches Typst only as a string of its inputs: the template draws strings and never
evaluates them, so that no text can be markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import typst

from amends.documents.blocks import Document, Picture, as_data

#: The fonts that come with Typst and no others, loaded once.
FONTS = typst.Fonts(include_system_fonts=False)
#: Archival, with attachments, and readable aloud (4.3): pictures have a text, headings and tables are tagged.
STANDARDS: tuple[typst.PDFStandard, ...] = ("a-3a", "ua-1")

#: Given by its path: Typst numbers every source given as bytes anew, and ends the process after 65,535.
_TEMPLATE = Path(__file__).with_name("document.typ")


class NotSet(Exception):
    """Typst refused a document: a mistake of ours, never of the person whose words are in it."""


def as_pdf(document: Document, *, at: datetime, attached: Mapping[str, str] | None = None) -> bytes:
    """The document as PDF/A-3a; `attached` maps a file name to its exact text (JSON or plain).

    `at` is the moment that the file says it was made. Raises NotSet.
    """
    try:
        return _compiled(document, int(at.timestamp()), attached or {})
    except typst.TypstError as wrong:
        # The message quotes the text that has no glyph: only its kind is told on, never the words.
        raise NotSet(f"{document.title}: {wrong.message.partition('`')[0].strip()}") from None


def can_draw(picture: Picture) -> bool:
    """False for a picture that is broken or of a sort that archives refuse: one of them would stop the file."""
    alone = Document("-", "en", "-", "-", "-", "-", (picture,))
    try:
        _compiled(alone, 0, {})
    except typst.TypstError:
        return False
    return True


def _compiled(document: Document, at: int, attached: Mapping[str, str]) -> bytes:
    return typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        sys_inputs={
            "document": json.dumps(as_data(document), ensure_ascii=False),
            "attached": json.dumps(list(attached.items()), ensure_ascii=False),
        },
        font_paths=FONTS,
        ignore_system_fonts=True,
        pdf_standards=list(STANDARDS),
        format="pdf",
        timestamp=at,
    )
