"""Who of this process asks next for a place in a platform's pace: the most urgent, then who came first."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from complaints.obligations.kinds import SendPriority


class ShutdownWait:
    """How duties wait for their places in this process: no longer than it lives, danger excepted.

    Who still waits when the process ends goes back into the queue as it stood there.
    """

    def __init__(self) -> None:
        self._ending = asyncio.Event()

    def stop(self) -> None:
        """This process ends within seconds: whoever waits asks once more and then stands back."""
        self._ending.set()

    def is_over(self, lane: SendPriority) -> bool:
        """Should who has no place yet stand back?"""
        return self._ending.is_set() and lane is not SendPriority.DANGER

    async def out(self, seconds: float, lane: SendPriority) -> None:
        """Wait so long, or until it is over."""
        if lane is SendPriority.DANGER:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)


class PriorityLock:
    """A lock that goes to the most urgent of those who wait. Lives as long as the process."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = count()
        self._taken = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, lane: SendPriority) -> AsyncIterator[None]:
        """Hold the line; whoever is more urgent goes before those who wait already."""
        if self._taken:
            mine = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (int(lane), next(self._number), mine))
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    # It was just handed over: pass it on.
                    self._hand_over()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting:
            following = heapq.heappop(self._waiting)[2]
            if not following.done():
                following.set_result(None)
                return
        self._taken = False
