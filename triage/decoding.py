"""A file of complaints as text: packed or not, in whatever encoding other programs save.

The whole file is looked through once before it is read, in pieces, so that one byte near the end of a large
file cannot spoil it and no file has to fit into memory.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from triage.alphabets import code_page_of
from triage.errors import UnreadableTable

Source = Path | bytes

_PIECE = 1 << 20
_ENOUGH = 64_000
"""Bytes of lines with letters beyond ASCII: more tell nothing new about the code page."""

LARGEST = 8 << 30
"""Bytes that a packed file may unpack to; a small file that never ends is refused."""

_KINDS = (
    (b"PK\x03\x04", "an Excel workbook or another packed file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)
_REMEDY = 'Save it as CSV (in Excel: "Save as", "CSV UTF-8") and try again.'


def opened(source: Source) -> BinaryIO:
    """The bytes of a file as it lies there; raises UnreadableTable with the remedy."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if source.is_dir():
        raise UnreadableTable(f"{source} is a directory: name one CSV file in it.")
    try:
        return source.open("rb")
    except FileNotFoundError as missing:
        raise UnreadableTable(f"{source} does not exist: look at its name and place.") from missing
    except OSError as refused:
        raise UnreadableTable(
            f"{source} cannot be opened: {refused.strerror}. Check who may read it."
        ) from refused


def unpacked(raw: BinaryIO) -> BinaryIO:
    """The bytes of the table itself, whether the file is packed with gzip or not."""
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[return-value]


def encoding_of(source: Source, *, languages: Collection[str] = ()) -> str:
    """Python's name of the encoding; raises UnreadableTable for an empty file and for what is no text."""
    with opened(source) as raw:
        return _name(pieces(unpacked(raw)), languages)


def pieces(inside: BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces; raises UnreadableTable where a packed file is damaged or never ends."""
    read = 0
    try:
        while piece := inside.read(_PIECE):
            read += len(piece)
            if read > LARGEST:
                raise UnreadableTable(f"The file unpacks to more than {LARGEST >> 30} GB: divide it.")
            yield piece
    except (OSError, EOFError, zlib.error) as damaged:
        raise UnreadableTable(f"The file is damaged: {damaged}. Copy or pack it anew.") from damaged


def _name(parts: Iterator[bytes], languages: Collection[str]) -> str:
    first = next(parts, b"")
    if not first.strip():
        raise UnreadableTable("The file is empty: a header line and labelled complaints are needed.")
    for start, kind in _KINDS:
        if first.startswith(start):
            raise UnreadableTable(f"The file is {kind}, not a table in plain text. {_REMEDY}")
    marked = _marked(first)
    if marked is not None:
        return marked
    strange = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    for piece in _with_first(first, parts):
        if utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                utf8 = False
        if len(strange) < _ENOUGH and not piece.isascii():
            for line in piece.split(b"\n"):
                if not line.isascii():
                    strange += line[:2_000] + b"\n"
    if utf8:
        try:
            decoder.decode(b"", final=True)
            return "utf-8"
        except UnicodeDecodeError:
            pass  # cut off within its last letter: a code page reads on
    return code_page_of(bytes(strange), languages)


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _marked(first: bytes) -> str | None:
    """The encoding by a mark at the beginning, or by the NULs that UTF-16 is full of."""
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = first[:4_000]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 5 and min(even, odd) < len(head) // 100 + 1:
        return "utf-16-le" if odd > even else "utf-16-be"
    odd_bytes = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    if odd_bytes > max(8, len(head) // 10):
        raise UnreadableTable(f"The file is no text. {_REMEDY}")
    return None
