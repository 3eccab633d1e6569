"""Whoever has only the database changes no row unnoticed: random alterations of every table, each named by `verify`."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import JSON, Boolean, Date, Float, Integer, LargeBinary, Table, select, text

from complaints.vocabulary import Verb
from store.custody.verify import verify
from store.database.engine import database_url
from store.proof.journaled import JOURNALED
from store.proof.log import add_checkpoint
from store.store import Store
from store.tables import METADATA
from store.tables.columns import UtcDateTime
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, Desk

SEED = bytes(range(32))
#: How many alterations; the long run makes 1,000.
NUMBER = 1000 if os.environ.get("TESTING") == "long" else 60
#: Tables that coordinate running processes and hold no record (docs/proof.md).
NO_RECORD = {"heard", "lanes", "leases", "alembic_version", "proof_state"}


@pytest.fixture
def filled(store: Store, clock: FakeClock) -> Store:
    """Some complaints in different states, with two checkpoints."""
    desk = Desk(store)
    desk.closed()
    desk.assessed(chat=desk.chat("70002"))
    store.write(add_checkpoint, SEED)
    clock.at += timedelta(hours=2)
    ref = desk.assessed(chat=desk.chat("70003"))
    desk.act(ref, Verb.NOTE, words={"text": "Rang, nobody there."})
    store.write(add_checkpoint, SEED)
    assert store.read(verify).problems == ()
    return store


class Outsider:
    """A connection of somebody with the database's password, and without any key."""

    def __init__(self, store: Store) -> None:
        url = database_url(store._engines.url.render_as_string(hide_password=False))
        self.is_sqlite = store._engines.is_sqlite
        self.connection: Any
        if self.is_sqlite:
            self.connection = sqlite3.connect(str(url.database), isolation_level=None)
            triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            self.triggers = self.connection.execute(triggers).fetchall()
            for name, _ in self.triggers:
                self.connection.execute(f"DROP TRIGGER {name}")
            self.connection.execute("PRAGMA foreign_keys=OFF")
        else:
            address = url.set(drivername="postgresql").render_as_string(hide_password=False)
            self.connection = psycopg.connect(address, autocommit=True)
            self.connection.execute("SET session_replication_role = replica")

    def run(self, statement: str, *values: Any) -> int:
        """Run a statement; returns how many rows it changed."""
        text_ = statement if self.is_sqlite else statement.replace("?", "%s")
        return int(self.connection.execute(text_, values).rowcount)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """The rows of a query."""
        text_ = statement if self.is_sqlite else statement.replace("?", "%s")
        return list(self.connection.execute(text_, values).fetchall())

    def close(self) -> None:
        """Put the triggers back, as a careful outsider would."""
        for _, sql in self.triggers if self.is_sqlite else ():
            self.connection.execute(sql)
        self.connection.close()


def other_value(column: Any, value: Any, dice: random.Random, is_sqlite: bool) -> Any:
    """Another value of the column's type."""
    kind = column.type
    if isinstance(kind, LargeBinary):
        data = bytearray(value or b"\0" * 40)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        return bytes(data)
    if isinstance(kind, Boolean):
        return (not value) if not is_sqlite else 1 - (value or 0)
    if isinstance(kind, Integer) or kind.__class__.__name__ == "BigInteger":
        return (value or 0) + 1
    if isinstance(kind, Float):
        return (value or 0.0) + 1.5
    if isinstance(kind, UtcDateTime):
        if value is None:
            return "2026-01-01 00:00:00.000000" if is_sqlite else "2026-01-01 00:00:00+00"
        return value[:-1] + ("1" if value[-1] != "1" else "2") if is_sqlite else value + timedelta(microseconds=1)
    if isinstance(kind, Date):
        return "2020-01-01"
    if isinstance(kind, JSON):
        return '{"forged": 1}'
    return f"{value or ''}x"


def edit(outsider: Outsider, table: Table, dice: random.Random) -> str | None:
    """Change one value of one row."""
    spec = JOURNALED.get(table.name)
    columns = [c for c in table.columns if not c.primary_key and not c.foreign_keys]
    if spec is not None and table.name not in ("complaints", "events"):
        columns = [c for c in spec.columns if not c.foreign_keys and c.name not in spec.presence]
    columns = [c for c in columns if c.name not in ("key_wrapped", "tries")]
    if not columns:
        return None
    keys = [c.name for c in table.primary_key.columns]
    names = ", ".join(f'"{name}"' for name in keys)
    column = dice.choice(columns)
    rows = outsider.rows(f'SELECT {names}, "{column.name}" FROM {table.name}')
    if not rows:
        return None
    row = dice.choice(rows)
    value = other_value(column, row[-1], dice, outsider.is_sqlite)
    where = " AND ".join(f'"{name}" = ?' for name in keys)
    outsider.run(f'UPDATE {table.name} SET "{column.name}" = ? WHERE {where}', value, *row[:-1])
    return f"edit {table.name}.{column.name}"


def remove(outsider: Outsider, table: Table, dice: random.Random) -> str | None:
    """Delete one row."""
    keys = [c.name for c in table.primary_key.columns]
    rows = outsider.rows(f"SELECT {', '.join(f'\"{name}\"' for name in keys)} FROM {table.name}")
    if not rows:
        return None
    where = " AND ".join(f'"{name}" = ?' for name in keys)
    outsider.run(f"DELETE FROM {table.name} WHERE {where}", *dice.choice(rows))
    return f"delete {table.name}"


def copy(outsider: Outsider, table: Table, dice: random.Random) -> str | None:
    """Insert a row that repeats another under a new key."""
    keys = list(table.primary_key.columns)
    if len(keys) != 1 or not isinstance(keys[0].type, Integer) and keys[0].type.__class__.__name__ != "BigInteger":
        return None
    names = [f'"{c.name}"' for c in table.columns if not c.primary_key]
    values = [
        "abs(random()) || 'x'" if c.unique and outsider.is_sqlite else f'"{c.name}"'
        for c in table.columns
        if not c.primary_key
    ]
    highest = outsider.rows(f'SELECT max("{keys[0].name}") FROM {table.name}')[0][0]
    if highest is None:
        return None
    try:
        changed = outsider.run(
            f'INSERT INTO {table.name} ("{keys[0].name}", {", ".join(names)}) SELECT ?, {", ".join(values)} '
            f'FROM {table.name} WHERE "{keys[0].name}" = ?',
            highest + 1,
            highest,
        )
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
        return None
    return f"insert {table.name}" if changed else None


ALTERATIONS: tuple[Callable[[Outsider, Table, random.Random], str | None], ...] = (edit, remove, copy)


def test_every_alteration_by_somebody_without_a_key_is_named(filled: Store) -> None:
    dice = random.Random(2026)
    tables = [table for table in METADATA.sorted_tables if table.name not in NO_RECORD]
    unnoticed, done = [], 0
    backup = snapshot(filled)
    while done < NUMBER:
        table = dice.choice(tables)
        outsider = Outsider(filled)
        try:
            what = dice.choice(ALTERATIONS)(outsider, table, dice)
        finally:
            outsider.close()
        if what is None:
            continue
        done += 1
        try:
            if filled.read(verify).first_bad is None:
                unnoticed.append(what)
        except Exception as error:
            unnoticed.append(f"{what}: {type(error).__name__} {error}")
        restore_snapshot(filled, backup)
    assert unnoticed == []


def snapshot(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables, as the database has them."""
    outsider = Outsider(store)
    rows = {
        table.name: outsider.rows(f"SELECT {', '.join(f'\"{c.name}\"' for c in table.columns)} FROM {table.name}")
        for table in METADATA.sorted_tables
    }
    outsider.close()
    return rows


def restore_snapshot(store: Store, rows: dict[str, list[Any]]) -> None:
    """Put all rows back."""
    outsider = Outsider(store)
    for table in METADATA.sorted_tables:
        names = [c.name for c in table.columns]
        current = outsider.rows(f"SELECT {', '.join(f'\"{n}\"' for n in names)} FROM {table.name}")
        if sorted(map(repr, current)) == sorted(map(repr, rows[table.name])):
            continue
        outsider.run(f"DELETE FROM {table.name}")
        marks = ", ".join("?" for _ in names)
        for row in rows[table.name]:
            values = [
                psycopg.types.json.Json(value) if isinstance(value, dict | list) else value for value in row
            ]
            outsider.run(f"INSERT INTO {table.name} ({', '.join(f'\"{n}\"' for n in names)}) VALUES ({marks})", *values)
    outsider.close()
