"""A PDF read back as a reader has it: its text, its attachments, what it says of itself."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader


def reader(data: bytes) -> PdfReader:
    """The file, opened."""
    return PdfReader(io.BytesIO(data), strict=True)


def text(data: bytes) -> str:
    """All pages, one after the other; invisible places to break a line are left out."""
    pages = (page.extract_text() for page in reader(data).pages)
    return "\n".join(pages).replace("\u200b", "")


def words(data: bytes) -> str:
    """The same with every run of white space as one space: where lines break is the page's business."""
    return re.sub(r"\s+", " ", text(data))


def attachment(data: bytes, name: str) -> bytes:
    """The one attachment of this name."""
    (found,) = reader(data).attachments[name]
    return bytes(found)


def conformance(data: bytes) -> tuple[str, str, str]:
    """PDF/A part and level, PDF/UA part, as the file's metadata state them."""
    root = reader(data).trailer["/Root"]
    about = root["/Metadata"].get_object().get_data().decode()
    found = [
        re.search(rf"<{tag}>([^<]+)<", about) for tag in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part")
    ]
    return tuple(one.group(1) if one else "" for one in found)  # type: ignore[return-value]
