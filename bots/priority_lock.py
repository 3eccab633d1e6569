"""How senders in this process queue for a platform's rate limit: the most urgent first, then in order of arrival."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from complaints.obligations.kinds import SendPriority


class ShutdownWait:
    """A wait for a rate slot that ends early when the process shuts down, except for danger.

    An obligation that still waits then is released to the queue unchanged.
    """

    def __init__(self) -> None:
        self._shutdown = asyncio.Event()

    def stop(self) -> None:
        """The process ends within seconds: each waiter tries once more and is then released."""
        self._shutdown.set()

    def must_release(self, lane: SendPriority) -> bool:
        """True when an obligation without a slot must be released."""
        return self._shutdown.is_set() and lane is not SendPriority.DANGER

    async def wait(self, seconds: float, lane: SendPriority) -> None:
        """Wait for this time, or until the shutdown."""
        if lane is SendPriority.DANGER:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._shutdown.wait(), seconds)


class PriorityLock:
    """A lock that the most urgent waiter gets next. Lives as long as the process."""

    def __init__(self) -> None:
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = count()
        self._taken = False

    def __len__(self) -> int:
        return len(self._waiters)

    @asynccontextmanager
    async def hold(self, lane: SendPriority) -> AsyncIterator[None]:
        """Hold the lock; more urgent waiters get it first."""
        if self._taken:
            waiter = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiters, (int(lane), next(self._number), waiter))
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    # The lock was just passed to this waiter: pass it on, or it is never released.
                    self._pass_on()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiters:
            waiter = heapq.heappop(self._waiters)[2]
            if not waiter.done():
                waiter.set_result(None)
                return
        self._taken = False
