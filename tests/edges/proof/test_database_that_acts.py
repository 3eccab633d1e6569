"""What the database does by itself in the desk's own transactions carries no signature of the desk (4.7, 8.1)."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, update

from complaints.vocabulary import Verb
from store.cases.read import open_case
from store.custody.verify import verify
from store.outbox.complete import complete
from store.proof.log import add_checkpoint
from store.store import Store, open_store
from store.tables import METADATA, OBLIGATIONS
from store.values import Damage
from tests.databases import KEYS, FakeClock
from tests.edges.desk import HANDLER, Desk
from tests.edges.outsider import plant, tamper
from tests.edges.proof.test_damage import a_full_record, fill_the_desk

_FORGES = (
    "INSERT INTO attempts (id, ref, verb, by, roles, code, at) "
    "VALUES (900, NEW.ref, 'accept', 'forged', '', '', NEW.at)"
)
_POSTPONES = "UPDATE obligations SET key = key || 'x' WHERE ref = NEW.ref"
_LIES = "UPDATE reads SET by = 'U9' WHERE id = NEW.id"
_FORGETS = "DELETE FROM assessments WHERE ref = NEW.ref"


def _trigger(store: Store) -> tuple[list[str], list[str]]:
    """The statements that plant a trigger for each insert into `reads`, and those that remove it."""
    body = f"{_FORGES}; {_POSTPONES}; {_LIES}; {_FORGETS}"
    if store._engines.is_sqlite:
        return [f"CREATE TRIGGER x AFTER INSERT ON reads BEGIN {body}; END"], ["DROP TRIGGER x"]
    function = f"CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
    trigger = "CREATE TRIGGER x AFTER INSERT ON reads FOR EACH ROW EXECUTE FUNCTION x()"
    return [function, trigger], ["DROP FUNCTION x() CASCADE"]


def test_what_a_trigger_did_in_a_transaction_of_the_desk_is_named_after_it_is_gone(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On SQLite the desk sees the trigger before it writes. Here it does not look.
    monkeypatch.setattr("store.store.require_known_schema", lambda connection: None)
    desk = Desk(store)
    ref = desk.assessed()
    planted, removed = _trigger(store)
    plant(database_url, *planted)
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    plant(database_url, *removed)
    named = {(damage.table, damage.kind) for damage in store.read(verify).problems if damage.ref == ref}
    assert named >= {
        ("attempts", "inserted"), ("obligations", "edited"), ("reads", "edited"), ("assessments", "deleted")
    }  # fmt: skip


def test_a_row_that_somebody_changed_stays_named_after_the_desk_changed_it_too(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    is_card = OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "card"
    card = store.read(lambda tx: tx.connection.execute(OBLIGATIONS.select().where(*is_card)).first())
    tamper(store, update(OBLIGATIONS).where(OBLIGATIONS.c.id == card.id).values(kind="thread"))
    store.write(complete, card.id)
    (damage,) = store.read(verify).problems
    assert (damage.ref, damage.table, damage.row) == (ref, "obligations", str(card.id))
    assert "before the desk changed it" in damage.why


@pytest.fixture
def record(sqlite_url: str, clock: FakeClock) -> Path:
    """The file of a record with something in nearly every table."""
    with closing(open_store(sqlite_url, KEYS, clock)) as store:
        desk, _ = a_full_record(store)
        desk.act(desk.assessed(), Verb.NOTE, words={"text": "A note."})
        fill_the_desk(store)
        store.write(add_checkpoint, bytes(range(32)))
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return file


def test_a_value_that_somebody_stored_as_another_type_is_named(record: Path, tmp_path: Path) -> None:
    """They take STRICT out of the table's definition, change the value, and put it back."""
    every = list(_changed_types(record, tmp_path))
    seed = int(os.environ.get("AMENDS_SEED", random.randrange(10**6)))
    print(f"AMENDS_SEED={seed}")
    tries = every if "AMENDS_ALTERATIONS" in os.environ else random.Random(seed).sample(every, 12)
    assert len(every) > 200
    missed = [
        f"{column.table.name}.{column.name}" for column in tries if not _damages(record, tmp_path, column)
    ]
    assert missed == []


def _changed_types(record: Path, folder: Path) -> Iterator[Column[object]]:
    """The columns that have a value whose type can be changed."""
    with closing(sqlite3.connect(record)) as connection:
        for table in METADATA.sorted_tables:
            for column in table.columns:
                # A whole number that is the key alone is SQLite's own number of the row.
                is_number = [*table.primary_key] == [column] and isinstance(column.type, Integer)
                query = f'SELECT 1 FROM "{table.name}" WHERE "{column.name}" IS NOT NULL LIMIT 1'
                if not is_number and connection.execute(query).fetchone():
                    yield column


def _damages(record: Path, folder: Path, column: Column[object]) -> tuple[Damage, ...]:
    table, file = column.table.name, folder / "altered.db"
    shutil.copy(record, file)
    schema = "SELECT sql FROM sqlite_master WHERE name = ?", (table,)
    change = "UPDATE sqlite_master SET sql = ? WHERE name = ?"
    with closing(sqlite3.connect(file)) as connection:
        (definition,) = connection.execute(*schema).fetchone()
        loose = definition.replace("STRICT", "").rstrip(", \n")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(change, (loose, table))
        connection.commit()
    with closing(sqlite3.connect(file)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for trigger, _ in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        name = f'"{column.name}"'
        kinds = f'SELECT typeof({name}) FROM "{table}" WHERE {name} IS NOT NULL'
        (kind,) = connection.execute(kinds).fetchone()
        other = "TEXT" if kind == "blob" else "BLOB"
        connection.execute(f'UPDATE "{table}" SET {name} = CAST({name} AS {other}) WHERE {name} IS NOT NULL')
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(change, (definition, table))
        connection.commit()
    with closing(open_store(f"sqlite:///{file}", KEYS)) as store:
        return store.read(verify).problems
