"""Locks that processes share: the lock on a SQLite file, leases for work that one process does, and the desk's clock.

The clock is here because all processes share its offset too. Rate limits are in store/outbox/rate_limit.py.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, func, select, update

from store.database.engine import database_url
from store.database.errors import CANNOT_BE_USED, AlreadyRunning, DatabaseUnavailable
from store.database.transaction import Tx, database_seconds
from store.tables import CLOCK, LEASES


@contextmanager
def hold_database_file(url: str) -> Iterator[None]:
    """Lock the SQLite file at `url` for this process; does nothing for a database server.

    A second process would release and send again what the first one is sending at this moment. Raises
    AlreadyRunning while another process holds the lock; the system releases it when a process dies.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    # A file of its own: opening and closing the database file would drop the locks that SQLite holds on it.
    path = Path(f"{parsed.database}.running")
    try:
        lock_file = path.open("w")
    except OSError as error:
        raise DatabaseUnavailable(CANNOT_BE_USED.format(reason=f"{path}: {error.strerror}")) from error
    with lock_file:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"Another `amends run` works on {parsed.database}: stop it first, or move to PostgreSQL, "
                "which several processes may share."
            ) from error
        yield


def acquire_leadership(tx: Tx, name: str, holder: str, seconds: float) -> int | None:
    """Take or renew the lease `name` for `seconds`; its fencing number, or None while another process holds it.

    The fencing number grows with every new holder, so that a holder can notice that it lost the lease.
    """
    tx.insert_missing(LEASES, [{"name": name, "holder": "", "fencing": 0, "until": 0.0}])
    now = database_seconds()
    renewed = tx.connection.execute(
        update(LEASES)
        .where(LEASES.c.name == name, LEASES.c.holder == holder, LEASES.c.until > now)
        .values(until=now + seconds)
        .returning(LEASES.c.fencing)
    ).scalar()
    if renewed is not None:
        return int(renewed)
    acquired = tx.connection.execute(
        update(LEASES)
        .where(LEASES.c.name == name, LEASES.c.until <= now)
        .values(holder=holder, until=now + seconds, fencing=LEASES.c.fencing + 1)
        .returning(LEASES.c.fencing)
    ).scalar()
    return None if acquired is None else int(acquired)


def find_leader(tx: Tx, name: str) -> str | None:
    """The process that holds the lease `name` now."""
    query = select(LEASES.c.holder).where(LEASES.c.name == name, LEASES.c.until > database_seconds())
    holder: str | None = tx.connection.execute(query).scalar()
    return holder


def list_held(tx: Tx) -> set[str]:
    """The names of the leases that a process holds now; of listeners, what they listen to."""
    names = select(LEASES.c.name).where(LEASES.c.until > database_seconds())
    return {name.partition("/")[0] for name in tx.connection.execute(names).scalars()}


def release_leadership(tx: Tx, name: str, holder: str) -> None:
    """End the lease, so that another process may take it at once."""
    tx.connection.execute(
        update(LEASES).where(LEASES.c.name == name, LEASES.c.holder == holder).values(until=0.0)
    )


def record_listener(tx: Tx, what: str, holder: str, seconds: float) -> int:
    """Note that this process listens to `what` for `seconds`; returns how many processes do, including this one."""
    same_kind = LEASES.c.name > f"{what}/", LEASES.c.name < f"{what}0"
    tx.connection.execute(delete(LEASES).where(*same_kind, LEASES.c.until <= database_seconds()))
    acquire_leadership(tx, f"{what}/{holder}", holder, seconds)
    return int(tx.connection.execute(select(func.count()).select_from(LEASES).where(*same_kind)).scalar_one())


def try_writing(tx: Tx) -> None:
    """Write a row without meaning, to check that the database can be written."""
    acquire_leadership(tx, "can-it-be-written", "", 0.0)


def clock_offset(tx: Tx) -> float:
    """How many seconds the desk's clock is ahead of real time."""
    return float(tx.connection.execute(select(CLOCK.c.offset_seconds).where(CLOCK.c.id == 1)).scalar() or 0.0)


def move_clock(tx: Tx, seconds: float) -> float:
    """Move the desk's clock forward (demo and tests only) and return the new offset in seconds."""
    tx.insert_missing(CLOCK, [{"id": 1, "offset_seconds": 0.0}])
    # Obligations that became due may be claimed now.
    tx.obligations_changed = True
    (row,) = tx.update_each(
        CLOCK, [CLOCK.c.id == 1], lambda row: {"offset_seconds": row.offset_seconds + seconds}
    )
    return float(row.offset_seconds + seconds)
