"""A PDF read back: its text, its attachments and its metadata."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader


def reader(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data), strict=True)


def text(data: bytes) -> str:
    """The text of all pages, without invisible characters that allow a line break."""
    pages = (page.extract_text() for page in reader(data).pages)
    return "\n".join(pages).replace("\u200b", "")


def words(data: bytes) -> str:
    """The same text with every run of white space as one space, so that line breaks do not matter."""
    return re.sub(r"\s+", " ", text(data))


def attachment(data: bytes, name: str) -> bytes:
    """The one attachment of this name."""
    (content,) = reader(data).attachments[name]
    return bytes(content)


def conformance(data: bytes) -> tuple[str, str, str]:
    """PDF/A part and level, PDF/UA part, as the file's metadata state them."""
    root = reader(data).trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data().decode()
    matches = [
        re.search(rf"<{tag}>([^<]+)<", metadata)
        for tag in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part")
    ]
    return tuple(match.group(1) if match else "" for match in matches)  # type: ignore[return-value]
