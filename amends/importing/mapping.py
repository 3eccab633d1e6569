"""How a file's own columns and words become ours: a small TOML or JSON beside it (`--map FILE`)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amends.settings import SettingsError
from amends.settings.problems import Problem

#: Every field that a past complaint can have; the first three must be there, or have a default.
FIELDS = (
    "received_at",
    "description",
    "closed_at",
    "close_code",
    "state",
    "channel",
    "language",
    "jurisdiction",
    "category",
    "severity",
    "finding",
    "name",
    "phone",
    "email",
    "customer_ref",
)
_TABLES = {"file", "columns", "values", "defaults"}
_OF_THE_FILE = {"encoding", "delimiter", "date"}


@dataclass(frozen=True)
class Columns:
    """`columns`: own name to field; `values`: field to own word to ours; `defaults`: field to value.

    `date` is how moments are written, as Python's strptime takes it; None: ISO 8601.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    date: str | None = None

    def field_of(self, column: str) -> str | None:
        """The field that a column of the file is; None: it is not taken."""
        named = {own.casefold(): one for own, one in self.columns.items()}
        own = column.casefold()
        return named.get(own) or (own if own in FIELDS else None)

    def ours(self, field_: str, value: str) -> str:
        """A word of the file in our words."""
        known = {own.casefold(): one for own, one in self.values.get(field_, {}).items()}
        return known.get(value.casefold(), value)


def read_mapping(file: Path | None) -> Columns:
    """The mapping in a file; without one, columns are called as our fields. SettingsError names all problems."""
    if file is None:
        return Columns()
    form = "JSON" if file.suffix.lower() == ".json" else "TOML"
    try:
        text = file.read_text(encoding="utf-8")
        said = json.loads(text) if form == "JSON" else tomllib.loads(text)
    except (OSError, ValueError) as wrong:
        raise SettingsError([Problem("", str(file), f"cannot be read as {form}: {wrong}")]) from wrong
    if not isinstance(said, dict):
        raise SettingsError([Problem("", str(file), "is no object: write tables such as values.category")])
    problems = [Problem(key, str(file), what) for key, what in _problems(said)]
    if problems:
        raise SettingsError(problems)
    of_file = said.get("file", {})
    return Columns(
        columns=said.get("columns", {}),
        values=said.get("values", {}),
        defaults=said.get("defaults", {}),
        encoding=of_file.get("encoding"),
        delimiter=of_file.get("delimiter"),
        date=of_file.get("date"),
    )


def _problems(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, table in said.items():
        if name not in _TABLES or not isinstance(table, dict):
            yield name, f"unknown; the tables are {', '.join(f'[{one}]' for one in sorted(_TABLES))}"
            continue
        pairs = [(f"{name}.{key}", key, value) for key, value in table.items()]
        if name == "file":
            yield from (
                (path, f"unknown; the keys are {', '.join(sorted(_OF_THE_FILE))}")
                for path, key, _ in pairs
                if key not in _OF_THE_FILE
            )
        for path, key, value in pairs:
            if name == "columns" and value not in FIELDS:
                yield path, f"{value!r} is no field; the fields are {', '.join(FIELDS)}"
            elif name in ("values", "defaults") and key not in FIELDS:
                yield path, f"no field is called so; the fields are {', '.join(FIELDS)}"
            elif name == "values" and not (
                isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
            ):
                yield path, 'write a table of words, as "Billing" = "money"'
            elif name in ("defaults", "file") and not isinstance(value, str):
                yield path, "write text in quotation marks"
    if (
        not isinstance(said.get("file", {}).get("delimiter", ","), str)
        or len(said.get("file", {}).get("delimiter", ",")) != 1
    ):
        yield "file.delimiter", 'write one character, as ";"'
