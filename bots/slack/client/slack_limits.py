"""Slack's rate limits over all processes: about one message a second in each channel, calls a minute by method.

Answers to a press never wait for them: they are few, and their trigger expires within seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from bots.priority_lock import PriorityLock, ShutdownWait
from complaints.obligations.kinds import SendPriority
from store.outbox.rate_limit import EvenlySpaced, Limit, RateSlot, pause_sending, take_slot_within
from store.store import Store

#: Calls a minute that Slack accepts at least, by method (its tiers 2, 3 and 4).
CALLS_PER_MINUTE: Mapping[str, int] = {
    "usergroups.users.list": 20,
    "chat.delete": 50,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.open": 50,
    "conversations.replies": 50,
    "files.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.members": 100,
    "files.completeUploadExternal": 100,
    "files.getUploadURLExternal": 100,
    "users.info": 100,
    "views.publish": 100,
}
#: Posts have a tier of their own: one a second in each channel, several hundred a minute in all.
POSTS, POSTS_PER_MINUTE = "chat.postMessage", 240
#: This share of a minute's calls may be sent at once; the rest is spread, so that the sum stays within the limit.
BURST_SHARE = 0.1
#: How far ahead a slot is reserved, in seconds. Reserved slots of lists must not delay a danger.
RESERVE_AHEAD = {
    SendPriority.DANGER: 30.0,
    SendPriority.DIALOGUE: 5.0,
    SendPriority.NOTICE: 1.0,
    SendPriority.BULK: 1.0,
}
#: A worker waits for a slot at most so long, in seconds; then the obligation is rescheduled.
LONGEST_WAIT = 5.0


class RateLimitWait(Exception):
    """The rate limit asks for a longer pause than a worker waits; `seconds` says how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the rate limit asks for {seconds:.1f} s")
        self.seconds = seconds


@dataclass
class SlackRateLimiter:
    """The rate limits of one app in this process; the slots themselves are in the store, shared by all processes.

    `interval` is the time between two posts in one channel, in seconds.
    """

    store: Store
    interval: float
    shutdown: ShutdownWait = field(default_factory=ShutdownWait)
    _locks: dict[str, PriorityLock] = field(default_factory=dict)
    #: By limit, until when obligations were rescheduled. Each is put off longer, or all would come back at once.
    _rescheduled_until: dict[str, float] = field(default_factory=dict)

    async def wait(
        self, method: str, channel: str | None, priority: SendPriority, patience: float = LONGEST_WAIT
    ) -> None:
        """Return when this call may be sent. Raises RateLimitWait if that takes longer than `patience` seconds."""
        limits = limits_for(method, channel, self.interval)
        if not limits:
            return
        first = limits[0]
        assert isinstance(first, EvenlySpaced)
        lock = self._locks.setdefault(first.lane, PriorityLock())
        if priority is not SendPriority.DANGER and len(lock) * first.interval > patience:
            raise RateLimitWait(self._put_off(first, patience))
        async with lock.hold(priority):
            slot = await self._slot(limits, priority, patience, first)
        await asyncio.sleep(max(0.0, slot.at - time.monotonic()))

    async def pause(self, method: str, channel: str | None, seconds: float) -> None:
        """Slack asks for a pause: of the channel after a post, otherwise of the method."""
        limits = limits_for(method, channel, self.interval)
        if limits:
            await self.store.awrite(pause_sending, limits[0], seconds)

    async def _slot(
        self, limits: tuple[Limit, ...], priority: SendPriority, patience: float, first: EvenlySpaced
    ) -> RateSlot:
        ahead = RESERVE_AHEAD[priority]
        while True:
            slot = await self.store.awrite(take_slot_within, limits, ahead)
            if isinstance(slot, RateSlot):
                return slot
            if slot > patience:
                raise RateLimitWait(max(slot, self._put_off(first, patience)))
            if self.shutdown.must_release(priority):
                raise RateLimitWait(slot)
            await self.shutdown.wait(slot - ahead, priority)

    def _put_off(self, limit: EvenlySpaced, patience: float) -> float:
        now = time.monotonic()
        until = max(self._rescheduled_until.get(limit.lane, 0.0), now + patience) + limit.interval
        self._rescheduled_until[limit.lane] = until
        return until - now


def limits_for(method: str, channel: str | None, interval: float) -> tuple[Limit, ...]:
    """The limits of a call; `interval` is the time between two posts in one channel, in seconds."""
    if method == POSTS:
        return (EvenlySpaced(f"slack:{channel}", interval), _method_limit(method, POSTS_PER_MINUTE))
    per_minute = CALLS_PER_MINUTE.get(method)
    return () if per_minute is None else (_method_limit(method, per_minute),)


def _method_limit(method: str, per_minute: int) -> EvenlySpaced:
    burst = max(1, round(per_minute * BURST_SHARE))
    return EvenlySpaced(f"slack~{method}", 60 / (per_minute - burst), burst)


@dataclass(frozen=True)
class RateLimitedTask:
    """How the calls of the current task keep the rate limits."""

    limiter: SlackRateLimiter
    priority: SendPriority
    patience: float = LONGEST_WAIT
    #: Method and channel of the call whose slot `slot_for` has waited for.
    slot: tuple[str, str | None] | None = None

    async def wait(self, method: str, channel: str | None) -> None:
        """Return when this call may be sent. Raises RateLimitWait."""
        if self.slot != (method, channel):
            await self.limiter.wait(method, channel, self.priority, self.patience)


_current_task: ContextVar[RateLimitedTask | None] = ContextVar("slack_rate_limit", default=None)


def current_task() -> RateLimitedTask | None:
    """None where a person waits for the answer: such calls are sent at once."""
    return _current_task.get()


@contextmanager
def rate_limited(task: RateLimitedTask | None) -> Iterator[None]:
    """Every call made inside keeps the rate limits; with None none does."""
    token = _current_task.set(task)
    try:
        yield
    finally:
        _current_task.reset(token)


@asynccontextmanager
async def slot_for(method: str, channel: str) -> AsyncIterator[None]:
    """Wait for the slot of the one call made inside, so that the call does not wait any more.

    What is read and recorded inside then belongs to a call that is really made. Raises RateLimitWait.
    """
    task = current_task()
    if task is None:
        yield
        return
    await task.wait(method, channel)
    with rate_limited(replace(task, slot=(method, channel))):
        yield
