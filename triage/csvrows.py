"""The rows of a CSV, read piece by piece, each with the line at which it begins."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from triage.decoding import Source, opened, unpacked
from triage.errors import UnreadableTable

DELIMITERS = (",", ";", "\t", "|")
Progress = Callable[[int, int], object]

#: What Excel writes above the header, so that it finds its own delimiter again.
_SAYS_DELIMITER = re.compile(r'"?sep=([,;\t|])"?[\r\n]', re.IGNORECASE)
_LONGEST_FIELD = 1_000_000
_HEAD = 64_000
_LOOKED_AT = 50
_TOLD_EVERY = 500


def delimiter_of(source: Source, *, encoding: str, comments: bool = False) -> str:
    """The delimiter that a file names above its header, else the one by which most rows are as wide as it."""
    head = _head(source, encoding, comments)
    named = _SAYS_DELIMITER.match(head)
    if named is not None:
        return named.group(1)
    return max(DELIMITERS, key=lambda delimiter: _fit(head, delimiter))


def rows_of(
    source: Source,
    *,
    encoding: str,
    delimiter: str,
    comments: bool = False,
    progress: Progress | None = None,
) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows with the line each begins in; blank lines are left out.

    `comments`: lines that begin with # are blank lines. `progress` is told bytes read and bytes in all. Raises
    UnreadableTable.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    line = 1
    with opened(source) as raw:
        size = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        reader = csv.reader(_lines(raw, encoding, comments), delimiter=delimiter)
        try:
            for count, values in enumerate(reader):
                named = line == 1 and _SAYS_DELIMITER.match(f"{delimiter.join(values)}\n")
                if values and not named:
                    yield line, values
                line = reader.line_num + 1
                if progress is not None and count % _TOLD_EVERY == 0:
                    progress(min(raw.tell(), size), size)
        except csv.Error as error:
            raise UnreadableTable(
                f"The file is no readable CSV: {error} from line {line} on; is a quotation mark left open there?"
            ) from error


def _lines(raw: BinaryIO, encoding: str, comments: bool) -> Iterator[str]:
    inside = unpacked(raw)
    try:
        for number, line in enumerate(io.TextIOWrapper(inside, encoding=encoding, newline="")):
            # A comment becomes a blank line, so that the numbers of the lines after it stay.
            said = "\n" if comments and line.startswith("#") else line
            yield said.removeprefix("\ufeff") if number == 0 else said
    except LookupError as unknown:
        raise UnreadableTable(
            f"There is no encoding called {encoding!r}: write one such as utf-8."
        ) from unknown
    except UnicodeError as broken:
        raise UnreadableTable(
            f"The file is not whole in {encoding}, in which it begins: save it anew, as UTF-8."
        ) from broken
    except (EOFError, zlib.error, gzip.BadGzipFile) as damaged:
        raise UnreadableTable(f"The file is damaged: {damaged}. Copy or pack it anew.") from damaged


def _head(source: Source, encoding: str, comments: bool) -> str:
    read: list[str] = []
    length = 0
    with opened(source) as raw:
        for line in _lines(raw, encoding, comments):
            if line.strip():
                read.append(line)
                length += len(line)
            if length > _HEAD:
                break
    return "".join(read)


def _fit(head: str, delimiter: str) -> tuple[bool, float, int]:
    """More than one column, the share of rows that have as many as the header, how many that is."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        rows = [row for row, _ in zip((row for row in reader if row), range(_LOOKED_AT), strict=False)]
    except csv.Error:
        return False, 0.0, 0
    width = len(rows[0]) if rows else 0
    if len(rows) > 2:
        rows.pop()  # the head may end within it
    return width > 1, sum(len(row) == width for row in rows) / max(1, len(rows)), width
