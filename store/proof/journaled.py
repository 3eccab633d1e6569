"""Which rows the journal covers: their owners, the columns that count, and how the database reports a change.

Triggers note each changed row of these tables in a temporary table of our own connection, so that no statement can be
forgotten; a change by anybody else has no journal entry, and `db verify` names it. The other tables are checked in
another way: projections are folded again, the sketches of similar cases are computed again, and `heard`, `lanes` and
`leases` coordinate running processes and hold no record.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    and_,
    select,
    true,
    tuple_,
)

from complaints.times import format_time
from store.proof.hash_chain import canonical
from store.tables import (
    ASSESSMENTS,
    ATTEMPTS,
    BINDINGS,
    CASE_PEOPLE,
    CHUNKS,
    CLOCK,
    COMPLAINTS,
    CONTACTS,
    CONVERSATIONS,
    DRAFTS,
    EVENTS,
    EXTERNALS,
    FILES,
    HISTORY_PARTS,
    IDENTIFIERS,
    IMPROVEMENTS,
    INCIDENT_RECEIVERS,
    INCIDENT_WORDS,
    INCIDENTS,
    LINKS,
    MESSAGES,
    MODEL_RUNS,
    MODEL_USES,
    MODELS,
    OBLIGATIONS,
    PEOPLE,
    PROPOSALS,
    READS,
    RULEBOOKS,
    SET_ASIDE,
    SETTINGS,
    SLACK,
    STAFF,
    STAFF_ROLES,
    TEXTS,
)

#: The temporary table in which triggers note the changed rows of a transaction.
TOUCHED = "amends_touched"
#: Prefixes of owners that are no complaint.
CHAT, PERSON, INCIDENT, DESK = "chat:", "person:", "-incident-", "-desk:"
_BATCH = 400
_COMMITMENT_BYTES = 16

_CASE = (("", "ref"),)
_CASE_OR_CHAT = (("", "ref"), (CHAT, "contact_id"))


@dataclass(frozen=True)
class Journaled:
    """A table of the journal: `owners` are (prefix, column), of which the first that is not null names the owner.

    Without any the owner is the desk. `leave_out` are columns that change without being a record (leases, drawings).
    Of `presence` only counts whether there is a value: a key that is wrapped anew is the same key.
    """

    table: Table
    owners: Sequence[tuple[str, str]] = _CASE
    leave_out: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()

    @cached_property
    def keys(self) -> tuple[Column[Any], ...]:
        """The columns of the primary key."""
        return tuple(self.table.primary_key.columns)

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

    def key_of(self, row: Row[Any]) -> str:
        """The primary key of a row as text, as the trigger writes it."""
        return "|".join(
            value.hex() if isinstance(value, bytes) else str(value) for value in (row[: len(self.keys)])
        )

    def parse_key(self, key: str) -> tuple[Any, ...]:
        """The values of a primary key from its text."""
        parts = key.rsplit("|", len(self.keys) - 1)
        return tuple(_parse(column, part) for column, part in zip(self.keys, parts, strict=True))

    def commitment(self, owner_key: bytes, row: Row[Any]) -> str:
        """The keyed hash of a row that `rows` read."""
        values = [
            value is not None if column.name in self.presence else _plain(value)
            for column, value in zip(self.columns, row[len(self.keys) :], strict=False)
        ]
        data = canonical([self.table.name, self.key_of(row), values]).encode()
        digest = hmac.digest(owner_key, data, "sha256")[:_COMMITMENT_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    @cached_property
    def select(self) -> Select[Any]:
        """The query of all rows: key, columns, and the values that name the owner."""
        return select(*self.keys, *self.columns, *(self.table.c[name] for _, name in self.owners))

    def owner_of(self, row: Row[Any]) -> str:
        """The owner of a row that `select` read."""
        values = row[len(self.keys) + len(self.columns) :]
        for (prefix, _), value in zip(self.owners, values, strict=True):
            if value is not None:
                return f"{prefix}{value}"
        return DESK + self.table.name

    def rows(self, connection: Connection, keys: Iterable[str]) -> Iterator[Row[Any]]:
        """The rows with these keys."""
        ordered = sorted(keys)
        for start in range(0, len(ordered), _BATCH):
            values = [self.parse_key(key) for key in ordered[start : start + _BATCH]]
            if len(self.keys) == 1:
                condition = self.keys[0].in_([value for (value,) in values])
            else:
                condition = tuple_(*self.keys).in_(values)
            yield from connection.execute(self.select.where(condition))

    def condition(self, owners: Sequence[str]) -> ColumnElement[bool] | None:
        """The condition for the rows of owners of one kind, or None if this table has no rows of that kind."""
        kind = kind_of(owners[0])
        if kind == DESK:
            if DESK + self.table.name not in owners:
                return None
            without = [self.table.c[name].is_(None) for _, name in self.owners]
            return _all(without)
        for position, (prefix, name) in enumerate(self.owners):
            column = self.table.c[name]
            if prefix == kind or (prefix == "" and kind == INCIDENT and self.table is EVENTS):
                values = [owner.removeprefix(prefix) for owner in owners]
                wanted = [value if prefix in ("", PERSON) else int(value) for value in values]
                earlier = [self.table.c[other].is_(None) for _, other in self.owners[:position]]
                return _all([column.in_(wanted), *earlier])
        return None


def _all(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return and_(true(), *conditions)


def kind_of(owner: str) -> str:
    """The prefix of an owner; empty for a complaint."""
    return next((prefix for prefix in (CHAT, PERSON, INCIDENT, DESK) if owner.startswith(prefix)), "")


_PRESENT = frozenset({"key_wrapped"})
_DESK: tuple[tuple[str, str], ...] = ()

JOURNALED: Mapping[str, Journaled] = {
    spec.table.name: spec
    for spec in (
        Journaled(EVENTS, only=frozenset({"hash"})),
        Journaled(
            COMPLAINTS,
            presence=_PRESENT,
            only=frozenset({"key_wrapped", "complainant_id", "contact_id", "received_at", "logged_at"}),
        ),
        *map(Journaled, (TEXTS, FILES, CHUNKS, READS, ATTEMPTS, CASE_PEOPLE, IDENTIFIERS, EXTERNALS, LINKS)),
        *map(Journaled, (INCIDENT_RECEIVERS, IMPROVEMENTS, DRAFTS, ASSESSMENTS, PROPOSALS)),
        Journaled(BINDINGS, leave_out=frozenset({"tries"})),
        Journaled(SLACK, leave_out=frozenset({"shown", "draws", "claimed_at"})),
        Journaled(MESSAGES, _CASE_OR_CHAT),
        Journaled(
            OBLIGATIONS, _CASE_OR_CHAT, leave_out=frozenset({"lease_until", "wait_until", "attempts", "speaks"})
        ),
        Journaled(CONVERSATIONS, ((CHAT, "contact_id"),)),
        Journaled(CONTACTS, ((CHAT, "id"),)),
        Journaled(PEOPLE, ((PERSON, "id"),), presence=_PRESENT),
        Journaled(INCIDENTS, ((INCIDENT, "id"),), presence=_PRESENT, leave_out=frozenset({"draws"})),
        Journaled(INCIDENT_WORDS, ((INCIDENT, "incident_id"),)),
        *(
            Journaled(table, _DESK)
            for table in (STAFF, STAFF_ROLES, RULEBOOKS, SETTINGS, MODELS, MODEL_USES, MODEL_RUNS)
        ),
        *(Journaled(table, _DESK) for table in (HISTORY_PARTS, SET_ASIDE, CLOCK)),
    )
}


def owner_key(mac_key: bytes, owner: str) -> bytes:
    """The key of an owner's commitments. An export may hold it: it opens no words and forges no MAC."""
    return hmac.digest(mac_key, f"owner\x00{owner}".encode(), "sha256")


def _parse(column: Column[Any], part: str) -> Any:
    if isinstance(column.type, LargeBinary):
        return bytes.fromhex(part)
    return int(part) if isinstance(column.type, Integer) else part


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return format_time(value)
    return value.isoformat() if isinstance(value, date) else value


# --- what the databases do -------------------------------------------------------------------------------------------


def start_noting_sqlite(connection: Any) -> None:
    """Let this SQLite connection note the rows that it changes; the triggers are its own and end with it."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {TOUCHED} (tbl TEXT, owner TEXT, key TEXT)")
    tables = {name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "journal" in tables:
        for spec in JOURNALED.values():
            for statement in _sqlite_triggers(spec):
                cursor.execute(statement)
    cursor.close()


def start_noting_postgres(connection: Any) -> None:
    """Let this PostgreSQL connection note the rows that it changes: the triggers ask for its temporary table."""
    connection.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {TOUCHED} (tbl text, owner text, key text) ON COMMIT DELETE ROWS"
    )
    connection.commit()


def create_postgres_triggers(connection: Connection) -> None:
    """Create the triggers of all journaled tables, or replace them; repeating it changes nothing."""
    for spec in JOURNALED.values():
        name = spec.table.name
        note = f"INSERT INTO pg_temp.{TOUCHED} VALUES ('{name}', {{owner}}, {{key}});"
        old, new = (
            note.format(owner=_owner_sql(spec, row, "postgresql"), key=_key_sql(spec, row, "postgresql"))
            for row in ("OLD", "NEW")
        )
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION amends_touch_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF to_regclass('pg_temp.{TOUCHED}') IS NULL THEN RETURN NULL; END IF; "
            f"IF TG_OP <> 'INSERT' THEN {old} END IF; IF TG_OP <> 'DELETE' THEN {new} END IF; "
            "RETURN NULL; END $$"
        )
        for verb, condition in (("INSERT OR DELETE", ""), ("UPDATE", f"WHEN ({_changed_sql(spec, 'postgresql')})")):
            trigger = f"touch_{verb.split()[0].lower()}"
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER {trigger} AFTER {verb} ON {name} FOR EACH ROW {condition} "
                f"EXECUTE FUNCTION amends_touch_{name}()"
            )


def _sqlite_triggers(spec: Journaled) -> Iterator[str]:
    name = spec.table.name
    note = f"INSERT INTO {TOUCHED} VALUES ('{name}', {{owner}}, {{key}});"
    old, new = (
        note.format(owner=_owner_sql(spec, row, "sqlite"), key=_key_sql(spec, row, "sqlite"))
        for row in ("OLD", "NEW")
    )
    for verb, condition, notes in (
        ("INSERT", "", new),
        ("DELETE", "", old),
        ("UPDATE", f"WHEN {_changed_sql(spec, 'sqlite')}", f"{old} {new}"),
    ):
        yield (
            f"CREATE TEMP TRIGGER IF NOT EXISTS touch_{name}_{verb.lower()} AFTER {verb} ON main.{name} "
            f"{condition} BEGIN {notes} END"
        )


def _owner_sql(spec: Journaled, row: str, dialect: str) -> str:
    text = "::text" if dialect == "postgresql" else ""
    desk = f"'{DESK}{spec.table.name}'"
    parts = [f"'{prefix}' || {row}.\"{name}\"{text}" for prefix, name in spec.owners]
    return f"coalesce({', '.join(parts)}, {desk})" if parts else desk


def _key_sql(spec: Journaled, row: str, dialect: str) -> str:
    postgres = dialect == "postgresql"
    parts = []
    for column in spec.keys:
        value = f'{row}."{column.name}"'
        if isinstance(column.type, LargeBinary):
            value = f"encode({value}, 'hex')" if postgres else f"lower(hex({value}))"
        parts.append(f"{value}::text" if postgres else value)
    return " || '|' || ".join(parts)


def _changed_sql(spec: Journaled, dialect: str) -> str:
    names = [*spec.keys, *spec.columns, *(spec.table.c[name] for _, name in spec.owners)]
    conditions = dict.fromkeys(_differs_sql(column, dialect, column.name in spec.presence) for column in names)
    return " OR ".join(conditions)


def _differs_sql(column: Column[Any], dialect: str, presence: bool) -> str:
    old, new = f'OLD."{column.name}"', f'NEW."{column.name}"'
    if presence:
        return f"({old} IS NULL) <> ({new} IS NULL)"
    if dialect == "postgresql":
        text = "::text" if isinstance(column.type, JSON) else ""
        return f"{old}{text} IS DISTINCT FROM {new}{text}"
    return f"{old} IS NOT {new}"
