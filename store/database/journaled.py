"""Which rows the journal covers: their owners, the columns that count, and how the database reports a change.

Triggers note each changed row of these tables in a temporary table of our own connection, so that no statement can be
forgotten. A change on another connection has no journal entry, and `db verify` names it. The other tables are checked
in other ways: projections are folded again, and the sketches of similar cases are computed again. The tables of
received keys, rate limits and leases coordinate running processes and hold no record.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
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

#: The temporary table in which triggers note the changed rows of a transaction.
TOUCHED = "amends_touched"
#: Prefixes of owners that are no complaint.
CHAT, PERSON, INCIDENT, DESK = "chat:", "person:", "-incident-", "-desk:"
_COMMITMENT_BYTES = 16

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

    def key_sql(self, row: str, dialect: str) -> str:
        """The primary key of a row as text, as SQL."""
        parts = [_text_sql(column, row, dialect) for column in self.table.primary_key.columns]
        # A single number becomes text too.
        return "'' || " + " || '|' || ".join(parts)

    def content_sql(self, row: str, dialect: str) -> str:
        """The content of a row as text, as SQL: equal on both databases, each value after its name and length.

        A column without a value adds nothing, so a later migration may add one.
        """
        parts = []
        for column in sorted(self.columns, key=lambda column: column.name):
            if column.name in self.presence:
                parts.append(f"CASE WHEN {row}.\"{column.name}\" IS NULL THEN '' ELSE '{column.name} ' END")
            elif isinstance(column.type, LargeBinary):
                # The length of the hash is known. SQLite would ask Python for the hash twice, and for no value too.
                value = f"'{column.name}=64:' || {_text_sql(column, row, dialect)} || ' '"
                parts.append(f"CASE WHEN {row}.\"{column.name}\" IS NULL THEN '' ELSE {value} END")
            else:
                value = _text_sql(column, row, dialect)
                parts.append(f"coalesce('{column.name}=' || length({value}) || ':' || {value} || ' ', '')")
        return " || ".join(parts)

    def query(self, owners: Sequence[str], dialect: str) -> tuple[TextClause, list[str | int]] | None:
        """The query for owner, key and content of the rows of owners of one kind, and its parameters.

        None if this table has no rows of that kind.
        """
        kind = kind_of(owners[0])
        columns = ", ".join(sql("t", dialect) for sql in (self.owner_sql, self.key_sql, self.content_sql))
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
            is_number = isinstance(self.table.c[name].type, Integer | BigInteger)
            # A forged name such as "chat:1x" has no rows.
            wanted = [int(value) for value in values if value.isdecimal()] if is_number else [*values]
            if not wanted:
                return None
            conditions = [f't."{name}" IN :owners', *(f't."{other}" IS NULL' for other in names[:place])]
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

    def changed_sql(self, dialect: str) -> str:
        """Whether an update changed anything that counts, as SQL."""
        differences = (
            _differs_sql(column, dialect, column.name in self.presence)
            for column in dict.fromkeys([*self._places, *self.columns])
        )
        return " OR ".join(differences)

    def moved_sql(self, dialect: str) -> str:
        """Whether an update gave the row another key or owner, as SQL."""
        return " OR ".join(_differs_sql(column, dialect, False) for column in self._places)

    @cached_property
    def _places(self) -> tuple[Column[Any], ...]:
        """The columns of the key and of the owners."""
        owners = (self.table.c[name] for _, name in self.owners)
        return tuple(dict.fromkeys([*self.table.primary_key.columns, *owners]))


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
            only=frozenset({"key_wrapped", "complainant_id", "contact_id", "received_at", "logged_at"}),
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


# --- what the databases do ---


def start_noting_sqlite(connection: Any) -> None:
    """Let this SQLite connection note the rows that it changes; the triggers are its own and end with it."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.execute(f"CREATE TEMP TABLE {TOUCHED} (id INTEGER PRIMARY KEY, tbl, owner, key, content)")
    if cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'journal'").fetchone():
        cursor.executescript(_sqlite_script())
    cursor.close()


def start_noting_postgres(connection: Any) -> None:
    """Let this PostgreSQL connection note the rows that it changes: the triggers ask for its temporary table.

    The journal empties the table: ON COMMIT DELETE ROWS cuts off its files and costs each commit a further 1.6 ms.
    """
    connection.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {TOUCHED} (id bigint GENERATED ALWAYS AS IDENTITY, tbl text, owner text, "
        "key text, content text)"
    )
    connection.commit()


def create_postgres_triggers(connection: Connection) -> None:
    """Create the triggers of all journaled tables, or replace them; repeating it changes nothing."""
    for spec in JOURNALED.values():
        name = spec.table.name
        old, new = _notes(spec, "postgresql")
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION amends_touch_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF to_regclass('pg_temp.{TOUCHED}') IS NULL THEN RETURN NULL; END IF; "
            f"IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND ({spec.moved_sql('postgresql')})) THEN {old} END IF; "
            f"IF TG_OP <> 'DELETE' THEN {new} END IF; "
            "RETURN NULL; END $$"
        )
        for verb, condition in (
            ("INSERT OR DELETE", ""),
            ("UPDATE", f"WHEN ({spec.changed_sql('postgresql')})"),
        ):
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER touch_{verb.split()[0].lower()} AFTER {verb} ON {name} FOR EACH ROW "
                f"{condition} EXECUTE FUNCTION amends_touch_{name}()"
            )


def drop_postgres_triggers(connection: Connection) -> None:
    """Remove the triggers of all journaled tables."""
    for name in JOURNALED:
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS amends_touch_{name}() CASCADE")


@cache
def _sqlite_script() -> str:
    """The triggers of all journaled tables, created in one transaction."""
    triggers = (statement for spec in JOURNALED.values() for statement in _sqlite_triggers(spec))
    return f"BEGIN; {'; '.join(triggers)}; COMMIT"


def _sqlite_triggers(spec: Journaled) -> Iterator[str]:
    name = spec.table.name
    old, new = _notes(spec, "sqlite")
    for number, (verb, condition, notes) in enumerate(
        (
            ("INSERT", "", new),
            ("DELETE", "", old),
            ("UPDATE", f"WHEN {spec.changed_sql('sqlite')}", new),
            ("UPDATE", f"WHEN {spec.moved_sql('sqlite')}", old),
        )
    ):
        yield (
            f"CREATE TEMP TRIGGER touch_{name}_{number} AFTER {verb} ON main.{name} "
            f"{condition} BEGIN {notes} END"
        )


def _notes(spec: Journaled, dialect: str) -> tuple[str, str]:
    """The statements that note the old row as gone and the new row with its content."""
    table = f"pg_temp.{TOUCHED}" if dialect == "postgresql" else TOUCHED
    old, new = (
        f"INSERT INTO {table} (tbl, owner, key, content) VALUES ('{spec.table.name}', "
        f"{spec.owner_sql(row, dialect)}, {spec.key_sql(row, dialect)}, {content});"
        for row, content in (("OLD", "NULL"), ("NEW", spec.content_sql("NEW", dialect)))
    )
    return old, new


def _text_sql(column: Column[Any], row: str, dialect: str) -> str:
    value, kind = f'{row}."{column.name}"', column.type
    postgres = dialect == "postgresql"
    if isinstance(kind, LargeBinary):
        if column.primary_key:
            return f"encode({value}, 'hex')" if postgres else f"lower(hex({value}))"
        return f"encode(sha256({value}), 'hex')" if postgres else f"amends_sha256({value})"
    if isinstance(kind, Float):
        # The databases write fractions differently.
        return (
            f"round({value} * 1000000)::bigint::text"
            if postgres
            else f"CAST(round({value} * 1000000) AS INTEGER)"
        )
    if not postgres:
        return value
    if isinstance(kind, Boolean):
        return f"{value}::int::text"
    if isinstance(kind, UtcDateTime):
        return f"to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    return f"to_char({value}, 'YYYY-MM-DD')" if isinstance(kind, Date) else f"{value}::text"


def _differs_sql(column: Column[Any], dialect: str, presence: bool) -> str:
    old, new = f'OLD."{column.name}"', f'NEW."{column.name}"'
    if presence:
        return f"({old} IS NULL) <> ({new} IS NULL)"
    if dialect == "postgresql":
        text = "::text" if isinstance(column.type, JSON) else ""
        return f"{old}{text} IS DISTINCT FROM {new}{text}"
    return f"{old} IS NOT {new}"
