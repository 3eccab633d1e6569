"""Telegram's rate limits, shared by all processes: 30 messages a second per bot, one a second per chat."""

import asyncio
import time
from collections.abc import Callable, Sequence

from bots.priority_lock import PriorityLock, ShutdownWait
from complaints.obligations.kinds import SendPriority
from store.database.transaction import Tx
from store.outbox.complete import RateLimited
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
#: Telegram's limits: messages per second of a bot, and seconds between two messages into one chat.
MAX_PER_SECOND, CHAT_INTERVAL_SECONDS = 30, 1.0
#: Messages of low urgency leave evenly, a little below the limit, so that a slot is always free for urgent ones.
BULK_INTERVAL_SECONDS = 1 / 29.3
#: This many replies may reach a chat at once, danger one more; other messages keep to one a second.
CHAT_BURST = 3
#: A slot is free again after this many seconds: even if the network delays one message by 20 ms, no second has
#: more than 30.
WINDOW_SECONDS = 1.02
#: How far ahead a slot is reserved, in seconds. Slots reserved for surveys must not delay a prompt.
RESERVE_SECONDS = {
    SendPriority.DANGER: 5.0,
    SendPriority.DIALOGUE: 5.0,
    SendPriority.NOTICE: 0.4,
    SendPriority.BULK: 0.25,
}
#: An obligation that would wait longer than this many seconds is rescheduled.
MAX_WAIT_SECONDS = 5.0
#: The longest wait while holding the lock, in seconds. For a longer one, release it: others can go first.
MAX_LOCKED_WAIT_SECONDS = 0.1
#: A slot is lost after this many seconds: sending in it would collide with the slots behind it.
SLOT_TOLERANCE_SECONDS = 0.02

#: Records a message within these limits if its slot is at most so many seconds away (`begin_sending_in_order`).
#: Returns the message number and the slot, or the seconds to wait.
RecordMessage = Callable[[Sequence[Limit], float], tuple[int, RateSlot] | float]


def limits_for(address: str, lane: SendPriority) -> tuple[Limit, ...]:
    """The limits for a message into this chat: first the chat's, then the bot's."""
    danger, unprompted = lane is SendPriority.DANGER, lane in (SendPriority.NOTICE, SendPriority.BULK)
    chat = EvenlySpaced(f"{BOT}:{address}", CHAT_INTERVAL_SECONDS, 1 if unprompted else CHAT_BURST + danger)
    # Dialogue may use all but one of the 30 slots, so that danger always finds one.
    bot = SlidingWindow(BOT, MAX_PER_SECOND - (lane is SendPriority.DIALOGUE), WINDOW_SECONDS)
    even = (EvenlySpaced(f"{BOT}~even", BULK_INTERVAL_SECONDS),) if unprompted else ()
    return (chat, bot, *even)


class TelegramRateLimit:
    """The rate limit of one bot as seen by this process; the slots are reserved in the store."""

    def __init__(
        self,
        store: Store,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        shutdown: ShutdownWait | None = None,
    ) -> None:
        self._store, self._monotonic = store, monotonic
        self._shutdown = shutdown or ShutdownWait()
        self._lock = PriorityLock()

    async def begin(self, address: str, lane: SendPriority, record: RecordMessage) -> int | RateLimited:
        """Record the message with its slot and return its number once the slot has come."""
        limits, reserve = limits_for(address, lane), RESERVE_SECONDS[lane]
        while True:
            async with self._lock.hold(lane):
                recorded = await self._store.in_thread(record, limits, reserve)
                while isinstance(recorded, float) and recorded - reserve <= MAX_LOCKED_WAIT_SECONDS:
                    await asyncio.sleep(recorded - reserve)
                    recorded = await self._store.in_thread(record, limits, reserve)
            if not isinstance(recorded, float):
                number, slot = recorded
                await self._wait_for(slot, limits[1:])
                return number
            seconds = recorded
            if seconds > MAX_WAIT_SECONDS or self._shutdown.must_release(lane):
                return RateLimited(seconds)
            await self._shutdown.wait(seconds - reserve if seconds > reserve else seconds, lane)

    async def _wait_for(self, slot: RateSlot, limits: tuple[Limit, ...]) -> None:
        await asyncio.sleep(max(0.0, slot.at - self._monotonic()))
        if self._monotonic() - slot.at > SLOT_TOLERANCE_SECONDS:
            # This process was delayed and missed its slots; sending in all of them now would break the limit.
            # With retry: the message is recorded as in sending, and ending here would make its delivery uncertain.
            new_slot = await self._store.awrite_with_retry(take_slot, limits)
            await asyncio.sleep(max(0.0, new_slot.at - self._monotonic()))

    async def refused(self, address: str, seconds: float) -> None:
        """Telegram asks for a pause: pause the chat if it got much lately, otherwise the whole bot."""
        await self._store.awrite_with_retry(_pause, address=address, seconds=seconds)


def _pause(tx: Tx, *, address: str, seconds: float) -> None:
    chat, bot, *_ = limits_for(address, SendPriority.DIALOGUE)
    # A burst of two has no room left when more than the refused message was sent to this chat.
    is_chat_busy = peek_wait(tx, [EvenlySpaced(chat.lane, CHAT_INTERVAL_SECONDS, 2)]) > 0
    pause_sending(tx, chat if is_chat_busy else bot, seconds)
