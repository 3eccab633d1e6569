"""A number that grows with every change of the world, and waiting for it."""

import asyncio
from collections.abc import Callable

ELSEWHERE_SECONDS = 0.05


class Changes:
    """Change notification for one event loop."""

    def __init__(self) -> None:
        self.version = 0
        self.closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def changed(self) -> None:
        """Count a change and wake everyone who waits."""
        self.version += 1
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Wake everyone for the last time."""
        self.closed = True
        self.changed()

    async def beyond(self, version: int, within: float | None) -> bool:
        """Wait until the number exceeds `version`; False when `within` seconds passed first."""
        if self.version > version:
            return True
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, within)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    async def until(self, predicate: Callable[[], object], within: float) -> bool:
        """Wait until `predicate` is true, asked again after every change; False after `within` seconds.

        It may look outside the world, into a database say: it is asked now and then without a change too.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not predicate():
            remaining = deadline - loop.time()
            if remaining <= 0 or self.closed:
                return False
            await self.beyond(self.version, min(remaining, ELSEWHERE_SECONDS))
        return True
