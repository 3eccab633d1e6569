"""Noticing by what we send that Telegram takes messages again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bots.telegram.speaking import Perform
from store.errors import DatabaseAway
from store.outcomes import NO_ANSWER, NO_ANSWER_AGAIN, Done, Outcome, Retry
from store.owed_rows import SPEAKING
from store.values import Obligation

#: Why a message waits for its next try when nobody was there to take it.
NOBODY = frozenset({"unreachable", NO_ANSWER, NO_ANSWER_AGAIN})


class Recovering:
    """The first message that gets through after one did not frees what waits: its pauses have grown meanwhile.

    Polling notices by itself, but not where only sending failed, nor where Telegram calls us.
    """

    def __init__(self, recovered: Callable[[], Awaitable[None]]) -> None:
        self._recovered = recovered
        self._away = False

    def watched(self, performers: Mapping[str, Perform]) -> Mapping[str, Perform]:
        """The same performers, their outcomes seen."""
        return {kind: self._seen(one) if kind in SPEAKING else one for kind, one in performers.items()}

    def _seen(self, perform: Perform) -> Perform:
        async def performed(owed: Obligation) -> Outcome:
            outcome = await perform(owed)
            if isinstance(outcome, Retry):
                self._away = self._away or outcome.why in NOBODY
            elif self._away and isinstance(outcome, Done):
                self._away = False
                try:
                    await self._recovered()
                except DatabaseAway:
                    # The message has left all the same; the next one that does frees the others.
                    self._away = True
            return outcome

        return performed
