"""Which rows the journal covers: their owners, the columns that count, and their content as text.

The content is computed here from the values that a transaction passed to the database, and by `db verify` from those
that it reads. What a trigger, a rule or another connection did has no entry in the journal. The other tables are
checked in other ways: projections are folded again, and the sketches of similar cases are computed again. The tables
of received keys, rate limits and leases coordinate running processes and hold no record.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    Table,
    TextClause,
    bindparam,
    text,
)

from store import tables
from store.tables.column_types import UtcDateTime

#: Prefixes of owners that are no complaint.
CHAT, PERSON, INCIDENT, DESK = "chat:", "person:", "-incident-", "-desk:"
_COMMITMENT_BYTES = 16
#: Shows a value as text.
ToText = Callable[[Any], str]

_CASE = (("", "ref"),)
_CASE_OR_CHAT = (("", "ref"), (CHAT, "contact_id"))


@dataclass(frozen=True)
class Journaled:
    """A table of the journal: `owners` are (prefix, column), of which the first that is not null names the owner.

    Without any the owner is the desk. `leave_out` are columns that change without being a record (leases, drawings).
    Of `presence` only counts whether there is a value: a key that is wrapped again is the same key.
    """

    table: Table
    owners: Sequence[tuple[str, str]] = _CASE
    leave_out: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    #: The column of the owner has the whole name: a complaint, an incident, or a chat.
    names_owner: bool = False

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns that a commitment covers, apart from the key."""
        return tuple(
            column
            for column in self.table.columns
            if not column.primary_key
            and column.name not in self.leave_out
            and (not self.only or column.name in self.only)
        )

    def owner_sql(self, row: str, dialect: str) -> str:
        """The owner of a row, as SQL."""
        text = "::text" if dialect == "postgresql" else ""
        desk = f"'{DESK}{self.table.name}'"
        parts = [f"'{prefix}' || {row}.\"{name}\"{text}" for prefix, name in self.owners]
        return f"coalesce({', '.join(parts)}, {desk})" if parts else desk

    def owner(self, values: Mapping[str, Any]) -> str:
        """The owner of a row with these values."""
        for prefix, name in self.owners:
            if values[name] is not None:
                return f"{prefix}{values[name]}"
        return DESK + self.table.name

    def key(self, values: Mapping[str, Any]) -> str:
        """The primary key of a row as text."""
        return "|".join(
            values[name].hex() if isinstance(values[name], bytes) else to_text(values[name])
            for name, to_text in self._key_texts
        )

    def content(self, values: Mapping[str, Any]) -> str:
        """The content of a row as text, equal on both databases: each value after its name and length.

        A column without a value adds nothing, so a later migration may add one.
        """
        return "".join([_part(*column, values.get(column[0])) for column in self._texts])

    def contents(self, old: Mapping[str, Any], changed: Mapping[str, Any]) -> tuple[str, str]:
        """The content of a row, and what it becomes with the values that `changed`."""
        parts = [_part(*column, old[column[0]]) for column in self._texts]
        before = "".join(parts)
        for n, column in enumerate(self._texts):
            if column[0] in changed:
                parts[n] = _part(*column, changed[column[0]])
        return before, "".join(parts)

    @cached_property
    def places(self) -> frozenset[str]:
        """The columns by which a row is found: its key, and its owner."""
        return frozenset({*self.table.primary_key.columns.keys(), *(name for _, name in self.owners)})

    @cached_property
    def _texts(self) -> list[tuple[str, ToText | None]]:
        return sorted(
            (column.name, None if column.name in self.presence else _to_text(column))
            for column in self.columns
        )

    @cached_property
    def _key_texts(self) -> list[tuple[str, ToText]]:
        return [(column.name, _to_text(column)) for column in self.table.primary_key.columns]

    def query(self, owners: Sequence[str]) -> tuple[TextClause, list[str | int]] | None:
        """The query for the rows of owners of one kind, as the driver reads them, and its parameters.

        None if this table has no rows of that kind.
        """
        kind = kind_of(owners[0])
        names = [name for _, name in self.owners]
        wanted: list[str | int] = []
        if kind == DESK:
            if DESK + self.table.name not in owners:
                return None
            conditions = [f't."{name}" IS NULL' for name in names]
        else:
            place = next((n for n, (prefix, _) in enumerate(self.owners) if prefix == kind), None)
            if place is None and not self.names_owner:
                return None
            place = place or 0
            prefix, name = self.owners[place]
            values = [owner.removeprefix(prefix) for owner in owners]
            is_number = isinstance(self.table.c[name].type, Integer)
            # A forged name such as "chat:1x" has no rows.
            wanted = [int(value) for value in values if value.isdecimal()] if is_number else [*values]
            if not wanted:
                return None
            conditions = [f't."{name}" IN :owners', *(f't."{other}" IS NULL' for other in names[:place])]
        wanted_columns = dict.fromkeys([*self.places, *(column.name for column in self.columns)])
        columns = ", ".join(f't."{name}"' for name in wanted_columns)
        query = text(
            f"SELECT {columns} FROM {self.table.name} t WHERE {' AND '.join(conditions or ['true'])}"
        )
        return (query.bindparams(bindparam("owners", expanding=True)) if wanted else query), wanted

    def without_journal(self, dialect: str) -> TextClause:
        """The query for owners of rows that have no journal at all."""
        owner = self.owner_sql("t", dialect)
        return text(
            f"SELECT DISTINCT {owner} FROM {self.table.name} t "
            f"WHERE NOT EXISTS (SELECT 1 FROM journal_heads h WHERE h.owner = {owner})"
        )


def commitment(key: bytes, table: str, row_key: str, content: str) -> str:
    """The keyed hash of a row; `key` is the owner's."""
    digest = hmac.digest(key, f"{table}\x00{row_key}\x00{content}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_COMMITMENT_BYTES])[:-2].decode()


def kind_of(owner: str) -> str:
    """The prefix of an owner; empty for a complaint."""
    return next((prefix for prefix in (CHAT, PERSON, INCIDENT, DESK) if owner.startswith(prefix)), "")


_PRESENT = frozenset({"key_wrapped"})
#: Tables of which every column counts, by owner: the complaint of the row, or the desk itself.
_OF_CASES = (
    "files", "file_chunks", "reads", "case_people", "identifiers", "externals", "links", "likenesses",
    "incident_receivers", "drafts", "assessments", "proposals",
)  # fmt: skip
_OF_DESK = (
    "staff", "staff_roles", "absences", "rulebooks", "settings", "models", "model_uses", "model_runs",
    "history_parts", "dead_letters", "clock", "register_entries",
)  # fmt: skip

JOURNALED: Mapping[str, Journaled] = {
    spec.table.name: spec
    for spec in (
        Journaled(tables.EVENTS, only=frozenset({"hash"}), names_owner=True),
        Journaled(tables.ATTEMPTS, names_owner=True),
        Journaled(
            tables.COMPLAINTS,
            presence=_PRESENT,
            # The other columns follow from the events.
            only=frozenset({"key_wrapped", "complainant_id", "contact_id"}),
        ),
        # A masked copy is computed from the text where it is missing.
        Journaled(tables.TEXTS, leave_out=frozenset({"masked"})),
        *(Journaled(tables.METADATA.tables[name]) for name in _OF_CASES),
        Journaled(tables.BINDINGS, leave_out=frozenset({"tries"})),
        Journaled(tables.RECEIPTS, leave_out=frozenset({"leaf"})),
        Journaled(tables.SLACK, leave_out=frozenset({"shown", "draws", "claimed_at"})),
        Journaled(tables.MESSAGES, _CASE_OR_CHAT),
        Journaled(
            tables.OBLIGATIONS,
            _CASE_OR_CHAT,
            leave_out=frozenset({"lease_until", "wait_until", "attempts", "speaks"}),
        ),
        Journaled(tables.CONVERSATIONS, ((CHAT, "contact_id"),)),
        Journaled(tables.CONTACTS, ((CHAT, "id"),)),
        Journaled(tables.PEOPLE, ((PERSON, "id"),), presence=_PRESENT),
        Journaled(tables.INCIDENTS, ((INCIDENT, "id"),), presence=_PRESENT, leave_out=frozenset({"draws"})),
        Journaled(tables.INCIDENT_WORDS, ((INCIDENT, "incident_id"),)),
        Journaled(tables.LETTER_TEMPLATES, (), leave_out=frozenset({"used", "edited"})),
        *(Journaled(tables.METADATA.tables[name], ()) for name in _OF_DESK),
    )
}


def owner_key(mac_key: bytes, owner: str) -> bytes:
    """The key of an owner's commitments. An export may hold it: it opens no words and forges no MAC."""
    return hmac.digest(mac_key, f"owner\x00{owner}".encode(), "sha256")


def _part(name: str, to_text: ToText | None, value: Any) -> str:
    if value is None:
        return ""
    if to_text is None:
        return f"{name} "
    value_text = to_text(value)
    return f"{name}={len(value_text)}:{value_text} "


# --- values as text ---
# What the driver read is text already where the database has no type of its own. A value of another type than the
# column's is no error here: its text differs from the one that was committed to, and that is damage.


def _to_text(column: Column[Any]) -> ToText:
    kind = column.type
    kinds = (LargeBinary, Float, Boolean, UtcDateTime, Date, JSON, Integer)
    return next((_TEXTS[column_type] for column_type in kinds if isinstance(kind, column_type)), _text)


def _other(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return str.__str__(value) if isinstance(value, str) else _other(value)


def _whole_number(value: Any) -> str:
    return str(int(value)) if isinstance(value, int) else _other(value)


def _fraction(value: Any) -> str:
    return repr(float(value)) if isinstance(value, int | float) else _other(value)


def _hash(value: Any) -> str:
    is_bytes = isinstance(value, bytes | bytearray | memoryview)
    return hashlib.sha256(value).hexdigest() if is_bytes else _other(value)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return _text(value)


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else _text(value)


def _json(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else _text(value)


_TEXTS: Mapping[type, ToText] = {
    LargeBinary: _hash, Float: _fraction, Boolean: _whole_number, UtcDateTime: _moment, Date: _day,
    JSON: _json, Integer: _whole_number,
}  # fmt: skip
