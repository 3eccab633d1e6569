"""How Alembic runs: one connection; on SQLite without foreign keys, which are checked at the end."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, DateTime, String, TypeDecorator, create_engine, event, pool
from sqlmodel.sql.sqltypes import AutoString

from store.tables import METADATA

#: Any number that nobody else takes in this database.
LOCK = 0x616D656E


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types into a new migration: it must run without any of our code."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, TypeDecorator) and isinstance(item.impl, DateTime):
        return "sa.DateTime(timezone=True)"
    return False


def compare_type(_context: Any, _inspected: Any, _column: Any, inspected: Any, declared: Any) -> bool | None:
    """A String of ours and a VARCHAR of the database are the same."""
    if isinstance(declared, String) and isinstance(inspected, String):
        return False
    return None


def run(connection: Connection) -> None:
    """All revisions asked for, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_item=render_item,
        compare_type=compare_type,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # Of several replicas that start together one migrates; the others wait and find it done.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        context.run_migrations()


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


with engine.begin() as connection:
    run(connection)
    if engine.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration broke references in: {sorted({row[0] for row in broken})}")
engine.dispose()
