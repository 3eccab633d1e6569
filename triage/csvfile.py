"""Labelled complaints from a CSV file, with every refused row and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.errors import UnreadableTable
from triage.example import Example

# Excel saves as UTF-16 or, in Turkey and western Europe, as one of two Windows code pages.
_ENCODINGS = ("utf-8-sig", "cp1254")
_LONGEST_FIELD = 1_000_000
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was left out: its line in the file (the header is line 1) and why; never its words."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """The examples of a file and the rows that were refused."""

    examples: tuple[Example, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns; None for one that the file does not have."""

    text: str = "text"
    category: str = "category"
    severity: str | None = None
    language: str | None = None
    at: str | None = None


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as broken:
            raise UnreadableTable(
                "the file begins as UTF-16 and breaks off or is damaged: save it anew, as UTF-8"
            ) from broken
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _severity(value: str) -> int | None:
    if not value:
        return None
    number = int(value)
    if not 1 <= number <= 5:
        raise ValueError
    return number


def _instant(value: str) -> datetime | None:
    if not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reading(row: dict[str, str], columns: Columns, categories: Collection[str] | None) -> Example | str:
    """The example of a row, or the reason to refuse it."""
    text, category = row.get(columns.text, "").strip(), row.get(columns.category, "").strip()
    if not text:
        return "no text"
    if not category:
        return "no category"
    if categories is not None and category not in categories:
        return f"unknown category {category!r}"
    if "\n" in category:
        return "category of more than one line"
    try:
        severity = _severity(row.get(columns.severity, "").strip()) if columns.severity else None
    except ValueError:
        return "severity is no whole number from 1 to 5"
    try:
        at = _instant(row.get(columns.at, "").strip()) if columns.at else None
    except ValueError:
        return "date is not in ISO 8601"
    language = row.get(columns.language, "").strip().lower() or None if columns.language else None
    return Example(text, category, severity, language, at)


def _numbered(content: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV with the line each begins in; blank lines are left out."""
    header = content.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=max(_DELIMITERS, key=header.count))
    line = 1
    try:
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableTable(f"The file is no readable CSV: {error} in line {line}.") from error


def read_examples(
    source: Path | bytes, *, columns: Columns | None = None, categories: Collection[str] | None = None
) -> Table:
    """Read a CSV (comma, semicolon, tab or bar; UTF-8, UTF-16 or Windows) by its column names.

    `categories` limits what is accepted; None accepts any, so that an organisation can bring its own. Raises
    UnreadableTable when a named column is missing.
    """
    columns = columns or Columns()
    raw = source if isinstance(source, bytes) else source.read_bytes()
    csv.field_size_limit(_LONGEST_FIELD)
    rows = _numbered(_decode(raw))
    names = [name.strip() for name in next(rows, (1, []))[1]]
    asked = [columns.text, columns.category, columns.severity, columns.language, columns.at]
    missing = [name for name in asked if name is not None and name not in names]
    if missing:
        raise UnreadableTable(
            f"The file has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, names))}. "
            "Name the columns with --text, --category, --severity and --language."
        )
    examples: list[Example] = []
    refused: list[Refused] = []
    for line, values in rows:
        if len(values) != len(names):
            refused.append(Refused(line, f"{len(values)} fields instead of {len(names)}"))
            continue
        reading = _reading(dict(zip(names, values, strict=True)), columns, categories)
        if isinstance(reading, str):
            refused.append(Refused(line, reading))
        else:
            examples.append(reading)
    return Table(tuple(examples), tuple(refused))
