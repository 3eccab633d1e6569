"""Back up the whole record to one portable file while the desk runs (8.1).

The file is a SQLite database with the same tables, from SQLite and from PostgreSQL, and can be restored into both.
Everything personal in it is sealed, and the keys are not in it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from store.database.engine import BUSY_TIMEOUT_MS, database_url
from store.database.engine import create_engines as open_engines
from store.database.errors import DatabaseUnavailable, StoreError
from store.database.migrate import require_current, upgrade
from store.tables import CHUNKS, COMPLAINTS, EVENTS, HISTORY_PARTS, LOG_CHECKPOINTS, METADATA, MODELS
from store.values import Progress, no_progress

#: Pages copied between two calls of `progress`: few enough for a moving progress bar, and enough to be fast.
_PAGES = 1024
_BATCH = 500
#: Smaller batches for tables whose rows may be larger than 1 MiB.
_BATCH_OF_LARGE_ROWS = {CHUNKS.name: 8, HISTORY_PARTS.name: 8, MODELS.name: 1}
#: Tables with the state of running processes, which means nothing in another database.
_PROCESS_STATE = frozenset({"leases", "rate_limits"})


@dataclass(frozen=True)
class Backup:
    """The content of a backup. `heads` is the number of entries in its log, and `root` their Merkle root.

    Both are those of the newest checkpoint; without one they are 0 and empty.
    """

    file: Path
    size: int
    revision: str
    complaints: int
    events: int
    heads: int
    root: str


def back_up(url: str, file: Path, *, overwrite: bool = False, progress: Progress = no_progress) -> Backup:
    """Write a snapshot of the record to `file`, completely or not at all.

    Raises StoreError if the file exists, cannot be written, or the copy is damaged.
    """
    if file.exists() and not overwrite:
        raise StoreError(f"{file} exists already: choose another name, or say --force to replace it.")
    source = database_url(url)
    with write_atomically(file) as part:
        if source.get_backend_name() == "sqlite":
            _from_sqlite(source, part, progress)
        else:
            _from_postgres(url, part, progress)
        content = describe_file(part)
    return Backup(file, file.stat().st_size, **content)


@contextmanager
def write_atomically(file: Path) -> Iterator[Path]:
    """Write to a temporary file that only this user may read; it is renamed to `file` when it is complete."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with _write_errors(file):
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            yield part
            _flush(part)
            part.replace(file)
            _flush(file.parent)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


def file_engine(file: Path) -> Engine:
    """An engine for a portable file: without foreign-key checks, so that rows may be copied in any order.

    It keeps no connection, so it needs no `dispose`.
    """
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        # Not durable: a partial file is deleted, and a complete one is flushed once at the end.
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def send_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def describe_file(file: Path) -> dict[str, Any]:
    """The content of a portable file, as counts; StoreError if the file is damaged."""
    with file_engine(file).connect() as connection:
        revision = read_revision(connection, file)
        newest = select(LOG_CHECKPOINTS).order_by(LOG_CHECKPOINTS.c.size.desc()).limit(1)
        checkpoint = connection.execute(newest).first()
        complaints = connection.execute(select(func.count()).select_from(COMPLAINTS)).scalar_one()
        events = connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()
    return {
        "revision": revision,
        "complaints": complaints,
        "events": events,
        "heads": 0 if checkpoint is None else checkpoint.size,
        "root": "" if checkpoint is None else checkpoint.root.hex(),
    }


def read_revision(connection: Connection, file: Path) -> str:
    """The revision of the tables in a file; StoreError if the file is damaged or holds no record."""
    pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    page_size = int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    # SQLite reads missing bytes of the last page as zeros.
    _require_ok("ok" if file.stat().st_size >= pages * page_size else "its end is missing", file)
    _require_ok(connection.exec_driver_sql("PRAGMA integrity_check").scalars().first(), file)
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    _require_ok("ok" if broken is None else f"a row of {broken[0]} refers to a missing row", file)
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None or not {"complaints", "events"} <= set(inspect(connection).get_table_names()):
        raise StoreError(f"{file} holds no record of Amends: it is another program's file.")
    return revision


def count_rows(connection: Connection) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in METADATA.sorted_tables
    }


def copy_rows(source: Connection, target: Connection, progress: Progress = no_progress) -> dict[str, int]:
    """Copy every table in batches, parents before children; returns the number of rows by table."""
    counts = count_rows(source)
    total, done = sum(counts.values()), 0
    for table in METADATA.sorted_tables:
        size = _BATCH_OF_LARGE_ROWS.get(table.name, _BATCH)
        query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=size)
        for batch in source.execute(query).mappings().partitions(size):
            target.execute(table.insert(), [dict(row) for row in batch])
            done += len(batch)
            progress(done, total)
    return counts


def reset_sequences(target: Connection) -> None:
    """Let PostgreSQL continue after the highest copied number; SQLite does that without help."""
    if target.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = _numbered_column(table)
        if column is None:
            continue
        highest = target.execute(select(func.max(table.c[column]))).scalar()
        if highest is not None:
            sequence = func.pg_get_serial_sequence(table.name, column)
            target.execute(select(func.setval(sequence, highest)))


def clear_process_state(connection: Connection) -> None:
    """Delete the leases, rate limits and retry pauses of another machine; obligations keep their due times."""
    for name in sorted(_PROCESS_STATE):
        connection.execute(METADATA.tables[name].delete())
    connection.execute(
        text("UPDATE obligations SET lease_until = 0, wait_until = 0 WHERE lease_until > 0 OR wait_until > 0")
    )


@contextmanager
def _write_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(_message(file, error)) from error
    except DBAPIError as error:
        if error.orig is None or not isinstance(error.orig, sqlite3.Error):
            reason = str(error.orig).strip().partition("\n")[0]
            raise DatabaseUnavailable(
                f"The database stopped answering ({reason}): nothing was written."
            ) from error
        raise StoreError(_message(file, error.orig)) from error


def _message(file: Path, error: Exception) -> str:
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return (
        f"{file} could not be written ({reason}): check the free space and the permissions of "
        f"{file.parent.resolve()}. Nothing was left there."
    )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _from_sqlite(source: URL, part: Path, progress: Progress) -> None:
    path = Path(str(source.database))
    if not path.exists():
        raise StoreError(f"There is no database at {path}: check AMENDS_DATABASE_URL.")
    with (
        closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)) as origin,
        closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        # In a read transaction the copy is one snapshot. Without it, every write of others would restart the copy.
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(copy, pages=_PAGES, sleep=0, progress=lambda _, left, all_: progress(all_ - left, all_))
        origin.execute("COMMIT")
    end_write_ahead_log(part)


def end_write_ahead_log(file: Path) -> None:
    """Keep everything in one file, without a write-ahead log."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _from_postgres(url: str, part: Path, progress: Progress) -> None:
    require_current(url)
    try:
        upgrade(f"sqlite:///{part}")
    except DatabaseUnavailable as error:
        # This is an error of the backup file, not of the desk's database.
        raise sqlite3.OperationalError("no space for the tables") from error
    with closing(open_engines(url)) as engines:
        snapshot = engines.reading.execution_options(postgresql_readonly=True)
        with snapshot.begin() as source, file_engine(part).begin() as target:
            copy_rows(source, target, progress)
    end_write_ahead_log(part)


def _require_ok(result: object, file: Path) -> None:
    if result != "ok":
        # SQLite may list every page of the file below a heading; the first line is enough.
        lines = [line for line in str(result).splitlines() if line and not line.startswith("***")]
        raise StoreError(f"{file} is damaged ({lines[0] if lines else result}): take another copy.")


def _numbered_column(table: Table) -> str | None:
    column = table.autoincrement_column
    return None if column is None or column.foreign_keys else column.name
