"""Past complaints from a CSV file (`amends import`): the mapping of its columns and words, and each row's check."""

import hmac
import json
import os
import re
import sqlite3
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from amends.settings import Problem, SettingsError
from complaints.actions.import_past import check_past
from complaints.errors import BadFacts
from complaints.rulebook import Rulebooks
from complaints.times import format_time
from complaints.vocabulary import State
from store.cases.staff_intake import IMPORTER, PastComplaint
from store.people.identification import normal_form
from triage.csv.reader import CsvFile, CsvRow, RefusedRow

#: Every field of an imported complaint.
FIELDS = (
    "received_at", "description", "closed_at", "close_code", "state", "channel", "language",
    "jurisdiction", "category", "product", "branch", "severity", "finding", "name", "phone", "email", "customer_ref",
)  # fmt: skip
#: Rows of one transaction. Other writers of the record wait for it.
CHUNK_ROWS = 250
_TABLES = {"file", "columns", "values", "defaults"}
_FILE_KEYS = {"encoding", "delimiter", "date"}
CHANNELS = ("telegram", "phone", "counter", "email", "letter", "web", "other")
#: Fields that every complaint needs, from a column or as a default.
REQUIRED = ("received_at", "description", "closed_at", "close_code", "channel")
_IDENTIFIERS = {"phone": "phone", "email": "email", "customer_ref": "customer"}
_SEALED = ("description", "name", "phone", "email", "customer_ref")

#: Takes one reason to refuse the row, which never holds words of the row.
Refuse = Callable[[str], None]


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
    tables = {name: table for name, table in document.items() if name != "file"}
    return ColumnMapping(**tables, **document.get("file", {}))


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


def past_complaints(
    file: CsvFile, mapping: ColumnMapping, rulebooks: Rulebooks, *, now: datetime
) -> Iterator[PastComplaint | RefusedRow]:
    """Every row as a past complaint, or refused with all reasons. Raises UnreadableTable.

    Nothing of a row stays in memory: SQLite keeps hashes in a temporary file of its own to find equal rows.
    """
    secret = os.urandom(32)
    with closing(sqlite3.connect("")) as hashes:
        hashes.execute("CREATE TABLE rows (hash BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        for row in file.rows:
            reasons: list[str] = []
            past = _past(row, file.columns, mapping, rulebooks, now, reasons.append)
            if past is not None:
                content = (past.received_at, past.channel, [*past.ending.items()], [*past.words.items()])
                hash_ = hmac.digest(secret, repr(content).encode(), "sha256")
                inserted = hashes.execute("INSERT OR IGNORE INTO rows VALUES (?, ?)", (hash_, row.line))
                if inserted.rowcount == 0:
                    (line,) = hashes.execute("SELECT line FROM rows WHERE hash = ?", (hash_,)).fetchone()
                    reasons.append(f"the same as line {line}: delete one of the two")
            yield RefusedRow(row.line, "; ".join(reasons)) if reasons or past is None else past


def chunks(
    rows: Iterator[PastComplaint | RefusedRow],
) -> Iterator[tuple[list[PastComplaint], list[RefusedRow]]]:
    """These rows in chunks for a transaction each: the complaints, and the refused rows."""
    for chunk in iter(lambda: list(islice(rows, CHUNK_ROWS)), []):
        refused = [row for row in chunk if isinstance(row, RefusedRow)]
        yield [row for row in chunk if isinstance(row, PastComplaint)], refused


def unused(columns: Sequence[str], mapping: ColumnMapping) -> list[str]:
    return [column for column in columns if mapping.field_of(column) is None]


def missing(columns: Sequence[str], mapping: ColumnMapping) -> list[str]:
    """Required fields for which there is neither a column nor a default."""
    available = {mapping.field_of(column) for column in columns} | set(mapping.defaults)
    return [name for name in REQUIRED if name not in available]


def doubled(columns: Sequence[str], mapping: ColumnMapping) -> list[str]:
    """Columns that become a field and are in the file twice: it is unclear which of them is meant."""
    counts = Counter(column.casefold() for column in columns if mapping.field_of(column) is not None)
    return [column for column, count in counts.items() if count > 1]


def _past(
    row: CsvRow,
    columns: Sequence[str],
    mapping: ColumnMapping,
    rulebooks: Rulebooks,
    now: datetime,
    refuse: Refuse,
) -> PastComplaint | None:
    if len(row.cells) > len(columns):
        refuse("more cells than the header has columns: a text with a delimiter needs quotation marks")
        return None
    values = _values(row, columns, mapping)
    country = values.get("jurisdiction") or None
    if country is not None and rulebooks.code(country) is None:
        refuse(f"jurisdiction: write one of {', '.join(rulebooks.codes)}")
    country = rulebooks.code(country or "")
    rulebook = rulebooks.of(country)
    zone = ZoneInfo(rulebook.calendar.zone)
    received_at = _moment("received_at", values, mapping, zone, refuse)
    closed_at = _closed_at(values, mapping, zone, refuse)
    if not values.get("description"):
        refuse("description: is empty")
    channel, language = values.get("channel", ""), values.get("language") or rulebook.languages[0]
    if channel not in CHANNELS:
        refuse(f"channel: write one of {', '.join(CHANNELS)}")
    if language not in rulebooks.languages:
        refuse(f"language: write one of {', '.join(rulebooks.languages)}")
    for name, kind in _IDENTIFIERS.items():
        if values.get(name) and normal_form(kind, values[name], rulebook.country) is None:
            refuse(f"{name}: is not valid; write it in full, or leave it empty")
    if received_at is None or closed_at is None:
        return None
    ending = _ending(values, closed_at, refuse)
    if received_at > now:
        refuse("received_at: is in the future")
    try:
        check_past(ending, received_at=received_at, at=now, actor=IMPORTER, rules=rulebook)
    except BadFacts as error:
        refuse(f"{error.field}: {error}")
    words = {name: values[name] for name in _SEALED if values.get(name)}
    return PastComplaint(row.line, received_at, channel, language, ending, words, country)


def _values(row: CsvRow, columns: Sequence[str], mapping: ColumnMapping) -> dict[str, str]:
    """The row by field, in our codes; an empty or missing cell takes the default."""
    values = dict(mapping.defaults)
    for column, cell in zip(columns, row.cells, strict=False):
        name = mapping.field_of(column)
        if name is not None and cell:
            values[name] = mapping.translate(name, cell)
    return values


def _closed_at(
    values: Mapping[str, str], mapping: ColumnMapping, zone: ZoneInfo, refuse: Refuse
) -> datetime | None:
    if values.get("state") not in (None, "", State.CLOSED.value):
        refuse("state: only closed complaints are imported; log an open one with `/complaints log`")
        return None
    return _moment("closed_at", values, mapping, zone, refuse)


def _moment(
    name: str, values: Mapping[str, str], mapping: ColumnMapping, zone: ZoneInfo, refuse: Refuse
) -> datetime | None:
    """A moment in UTC: read in the country's zone where it names none, a day as its beginning."""
    text = values.get(name, "")
    if not text:
        refuse(f"{name}: is empty")
        return None
    try:
        moment = (
            datetime.strptime(text, mapping.date)  # noqa: DTZ007
            if mapping.date
            else datetime.fromisoformat(text)
        )
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        expected = mapping.date or "2026-11-24 or 2026-11-24 10:30"
        refuse(f"{name}: is not written as {expected}; set the format in the mapping file, [file] date")
        return None


def _ending(values: Mapping[str, str], closed_at: datetime, refuse: Refuse) -> dict[str, Any]:
    ending: dict[str, Any] = {"closed_at": format_time(closed_at), "close_code": values.get("close_code", "")}
    ending |= {
        name: values[name] for name in ("category", "product", "branch", "finding") if values.get(name)
    }
    severity = values.get("severity")
    if severity:
        if re.fullmatch("[1-5]", severity):
            ending["severity"] = int(severity)
        else:
            refuse("severity: write a whole number from 1 to 5")
    return ending
