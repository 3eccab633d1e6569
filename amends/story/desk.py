"""What a story needs of the desk: a clock that moves from due time to due time, and the figures that it checks."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reports.monitoring import monitor
from reports.tally import Period
from store.outbox.complete import find_next_due
from store.store import Store

#: The names of due times that people see next to the demo's clock.
LABELS = tomllib.loads(Path(__file__).with_name("due_labels.toml").read_text(encoding="utf-8"))
#: The period is a year before and after now: a story may have moved the clock since this store read it.
_YEAR = timedelta(days=365)


class DemoClock:
    """Moves the product's one clock from due time to due time (docs/design.md, rule 5).

    `settled` waits until everything that is due has been done.
    """

    def __init__(self, store: Store, settled: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._settled = settled
        self._moving = asyncio.Lock()

    def now(self) -> datetime:
        return self._store.now()

    def next_due(self) -> tuple[str, datetime] | None:
        obligation = self._store.read(find_next_due)
        if obligation is None:
            return None
        kind, ref, due_at = obligation
        label = LABELS.get(kind, kind.replace("_", " "))
        return (f"{label} {ref}" if ref else label), due_at

    async def advance(self, duration: timedelta) -> None:
        """Move on by this duration; everything that becomes due on the way is done at its own time."""
        async with self._moving:
            await self._settled()
            target = self.now() + duration
            while True:
                obligation = await self._store.aread(find_next_due)
                if obligation is None or obligation[2] > target:
                    break
                await self._move_to(obligation[2])
            await self._move_to(target)

    async def advance_to_next_due(self) -> None:
        """Move to the next due time, if there is one, and wait until everything due has been done."""
        async with self._moving:
            await self._settled()
            obligation = await self._store.aread(find_next_due)
            if obligation is not None:
                await self._move_to(obligation[2])

    async def _move_to(self, target: datetime) -> None:
        seconds = (target - self.now()).total_seconds()
        if seconds > 0:
            await self._store.in_thread(self._store.move_clock, seconds)
        await self._settled()


def incident_figures(store: Store) -> Mapping[str, Any]:
    """The number of `incidents`, of `complaints` in them, and of all complaints `received`."""
    now = store.now()
    period = Period(now - _YEAR, now + _YEAR)
    report = monitor(store.for_monitoring(period.start, period.end), period=period, now=now).as_json()
    incidents = report["incidents"]
    return {
        "incidents": incidents["count"],
        "complaints": incidents["complaints"],
        "received": report["received"],
    }
