"""Rate limits of the platforms, shared by all processes: a slot is taken in the database and waited for outside.

Each limit has rows in the table `rate_limits`. A row holds the time from which it is free again. The address in
a lane such as `telegram:4711` is stored as a keyed hash, because an erasure does not reach these rows.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update

from store.database.transaction import Tx, database_seconds
from store.tables import RATE_LIMITS

#: A row that has been free for a day no longer affects any limit.
_DELETE_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True)
class EvenlySpaced:
    """One slot every `interval` seconds; after a pause up to `together` slots are free at once."""

    lane: str
    interval: float
    burst: int = 1


@dataclass(frozen=True)
class SlidingWindow:
    """At most `many` slots in any period of `seconds`.

    Each of the `many` slots is a row that is free again after `seconds`. A caller that may use more rows of the same
    lane than others has some reserved for it.
    """

    lane: str
    max_count: int
    seconds: float


Limit = EvenlySpaced | SlidingWindow


@dataclass(frozen=True)
class RateSlot:
    """When a message may be sent: by the database's clock, by this process's monotonic clock, and in seconds."""

    moment: float
    at: float
    wait: float


def peek_wait(tx: Tx, limits: Sequence[Limit]) -> float:
    """Seconds until the next slot within all limits; takes none."""
    limits = _stored(tx, limits)
    now, _, free_at = _read_rows(tx, limits)
    return max(0.0, _next_slot(limits, free_at, now) - now)


def take_slot(tx: Tx, limits: Sequence[Limit]) -> RateSlot:
    """Take the next slot within all limits.

    The process's own clock is read at the same moment as the database's, so that the time of the commit is part of
    the wait and not added to it.
    """
    limits = _stored(tx, limits)
    if not tx.is_sqlite:
        _insert_missing_rows(tx, limits)
    now, monotonic_now, free_at = _read_rows(tx, limits, lock=True)
    slot = _next_slot(limits, free_at, now)
    rows = []
    for limit in limits:
        lane = _freest_row(limit, free_at)
        rows.append({"name": lane, "next_free_at": _free_after(limit, free_at[lane], slot)})
    tx.upsert_all(RATE_LIMITS, rows)
    return RateSlot(slot, monotonic_now + slot - now, slot - now)


def take_slot_within(tx: Tx, limits: Sequence[Limit], within: float) -> RateSlot | float:
    """Take the next slot if it comes within so many seconds; otherwise return the seconds until it comes.

    Less urgent callers use a small `within`: a slot taken far ahead would delay more urgent messages.
    """
    wait = peek_wait(tx, limits)
    return take_slot(tx, limits) if wait <= within else wait


def pause_sending(tx: Tx, limit: Limit, seconds: float) -> None:
    """Give no slot within this limit for so many seconds, because the platform asked for it (Retry-After)."""
    (stored,) = _stored(tx, [limit])
    lane, until = _pause_row(stored), database_seconds() + seconds
    tx.insert_missing(RATE_LIMITS, [{"name": lane, "next_free_at": 0.0}])
    ends_earlier = RATE_LIMITS.c.next_free_at < until
    tx.connection.execute(
        update(RATE_LIMITS).where(RATE_LIMITS.c.name == lane, ends_earlier).values(next_free_at=until)
    )


def delete_unused_limits(tx: Tx) -> None:
    """Delete rows that were not used for a day; there is one for each chat."""
    # Scans the primary key: the table has only the rows of the last day.
    before = database_seconds() - _DELETE_AFTER_SECONDS
    tx.connection.execute(
        delete(RATE_LIMITS).where(RATE_LIMITS.c.name > "", RATE_LIMITS.c.next_free_at < before)
    )


def _stored(tx: Tx, limits: Sequence[Limit]) -> list[Limit]:
    """The limits as they are stored, without addresses."""
    lanes = [limit.lane.partition(":") for limit in limits]
    hashes = [tx.keys.index("rate limit", address)[:16].hex() if address else "" for _, _, address in lanes]
    return [
        replace(limit, lane=f"{platform}{colon}{hash_}")
        for limit, (platform, colon, _), hash_ in zip(limits, lanes, hashes, strict=True)
    ]


def _rows(limit: Limit) -> Iterator[str]:
    if isinstance(limit, EvenlySpaced):
        yield limit.lane
    else:
        yield from (f"{limit.lane}/{number:02d}" for number in range(limit.max_count))


def _pause_row(limit: Limit) -> str:
    return f"{limit.lane}/pause"


def _insert_missing_rows(tx: Tx, limits: Sequence[Limit]) -> None:
    """Insert the rows that no message has used yet: PostgreSQL can only lock rows that exist."""
    lanes = sorted({lane for limit in limits for lane in _rows(limit)})
    existing = set(
        tx.connection.execute(select(RATE_LIMITS.c.name).where(RATE_LIMITS.c.name.in_(lanes))).scalars()
    )
    tx.insert_missing(
        RATE_LIMITS, [{"name": lane, "next_free_at": 0.0} for lane in lanes if lane not in existing]
    )


def _read_rows(
    tx: Tx, limits: Sequence[Limit], *, lock: bool = False
) -> tuple[float, float, dict[str, float]]:
    """The database's time, the process's monotonic time, and when each row is free; missing rows are free.

    `lock` locks the rows to be written until the commit. Of a window any row that is not locked will do.
    """
    free_at: dict[str, float] = {}
    for limit in sorted(limits, key=lambda limit: limit.lane):
        lanes = [*_rows(limit), _pause_row(limit)]
        query = select(RATE_LIMITS.c.name, RATE_LIMITS.c.next_free_at).where(RATE_LIMITS.c.name.in_(lanes))
        if lock and not tx.is_sqlite:
            free_at |= _lock_row(tx, limit)
            query = query.where(RATE_LIMITS.c.name == _pause_row(limit))
        else:
            free_at |= dict.fromkeys(_rows(limit), 0.0)
        free_at |= {row.name: row.next_free_at for row in tx.connection.execute(query)}
    now = tx.connection.execute(select(database_seconds())).scalar_one()
    return now, time.monotonic(), free_at


def _lock_row(tx: Tx, limit: Limit) -> dict[str, float]:
    query = select(RATE_LIMITS.c.name, RATE_LIMITS.c.next_free_at).where(
        RATE_LIMITS.c.name.in_(list(_rows(limit)))
    )
    query = query.order_by(RATE_LIMITS.c.next_free_at, RATE_LIMITS.c.name).limit(1)
    rows = tx.connection.execute(query.with_for_update(skip_locked=isinstance(limit, SlidingWindow))).all()
    # If other transactions have locked all rows of a window, wait for the first of them.
    rows = rows or tx.connection.execute(query.with_for_update()).all()
    # The row may have been deleted since it was inserted, after a day without use: it is free and is written again.
    return {row.name: row.next_free_at for row in rows} or {next(_rows(limit)): 0.0}


def _freest_row(limit: Limit, free_at: dict[str, float]) -> str:
    return min((lane for lane in _rows(limit) if lane in free_at), key=lambda lane: (free_at[lane], lane))


def _free_after(limit: Limit, free_at: float, slot: float) -> float:
    return max(free_at, slot) + limit.interval if isinstance(limit, EvenlySpaced) else slot + limit.seconds


def _next_slot(limits: Sequence[Limit], free_at: dict[str, float], now: float) -> float:
    slot = now
    for limit in limits:
        burst = (limit.burst - 1) * limit.interval if isinstance(limit, EvenlySpaced) else 0.0
        slot = max(slot, free_at[_freest_row(limit, free_at)] - burst, free_at.get(_pause_row(limit), 0.0))
    return slot
