"""A place in the pace that a platform allows, over all processes: taken in the store, waited out outside it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from store.database.transaction import Tx, database_seconds
from store.tables import LANES

#: After this time nothing in a lane can matter any more.
_FORGOTTEN = 86_400.0


@dataclass(frozen=True)
class EvenlySpaced:
    """One each `interval` seconds in this lane; after a pause `together` of them may come at once."""

    lane: str
    interval: float
    together: int = 1


@dataclass(frozen=True)
class SlidingWindow:
    """No more than `many` in any `seconds`, however they fall.

    Each of the many is a row of its own that is free again after the time: so two places of the same row are never
    nearer than that. Who may take more of the same lane's rows than others has some kept free for it.
    """

    lane: str
    many: int
    seconds: float


Limit = EvenlySpaced | SlidingWindow


@dataclass(frozen=True)
class RateSlot:
    """When one may leave: by the database's clock, by this process's own, and in seconds from when it was taken."""

    moment: float
    at: float
    wait: float


def peek_wait(tx: Tx, limits: Sequence[Limit]) -> float:
    """Seconds until the next place within all limits; nothing is taken."""
    now, _, free = _free(tx, limits)
    return max(0.0, _place(limits, free, now) - now)


def take_slot(tx: Tx, limits: Sequence[Limit]) -> RateSlot:
    """Take the next place within all limits.

    The moment is told by the process's own clock too, read in the same breath as the database's: what the commit
    takes is part of the waiting, not added to it.
    """
    if not tx.is_sqlite:
        _make(tx, limits)
    now, here, free = _free(tx, limits, lock=True)
    place = _place(limits, free, now)
    taken = []
    for one in limits:
        row = _next_row(one, free)
        until = max(free[row], place) + one.interval if isinstance(one, EvenlySpaced) else place + one.seconds
        taken.append({"lane": row, "next_free_at": until})
    tx.put_all(LANES, taken)
    return RateSlot(place, here + place - now, place - now)


def take_slot_within(tx: Tx, limits: Sequence[Limit], within: float) -> RateSlot | float:
    """Take the next place if it comes within so many seconds; else the seconds until it comes, and none taken.

    Whoever is less urgent asks for little: what is taken far ahead stands in the way of what is more urgent.
    """
    wait = peek_wait(tx, limits)
    return take_slot(tx, limits) if wait <= within else wait


def pause_sending(tx: Tx, limit: Limit, seconds: float) -> None:
    """The other side asked for a pause (Retry-After): nothing within this limit leaves before it is over."""
    lane, until = _paused(limit), database_seconds() + seconds
    tx.insert_new(LANES, [{"lane": lane, "next_free_at": 0.0}])
    sooner = LANES.c.next_free_at < until
    tx.connection.execute(update(LANES).where(LANES.c.lane == lane, sooner).values(next_free_at=until))


def forget(tx: Tx) -> None:
    """Lanes of which nothing was heard for a day go; there is one for each chat."""
    # All of them, along the key: there are only those of the last day.
    before = database_seconds() - _FORGOTTEN
    tx.connection.execute(delete(LANES).where(LANES.c.lane > "", LANES.c.next_free_at < before))


def _paused(limit: Limit) -> str:
    return f"{limit.lane}/pause"


def _rows(limit: Limit) -> Iterator[str]:
    if isinstance(limit, EvenlySpaced):
        yield limit.lane
    else:
        yield from (f"{limit.lane}/{number:02d}" for number in range(limit.many))


def _make(tx: Tx, limits: Sequence[Limit]) -> None:
    """Rows that nobody used yet, so that there is something to lock."""
    names = sorted({row for one in limits for row in _rows(one)})
    known = set(tx.connection.execute(select(LANES.c.lane).where(LANES.c.lane.in_(names))).scalars())
    tx.insert_new(LANES, [{"lane": one, "next_free_at": 0.0} for one in names if one not in known])


def _free(tx: Tx, limits: Sequence[Limit], *, lock: bool = False) -> tuple[float, float, dict[str, float]]:
    """The database's time and ours, and when each row is free; rows that are not there were never used.

    `lock` holds those that will be written until the commit. Of a window any free one will do: others are not
    waited for.
    """
    found: dict[str, float] = {}
    for one in sorted(limits, key=lambda one: one.lane):
        names = [*_rows(one), _paused(one)]
        query = select(LANES.c.lane, LANES.c.next_free_at).where(LANES.c.lane.in_(names))
        if lock and not tx.is_sqlite:
            found |= _locked(tx, one)
            query = query.where(LANES.c.lane == _paused(one))
        else:
            found |= dict.fromkeys(_rows(one), 0.0)
        found |= {row.lane: row.next_free_at for row in tx.connection.execute(query)}
    now = tx.connection.execute(select(database_seconds())).scalar_one()
    return now, time.monotonic(), found


def _locked(tx: Tx, limit: Limit) -> dict[str, float]:
    rows = select(LANES.c.lane, LANES.c.next_free_at).where(LANES.c.lane.in_(list(_rows(limit))))
    rows = rows.order_by(LANES.c.next_free_at, LANES.c.lane).limit(1)
    found = tx.connection.execute(rows.with_for_update(skip_locked=isinstance(limit, SlidingWindow))).all()
    # All of a window's rows in other hands at once: wait for the first of them.
    found = found or tx.connection.execute(rows.with_for_update()).all()
    # Forgotten since we looked, after a day of silence: free as one that was never used, and written anew.
    return {row.lane: row.next_free_at for row in found} or {next(_rows(limit)): 0.0}


def _next_row(limit: Limit, free: dict[str, float]) -> str:
    return min((row for row in _rows(limit) if row in free), key=lambda row: (free[row], row))


def _place(limits: Sequence[Limit], free: dict[str, float], now: float) -> float:
    place = now
    for one in limits:
        slack = (one.together - 1) * one.interval if isinstance(one, EvenlySpaced) else 0.0
        place = max(place, free[_next_row(one, free)] - slack, free.get(_paused(one), 0.0))
    return place
