"""Connections: SQLite with a writer and readers apart, PostgreSQL with one pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from store.errors import StoreError

READERS = 4
#: As many threads as pooled connections: none waits for a connection that a waiting thread holds.
POOL = 16
#: A server that does not answer is given up after seconds, one that fell silent after a quarter of a minute: else
#: a thread would wait for a dead machine until its system gives up, which takes hours.
ANSWERS_IN = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
#: A second process (the command line) may hold the write lock for a while; ten seconds is no hang.
BUSY_MS = 10_000


@dataclass(frozen=True)
class Engines:
    """The engine that writes and the engine that reads; on PostgreSQL the same one."""

    url: URL
    writing: Engine
    reading: Engine

    @property
    def is_sqlite(self) -> bool:
        """True where one process does it all."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Close every connection."""
        self.writing.dispose()
        self.reading.dispose()


def database_url(url: str) -> URL:
    """The address with our driver named; StoreError for anything but SQLite files and PostgreSQL."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise StoreError("AMENDS_DATABASE_URL is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def engines(url: str) -> Engines:
    """Open nothing yet; connections are made when first needed."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        writing = create_engine(
            parsed, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
        )
        reading = create_engine(
            parsed, pool_size=READERS, max_overflow=4, connect_args={"check_same_thread": False}
        )
        _sqlite(writing, "BEGIN IMMEDIATE")
        _sqlite(reading, "BEGIN")
        return Engines(parsed, writing, reading)
    engine = create_engine(
        parsed,
        pool_size=POOL,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "amends", **ANSWERS_IN},
    )
    # A reading method sees one moment of the record, however many statements it takes.
    return Engines(parsed, engine, engine.execution_options(isolation_level="REPEATABLE READ"))


def _sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        # The driver's own deferred BEGIN would make 4 of 5 read-then-write transactions fail as locked.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            f"PRAGMA busy_timeout={BUSY_MS:d}",
            "PRAGMA foreign_keys=ON",
        ):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
