"""Labelled complaints from a CSV file, with every refused row and why."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from triage.cells import day_first, label_key, label_of, language_of, moment_of, severity_of
from triage.decoding import Encoding, Source, encoding_of, opened, unpacked
from triage.errors import UnknownColumn, UnreadableTable
from triage.example import Example
from triage.headings import Columns, Found, find_columns
from triage.text import guess_language, normalise

__all__ = ["Columns", "Reading", "Refused", "Table", "read_examples"]

DELIMITERS = (",", ";", "\t", "|")
#: What Excel writes above the header, so that it finds its own delimiter again.
_SAYS_DELIMITER = re.compile(r'"?sep=([,;\t|])"?[\r\n]', re.IGNORECASE)
_LONGEST_FIELD = 1_000_000
_HEAD = 64_000
_LOOKED_AT = 50
_TOLD_EVERY = 500
_TELLING = 600
"""Characters by which a language is told; more cost time and change nothing."""
_OWN_LABEL = 0.6
_JUDGED = 30
"""In so many rows, a label for more than `_OWN_LABEL` of them is a number or a text, and no category."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was left out: its line in the file (the header is line 1) and why; never its words."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file, where it does not speak for itself.

    `values` are an organisation's own words for a field's ("category", "severity", "language") and ours.
    `languages` are those a text may be in; with none, no language is guessed. `date` is a strptime format.
    `comments`: lines that begin with # are passed over.
    """

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    date: str | None = None
    languages: tuple[str, ...] = ()
    comments: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The examples of a file, the rows that were refused, and how the file was read.

    `rows` counts those with anything in them; `unlabelled` have words and no category, and are no examples.
    `unread` counts, by field, cells of columns that nobody asked for and that say nothing we understand.
    `spellings` are labels that were taken for another spelling of the one they became.
    """

    examples: tuple[Example, ...]
    refused: tuple[Refused, ...]
    rows: int = 0
    unlabelled: int = 0
    encoding: str = ""
    delimiter: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Taken:
    line: int
    example: Example
    at: str


def read_examples(
    source: Source,
    *,
    columns: Columns | None = None,
    categories: Collection[str] | None = None,
    known: Collection[str] = (),
    reading: Reading | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Table:
    """Read a CSV by its column names: comma, semicolon, tab or bar; UTF-8, UTF-16 or a code page; gzip too.

    `categories` limits what is accepted; None accepts any, so that an organisation can bring its own. Labels
    that differ in case, blanks, hyphens and accents alone are one: the spelling of `categories` or `known`
    where it is among them, else the commonest. `progress` is told bytes read and bytes in all. Raises
    UnknownColumn for a column that is missing or doubled, UnreadableTable for a file that is no table.
    """
    reading = reading or Reading()
    found_out = Encoding(reading.encoding, _is_packed(source)) if reading.encoding else None
    encoding = found_out or encoding_of(source, languages=reading.languages)
    head = _head(source, encoding.name, reading.comments)
    named = _SAYS_DELIMITER.match(head)
    delimiter = reading.delimiter or (named.group(1) if named else _delimiter(head))
    csv.field_size_limit(_LONGEST_FIELD)
    with opened(source) as raw:
        size = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        told = _telling(raw, size, progress)
        rows = _numbered(_lines(raw, encoding.name, reading.comments), delimiter, told)
        if named:
            next(rows)
        header = [name.strip() for name in next(rows, (1, []))[1]]
        if not any(header):
            raise UnreadableTable("The file has no header line: name its columns in the first line.")
        found = find_columns(header, columns or Columns())
        collected = _collect(rows, header, found, reading)
    table = _settled(collected, found, reading, categories, known)
    return replace(
        table,
        encoding=encoding.name,
        delimiter=delimiter,
        columns=dict(found.names),
        guessed=found.guessed,
    )


@dataclass(slots=True)
class _Collected:
    rows: int = 0
    unlabelled: int = 0
    taken: list[_Taken] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)


def _collect(
    rows: Iterator[tuple[int, list[str]]], header: Sequence[str], found: Found, reading: Reading
) -> _Collected:
    out = _Collected()
    own = {
        name: {label_key(word): ours for word, ours in words.items()}
        for name, words in reading.values.items()
    }
    for line, values in rows:
        if not any(value.strip() for value in values):
            continue
        out.rows += 1
        # Spreadsheets leave out, or add, empty cells at the end of a row.
        while len(values) > len(header) and not values[-1].strip():
            values.pop()
        if len(values) != len(header):
            out.refused.append(Refused(line, f"{len(values)} fields instead of {len(header)}"))
            continue
        cells = {name: values[place].replace("\x00", " ").strip() for name, place in found.places.items()}
        for name, words in own.items():
            if name in cells:
                cells[name] = words.get(label_key(cells[name]), cells[name])
        taken = _row(line, cells, found.guessed, reading.languages, out.unread)
        if isinstance(taken, str):
            out.refused.append(Refused(line, taken))
        elif not taken.example.category:
            out.unlabelled += 1
        else:
            out.taken.append(taken)
    return out


def _row(
    line: int,
    cells: Mapping[str, str],
    guessed: Sequence[str],
    languages: tuple[str, ...],
    unread: Counter[str],
) -> _Taken | str:
    """The row, or the reason to refuse it."""
    text = cells["text"]
    if not text:
        return "no text"
    plain = normalise(text)
    if not any(character.isalnum() for character in plain):
        return "no words: signs, pictures or markup alone"
    severity = None
    try:
        severity = severity_of(cells.get("severity", ""))
    except ValueError as wrong:
        if "severity" not in guessed:
            return str(wrong)
        unread["severity"] += 1
    language = language_of(cells.get("language", ""))
    if language is None:
        unread["language"] += bool(cells.get("language"))
        language = guess_language(plain[:_TELLING], languages) if languages else None
    example = Example(text, label_of(cells["category"]), severity, language)
    return _Taken(line, example, cells.get("at", ""))


def _settled(
    out: _Collected,
    found: Found,
    reading: Reading,
    categories: Collection[str] | None,
    known: Collection[str],
) -> Table:
    """What only the whole column can say: which spelling a label has, and which way round its dates are."""
    spelling = _spellings([one.example.category for one in out.taken], [*(categories or ()), *known])
    leads = day_first([one.at for one in out.taken])
    examples: list[Example] = []
    refused = list(out.refused)
    unread = Counter(out.unread)
    for one in out.taken:
        category = spelling[label_key(one.example.category)]
        if categories is not None and category not in categories:
            refused.append(Refused(one.line, f"unknown category {category!r}"))
            continue
        try:
            at = moment_of(one.at, day_leads=leads, form=reading.date)
        except (ValueError, TypeError, OverflowError):
            if "at" not in found.guessed:
                refused.append(Refused(one.line, "date is not written in a known way, such as 2026-01-31"))
                continue
            unread["at"] += 1
            at = None
        examples.append(replace(one.example, category=category, at=at))
    written = {one.example.category for one in out.taken}
    return Table(
        tuple(examples),
        tuple(sorted(refused, key=lambda row: row.line)),
        rows=out.rows,
        unlabelled=out.unlabelled,
        unread={name: count for name, count in sorted(unread.items()) if count},
        spellings={
            label: spelling[label_key(label)]
            for label in sorted(written)
            if spelling[label_key(label)] != label
        },
    )


def _spellings(labels: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """By key, the label that all its spellings become."""
    ways: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        ways[label_key(label)][label] += 1
    commonest = {key: min(counts, key=lambda way: (-counts[way], way)) for key, counts in ways.items()}
    return commonest | {label_key(label): label for label in known}


def _is_packed(source: Source) -> bool:
    with opened(source) as raw:
        return unpacked(raw)[1]


def _lines(raw: BinaryIO, encoding: str, comments: bool) -> Iterator[str]:
    """The lines of a table as text, without those that are comments."""
    inside, _ = unpacked(raw)
    try:
        for line in io.TextIOWrapper(inside, encoding=encoding, newline=""):
            # A comment becomes a blank line, so that the numbers of the lines after it stay.
            yield "\n" if comments and line.startswith("#") else line
    except LookupError as unknown:
        raise UnreadableTable(
            f"There is no encoding called {encoding!r}: write one such as utf-8."
        ) from unknown
    except UnicodeError as broken:
        raise UnreadableTable(
            f"The file is not whole in {encoding}, in which it begins: save it anew, as UTF-8."
        ) from broken


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


def _delimiter(head: str) -> str:
    """The delimiter by which the most rows have as many fields as the header, and more than one."""

    def fits(delimiter: str) -> tuple[bool, float, int]:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        try:
            rows = [row for row, _ in zip((row for row in reader if row), range(_LOOKED_AT), strict=False)]
        except csv.Error:
            return False, 0.0, 0
        width = len(rows[0]) if rows else 0
        if len(rows) > 2:
            rows.pop()  # the head may end within it
        return width > 1, sum(len(row) == width for row in rows) / max(1, len(rows)), width

    return max(DELIMITERS, key=fits)


def _telling(
    raw: BinaryIO, size: int, progress: Callable[[int, int], object] | None
) -> Callable[[int], None]:
    def told(row: int) -> None:
        if progress is not None and row % _TOLD_EVERY == 0:
            progress(min(raw.tell(), size), size)

    return told


def _numbered(
    lines: Iterator[str], delimiter: str, told: Callable[[int], None]
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV with the line each begins in; blank lines are left out."""
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    count = 0
    try:
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1
            count += 1
            told(count)
    except csv.Error as error:
        raise UnreadableTable(
            f"The file is no readable CSV: {error} from line {line} on; is a quotation mark left open there?"
        ) from error


def need_examples(table: Table) -> None:
    """Raise UnreadableTable where a whole file holds nothing to learn from."""
    if table.rows == 0:
        raise UnreadableTable("The file has a header line and no rows below it: add labelled complaints.")
    if not table.examples and table.unlabelled:
        raise UnknownColumn(
            f"No row has a category: the column {table.columns['category']!r} is empty. Name another with --category."
        )
    labels = len({example.category for example in table.examples})
    if labels > _OWN_LABEL * len(table.examples) and len(table.examples) >= _JUDGED:
        raise UnknownColumn(
            f"The column {table.columns['category']!r} holds {labels} different values in "
            f"{len(table.examples)} rows: that is no category. Name another with --category."
        )
