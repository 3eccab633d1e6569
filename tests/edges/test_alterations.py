"""Whoever has only the database changes no row unnoticed: random alterations of every table, each found."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Table, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from complaints.vocabulary import Verb
from store.custody.verify import verify
from store.database.journaled import JOURNALED
from store.proof.log import add_checkpoint
from store.store import Store
from store.tables import METADATA
from tests.databases import FakeClock
from tests.edges.desk import Desk
from tests.edges.outsider import outside

SEED = bytes(range(32))
#: The long run makes 1,000 alterations on each database.
NUMBER = 1000 if os.environ.get("TESTING") == "long" else 40
#: Tables that coordinate running processes and hold no record (docs/proof.md).
NO_RECORD = {"heard", "lanes", "leases", "proof_state"}
TABLES = [table for table in METADATA.sorted_tables if table.name not in NO_RECORD]
Rows = dict[Table, Sequence[Any]]


@pytest.fixture
def filled(store: Store, clock: FakeClock) -> Store:
    """Complaints in different states, two checkpoints, and something after the second."""
    desk = Desk(store)
    desk.closed()
    desk.assessed(chat=desk.chat("70002"))
    store.write(add_checkpoint, SEED)
    clock.at += timedelta(hours=2)
    ref = desk.assessed(chat=desk.chat("70003"))
    desk.act(ref, Verb.NOTE, words={"text": "Rang, nobody there."})
    store.write(add_checkpoint, SEED)
    desk.act(ref, Verb.NOTE, words={"text": "Rang again."})
    assert store.read(verify).problems == ()
    return store


def _other_value(value: Any) -> Any:
    match value:
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1]) if value else b"x"
        case bool():
            return not value
        case int() | float():
            return value + 1
        case datetime():
            return value + timedelta(microseconds=1)
        case date():
            return value + timedelta(days=1)
        case list():
            return [*value, "forged"]
        case dict():
            return {**value, "forged": 1}
        case str():
            return value + "x"
    return None


def _counted(table: Table) -> list[Column[Any]]:
    """The columns that hold a record: the others are leases, drawings and wrapped keys."""
    spec = JOURNALED.get(table.name)
    columns = [column for column in table.columns if not column.primary_key]
    if spec is not None and table.name not in ("complaints", "events"):
        columns = [column for column in columns if column in spec.columns]
    uncounted = {"key_wrapped", "leaf", "logged_n"}
    return [column for column in columns if column.name not in uncounted and not column.foreign_keys]


def _this(table: Table, row: Any) -> Any:
    return and_(*(column == row._mapping[column] for column in table.primary_key.columns))


def edit(connection: Connection, table: Table, rows: Sequence[Any], dice: random.Random) -> bool:
    """Change one value of one row."""
    row = dice.choice(rows)
    columns = [column for column in _counted(table) if row._mapping[column] is not None]
    if not columns:
        return False
    column = dice.choice(columns)
    value = _other_value(row._mapping[column])
    try:
        with connection.begin_nested():
            connection.execute(update(table).where(_this(table, row)).values({column: value}))
    except IntegrityError:
        return False
    return True


def remove(connection: Connection, table: Table, rows: Sequence[Any], dice: random.Random) -> bool:
    """Delete one row."""
    return connection.execute(delete(table).where(_this(table, dice.choice(rows)))).rowcount == 1


def copy(connection: Connection, table: Table, rows: Sequence[Any], dice: random.Random) -> bool:
    """Add a row that repeats another under a key of its own."""
    values = dict(dice.choice(rows)._mapping)
    key = list(table.primary_key.columns)[-1]
    values[key.name] = _other_value(values[key.name])
    if isinstance(values[key.name], int):
        values[key.name] = connection.execute(select(func.max(key))).scalar_one() + 1
    try:
        with connection.begin_nested():
            connection.execute(insert(table), [values])
    except IntegrityError:
        return False
    return True


def swap(connection: Connection, table: Table, rows: Sequence[Any], dice: random.Random) -> bool:
    """Exchange the contents of two rows."""
    columns = _counted(table)
    if len(rows) < 2 or not columns:
        return False
    first, second = dice.sample(list(rows), 2)
    contents = [{column.name: row._mapping[column] for column in columns} for row in (first, second)]
    if contents[0] == contents[1]:
        return False
    try:
        with connection.begin_nested():
            connection.execute(update(table).where(_this(table, first)).values(contents[1]))
            connection.execute(update(table).where(_this(table, second)).values(contents[0]))
    except IntegrityError:
        return False
    return True


ALTERATIONS: tuple[Callable[[Connection, Table, Sequence[Any], random.Random], bool], ...] = (
    edit,
    remove,
    copy,
    swap,
)


@pytest.mark.filterwarnings("ignore")
def test_every_alteration_by_somebody_without_a_key_is_found(filled: Store) -> None:
    dice = random.Random(2026)
    with outside(filled) as connection:
        before = {table: connection.execute(select(table)).all() for table in METADATA.sorted_tables}
    unnoticed, number = [], 0
    tables = [table for table in TABLES if before[table]]
    while number < NUMBER:
        table, alter = dice.choice(tables), dice.choice(ALTERATIONS)
        with outside(filled) as connection:
            if not alter(connection, table, before[table], dice):
                continue
        number += 1
        if filled.read(verify).first_bad is None:
            unnoticed.append((alter.__name__, table.name))
        with outside(filled) as connection:
            connection.execute(delete(table))
            connection.execute(insert(table), [dict(row._mapping) for row in before[table]])
    assert unnoticed == []
    assert filled.read(verify).first_bad is None
