"""How Alembic runs: one connection; on SQLite without foreign keys, which are checked at the end."""

import time
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, DateTime, TypeDecorator, create_engine, event, pool
from sqlalchemy.exc import PendingRollbackError
from sqlmodel.sql.sqltypes import AutoString

from store.migrations.tables import compare_type
from store.tables import METADATA

#: Any number that nobody else takes in this database.
LOCK = 0x616D656E
#: Seconds after which one of several that start together asks again.
ASKS_EVERY = 0.2


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types into a new migration: it must run without any of our code."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, TypeDecorator) and isinstance(item.impl, DateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    """All revisions asked for, in one transaction, but for an index that is made beside people's work."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_item=render_item,
        compare_type=compare_type,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def wait_for_our_turn(connection: Connection) -> None:
    """Of several replicas that start together one migrates; the others wait and find it done.

    The lock is the connection's, for a migration may end a transaction. It is asked for again and again: an index
    that is made CONCURRENTLY waits for every statement under way, one that waits for us among them, and so for ever.
    """
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
        connection.rollback()
        time.sleep(ASKS_EVERY)
    connection.rollback()


def what_happened(hidden: BaseException) -> BaseException:
    """The failure itself: where a connection is lost in a block without a transaction, Alembic hides it."""
    while isinstance(hidden, PendingRollbackError) and hidden.__context__ is not None:
        hidden = hidden.__context__
    return hidden


engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        """A batch rebuild with foreign keys on would silently delete every child row."""
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        """One writer, from the start."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


if engine.dialect.name == "sqlite":
    with engine.begin() as connection:
        run(connection)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration broke references in: {sorted({row[0] for row in broken})}")
else:
    with engine.connect() as connection:
        wait_for_our_turn(connection)
        try:
            run(connection)
        except PendingRollbackError as hidden:
            raise what_happened(hidden) from None
engine.dispose()
