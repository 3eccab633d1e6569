"""Restore a backup into an empty database, verified and complete, or not at all (8.1)."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from store.backup import (
    clear_process_state,
    copy_rows,
    count_rows,
    describe_file,
    end_write_ahead_log,
    file_engine,
    read_revision,
    reset_sequences,
    write_atomically,
)
from store.custody.verify import NOTHING_OUTSIDE, Outside, verify
from store.database import migrate
from store.database.engine import Engines, database_url
from store.database.engine import create_engines as open_engines
from store.database.errors import StoreError, database_errors
from store.database.keyring import Keyring
from store.database.transaction import Tx
from store.tables import METADATA
from store.values import Progress, Verification, no_progress

_NOT_WRITTEN = (
    "The database could not store the record ({reason}), and holds none of it: check its free space and "
    "AMENDS_DATABASE_URL, then restore again."
)
_MAGIC = b"SQLite format 3\0"
#: Tables that may have rows before the first message.
_MAY_HAVE_ROWS = frozenset({"clock", "leases", "rate_limits"})


@dataclass(frozen=True)
class Restored:
    """What was restored. `upgraded_from` is the revision of the backup if it is of an older release."""

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
    """Restore the record in `file` into the empty database at `url`, and verify all of it.

    Raises StoreError and changes nothing if the database is not empty, or if the file is damaged, of another program
    or of a newer release. A record that fails verification is refused too, unless `accept_unsound`.
    """
    _require_backup(file)
    target = database_url(url)
    if target.get_backend_name() != "sqlite":
        with tempfile.TemporaryDirectory(prefix="amends-restore-") as folder:
            part = Path(folder) / "record.db"
            older_revision = _prepare(file, part)
            with database_errors(_NOT_WRITTEN):
                rows, verification = _into_postgres(url, file, part, keys, now, accept_unsound, progress)
            return Restored(rows, verification, older_revision)
    path = Path(str(target.database))
    _require_empty_file(url, path)
    with write_atomically(path) as part:
        older_revision = _prepare(file, part)
        rows, verification = _verify(part, keys, now)
        progress(sum(rows.values()), sum(rows.values()))
        _require_verified(file, verification, accept_unsound)
        # SQLite would apply a write-ahead log that an emptied database left to the restored pages.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return Restored(rows, verification, older_revision)


def _require_backup(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            start = opened.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(
            f"{file} cannot be read ({os.strerror(error.errno or 0)}): check its name."
        ) from error
    if start != _MAGIC:
        raise StoreError(f"{file} is no backup of Amends: give a file that `amends db backup` made.")
    log = file.with_name(file.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"{file} is a database in use (its newest rows are in {log.name}): "
            "make a copy of it with `amends db backup` and restore that."
        )


def _prepare(file: Path, part: Path) -> str | None:
    """Copy the file, upgrade the copy to this release and clear its leases; returns its older revision, if any."""
    shutil.copyfile(file, part)
    try:
        revision = str(describe_file(part)["revision"])
    except Exception as error:
        raise _damaged(file, part, error) from error
    scripts = migrate.migration_scripts()
    if revision not in {step.revision for step in scripts.walk_revisions()}:
        raise StoreError(
            f"{file} is of a newer release (its tables are at {revision}): install that release, then restore."
        )
    older_revision = None
    if revision not in scripts.get_heads():
        older_revision = revision
        migrate.upgrade(f"sqlite:///{part}")
    with file_engine(part).begin() as connection:
        clear_process_state(connection)
    end_write_ahead_log(part)
    return older_revision


def _damaged(file: Path, part: Path, error: Exception) -> StoreError:
    """The error with the name of the backup and not of its temporary copy."""
    if isinstance(error, StoreError):
        return StoreError(str(error).replace(str(part), str(file)))
    return StoreError(f"{file} is damaged ({type(error).__name__}): take another copy.")


def _verify(part: Path, keys: Keyring, now: datetime) -> tuple[dict[str, int], Verification]:
    with file_engine(part).connect() as connection:
        return count_rows(connection), verify(Tx(connection, keys, now, {}))


def _require_verified(file: Path, verification: Verification, accept_unsound: bool) -> None:
    if verification.first_bad is None or accept_unsound:
        return
    ref, seq, why = verification.first_bad
    raise StoreError(
        f"{file} was not restored: its record is not whole ({ref}, event {seq}: {why}). Check that "
        "AMENDS_SECRET_KEY has the keys of its time; take another backup; or restore it as it is with --anyway."
    )


def _require_empty_file(url: str, path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"There is no folder {path.parent}: create it, or check AMENDS_DATABASE_URL.")
    if not path.exists() or path.stat().st_size == 0:
        return
    with closing(open_engines(url)) as engines, engines.reading.begin() as connection:
        _require_empty(connection, path)


def _require_empty(connection: Connection, where: object) -> None:
    existing = set(inspect(connection).get_table_names())
    for table in METADATA.sorted_tables:
        if table.name in existing - _MAY_HAVE_ROWS:
            first = connection.execute(select(*table.primary_key.columns).limit(1)).first()
            if first is not None:
                raise StoreError(
                    f"{where} holds a record already ({table.name}): a backup is restored into an empty "
                    "database only. Name another one in AMENDS_DATABASE_URL, or move this one away first."
                )


def _into_postgres(
    url: str, file: Path, part: Path, keys: Keyring, now: datetime, accept_unsound: bool, progress: Progress
) -> tuple[dict[str, int], Verification]:
    # One transaction for everything, the verification included, so that a failure leaves nothing.
    migrate.ensure_tables(url)
    with (
        closing(open_engines(url)) as target,
        file_engine(part).connect() as source,
        target.writing.begin() as connection,
    ):
        connection.exec_driver_sql("LOCK TABLE complaints, events, people IN EXCLUSIVE MODE")
        _require_empty(connection, "The database")
        for name in sorted(_MAY_HAVE_ROWS):
            connection.execute(METADATA.tables[name].delete())
        rows = copy_rows(source, connection, progress)
        reset_sequences(connection)
        verification = verify(Tx(connection, keys, now, {}))
        _require_verified(file, verification, accept_unsound)
    return rows, verification


@contextmanager
def only_read(file: Path) -> Iterator[Engines]:
    """Open a backup for reading only: nothing in it can change, and no other file is created."""
    _require_backup(file)
    address = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
    read_only = partial(sqlite3.connect, address, uri=True, check_same_thread=False)
    engine = create_engine("sqlite://", creator=read_only, poolclass=NullPool)
    yield Engines(database_url(f"sqlite:///{file}"), engine, engine)


def verify_file(file: Path, keys: Keyring, now: datetime, outside: Outside = NOTHING_OUTSIDE) -> Verification:
    """Verify the record in a backup without restoring it; for an older release, an upgraded copy is verified.

    Raises StoreError if the file is damaged, of another program or of a newer release.
    """
    with only_read(file) as engines, engines.reading.connect() as connection:
        try:
            revision = read_revision(connection, file)
        except DatabaseError as error:
            raise _damaged(file, file, error) from error
        if revision in migrate.migration_scripts().get_heads():
            return verify(Tx(connection, keys, now, {}), outside)
    with tempfile.TemporaryDirectory(prefix="amends-verify-") as folder:
        part = Path(folder) / "record.db"
        _prepare(file, part)
        with file_engine(part).connect() as connection:
            return verify(Tx(connection, keys, now, {}), outside)
