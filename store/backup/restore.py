"""A backup made a database again, in an empty place: whole and proved, or not at all (8.1)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from store.backup.backup import file_engine, look_at, making, revision_of
from store.backup.portable import Progress, copy_rows, forget_the_moment, no_progress, number_on, rows_in
from store.database import migrate
from store.database.engine import Engines, database_url
from store.database.engine import engines as open_engines
from store.database.errors import StoreError, database_errors
from store.database.transaction import Tx
from store.proof.keyring import Keyring
from store.proof.verify import verify
from store.tables import METADATA
from store.values import Verification

_NOT_TAKEN = (
    "The database did not take the record ({said}); it holds none of it: look at its room and at "
    "AMENDS_DATABASE_URL, then restore again."
)
_MAGIC = b"SQLite format 3\0"
#: Rows that a desk without a single message may have.
_OF_THE_HOUSE = frozenset({"clock", "lanes", "leases"})


@dataclass(frozen=True)
class Restored:
    """What stands in the database now. `upgraded_from` is the older release's revision, where it was one."""

    rows: Mapping[str, int]
    verification: Verification
    upgraded_from: str | None


def restore(
    url: str,
    file: Path,
    keys: Keyring,
    now: datetime,
    *,
    accept_unsound: bool = False,
    progress: Progress = no_progress,
) -> Restored:
    """Bring the record in `file` into the empty database at `url`, then check it from end to end.

    Raises StoreError, and leaves the place empty, where it is not empty, where the file is damaged, foreign
    or of a newer release, or where the record in it is not whole (unless `accept_unsound`).
    """
    _is_backup(file)
    target = database_url(url)
    if target.get_backend_name() != "sqlite":
        with tempfile.TemporaryDirectory(prefix="amends-restore-") as folder:
            part = Path(folder) / "record.db"
            earlier = _prepared(file, part)
            with database_errors(_NOT_TAKEN):
                rows, found = _into_postgres(url, file, part, keys, now, accept_unsound, progress)
            return Restored(rows, found, earlier)
    place = Path(str(target.database))
    _must_be_empty_file(url, target, place)
    with making(place) as part:
        earlier = _prepared(file, part)
        rows, found = _proved(part, keys, now)
        progress(sum(rows.values()), sum(rows.values()))
        _must_be_whole(file, found, accept_unsound)
        # What an emptied database left beside it would be taken for the newest pages of ours.
        for left in ("-wal", "-shm"):
            place.with_name(place.name + left).unlink(missing_ok=True)
    return Restored(rows, found, earlier)


def _is_backup(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(_MAGIC))
    except OSError as wrong:
        raise StoreError(
            f"{file} cannot be read ({os.strerror(wrong.errno or 0)}): look at its name."
        ) from wrong
    if begins != _MAGIC:
        raise StoreError(f"{file} is no backup of Amends: give a file that `amends db backup` made.")
    log = file.with_name(file.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"{file} is a database in use (its newest words stand in {log.name}): "
            "make a copy of it with `amends db backup` and restore that."
        )


def _prepared(file: Path, part: Path) -> str | None:
    """A working copy at this release with nobody's leases; the older revision that it came from, if one."""
    shutil.copyfile(file, part)
    try:
        revision = str(look_at(part)["revision"])
    except Exception as wrong:
        raise _named(file, part, wrong) from wrong
    script = _script()
    if revision not in {one.revision for one in script.walk_revisions()}:
        raise StoreError(
            f"{file} is of a newer release (its tables are at {revision}): install that release, then restore."
        )
    earlier = None
    if revision not in script.get_heads():
        earlier = revision
        migrate.upgrade(f"sqlite:///{part}")
    engine = file_engine(part)
    try:
        with engine.begin() as connection:
            forget_the_moment(connection)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
    return earlier


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))


def _named(file: Path, part: Path, wrong: Exception) -> StoreError:
    if isinstance(wrong, StoreError):
        return StoreError(str(wrong).replace(str(part), str(file)))
    return StoreError(f"{file} is damaged ({type(wrong).__name__}): take another copy.")


def _proved(part: Path, keys: Keyring, now: datetime) -> tuple[dict[str, int], Verification]:
    engine = file_engine(part)
    try:
        with engine.connect() as connection:
            return rows_in(connection), verify(Tx(connection, keys, now, {}))
    finally:
        engine.dispose()


def _must_be_whole(file: Path, found: Verification, accept_unsound: bool) -> None:
    if found.first_bad is None or accept_unsound:
        return
    ref, seq, why = found.first_bad
    raise StoreError(
        f"{file} was not restored: its record is not whole ({ref}, event {seq}: {why}). Check that "
        "AMENDS_SECRET_KEY has the keys of its time; take another backup; or restore it as it is with --anyway."
    )


def _must_be_empty_file(url: str, target: URL, place: Path) -> None:
    if not place.parent.is_dir():
        raise StoreError(f"There is no folder {place.parent}: make it, or look at AMENDS_DATABASE_URL.")
    if not place.exists() or place.stat().st_size == 0:
        return
    found = open_engines(url)
    try:
        with found.reading.begin() as connection:
            _must_be_empty(connection, place)
    finally:
        found.close()


def _must_be_empty(connection: Connection, where: object) -> None:
    there = set(inspect(connection).get_table_names())
    for table in METADATA.sorted_tables:
        if table.name in there - _OF_THE_HOUSE:
            first = connection.execute(select(*table.primary_key.columns).limit(1)).first()
            if first is not None:
                raise StoreError(
                    f"{where} holds a record already ({table.name}): a backup is restored into an empty place "
                    "only. Name another one in AMENDS_DATABASE_URL, or move this one away first."
                )


def _into_postgres(
    url: str,
    file: Path,
    part: Path,
    keys: Keyring,
    now: datetime,
    accept_unsound: bool,
    progress: Progress,
) -> tuple[dict[str, int], Verification]:
    """One transaction round everything, the check included: it is there whole, or not at all."""
    migrate.begin(url)
    origin, target = file_engine(part), open_engines(url)
    try:
        with origin.connect() as source, target.writing.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE complaints, events, people IN EXCLUSIVE MODE")
            _must_be_empty(connection, "The database")
            for name in sorted(_OF_THE_HOUSE):
                connection.execute(METADATA.tables[name].delete())
            rows = copy_rows(source, connection, progress)
            number_on(connection)
            found = verify(Tx(connection, keys, now, {}))
            _must_be_whole(file, found, accept_unsound)
    finally:
        origin.dispose()
        target.close()
    return rows, found


@contextmanager
def only_read(file: Path) -> Iterator[Engines]:
    """A backup opened to be checked: nothing of it can change, and nothing is left beside it."""
    _is_backup(file)
    engine = create_engine("sqlite://", creator=_reader(file), poolclass=NullPool)
    try:
        yield Engines(database_url(f"sqlite:///{file}"), engine, engine)
    finally:
        engine.dispose()


def _reader(file: Path) -> Callable[[], Any]:
    address = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
    return lambda: sqlite3.connect(address, uri=True, check_same_thread=False)


def verify_file(
    file: Path, keys: Keyring, now: datetime, outside: Mapping[str, Any] | None = None
) -> Verification:
    """Check the record in a backup without restoring it; of one of an earlier release a copy is brought to this.

    Raises StoreError where it could not be restored: the file damaged, foreign or of a newer release.
    """
    with only_read(file) as found, found.reading.connect() as connection:
        try:
            revision = revision_of(connection, file)
        except DatabaseError as wrong:
            raise _named(file, file, wrong) from wrong
        if revision in _script().get_heads():
            return verify(Tx(connection, keys, now, {}), outside)
    with tempfile.TemporaryDirectory(prefix="amends-verify-") as folder:
        part = Path(folder) / "record.db"
        _prepared(file, part)
        engine = file_engine(part)
        try:
            with engine.connect() as connection:
                return verify(Tx(connection, keys, now, {}), outside)
        finally:
            engine.dispose()
