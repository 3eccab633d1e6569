"""Telegram's pace: 30 messages a second from one bot, one a second into one chat, over all processes together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from bots.priority_lock import PriorityLock, ShutdownWait
from complaints.obligations.kinds import SendPriority
from store.database.transaction import Tx
from store.outbox.outcomes import RateLimited
from store.outbox.rate_limit import (
    EvenlySpaced,
    Limit,
    RateSlot,
    SlidingWindow,
    pause_sending,
    peek_wait,
    take_slot,
)
from store.store import Store

BOT = "telegram"
#: Telegram's limits: messages a second of one bot, seconds between two messages into one chat.
MOST_A_SECOND, ONE_CHAT = 30, 1.0
#: What nobody waits for leaves evenly, a little under the limit: a place for what is urgent is free all the time.
APART = 1 / 29.3
#: A few answers may reach a chat together, of danger one more; what we begin ourselves keeps to the second.
TOGETHER = 3
#: A place is good again after this time: not one second holds more than thirty, though the network brings one of
#: them 20 ms late.
SECOND = 1.02
#: How far ahead a place is taken, in seconds. What was taken for surveys must not stand in a prompt's way.
AHEAD = {
    SendPriority.DANGER: 5.0,
    SendPriority.DIALOGUE: 5.0,
    SendPriority.NOTICE: 0.4,
    SendPriority.BULK: 0.25,
}
#: Longer than this nobody waits with a duty in hand.
LONGEST_WAIT = 5.0
#: So long one waits at the head of the line; who waits longer, waits for its chat and lets others go before.
AT_THE_HEAD = 0.1
#: Later than this a place is no good any more: those behind would leave together with us.
LATE = 0.02

#: Writes a message down within these limits, its place no further off than so many seconds (`sending_in_turn`).
Write = Callable[[Sequence[Limit], float], tuple[int, RateSlot] | float]


def limits_for(address: str, lane: SendPriority) -> tuple[Limit, ...]:
    """Within what a message to this chat must stay: the chat's first, then the bot's."""
    danger, begun_by_us = lane is SendPriority.DANGER, lane in (SendPriority.NOTICE, SendPriority.BULK)
    chat = EvenlySpaced(f"{BOT}:{address}", ONE_CHAT, 1 if begun_by_us else TOGETHER + danger)
    # However many answers leave together, one of the thirty is left: danger finds its place.
    bot = SlidingWindow(BOT, MOST_A_SECOND - (lane is SendPriority.DIALOGUE), SECOND)
    even = (EvenlySpaced(f"{BOT}~even", APART),) if begun_by_us else ()
    return (chat, bot, *even)


class TelegramRateLimit:
    """The pace of one bot in this process; the places themselves are the store's."""

    def __init__(
        self,
        store: Store,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        waiting: ShutdownWait | None = None,
    ) -> None:
        self._store, self._monotonic = store, monotonic
        self._waiting = waiting or ShutdownWait()
        self._line = PriorityLock()

    async def begin(self, address: str, lane: SendPriority, write: Write) -> int | RateLimited:
        """Write the message down with its place, and return its number when its time has come."""
        limits, ahead = limits_for(address, lane), AHEAD[lane]
        while True:
            async with self._line.turn(lane):
                begun = await self._store.in_thread(write, limits, ahead)
                while isinstance(begun, float) and begun - ahead <= AT_THE_HEAD:
                    await asyncio.sleep(begun - ahead)
                    begun = await self._store.in_thread(write, limits, ahead)
            if not isinstance(begun, float):
                number, place = begun
                await self._until(place, limits[1:])
                return number
            if begun > LONGEST_WAIT or self._waiting.is_over(lane):
                return RateLimited(begun)
            await self._waiting.out(begun - ahead if begun > ahead else begun, lane)

    async def _until(self, place: RateSlot, limits: tuple[Limit, ...]) -> None:
        await asyncio.sleep(max(0.0, place.at - self._monotonic()))
        if self._monotonic() - place.at > LATE:
            # This process was held up: its places are gone by, and all of them at once would be too many.
            # Surely: the message stands as begun, and one that ended here would be taken for perhaps sent.
            later = await self._store.awrite_with_retry(take_slot, limits)
            await asyncio.sleep(max(0.0, later.at - self._monotonic()))

    async def refused(self, address: str, seconds: float) -> None:
        """Telegram asks for a pause: of this chat where it heard much of late, else of the whole bot."""
        await self._store.awrite_with_retry(_pause, address=address, seconds=seconds)


def _pause(tx: Tx, *, address: str, seconds: float) -> None:
    chat, bot, *_ = limits_for(address, SendPriority.DIALOGUE)
    # One message alone leaves room for a second; where there is none, it was not our only one.
    crowded = peek_wait(tx, [EvenlySpaced(chat.lane, ONE_CHAT, 2)]) > 0
    pause_sending(tx, chat if crowded else bot, seconds)
