"""Reading a file of labelled complaints for a command: its columns, its own labels, and the rows refused."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.console import err, progress_bar
from amends.cli.options import NOT_WELL, config_file, load_settings
from complaints.csv_cells import csv_cell
from reports.words import pluralise

if TYPE_CHECKING:
    from amends.settings import Settings
    from amends.settings.sections import OwnCategory
    from triage.csv.columns import ColumnNames
    from triage.csv.labelled_rows import ExampleTable

TextColumn = Annotated[str | None, typer.Option("--text", help="The column of the complaint's words.")]
CategoryColumn = Annotated[str | None, typer.Option("--category", help="The column of the category.")]
SeverityColumn = Annotated[
    str | None, typer.Option("--severity", help='The column of the severity: 1 to 5, or "critical", "low" …')
]
LanguageColumn = Annotated[str | None, typer.Option("--language", help="The column of the language.")]
AtColumn = Annotated[str | None, typer.Option("--at", help="The column of the day it was received.")]
RefusedFile = Annotated[
    Path | None,
    typer.Option(
        "--refused", dir_okay=False, help="Write refused lines and reasons here, without their words."
    ),
]

#: So many refused rows are printed; --json and --refused list all of them.
_PRINTED = 20
#: The fields of `amends import`'s mapping file that triage reads, and its own names for them.
_FIELDS = {
    "description": "text",
    "category": "category",
    "severity": "severity",
    "language": "language",
    "received_at": "at",
}


@dataclass(frozen=True)
class ColumnOptions:
    text: str | None = None
    category: str | None = None
    severity: str | None = None
    language: str | None = None
    at: str | None = None
    maps: LabelMaps = field(default_factory=lambda: LabelMaps({}))


def optional_settings() -> Settings | None:
    """The installation's settings; None without usable ones, unless `--config` names a file.

    Raises SettingsError for a named file that is not usable.
    """
    from amends.settings import SettingsError

    try:
        return load_settings()
    except SettingsError:
        if config_file() is not None:
            raise
        return None


def text_languages(settings: Settings | None) -> tuple[str, ...]:
    """The languages that a text may be in: the organisation's, or all that triage can detect."""
    from triage.text import DETECTED_LANGUAGES

    return settings.organisation.languages if settings is not None else DETECTED_LANGUAGES


def read_labelled(
    file: Path, columns: ColumnOptions, settings: Settings | None, *, categories: tuple[str, ...]
) -> ExampleTable:
    """The examples of a file; standard error names what was guessed and refused.

    `categories` are those that labels may be spellings of. Raises UnreadableTable, UnusableExamples.
    """
    from amends.past_complaints import read_mapping
    from triage.csv.labelled_rows import ReadingOptions, read_examples, require_examples
    from triage.errors import UnknownColumn

    mapping = read_mapping(columns.maps.file)
    mapped = {_FIELDS[name]: column for column, name in mapping.columns.items() if name in _FIELDS}
    values = {_FIELDS[name]: dict(words) for name, words in mapping.values.items() if name in _FIELDS}
    # People label with a category's name in any language; the record has its key.
    names = {name: own.key for own in (settings.category if settings else ()) for name in own.name.values()}
    options = ReadingOptions(
        values={**values, "category": {**names, **columns.maps.categories}},
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        date=mapping.date,
        languages=text_languages(settings),
    )
    try:
        with progress_bar(f"Reading {file.name}") as progress:
            table = read_examples(
                file,
                columns=_column_names(columns, mapped),
                preferred_labels=categories,
                options=options,
                progress=progress,
            )
        require_examples(table)
    except UnknownColumn as error:
        raise typer.BadParameter(f"{file}: {error}") from error
    _print_reading(file, table)
    return table


def _column_names(columns: ColumnOptions, mapped: Mapping[str, str]) -> ColumnNames:
    from triage.csv.columns import ColumnNames

    names = [column.name for column in fields(ColumnNames)]
    return ColumnNames(**{name: getattr(columns, name) or mapped.get(name) for name in names})


def _print_reading(file: Path, table: ExampleTable) -> None:
    delimiter = {"\t": "tab"}.get(table.delimiter, table.delimiter)
    err.print(f"{file}: {pluralise(table.rows, 'row')}, {table.encoding}, delimiter {delimiter!r}.")
    guessed = ", ".join(f"{name} from {table.columns[name]!r}" for name in table.guessed)
    if guessed:
        err.print(f"Columns found by their names: {guessed}. Name others with --text, --category …")
    for name, count in table.unread.items():
        err.print(
            f"Left empty in {table.columns[name]!r}: {pluralise(count, 'cell')} with no value that is a known {name}."
        )
    if table.unlabelled:
        err.print(f"Without a category, and so no examples: {pluralise(len(table.unlabelled), 'row')}.")
    for label, category in table.spellings.items():
        err.print(f"Category {label!r} was taken for {category!r}.")
    if table.refused:
        err.print(f"{pluralise(len(table.refused), 'row')} refused:")
        for row in table.refused[:_PRINTED]:
            err.print(f"line {row.line}: {row.reason}")
        if len(table.refused) > _PRINTED:
            err.print(f"… and {len(table.refused) - _PRINTED} more: --json and --refused FILE list them all.")


def write_refused(file: Path | None, table: ExampleTable | None) -> None:
    """Write the refused lines and why as CSV, where a file was named."""
    if file is None:
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(("line", "why"))
            writer.writerows(
                (row.line, csv_cell(row.reason)) for row in (table.refused if table is not None else ())
            )
    except OSError as error:
        raise typer.BadParameter(
            f"{file} cannot be written: {error.strerror}", param_hint="--refused"
        ) from error


def reading_as_json(table: ExampleTable) -> dict[str, Any]:
    return {
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "columns": dict(table.columns),
        "guessed": list(table.guessed),
        "file_rows": table.rows,
        "used": len(table.examples),
        "unlabelled": len(table.unlabelled),
        "unread": dict(table.unread),
        "spellings": dict(table.spellings),
        "refused": [{"line": row.line, "why": row.reason} for row in table.refused],
    }


Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="OLD=NEW|FILE",
        help="Own labels to ours: old=new, again for each, or a file: CSV with old,new a line; TOML or JSON.",
    ),
]


@dataclass(frozen=True)
class LabelMaps:
    """What `--map` gave: categories by own label, and a file that may also name columns and other words."""

    categories: Mapping[str, str]
    file: Path | None = None


def read_maps(values: Sequence[str] | None) -> LabelMaps:
    """Read each `--map`. Raises BadParameter, and SettingsError for a TOML or JSON file that cannot be used."""
    from amends.past_complaints import read_mapping

    categories: dict[str, str] = {}
    mapping_file: Path | None = None
    for value in values or ():
        file = Path(value)
        if not file.is_file():
            old, equals, new = value.rpartition("=")
            if not (equals and old.strip() and new.strip()):
                problem = f"{value!r} is no file and not of the form old=new"
                raise typer.BadParameter(problem, param_hint="--map")
            categories[old.strip()] = new.strip()
        elif file.suffix.lower() == ".csv":
            categories |= _read_csv(file)
        elif mapping_file is not None:
            raise typer.BadParameter("name only one TOML or JSON file", param_hint="--map")
        else:
            mapping_file = file
            categories = {**read_mapping(file).values.get("category", {}), **categories}
    return LabelMaps(categories, mapping_file)


def _read_csv(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}", param_hint="--map") from error
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    categories = {}
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
        names = [cell.strip() for cell in cells]
        if not any(names) or (number == 1 and [name.casefold() for name in names] == ["old", "new"]):
            continue
        if len(names) != 2 or not all(names):
            problem = f"{file}, line {number}: write two cells, the old label and the new category"
            raise typer.BadParameter(problem, param_hint="--map")
        categories[names[0]] = names[1]
    return categories


def desk_names(
    labels: Iterable[str], maps: LabelMaps, settings: Settings | None, categories: Collection[str]
) -> dict[str, str]:
    """The desk's category of each label, as far as it has one: mapped, spelt in another way, or by its own name.

    Raises BadParameter for a map to a category that the desk does not have.
    """
    from triage.csv.columns import label_key

    by_spelling = {label_key(name): own.key for own in _own(settings) for name in own.name.values()}
    by_spelling |= {label_key(category): category for category in categories}
    wrong = sorted({new for new in maps.categories.values() if label_key(new) not in by_spelling})
    if wrong:
        problem = f"this desk has no category {', '.join(wrong)}. It has: {', '.join(categories)}"
        raise typer.BadParameter(problem, param_hint="--map")
    mapped = {label_key(old): by_spelling[label_key(new)] for old, new in maps.categories.items()}
    by_key = {**by_spelling, **mapped}
    return {label: by_key[label_key(label)] for label in labels if label_key(label) in by_key}


def refuse_labels(labels: Iterable[str], settings: Settings | None, categories: Collection[str]) -> None:
    """Print labels that are no categories of the desk with both remedies, and end the command."""
    from amends.init import category_entries

    foreign = sorted(labels)
    own = {own.key for own in _own(settings)}
    language = settings.organisation.languages[0] if settings is not None else "en"
    options = " ".join(f"--map {shlex.quote(f'{label}=…')}" for label in foreign[:3])
    more = " …" if len(foreign) > 3 else ""
    err.print(
        f"Refused, nothing was changed: these labels are no categories of this desk: {', '.join(foreign)}.\n"
        f"Name a category of the desk for each: {options}{more}, or --map FILE.csv with old,new a line.\n"
        f"The desk has: {', '.join(categories)}.\n"
        "Or make them categories of the desk: paste this into amends.toml, then repeat the command.\n\n"
        f"{category_entries(foreign, taken={*categories, *own}, language=language)}",
        highlight=False,
        soft_wrap=True,
    )
    raise typer.Exit(NOT_WELL)


def _own(settings: Settings | None) -> Sequence[OwnCategory]:
    return settings.category if settings is not None else ()
