"""What several processes share in time: who may poll, and the desk's clock. The pace is in `places`."""

from __future__ import annotations

from sqlalchemy import select, update

from store.tables import CLOCK, LEASES
from store.transactions import Tx, database_seconds


def lead(tx: Tx, name: str, holder: str, seconds: float) -> int | None:
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


def let_go(tx: Tx, name: str, holder: str) -> None:
    """Another process may take it at once."""
    tx.connection.execute(
        update(LEASES).where(LEASES.c.name == name, LEASES.c.holder == holder).values(until=0.0)
    )


def try_writing(tx: Tx) -> None:
    """Write a word that means nothing, for whoever asks whether that can be done again."""
    lead(tx, "can-it-be-written", "", 0.0)


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
