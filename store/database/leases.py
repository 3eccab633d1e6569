"""One process on a file: a second one would free what the first is sending at this moment, and send it again.

What several processes share in time: who may poll, and the desk's clock. The pace is in `places`.

Which processes are at one kind of work now, by a lease of each one's own.
"""

from __future__ import annotations

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
    """Hold the file at `url` for a working desk; a server's databases are shared and need no holding.

    Raises NotAlone while another process holds it; the system lets go of what a killed process held. The lock is on
    a file beside it: opening and closing the database's own would drop the locks that SQLite holds there.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    beside = Path(f"{parsed.database}.running")
    try:
        held = beside.open("w")
    except OSError as wrong:
        raise DatabaseUnavailable(CANNOT_BE_USED.format(said=f"{beside}: {wrong.strerror}")) from wrong
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise AlreadyRunning(
                f"Another `amends run` works on {parsed.database}: stop it first, or move to PostgreSQL, "
                "which several processes may share."
            ) from taken
        yield


def acquire_leadership(tx: Tx, name: str, holder: str, seconds: float) -> int | None:
    """Hold what only one process may do; the fencing number, or None while another holds it."""
    tx.insert_new(LEASES, [{"name": name, "holder": "", "fencing": 0, "until": 0.0}])
    now = database_seconds()
    mine = tx.connection.execute(
        update(LEASES)
        .where(LEASES.c.name == name, LEASES.c.holder == holder, LEASES.c.until > now)
        .values(until=now + seconds)
        .returning(LEASES.c.fencing)
    ).scalar()
    if mine is not None:
        return int(mine)
    taken = tx.connection.execute(
        update(LEASES)
        .where(LEASES.c.name == name, LEASES.c.until <= now)
        .values(holder=holder, until=now + seconds, fencing=LEASES.c.fencing + 1)
        .returning(LEASES.c.fencing)
    ).scalar()
    return None if taken is None else int(taken)


def leader(tx: Tx, name: str) -> str | None:
    """Who holds it now."""
    query = select(LEASES.c.holder).where(LEASES.c.name == name, LEASES.c.until > database_seconds())
    held: str | None = tx.connection.execute(query).scalar()
    return held


def release_leadership(tx: Tx, name: str, holder: str) -> None:
    """Another process may take it at once."""
    tx.connection.execute(
        update(LEASES).where(LEASES.c.name == name, LEASES.c.holder == holder).values(until=0.0)
    )


def try_writing(tx: Tx) -> None:
    """Write a word that means nothing, for whoever asks whether that can be done again."""
    acquire_leadership(tx, "can-it-be-written", "", 0.0)


def clock_offset(tx: Tx) -> float:
    """How many seconds the desk's clock is ahead of real time."""
    return float(tx.connection.execute(select(CLOCK.c.offset_seconds).where(CLOCK.c.id == 1)).scalar() or 0.0)


def move_clock(tx: Tx, seconds: float) -> float:
    """Move the desk's clock on (demo and tests only); the new offset. What became due may be claimed."""
    tx.insert_new(CLOCK, [{"id": 1, "offset_seconds": 0.0}])
    tx.owing = True
    return float(
        tx.connection.execute(
            update(CLOCK)
            .where(CLOCK.c.id == 1)
            .values(offset_seconds=CLOCK.c.offset_seconds + seconds)
            .returning(CLOCK.c.offset_seconds)
        ).scalar_one()
    )


def record_listener(tx: Tx, what: str, holder: str, seconds: float) -> int:
    """This process is at it for so many seconds; how many are, this one among them. Those long gone are forgotten."""
    mine = LEASES.c.name > f"{what}/", LEASES.c.name < f"{what}0"
    tx.connection.execute(delete(LEASES).where(*mine, LEASES.c.until <= database_seconds()))
    acquire_leadership(tx, f"{what}/{holder}", holder, seconds)
    return int(tx.connection.execute(select(func.count()).select_from(LEASES).where(*mine)).scalar_one())
