"""What several processes share in time: the pace of each lane, who may poll, the desk's clock."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select, update

from store.tables import CLOCK, LANES, LEASES
from store.transactions import Tx, database_seconds


def reserve(tx: Tx, lane: str, interval_seconds: float) -> float:
    """Take the lane's next place; the seconds until it comes (0 = go now)."""
    now = tx.connection.execute(select(database_seconds())).scalar_one()
    tx.insert_new(LANES, [{"lane": lane, "next_free_at": 0.0}])
    start = _later(tx, LANES.c.next_free_at, now)
    free = tx.connection.execute(
        update(LANES)
        .where(LANES.c.lane == lane)
        .values(next_free_at=start + interval_seconds)
        .returning(LANES.c.next_free_at)
    ).scalar_one()
    return max(0.0, float(free - interval_seconds - now))


def lane_waits(tx: Tx, lane: str, seconds: float) -> None:
    """The other side asked for a pause (Retry-After): nothing of this lane leaves before."""
    now = tx.connection.execute(select(database_seconds())).scalar_one()
    tx.insert_new(LANES, [{"lane": lane, "next_free_at": 0.0}])
    until = _later(tx, LANES.c.next_free_at, now + seconds)
    tx.connection.execute(update(LANES).where(LANES.c.lane == lane).values(next_free_at=until))


def _later(tx: Tx, column: ColumnElement[float], value: float) -> ColumnElement[float]:
    # The greater of two in one row: SQLite calls it max, PostgreSQL greatest.
    return func.max(column, value) if tx.is_sqlite else func.greatest(column, value)


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


def let_go(tx: Tx, name: str, holder: str) -> None:
    """Another process may take it at once."""
    tx.connection.execute(
        update(LEASES).where(LEASES.c.name == name, LEASES.c.holder == holder).values(until=0.0)
    )


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
