"""Somebody with the database's password and without any key, for tests of what `db verify` notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, delete, text, update

from store.database.engine import database_url as parsed
from store.store import Store
from store.tables import (
    JOURNAL_HEADS,
    LOG_CHECKPOINTS,
    LOG_LEAVES,
    LOG_NODES,
    LOG_SIGNATURES,
    METADATA,
    PROOF_STATE,
    RECEIPTS,
)


@contextmanager
def outside(store: Store) -> Iterator[Connection]:
    """A connection of its own, on which no trigger stands in the way; they are put back at the end."""
    engine = create_engine(store._engines.url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name != "sqlite":
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                yield connection
                return
            triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            found = connection.execute(text(triggers)).all()
            for name, _ in found:
                connection.execute(text(f"DROP TRIGGER {name}"))
            yield connection
            for _, sql in found:
                connection.execute(text(sql))
    finally:
        engine.dispose()


def tamper(store: Store, *statements: Any) -> None:
    """Run these statements around the desk."""
    with outside(store) as connection:
        for statement in statements:
            connection.execute(statement)


def plant(url: str, *statements: str) -> None:
    """Run these statements as the owner of the tables, or with the file."""
    engine = create_engine(parsed(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


#: All that the log keeps besides the rows that it covers.
LOG_TABLES = (LOG_SIGNATURES, LOG_CHECKPOINTS, LOG_NODES, LOG_LEAVES, PROOF_STATE)


def remove_complaint_and_empty_log(store: Store, ref: str) -> None:
    """Delete the rows of a complaint, empty the log, and set its counts back."""
    with outside(store) as connection:
        for table in METADATA.tables.values():
            for column in ("ref", "owner"):
                if column in table.c:
                    connection.execute(delete(table).where(table.c[column] == ref))
        for table in LOG_TABLES:
            connection.execute(delete(table))
        connection.execute(update(JOURNAL_HEADS).values(logged_n=0))
        connection.execute(update(RECEIPTS).values(leaf=None))
