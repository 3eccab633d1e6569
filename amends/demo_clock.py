"""The one clock's hands, for the demo and for stories: on to each due time in turn (docs/design.md, rule 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from store.outbox.complete import next_due as store_next_due
from store.store import Store

#: What a due time is called where people look at the clock.
LABELS: dict[str, str] = {
    "acknowledge": "acknowledgement",
    "card": "card",
    "closing": "closing message",
    "delay": "notice that the answer is not ready",
    "dates": "first real dates",
    "decision": "decision",
    "end_form": "questions end",
    "lapse": "ends without a reply",
    "page": "page",
    "progress": "progress notice",
    "propose": "proposal",
    "remedy_late": "remedy",
    "remind": "reminder",
    "reply_reminder": "reminder to reply",
    "survey": "survey",
    "survey_reminder": "survey reminder",
    "wake": "next question",
}


class Clockwork:
    """Moves the offset in the store; `settled` waits until the desk has done all that is due."""

    def __init__(self, store: Store, settled: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._settled = settled
        self._moving = asyncio.Lock()

    def now(self) -> datetime:
        """The desk's time."""
        return self._store.now()

    def next_due(self) -> tuple[str, datetime] | None:
        """What is owed next, in words, and when."""
        found = self._store.read(store_next_due)
        if found is None:
            return None
        kind, ref, at = found
        label = LABELS.get(kind, kind.replace("_", " "))
        return (f"{label} {ref}" if ref else label), at

    async def advance(self, by: timedelta) -> None:
        """Move on by this much; everything that falls due on the way is done at its own time."""
        async with self._moving:
            await self._settled()
            target = self.now() + by
            while True:
                found = await self._store.aread(store_next_due)
                if found is None or found[2] > target:
                    break
                await self._move_to(found[2])
            await self._move_to(target)

    async def to_next_due(self) -> None:
        """Move to the next due time, if there is one, and let what is due be done."""
        async with self._moving:
            await self._settled()
            found = await self._store.aread(store_next_due)
            if found is not None:
                await self._move_to(found[2])

    async def _move_to(self, at: datetime) -> None:
        ahead = (at - self.now()).total_seconds()
        if ahead > 0:
            await self._store.in_thread(self._store.move_clock, ahead)
        await self._settled()
