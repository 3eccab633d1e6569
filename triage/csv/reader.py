"""Read the rows of a CSV file that another program wrote, each with the line at which it begins."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from triage.csv.encoding import Source, detect_encoding, open_source, unpack
from triage.errors import UnreadableTable

DELIMITERS = (",", ";", "\t", "|")
#: Called with the bytes read and the bytes of the whole file.
Progress = Callable[[int, int], object]

#: Excel reads this line above the header and so knows the delimiter; other programs write it for Excel.
_DELIMITER_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?[\r\n]', re.IGNORECASE)
#: Characters of a cell. A cell that is longer is the rest of a file after a quotation mark left open.
_LONGEST_CELL = 1_000_000
_HEAD = 64_000
_HEAD_ROWS = 50
_ROWS_PER_PROGRESS = 500


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row with anything in it; `line` is where it begins, and the header is usually in line 1.

    `cells` are stripped of blanks. There may be fewer or more of them than columns.
    """

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """How a file is written, its header, and its rows, which can be read once."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    rows: Iterator[CsvRow]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not used: the line at which it begins and the reason; never words of the row."""

    line: int
    reason: str


def read_csv(
    source: Source,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    languages: Collection[str] = (),
    comments: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> CsvFile:
    """Read a CSV file; its encoding and delimiter are detected where they are None.

    UTF-8, UTF-16 and old code pages, packed with gzip or not; comma, semicolon, tab or bar. `languages` decide
    between code pages that fit equally well. `comments`: lines that begin with # are skipped. `strict` refuses a
    quotation mark within a cell that is not doubled. Raises UnreadableTable, also while the rows are read.
    """
    encoding = encoding or detect_encoding(source, languages=languages)
    delimiter = delimiter or _detect_delimiter(source, encoding, comments=comments)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise UnreadableTable(f"{delimiter!r} is no delimiter: write one character, such as ;")
    rows = _rows(
        source, encoding=encoding, delimiter=delimiter, comments=comments, strict=strict, progress=progress
    )
    header = next(rows, None)
    if header is None or not any(header.cells):
        raise UnreadableTable("The file has no header line: name its columns in the first line.")
    columns = tuple(header.cells)
    return CsvFile(encoding, delimiter, columns, _rows_with_content(rows, len(columns)))


def _rows_with_content(rows: Iterator[CsvRow], width: int) -> Iterator[CsvRow]:
    for row in rows:
        # Spreadsheets add empty cells at the end of a row.
        while len(row.cells) > width and not row.cells[-1]:
            row.cells.pop()
        if any(row.cells):
            yield row


def _detect_delimiter(source: Source, encoding: str, *, comments: bool) -> str:
    """The delimiter that the file names above its header, or the one by which most rows are as wide as it."""
    head = _head(source, encoding, comments=comments)
    named = _DELIMITER_LINE.match(head)
    if named is not None:
        return named.group(1)
    return max(DELIMITERS, key=lambda delimiter: _fit(head, delimiter))


def _rows(
    source: Source, *, encoding: str, delimiter: str, comments: bool, strict: bool, progress: Progress | None
) -> Iterator[CsvRow]:
    csv.field_size_limit(_LONGEST_CELL)
    start = 1
    record: list[str] = []
    with open_source(source) as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        lines: list[str] = []
        reader = csv.reader(
            _remembered(_lines(stream, encoding, comments=comments), lines),
            delimiter=delimiter,
            strict=strict,
        )
        try:
            for count, cells in enumerate(reader):
                record, lines[:] = lines[:], []
                names_delimiter = start == 1 and _DELIMITER_LINE.match(f"{delimiter.join(cells)}\n")
                if cells and not names_delimiter:
                    yield CsvRow(start, [cell.strip() for cell in cells])
                start = reader.line_num + 1
                if progress is not None and count % _ROWS_PER_PROGRESS == 0:
                    progress(min(stream.tell(), size), size)
            if not strict:
                start -= len(record)
                _refuse_open_quote(record, delimiter)
        except csv.Error as error:
            raise UnreadableTable(
                f"The file is no readable CSV: {error} from line {start} on; is a quotation mark left open there?"
            ) from error


def _remembered(lines: Iterator[str], record: list[str]) -> Iterator[str]:
    for line in lines:
        record.append(line)
        yield line


def _refuse_open_quote(record: list[str], delimiter: str) -> None:
    """Raise csv.Error where the last record ends within quotation marks: it may be half of the file."""
    try:
        list(csv.reader(record, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if str(error) == "unexpected end of data":
            raise


def _lines(stream: BinaryIO, encoding: str, *, comments: bool) -> Iterator[str]:
    """The lines of a file as text, each with its line break, so that the numbers of lines stay right."""
    number = 1
    try:
        text = io.TextIOWrapper(unpack(stream), encoding=encoding, newline="")
    except (LookupError, ValueError) as error:
        raise UnreadableTable(
            f"There is no encoding called {encoding!r}: write one such as utf-8."
        ) from error
    try:
        for number, line in enumerate(text, start=1):
            line.encode()  # some encodings can hold half a character, which the database cannot
            if comments and line.startswith("#"):
                yield "\n"
            else:
                # A database text holds no NUL.
                yield (line.removeprefix("\ufeff") if number == 1 else line).replace("\x00", " ")
    except UnicodeError as error:
        raise UnreadableTable(
            f"The file is not valid {encoding}: a character in line {number} or below cannot be decoded. "
            "Save it again as UTF-8, or name its right encoding."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableTable(f"The file is damaged: {error}. Copy or pack it again.") from error


def _head(source: Source, encoding: str, *, comments: bool) -> str:
    lines: list[str] = []
    length = 0
    with open_source(source) as stream:
        for line in _lines(stream, encoding, comments=comments):
            if line.strip():
                lines.append(line)
                length += len(line)
            if length > _HEAD:
                break
    return "".join(lines)


def _fit(head: str, delimiter: str) -> tuple[bool, float, int]:
    """More than one column, the share of rows that are as wide as the header, and how wide that is."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        rows = [row for row, _ in zip((row for row in reader if row), range(_HEAD_ROWS), strict=False)]
    except csv.Error:
        return False, 0.0, 0
    width = len(rows[0]) if rows else 0
    if len(rows) > 2:
        rows.pop()  # the head may end within it
    return width > 1, sum(len(row) == width for row in rows) / max(1, len(rows)), width
