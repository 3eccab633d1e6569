"""A CSV as other programs write it: its encoding and delimiter found out, its rows with their line numbers."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from complaints.errors import BadFacts

DELIMITERS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Where a file is no UTF-8: the old Windows code pages, Turkish where Turkish is spoken.
_TURKISH, _WESTERN = "cp1254", "cp1252"


@dataclass(frozen=True)
class Row:
    """One row by the file's own columns; `line` is where it begins. `cells` has what stands in excess too."""

    line: int
    cells: dict[str, str]
    excess: bool


@dataclass(frozen=True)
class Table:
    """A file as it was read."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(
    file: Path, *, encoding: str | None = None, delimiter: str | None = None, languages: Collection[str] = ()
) -> Table:
    """The rows of a file; what is not said about it is found out. BadFacts where it is no table."""
    raw = file.read_bytes()
    found = encoding or _encoding(raw, languages)
    try:
        text = raw.decode(found)
    except (LookupError, UnicodeDecodeError) as wrong:
        raise BadFacts(
            f"{file} is not written in {found}: give its encoding in the mapping file, [file] encoding.",
            field="encoding",
        ) from wrong
    used = delimiter or _delimiter(text)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=used, strict=True)
    try:
        columns = tuple(one.strip() for one in next(lines, []))
        rows = tuple(_rows(lines, columns))
    except csv.Error as wrong:
        raise BadFacts(
            f"{file}, line {lines.line_num}: {wrong}. Write it anew as CSV.", field="file"
        ) from wrong
    if not any(columns):
        raise BadFacts(f"{file} has no header line: name its columns in the first line.", field="file")
    return Table(found, used, columns, rows)


def _rows(lines: Iterator[list[str]], columns: tuple[str, ...]) -> Iterator[Row]:
    # A row may go over several lines: it begins after the line at which the one before it ended.
    begins = lines.line_num + 1  # type: ignore[attr-defined]  # csv's reader has it
    for cells in lines:
        if any(one.strip() for one in cells):
            named = {name: one.strip() for name, one in zip(columns, cells, strict=False)}
            yield Row(begins, named, len(cells) > len(columns))
        begins = lines.line_num + 1  # type: ignore[attr-defined]


def _encoding(raw: bytes, languages: Collection[str]) -> str:
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _TURKISH if "tr" in languages else _WESTERN
    return "utf-8"


def _delimiter(text: str) -> str:
    """The one that parts the header into most columns; a comma where none does."""
    header = next(iter(text.lstrip("\ufeff").splitlines()), "")
    return max(DELIMITERS, key=header.count)
