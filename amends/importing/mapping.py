"""The mapping file (`--map FILE`, TOML or JSON): how a file's own columns and words become fields and codes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amends.settings import SettingsError
from amends.settings.problems import Problem

#: Every field of an imported complaint.
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
_FILE_KEYS = {"encoding", "delimiter", "date"}


@dataclass(frozen=True)
class ColumnMapping:
    """`columns`: column to field; `values`: field to the file's word to ours; `defaults`: field to value.

    `date` is the strptime format of dates and times; None: ISO 8601.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    date: str | None = None

    def field_of(self, column: str) -> str | None:
        """The field that a column of the file becomes, in any case of letters; None: it is not used."""
        fields = {name.casefold(): target for name, target in self.columns.items()}
        name = column.casefold()
        return fields.get(name) or (name if name in FIELDS else None)

    def translate(self, field_name: str, value: str) -> str:
        """The code for a word of the file; a word without one stays as it is."""
        codes = {word.casefold(): code for word, code in self.values.get(field_name, {}).items()}
        return codes.get(value.casefold(), value)


def read_mapping(file: Path | None) -> ColumnMapping:
    """Read a mapping file; without one, columns are named like the fields. SettingsError names all problems."""
    if file is None:
        return ColumnMapping()
    file_format = "JSON" if file.suffix.lower() == ".json" else "TOML"
    try:
        text = file.read_text(encoding="utf-8-sig")  # editors on Windows write a byte order mark
        document = json.loads(text) if file_format == "JSON" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError([Problem("", str(file), f"cannot be read as {file_format}: {error}")]) from error
    if not isinstance(document, dict):
        raise SettingsError([Problem("", str(file), "is no object: write tables such as values.category")])
    problems = [Problem(key, str(file), problem) for key, problem in _problems(document)]
    if problems:
        raise SettingsError(problems)
    file_table = document.get("file", {})
    return ColumnMapping(
        columns=document.get("columns", {}),
        values=document.get("values", {}),
        defaults=document.get("defaults", {}),
        encoding=file_table.get("encoding"),
        delimiter=file_table.get("delimiter"),
        date=file_table.get("date"),
    )


def _problems(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, table in document.items():
        if name not in _TABLES or not isinstance(table, dict):
            yield name, f"unknown; the tables are {', '.join(f'[{allowed}]' for allowed in sorted(_TABLES))}"
            continue
        for key, value in table.items():
            problem = _problem(name, key, value)
            if problem is not None:
                yield f"{name}.{key}", problem


def _problem(table: str, key: str, value: object) -> str | None:
    """What is wrong with one key of the mapping file."""
    if table == "columns":
        return None if value in FIELDS else f"{value!r} is no field; the fields are {', '.join(FIELDS)}"
    if table == "file" and key not in _FILE_KEYS:
        return f"unknown; the keys are {', '.join(sorted(_FILE_KEYS))}"
    if table in ("values", "defaults") and key not in FIELDS:
        return f"there is no such field; the fields are {', '.join(FIELDS)}"
    if table == "values":
        is_table = isinstance(value, dict) and all(isinstance(code, str) for code in value.values())
        return None if is_table else 'write a table of words, such as "Billing" = "money"'
    if not isinstance(value, str):
        return "write text in quotation marks"
    if table == "file" and key == "delimiter" and (len(value) != 1 or value in '"\r\n'):
        return 'write one character, such as ";"'
    if table == "file" and key == "date" and not _is_date_format(value):
        return "is no format of Python's strptime: write one such as %d.%m.%Y"
    return None


def _is_date_format(date_format: str) -> bool:
    moment = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
    try:
        datetime.strptime(moment.strftime(date_format), date_format)  # noqa: DTZ007
    except (ValueError, re.error):
        return False
    return True
