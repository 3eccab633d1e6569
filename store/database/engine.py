"""Connections: SQLite with a writer and readers apart, PostgreSQL with one pool.

Which thread touches the database: on SQLite one writes and four read, else one per connection.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError

from store.database.errors import StoreError

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
#: A connection unused for so long may have died unseen.
REST_SECONDS = 1.0


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
        connect_args={"options": "-c timezone=UTC", "application_name": "amends", **ANSWERS_IN},
    )
    _asked_after_a_rest(engine)
    # A reading method sees one moment of the record, however many statements it takes.
    return Engines(parsed, engine, engine.execution_options(isolation_level="REPEATABLE READ"))


def _asked_after_a_rest(engine: Engine) -> None:
    """A connection that rested is asked whether it lives before it is used; one in steady use tells by itself.

    Asking each time (the pool's own way) is one more journey to the database for every transaction. Where a
    connection turns out dead in use, the pool drops them all, and the transaction is tried again by its caller.
    """

    @event.listens_for(engine, "checkin")
    def rests(_: Any, record: Any) -> None:
        record.info["since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def is_used(connection: Any, record: Any, _: Any) -> None:
        if time.monotonic() - record.info.get("since", math.inf) > REST_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as dead:
                # The pool makes another one and asks again.
                raise DisconnectionError from dead


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


class Threads:
    """Made with the store, ended with it. Never the default executor: its size is not ours to choose."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self._readers = ThreadPoolExecutor(READERS if is_sqlite else POOL, thread_name_prefix="store-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-write") if is_sqlite else self._readers
        # Synchronous callers (command line, tests) may come from any thread: they queue here, not in SQLite,
        # where waiting writers are not queued and may starve. Re-entrant: the writer thread holds it itself.
        self._gate: AbstractContextManager[Any] = threading.RLock() if is_sqlite else nullcontext()

    @property
    def gate(self) -> AbstractContextManager[Any]:
        """Held by whoever writes on SQLite; nothing on PostgreSQL."""
        return self._gate

    def submit(self, call: Any, *, writes: bool) -> Future[Any]:
        """Run a call without arguments on a thread of the right kind."""
        return (self._writer if writes else self._readers).submit(call)

    def close(self) -> None:
        """Finish what runs; what did not begin yet never does."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)
