"""From a row of a file to a past complaint, or to every reason why it cannot be one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from amends.importing.mapping import Columns
from amends.importing.table import Row, Table
from complaints.actions.import_past import check_past
from complaints.errors import BadFacts
from complaints.rulebook import Rulebooks, categories_of
from complaints.timestamps import format_time
from complaints.vocabulary import State
from store.cases.import_past import IMPORTER, PastComplaint
from store.people.identifiers import normal_form

CHANNELS = ("telegram", "phone", "counter", "email", "letter", "web", "other")
_NUMBERS = {"phone": "phone", "email": "email", "customer_ref": "customer"}
_SEALED = ("description", "name", "phone", "email", "customer_ref")


@dataclass(frozen=True)
class Refused:
    """A row that is not taken: the line at which it begins, and why; never a word of it."""

    line: int
    why: str


def past_complaints(
    table: Table, columns: Columns, rules: Rulebooks, *, now: datetime
) -> tuple[list[PastComplaint], list[Refused]]:
    """Every row as a past complaint, or refused with all that is wrong with it."""
    taken: list[PastComplaint] = []
    refused: list[Refused] = []
    seen: dict[Any, int] = {}
    for row in table.rows:
        reasons: list[str] = []
        past = _past(row, columns, rules, now, reasons.append)
        if past is not None:
            same = (past.received_at, past.channel, tuple(past.ending.items()), tuple(past.words.items()))
            if same in seen:
                reasons.append(f"the same as line {seen[same]}: take one of the two out")
            seen.setdefault(same, row.line)
        if reasons or past is None:
            refused.append(Refused(row.line, "; ".join(reasons)))
        else:
            taken.append(past)
    return taken, refused


def unused(table: Table, columns: Columns) -> list[str]:
    """Columns of the file that become no field."""
    return [name for name in table.columns if columns.field_of(name) is None]


def missing(table: Table, columns: Columns) -> list[str]:
    """Fields that every row needs and that neither a column nor a default gives."""
    given = {columns.field_of(name) for name in table.columns} | set(columns.defaults)
    return [
        one
        for one in ("received_at", "description", "closed_at", "close_code", "channel")
        if one not in given
    ]


def _past(
    row: Row, columns: Columns, known: Rulebooks, now: datetime, wrong: Callable[[str], None]
) -> PastComplaint | None:
    if row.excess:
        wrong("more cells than the header has columns: a delimiter stands in a text without quotation marks")
        return None
    said = _said(row, columns)
    country = said.get("jurisdiction") or None
    if country is not None and known.code(country) is None:
        wrong(f"jurisdiction: write one of {', '.join(known.codes)}")
    country = known.code(country or "")
    rules = known.of(country)
    zone = ZoneInfo(rules.calendar.zone)
    received = _moment("received_at", said, columns, zone, wrong)
    closed = _closed(said, columns, zone, wrong)
    if not said.get("description"):
        wrong("description: is empty")
    channel, language = said.get("channel", ""), said.get("language") or rules.languages[0]
    if channel not in CHANNELS:
        wrong(f"channel: write one of {', '.join(CHANNELS)}")
    if language not in known.languages:
        wrong(f"language: write one of {', '.join(known.languages)}")
    for name, kind in _NUMBERS.items():
        if said.get(name) and normal_form(kind, said[name], rules.country) is None:
            wrong(f"{name}: is none; write it in full, or leave it empty")
    if received is None or closed is None:
        return None
    ending = _ending(said, closed, wrong)
    if received > now:
        wrong("received_at: lies in the future")
    try:
        check_past(ending, received_at=received, at=now, by=IMPORTER, categories=categories_of(rules))
    except BadFacts as refused:
        wrong(f"{refused.field}: {refused}")
    words = {name: said[name] for name in _SEALED if said.get(name)}
    return PastComplaint(row.line, received, channel, language, ending, words, country)


def _said(row: Row, columns: Columns) -> dict[str, str]:
    """The row by our fields, own words replaced by ours; an empty cell takes the default."""
    said = dict(columns.defaults)
    for column, value in row.cells.items():
        name = columns.field_of(column)
        if name is not None and value:
            said[name] = columns.ours(name, value)
    return said


def _closed(
    said: Mapping[str, str], columns: Columns, zone: ZoneInfo, wrong: Callable[[str], None]
) -> datetime | None:
    state = said.get("state")
    if state not in (None, "", State.CLOSED.value):
        wrong("state: only closed complaints are imported; log an open one with `/complaints log`")
        return None
    return _moment("closed_at", said, columns, zone, wrong)


def _moment(
    name: str, said: Mapping[str, str], columns: Columns, zone: ZoneInfo, wrong: Callable[[str], None]
) -> datetime | None:
    """A moment of the file; without a zone of its own it is its country's, a day is its beginning."""
    text = said.get(name, "")
    if not text:
        wrong(f"{name}: is empty")
        return None
    try:
        read = datetime.strptime(text, columns.date) if columns.date else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError:
        form = columns.date or "2026-11-24 or 2026-11-24 10:30"
        wrong(f"{name}: is not written as {form}; say how in the mapping file, [file] date")
        return None
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def _ending(said: Mapping[str, str], closed: datetime, wrong: Callable[[str], None]) -> dict[str, Any]:
    ending: dict[str, Any] = {"closed_at": format_time(closed), "close_code": said.get("close_code", "")}
    ending |= {name: said[name] for name in ("category", "finding") if said.get(name)}
    severity = said.get("severity")
    if severity:
        if re.fullmatch("[1-5]", severity):
            ending["severity"] = int(severity)
        else:
            wrong("severity: write a whole number from 1 to 5")
    return ending


def lines_of(refused: Iterable[Refused]) -> Iterator[str]:
    """The report, a line each."""
    yield from (f"line {one.line}: {one.why}" for one in refused)
