"""A copy of the whole record in one portable file, made while the desk runs (8.1).

The file is SQLite with the same tables, whichever database it came from, so that it restores into either.
Everything personal in it is sealed; the keys are not in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from store.backup.portable import Progress, copy_rows, no_progress
from store.database.engine import BUSY_MS, database_url
from store.database.engine import engines as open_engines
from store.database.errors import DatabaseUnavailable, StoreError
from store.database.migrate import require_current, upgrade
from store.proof.checkpoints import heads_in, merkle_root
from store.tables import COMPLAINTS, EVENTS

#: Pages a step: small enough for a bar that moves, large enough to cost nothing.
_PAGES = 1024


@dataclass(frozen=True)
class Backup:
    """What a backup holds. `root` is the Merkle root over the heads of all chains, as checkpoints sign it."""

    file: Path
    size: int
    revision: str
    complaints: int
    events: int
    heads: int
    root: str


def back_up(url: str, file: Path, *, overwrite: bool = False, progress: Progress = no_progress) -> Backup:
    """Write the record as it stands at one moment to `file`: whole, or not at all.

    Raises StoreError where the file exists already, cannot be written, or the copy is not sound.
    """
    if file.exists() and not overwrite:
        raise StoreError(f"{file} exists already: choose another name, or say --force to replace it.")
    source = database_url(url)
    with making(file) as part:
        if source.get_backend_name() == "sqlite":
            _from_sqlite(source, part, progress)
        else:
            _from_postgres(url, part, progress)
        made = look_at(part)
    return Backup(file, file.stat().st_size, **made)


@contextmanager
def making(file: Path) -> Iterator[Path]:
    """A file of another name, readable by us alone, that takes its own name only once it is whole."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with _in_words(file):
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            yield part
            _flush(part)
            part.replace(file)
            _flush(file.parent)
    finally:
        for left in (part, *(part.with_name(part.name + one) for one in ("-wal", "-shm", "-journal"))):
            left.unlink(missing_ok=True)


@contextmanager
def _in_words(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as wrong:
        raise StoreError(_why(file, wrong)) from wrong
    except DBAPIError as wrong:
        if wrong.orig is None or not isinstance(wrong.orig, sqlite3.Error):
            said = str(wrong.orig).strip().partition("\n")[0]
            raise DatabaseUnavailable(
                f"The database stopped answering ({said}): nothing was written."
            ) from wrong
        raise StoreError(_why(file, wrong.orig)) from wrong


def _why(file: Path, wrong: Exception) -> str:
    said = os.strerror(wrong.errno) if isinstance(wrong, OSError) and wrong.errno else str(wrong)
    where = file.parent.resolve()
    return (
        f"{file} could not be written ({said}): look for room and rights in {where}. Nothing was left there."
    )


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _from_sqlite(source: URL, part: Path, progress: Progress) -> None:
    path = Path(str(source.database))
    if not path.exists():
        raise StoreError(f"There is no database at {path}: look at AMENDS_DATABASE_URL.")
    with (
        closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)) as origin,
        closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        # Inside a read transaction the copy is of one moment, and no write of others begins it anew.
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(copy, pages=_PAGES, sleep=0, progress=lambda _, left, all_: progress(all_ - left, all_))
        origin.execute("COMMIT")
        # One file, with no log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")


def _from_postgres(url: str, part: Path, progress: Progress) -> None:
    require_current(url)
    try:
        upgrade(f"sqlite:///{part}")
    except DatabaseUnavailable as wrong:
        # Not the desk's database is away: the file that we are making cannot be written.
        raise sqlite3.OperationalError("no room for the tables") from wrong
    copying, found = file_engine(part), open_engines(url)
    snapshot = found.reading.execution_options(postgresql_readonly=True)
    try:
        with snapshot.begin() as source, copying.begin() as target:
            copy_rows(source, target, progress)
    finally:
        copying.dispose()
        found.close()
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")


def file_engine(file: Path) -> Engine:
    """An engine on a portable file: one transaction at a time, rows in any order, no log beside it."""
    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        # What is half made is thrown away; what is whole is flushed once, at its end.
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def look_at(file: Path) -> dict[str, Any]:
    """What a portable file holds; StoreError where it is not sound."""
    engine = file_engine(file)
    try:
        with engine.connect() as connection:
            revision = revision_of(connection, file)
            tops = heads_in(connection, since=0)
            complaints = connection.execute(select(func.count()).select_from(COMPLAINTS)).scalar_one()
            events = connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()
    finally:
        engine.dispose()
    return {
        "revision": revision,
        "complaints": complaints,
        "events": events,
        "heads": len(tops),
        "root": merkle_root(tops),
    }


def revision_of(connection: Connection, file: Path) -> str:
    """The release of the record in a sound file; StoreError where a page or a row is damaged, or it is no record."""
    pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    each = int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    # SQLite takes what is missing of the last page for noughts.
    sound("ok" if file.stat().st_size >= pages * each else "its end is missing", file)
    sound(connection.exec_driver_sql("PRAGMA integrity_check").scalars().first(), file)
    torn = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    sound("ok" if torn is None else f"a row of {torn[0]} lost what it belongs to", file)
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None or not {"complaints", "events"} <= set(inspect(connection).get_table_names()):
        raise StoreError(f"{file} holds no record of Amends: it is another program's file.")
    return revision


def sound(said: object, file: Path) -> None:
    """StoreError unless the check of a file said "ok"."""
    if said != "ok":
        # It may name every page of the file, under a heading.
        lines = [line for line in str(said).splitlines() if line and not line.startswith("***")]
        raise StoreError(f"{file} is damaged ({lines[0] if lines else said}): take another copy.")
