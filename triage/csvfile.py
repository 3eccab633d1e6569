"""Labelled complaints from a CSV file, with every refused row and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.cells import day_first, label_key, label_of, language_of, moment_of, severity_of
from triage.csvrows import Progress, delimiter_of, rows_of
from triage.decoding import Source, encoding_of
from triage.errors import UnknownColumn, UnreadableTable
from triage.example import Example
from triage.headings import Columns, Found, find_columns
from triage.text import guess_language, normalise

__all__ = ["Columns", "Reading", "Refused", "Table", "read_examples"]

_TELLING = 600
"""Characters by which a language is told; more cost time and change nothing."""
_LONGEST_LABEL = 75
_SPOKEN = 0.01
_FEWEST = 2
"""Of all rows, and of a small file's, so many are in a language that is spoken at all."""
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

    `rows` counts those with anything in them; `unlabelled` are the words of those without a category, which
    are no examples.
    `unread` counts, by field, cells of columns that nobody asked for and that say nothing we understand.
    `spellings` are labels that were taken for another spelling of the one they became.
    """

    examples: tuple[Example, ...]
    refused: tuple[Refused, ...]
    rows: int = 0
    unlabelled: tuple[str, ...] = ()
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
    guessed: bool


def read_examples(
    source: Source,
    *,
    columns: Columns | None = None,
    categories: Collection[str] | None = None,
    known: Collection[str] = (),
    reading: Reading | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read a CSV by its column names: comma, semicolon, tab or bar; UTF-8, UTF-16 or a code page; gzip too.

    `categories` limits what is accepted; None accepts any, so that an organisation can bring its own. Labels
    that differ in case, blanks, hyphens and accents alone are one: the spelling of `categories` or `known`
    where it is among them, else the commonest. `progress` is told bytes read and bytes in all. Raises
    UnknownColumn for a column that is missing or doubled, UnreadableTable for a file that is no table.
    """
    reading = reading or Reading()
    encoding = reading.encoding or encoding_of(source, languages=reading.languages)
    delimiter = reading.delimiter or delimiter_of(source, encoding=encoding, comments=reading.comments)
    rows = rows_of(
        source, encoding=encoding, delimiter=delimiter, comments=reading.comments, progress=progress
    )
    header = [name.strip() for name in next(rows, (1, []))[1]]
    if not any(header):
        raise UnreadableTable("The file has no header line: name its columns in the first line.")
    found = find_columns(header, columns or Columns())
    collected = _collect(rows, header, found, reading)
    table = _settled(collected, found, reading, categories, known)
    return replace(
        table,
        encoding=encoding,
        delimiter=delimiter,
        columns=dict(found.names),
        guessed=found.guessed,
    )


@dataclass(slots=True)
class _Collected:
    rows: int = 0
    unlabelled: list[str] = field(default_factory=list)
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
            out.unlabelled.append(taken.example.text)
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
    guessing = language is None and bool(languages)
    if language is None:
        unread["language"] += bool(cells.get("language"))
        language = guess_language(plain[:_TELLING], languages) if languages else None
    example = Example(text, label_of(cells["category"]), severity, language)
    return _Taken(line, example, cells.get("at", ""), guessing)


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
    spoken = _spoken(out.taken)
    examples: list[Example] = []
    refused = list(out.refused)
    unread = Counter(out.unread)
    for one in out.taken:
        category = spelling[label_key(one.example.category)]
        if categories is not None and category not in categories:
            # What is too long for a category may be somebody's words in the wrong column: not told on.
            what = repr(category) if len(category) <= _LONGEST_LABEL else "longer than any can be"
            refused.append(Refused(one.line, f"unknown category {what}"))
            continue
        try:
            at = moment_of(one.at, day_leads=leads, form=reading.date)
        except (ValueError, TypeError, OverflowError):
            if "at" not in found.guessed:
                refused.append(Refused(one.line, "date is not written in a known way, such as 2026-01-31"))
                continue
            unread["at"] += 1
            at = None
        language = one.example.language
        if one.guessed and language not in spoken:
            language = guess_language(normalise(one.example.text)[:_TELLING], spoken)
        examples.append(replace(one.example, category=category, language=language, at=at))
    written = {one.example.category for one in out.taken}
    return Table(
        tuple(examples),
        tuple(sorted(refused, key=lambda row: row.line)),
        rows=out.rows,
        unlabelled=tuple(out.unlabelled),
        unread={name: count for name, count in sorted(unread.items()) if count},
        spellings={
            label: spelling[label_key(label)]
            for label in sorted(written)
            if spelling[label_key(label)] != label
        },
    )


def _spoken(taken: Sequence[_Taken]) -> tuple[str, ...]:
    """The languages of a file: one that was guessed for hardly a row is a guess that went wrong."""
    counts = Counter(one.example.language for one in taken if one.example.language is not None)
    spoken = sorted(
        language for language, count in counts.items() if count >= max(_FEWEST, _SPOKEN * len(taken))
    )
    return tuple(spoken or [language for language, _ in counts.most_common(1)])


def _spellings(labels: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """By key, the label that all its spellings become."""
    ways: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        ways[label_key(label)][label] += 1
    commonest = {key: min(counts, key=lambda way: (-counts[way], way)) for key, counts in ways.items()}
    return commonest | {label_key(label): label for label in known}


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
