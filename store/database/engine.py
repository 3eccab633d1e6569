"""Database connections and the threads that use them.

SQLite has one writer and four readers, each kind with an engine of its own. PostgreSQL has one pool for both.
"""

import math
import sqlite3
import stat
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError

from store.database.errors import FAILED_AT_WORK, DatabaseUnavailable, StoreError

READERS = 4
#: PostgreSQL connections, and as many threads: no thread waits for a connection that another waiting thread holds.
POOL_SIZE = 16
#: Give up connecting after 5 s, and drop a silent connection after 15 s. The system's own limits are hours long, and
#: a thread would wait for a dead server until then.
CONNECTION_TIMEOUTS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
#: How long SQLite waits for the write lock. A second process (the command line) may hold it for some seconds.
BUSY_TIMEOUT_MS = 10_000
#: Ping a connection before use when it was idle for this long: the server may have closed it.
PING_AFTER_SECONDS = 1.0


@dataclass(frozen=True)
class Engines:
    """The engine for writing and the engine for reading; they share one pool on PostgreSQL."""

    url: URL
    writing: Engine
    reading: Engine

    @property
    def is_sqlite(self) -> bool:
        """True where only one process may use the database."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        self.writing.dispose()
        self.reading.dispose()


def database_url(url: str) -> URL:
    """Parse a database address and name the driver; StoreError unless it is a SQLite file or PostgreSQL."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise StoreError("AMENDS_DATABASE_URL is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def create_engines(url: str) -> Engines:
    """Create the engines for `url`; a connection is opened when it is first needed."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        writing = create_engine(
            parsed, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
        )
        reading = create_engine(
            parsed, pool_size=READERS, max_overflow=4, connect_args={"check_same_thread": False}
        )
        _keep_private(writing, Path(str(parsed.database)))
        _configure_sqlite(writing, "BEGIN IMMEDIATE")
        _configure_sqlite(reading, "BEGIN")
        return Engines(parsed, writing, reading)
    engine = create_engine(
        parsed,
        pool_size=POOL_SIZE,
        max_overflow=4,
        connect_args={"options": "-c timezone=UTC", "application_name": "amends", **CONNECTION_TIMEOUTS},
    )
    _ping_after_idle(engine)
    # A reading transaction sees one snapshot of the record, however many statements it runs.
    return Engines(parsed, engine, engine.execution_options(isolation_level="REPEATABLE READ"))


def _ping_after_idle(engine: Engine) -> None:
    """Ping a connection before use, but only after it was idle.

    SQLAlchemy's pool_pre_ping would add a round trip to every transaction. When a busy connection turns out to be
    dead, the pool drops all connections and the caller retries the transaction.
    """

    import psycopg  # SQLite does without

    @event.listens_for(engine, "checkin")
    def note_idle_since(_: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", math.inf) > PING_AFTER_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                # The pool opens another connection and checks it in the same way.
                raise DisconnectionError from error


def _keep_private(engine: Engine, file: Path) -> None:
    """Before the first write, let only the owner read the files of the database."""

    @event.listens_for(engine, "connect")
    def restrict(_: Any, __: Any) -> None:
        for part in (file, *(file.with_name(file.name + suffix) for suffix in ("-wal", "-shm"))):
            # The files of another account cannot be changed: `amends check` warns of them.
            with suppress(OSError):
                part.chmod(stat.S_IRUSR | stat.S_IWUSR)


def _configure_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        # With the driver's own deferred BEGIN, 4 of 5 transactions that read and then write fail as locked.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS:d}",
            "PRAGMA foreign_keys=ON",
            # Erased bytes are overwritten in the page that held them, and not only marked as free (8.1).
            "PRAGMA secure_delete=ON",
        ):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def send_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


class StoreThreads:
    """The store's own threads: the size of asyncio's default executor cannot be chosen."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self._readers = ThreadPoolExecutor(
            READERS if is_sqlite else POOL_SIZE, thread_name_prefix="store-read"
        )
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-write") if is_sqlite else self._readers
        # Synchronous callers (command line, tests) may write from any thread. They wait here and not in SQLite,
        # where waiting writers have no order and may starve. Re-entrant, because the writer thread takes it too.
        self._gate: AbstractContextManager[Any] = threading.RLock() if is_sqlite else nullcontext()

    @property
    def gate(self) -> AbstractContextManager[Any]:
        """The lock for one writing transaction on SQLite; does nothing on PostgreSQL."""
        return self._gate

    def submit(self, call: Any, *, writes: bool) -> Future[Any]:
        """Run a call without arguments on a writer or a reader thread."""
        return (self._writer if writes else self._readers).submit(call)

    def close(self) -> None:
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)


#: How long writers wait at most until no transaction reads the old pages, in milliseconds. Then it is tried later.
_WAIT_MS = 2_000


def empty_log(engines: Engines) -> bool:
    """Copy SQLite's write-ahead log into the database and truncate it to nothing.

    False if a transaction still reads old pages from the log; then it must be tried again. PostgreSQL's log is the
    server's own: True.
    """
    if not engines.is_sqlite:
        return True
    (busy, _, _), *_ = _run(engines, f"PRAGMA busy_timeout={_WAIT_MS:d}", "PRAGMA wal_checkpoint(TRUNCATE)")
    return not busy


def rewrite_tables(engines: Engines) -> None:
    """Write every table again, without free pages and old row versions. Other processes wait until it is done.

    Raises DatabaseUnavailable if the disk is full, or if another process uses the database for too long.
    """
    if engines.is_sqlite:
        _run(engines, "VACUUM")
        return
    with engines.writing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM (FULL)")


def _run(engines: Engines, *statements: str) -> list[tuple[int, int, int]]:
    """The rows of the last statement. SQLAlchemy would begin a transaction, in which neither of them may run."""
    connection = engines.writing.raw_connection()
    rows: list[tuple[int, int, int]] = []
    try:
        for statement in statements:
            rows = connection.cursor().execute(statement).fetchall()
    except sqlite3.Error as error:
        raise DatabaseUnavailable(FAILED_AT_WORK.format(reason=error)) from error
    finally:
        # Not returned to the pool: its waiting time was changed.
        connection.invalidate()
    return rows
