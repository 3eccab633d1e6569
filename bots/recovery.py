"""Noticing by what we send that a platform takes calls again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from store.database.errors import DatabaseUnavailable
from store.outbox.outcomes import Completed, Outcome, Retry
from store.values import Obligation

Perform = Callable[[Obligation], Awaitable[Outcome]]

#: What fails again so soon after it was freed was not freed by a recovery; nothing waits longer for the next one.
SOON, MOST_APART = 60.0, 300.0


class Recovering:
    """The first duty that gets through after one did not frees what waits: its pauses have grown meanwhile.

    `nobody` tells which failures mean that nobody was there. `apart`: the least seconds between two frees, doubled
    while they prove to be in vain, for where one kind of call fails while others get through. `answered` counts the
    calls that got an answer: a duty with nothing to say is no sign that somebody is there (None: all say something).
    """

    def __init__(
        self,
        recovered: Callable[[], Awaitable[None]],
        nobody: Callable[[Retry], bool],
        *,
        apart: float = 0.0,
        answered: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recovered, self._nobody = recovered, nobody
        self._least, self._apart, self._clock = apart, apart, clock
        self._answered = answered
        self._freed: float | None = None
        #: Set while nobody is there, for whoever knocks.
        self.away = asyncio.Event()

    def watched(
        self, performers: Mapping[str, Perform], kinds: Collection[str] | None = None
    ) -> dict[str, Perform]:
        """The same performers, the outcomes of these kinds seen (None: of all)."""
        return {
            kind: self._seen(one) if kinds is None or kind in kinds else one
            for kind, one in performers.items()
        }

    def _seen(self, perform: Perform) -> Perform:
        async def performed(owed: Obligation) -> Outcome:
            before = self._answered() if self._answered is not None else None
            outcome = await perform(owed)
            if isinstance(outcome, Retry) and self._nobody(outcome):
                self._failed()
            elif isinstance(outcome, Completed) and (self._answered is None or self._answered() != before):
                await self.got_through()
            return outcome

        return performed

    def _failed(self) -> None:
        if self.away.is_set():
            return
        self.away.set()
        soon = self._freed is not None and self._clock() - self._freed < SOON + self._apart
        self._apart = min(MOST_APART, 2 * self._apart) if soon else self._least

    async def got_through(self) -> None:
        """Somebody is there; after a failure that frees what waits."""
        early = self._freed is not None and self._clock() - self._freed < self._apart
        if not self.away.is_set() or early:
            return
        self.away.clear()
        self._freed = self._clock()
        try:
            await self._recovered()
        except DatabaseUnavailable:
            # What got through stays so; the next one that does frees the others, and is not kept waiting.
            self._freed = None
            self.away.set()
