"""What erased rows leave in the files of the database: pages in the log, free pages, old row versions (8.1)."""

import sqlite3

from store.database.engine import Engines
from store.database.errors import FAILED_AT_WORK, DatabaseUnavailable

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
