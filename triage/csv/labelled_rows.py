"""Labelled complaints from a CSV file, with every refused row and the reason."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triage.csv.columns import (
    ColumnNames,
    ColumnPositions,
    find_columns,
    is_day_first,
    label_key,
    read_label,
    read_language,
    read_moment,
    read_severity,
)
from triage.csv.encoding import Source
from triage.csv.reader import CsvFile, Progress, RefusedRow, read_csv
from triage.errors import UnknownColumn, UnreadableTable
from triage.example import Example
from triage.text import guess_language, normalise

#: Characters from which a language is guessed; more cost time and change nothing.
_GUESSED_FROM = 600
_LONGEST_LABEL = 75
#: A language that fewer rows are in was guessed wrongly: this share of all rows, and at least this many.
_LANGUAGE_SHARE = 0.01
_LANGUAGE_ROWS = 2
#: With this many rows and different labels for more than this share of them, a column holds numbers or texts.
_CHECKED_ROWS = 30
_LABEL_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How to read a file where it cannot be detected.

    `values` map an organisation's words for a field ("category", "severity", "language") to the product's.
    `languages` are those a text may be in; with none, no language is guessed. `date` is a strptime format.
    `comments`: lines that begin with # are skipped.
    """

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    date: str | None = None
    languages: tuple[str, ...] = ()
    comments: bool = False


@dataclass(frozen=True, slots=True)
class ExampleTable:
    """The examples of a file, the rows that were refused, and how the file was read.

    `rows` counts those with anything in them; `unlabelled` are the texts of those without a category, which are
    no examples. `unread` counts, by field, cells that mean nothing in columns found by their usual names.
    `spellings` map labels to the spelling that replaced them.
    """

    examples: tuple[Example, ...]
    refused: tuple[RefusedRow, ...]
    rows: int = 0
    unlabelled: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)


def read_examples(
    source: Source,
    *,
    columns: ColumnNames | None = None,
    categories: Collection[str] | None = None,
    preferred_labels: Collection[str] = (),
    options: ReadingOptions | None = None,
    progress: Progress | None = None,
) -> ExampleTable:
    """Read the labelled complaints of a CSV file.

    `categories` limits what is accepted; None accepts any, so that an organisation can bring its own. Labels
    that differ only in case, blanks, hyphens and accents are the same. They take the spelling in `categories` or
    `preferred_labels`, or the commonest in the file. Raises UnknownColumn for a column that is missing or there
    twice, UnreadableTable for a file that is not a table.
    """
    options = options or ReadingOptions()
    file = read_csv(
        source,
        encoding=options.encoding,
        delimiter=options.delimiter,
        languages=options.languages,
        comments=options.comments,
        progress=progress,
    )
    positions = find_columns(file.columns, columns or ColumnNames())
    accepted = _accept_rows(file, positions, options)
    table = _decide_by_column(accepted, positions, options, categories, preferred_labels)
    return replace(
        table,
        encoding=file.encoding,
        delimiter=file.delimiter,
        columns=dict(positions.names),
        guessed=positions.guessed,
    )


def require_examples(table: ExampleTable) -> None:
    """Raise UnreadableTable where a whole file holds nothing to learn from."""
    if table.rows == 0:
        raise UnreadableTable("The file has a header line and no rows below it: add labelled complaints.")
    if not table.examples and table.unlabelled:
        raise UnknownColumn(
            f"No row has a category: the column {table.columns['category']!r} is empty. Name another with --category."
        )
    labels = len({example.category for example in table.examples})
    if labels > _LABEL_SHARE * len(table.examples) and len(table.examples) >= _CHECKED_ROWS:
        raise UnknownColumn(
            f"The column {table.columns['category']!r} holds {labels} different values in "
            f"{len(table.examples)} rows: that is no category. Name another with --category."
        )


@dataclass(frozen=True, slots=True)
class _AcceptedRow:
    line: int
    example: Example
    at: str
    is_language_guessed: bool


@dataclass(slots=True)
class _AcceptedRows:
    total: int = 0
    rows: list[_AcceptedRow] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)


def _accept_rows(file: CsvFile, columns: ColumnPositions, options: ReadingOptions) -> _AcceptedRows:
    result = _AcceptedRows()
    values = {
        name: {label_key(word): value for word, value in words.items()}
        for name, words in options.values.items()
    }
    width = len(file.columns)
    for row in file.rows:
        result.total += 1
        if len(row.cells) != width:
            result.refused.append(RefusedRow(row.line, f"{len(row.cells)} fields instead of {width}"))
            continue
        cells = {name: row.cells[position] for name, position in columns.positions.items()}
        for name, words in values.items():
            if name in cells:
                cells[name] = words.get(label_key(cells[name]), cells[name])
        accepted = _accept(row.line, cells, columns.guessed, options.languages, result.unread)
        if isinstance(accepted, str):
            result.refused.append(RefusedRow(row.line, accepted))
        elif not accepted.example.category:
            result.unlabelled.append(accepted.example.text)
        else:
            result.rows.append(accepted)
    return result


def _accept(
    line: int,
    cells: Mapping[str, str],
    guessed: Sequence[str],
    languages: tuple[str, ...],
    unread: Counter[str],
) -> _AcceptedRow | str:
    """The row, or the reason to refuse it."""
    text = cells["text"]
    if not text:
        return "no text"
    plain = normalise(text)
    if not any(character.isalnum() for character in plain):
        return "no words: signs, pictures or markup alone"
    severity = None
    try:
        severity = read_severity(cells.get("severity", ""))
    except ValueError as error:
        if "severity" not in guessed:
            return str(error)
        unread["severity"] += 1
    language = read_language(cells.get("language", ""))
    is_language_guessed = language is None and bool(languages)
    if language is None:
        unread["language"] += bool(cells.get("language"))
        language = guess_language(plain[:_GUESSED_FROM], languages) if languages else None
    example = Example(text, read_label(cells["category"]), severity, language)
    return _AcceptedRow(line, example, cells.get("at", ""), is_language_guessed)


def _decide_by_column(
    accepted: _AcceptedRows,
    columns: ColumnPositions,
    options: ReadingOptions,
    categories: Collection[str] | None,
    preferred_labels: Collection[str],
) -> ExampleTable:
    """What only the whole column shows: the spelling of a label, whether dates put the day first, the languages."""
    labels = [row.example.category for row in accepted.rows]
    spellings = _spellings(labels, [*(categories or ()), *preferred_labels])
    day_first = is_day_first([row.at for row in accepted.rows])
    languages = _frequent_languages(accepted.rows)
    examples: list[Example] = []
    refused = list(accepted.refused)
    unread = Counter(accepted.unread)
    for row in accepted.rows:
        category = spellings[label_key(row.example.category)]
        if categories is not None and category not in categories:
            # What is too long for a category may be a complainant's words: the report must not repeat them.
            shown_as = repr(category) if len(category) <= _LONGEST_LABEL else "longer than any can be"
            refused.append(RefusedRow(row.line, f"unknown category {shown_as}"))
            continue
        try:
            at = read_moment(row.at, day_first=day_first, date_format=options.date)
        except (ValueError, TypeError, OverflowError):
            if "at" not in columns.guessed:
                refused.append(RefusedRow(row.line, "date is not written in a known way, such as 2026-01-31"))
                continue
            unread["at"] += 1
            at = None
        language = row.example.language
        if row.is_language_guessed and language not in languages:
            language = guess_language(normalise(row.example.text)[:_GUESSED_FROM], languages)
        examples.append(replace(row.example, category=category, language=language, at=at))
    return ExampleTable(
        tuple(examples),
        tuple(sorted(refused, key=lambda row: row.line)),
        rows=accepted.total,
        unlabelled=tuple(accepted.unlabelled),
        unread={name: count for name, count in sorted(unread.items()) if count},
        spellings={
            label: spellings[label_key(label)]
            for label in sorted(set(labels))
            if spellings[label_key(label)] != label
        },
    )


def _frequent_languages(rows: Sequence[_AcceptedRow]) -> tuple[str, ...]:
    """The languages of a file: one that was guessed for hardly a row was guessed wrongly."""
    counts = Counter(row.example.language for row in rows if row.example.language is not None)
    enough = max(_LANGUAGE_ROWS, _LANGUAGE_SHARE * len(rows))
    frequent = sorted(language for language, count in counts.items() if count >= enough)
    return tuple(frequent or [language for language, _ in counts.most_common(1)])


def _spellings(labels: Sequence[str], preferred: Sequence[str]) -> dict[str, str]:
    """By key, the label that replaces all its spellings."""
    counts_by_key: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        counts_by_key[label_key(label)][label] += 1
    commonest = {
        key: min(counts, key=lambda label: (-counts[label], label)) for key, counts in counts_by_key.items()
    }
    return commonest | {label_key(label): label for label in preferred}
