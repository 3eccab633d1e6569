"""Detects that a platform is available again, from the outcomes of the obligations that call it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from store.database.errors import DatabaseUnavailable
from store.outbox.complete import Completed, Outcome, Retry
from store.values import Obligation

#: Handles one obligation.
Handler = Callable[[Obligation], Awaitable[Outcome]]

#: A failure within RELAPSE_SECONDS of a recovery means that it was none: the interval to the next one doubles.
RELAPSE_SECONDS, MAX_INTERVAL_SECONDS = 60.0, 300.0


class RecoveryDetector:
    """Ends the retry pauses of all waiting obligations when the first one succeeds after a failure.

    `is_unavailable`: true for failures that mean "the platform is unavailable". `min_interval`: seconds between two
    recoveries. It doubles while recoveries prove wrong, for the case that one kind of call fails and others
    succeed. `answer_count`: the number of calls that got an answer so far; an obligation that made no call is no
    sign of recovery. None: every obligation makes a call.
    """

    def __init__(
        self,
        on_recovery: Callable[[], Awaitable[None]],
        is_unavailable: Callable[[Retry], bool],
        *,
        min_interval: float = 0.0,
        answer_count: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_recovery, self._is_unavailable = on_recovery, is_unavailable
        self._min_interval, self._interval, self._clock = min_interval, min_interval, clock
        self._answer_count = answer_count
        self._recovered_at: float | None = None
        #: Set while the platform is unavailable.
        self.unavailable = asyncio.Event()

    def watch(
        self, handlers: Mapping[str, Handler], kinds: Collection[str] | None = None
    ) -> dict[str, Handler]:
        """The same handlers, with the outcomes of these kinds watched (None: of all kinds)."""
        return {
            kind: self._watch(handler) if kinds is None or kind in kinds else handler
            for kind, handler in handlers.items()
        }

    def _watch(self, handle: Handler) -> Handler:
        async def handle_watched(obligation: Obligation) -> Outcome:
            before = self._answer_count() if self._answer_count is not None else None
            outcome = await handle(obligation)
            if isinstance(outcome, Retry) and self._is_unavailable(outcome):
                self._record_failure()
            elif isinstance(outcome, Completed) and (
                self._answer_count is None or self._answer_count() != before
            ):
                await self.got_through()
            return outcome

        return handle_watched

    def _record_failure(self) -> None:
        if self.unavailable.is_set():
            return
        self.unavailable.set()
        relapse = (
            self._recovered_at is not None
            and self._clock() - self._recovered_at < RELAPSE_SECONDS + self._interval
        )
        self._interval = min(MAX_INTERVAL_SECONDS, 2 * self._interval) if relapse else self._min_interval

    async def got_through(self) -> None:
        """A call succeeded: after a failure, end the retry pauses."""
        too_early = self._recovered_at is not None and self._clock() - self._recovered_at < self._interval
        if not self.unavailable.is_set() or too_early:
            return
        self.unavailable.clear()
        self._recovered_at = self._clock()
        try:
            await self._on_recovery()
        except DatabaseUnavailable:
            # The call itself is done. The next success tries again, without waiting for the interval.
            self._recovered_at = None
            self.unavailable.set()
