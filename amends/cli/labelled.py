"""Reading a file of labelled complaints for a command: its columns, its words, and what was refused."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.printing import err
from amends.cli.progress import bar
from amends.importing.mapping import read_mapping
from amends.settings import Settings, SettingsError, load
from reports.render_markdown import many
from triage.errors import UnknownColumn

if TYPE_CHECKING:
    from triage.csv.columns import ColumnNames
    from triage.csv.examples import ExampleTable

TextColumn = Annotated[str | None, typer.Option("--text", help="The column of the complaint's words.")]
CategoryColumn = Annotated[str | None, typer.Option("--category", help="The column of the category.")]
SeverityColumn = Annotated[
    str | None, typer.Option("--severity", help='The column of the severity: 1 to 5, or "critical", "low" …')
]
LanguageColumn = Annotated[str | None, typer.Option("--language", help="The column of the language.")]
AtColumn = Annotated[str | None, typer.Option("--at", help="The column of the day it was received.")]
Map = Annotated[
    Path | None,
    typer.Option(
        "--map", exists=True, dir_okay=False, help="Own columns and words to ours, in TOML or JSON."
    ),
]
RefusedFile = Annotated[
    Path | None,
    typer.Option(
        "--refused", dir_okay=False, help="Write refused lines and reasons here, without their words."
    ),
]

_SHOWN = 20
#: What the mapping file of `amends import` calls the columns that triage reads.
_FIELDS = {"description": "text", "category": "category", "severity": "severity", "language": "language",
           "received_at": "at"}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The columns that were named, and the mapping file."""

    text: str | None = None
    category: str | None = None
    severity: str | None = None
    language: str | None = None
    at: str | None = None
    map_: Path | None = None


def settings_there(config: Path | None) -> Settings | None:
    """The installation's settings; None where nobody asked for them and there are none that are whole."""
    try:
        return load(config)
    except SettingsError:
        if config is not None:
            raise
        return None


def languages_of(settings: Settings | None) -> tuple[str, ...]:
    """The languages that a text may be in: the organisation's, else all that can be told apart."""
    from triage.text import TOLD_APART  # NumPy takes a moment to load

    return settings.organisation.languages if settings is not None else TOLD_APART


def read_labelled(
    file: Path, asked: Asked, settings: Settings | None, *, known: tuple[str, ...]
) -> ExampleTable:
    """The examples of a file; what was guessed or refused is told on standard error."""
    from triage.csv.examples import ReadingOptions, read_examples, require_examples

    mapping = read_mapping(asked.map_)
    own = {_FIELDS[name]: column for column, name in mapping.columns.items() if name in _FIELDS}
    values = {_FIELDS[name]: dict(words) for name, words in mapping.values.items() if name in _FIELDS}
    # A file may have the names that people read; the record has their codes.
    named = {name: one.key for one in (settings.category if settings else ()) for name in one.name.values()}
    options = ReadingOptions(
        values={**values, "category": {**named, **values.get("category", {})}},
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        date=mapping.date,
        languages=languages_of(settings),
    )
    try:
        with bar(f"Reading {file.name}") as progress:
            table = read_examples(
                file, columns=_columns(asked, own), preferred_labels=known, options=options, progress=progress
            )
        require_examples(table)
    except UnknownColumn as wrong:
        raise typer.BadParameter(f"{file}: {wrong}") from wrong
    _tell(file, table)
    return table


def _columns(asked: Asked, own: Mapping[str, str]) -> ColumnNames:
    from triage.csv.columns import ColumnNames

    names = (column.name for column in fields(ColumnNames))
    return ColumnNames(**{name: getattr(asked, name) or own.get(name) for name in names})


def _tell(file: Path, table: ExampleTable) -> None:
    shown = {"\t": "tab"}.get(table.delimiter, table.delimiter)
    err.print(f"{file}: {many(table.rows, 'row')}, {table.encoding}, parted by {shown!r}.")
    taken = ", ".join(f"{name} from {table.columns[name]!r}" for name in table.guessed)
    if taken:
        err.print(f"Columns found by their names: {taken}. Name others with --text, --category …")
    for name, count in table.unread.items():
        err.print(
            f"Taken as empty in {table.columns[name]!r}, for it says nothing known as {name}: {many(count, 'cell')}.",
        )
    if table.unlabelled:
        err.print(f"Without a category, and so no examples: {many(len(table.unlabelled), 'row')}.")
    for label, taken_as in table.spellings.items():
        err.print(f"Category {label!r} was taken for {taken_as!r}.")
    if table.refused:
        err.print(f"{many(len(table.refused), 'row')} refused:")
        for one in table.refused[:_SHOWN]:
            err.print(f"line {one.line}: {one.reason}")
        if len(table.refused) > _SHOWN:
            err.print(f"… and {len(table.refused) - _SHOWN} more: --json and --refused FILE list them all.")


def write_refused(file: Path | None, table: ExampleTable | None) -> None:
    """The refused lines as a CSV, where a file was named."""
    if file is None:
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(("line", "why"))
            writer.writerows((one.line, one.reason) for one in (table.refused if table is not None else ()))
    except OSError as wrong:
        raise typer.BadParameter(
            f"{file} cannot be written: {wrong.strerror}", param_hint="--refused"
        ) from wrong


def told(table: ExampleTable) -> dict[str, Any]:
    """How a file was read, as plain values for `--json`."""
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
        "refused": [{"line": one.line, "why": one.reason} for one in table.refused],
    }
