"""Slack's pace: about one message a second into one channel, each method so often a minute, over all processes.

What answers a person's press never waits: it is few, and its trigger dies within seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from bots.priority_lock import PriorityLock, ShutdownWait
from complaints.obligations.kinds import SendPriority
from store.outbox.rate_limit import EvenlySpaced, Limit, RateSlot, pause_sending, take_slot_within
from store.store import Store

#: Methods by how often a minute Slack takes them at least (its tiers 2, 3 and 4).
TIERS: Mapping[str, int] = {
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
#: Posts have a tier of their own: one a second in each channel, some hundred a minute in all.
POSTS, POSTS_A_MINUTE = "chat.postMessage", 240
#: Of each minute's calls this share may come at once; the rest is spread, so that both together stay within it.
AT_ONCE = 0.1
#: How far ahead a place is taken, in seconds; a place taken for a list must not stand in danger's way.
AHEAD = {
    SendPriority.DANGER: 30.0,
    SendPriority.DIALOGUE: 5.0,
    SendPriority.NOTICE: 1.0,
    SendPriority.BULK: 1.0,
}
#: Longer than this nobody waits with a duty in hand.
LONGEST_WAIT = 5.0


class Wait(Exception):
    """The pace asks for a pause longer than one waits with a duty in hand."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the pace asks for {seconds:.1f} s")
        self.seconds = seconds


def limits_for(method: str, channel: str | None, apart: float) -> tuple[Limit, ...]:
    """Within what a call must stay; `apart` is the time between two posts in one channel, in seconds."""
    if method == POSTS:
        return (EvenlySpaced(f"slack:{channel}", apart), _tier(method, POSTS_A_MINUTE))
    found = TIERS.get(method)
    posts = (EvenlySpaced(f"slack:{channel}", apart),) if method == "chat.postEphemeral" else ()
    return (*posts, _tier(method, found)) if found else ()


def _tier(method: str, a_minute: int) -> EvenlySpaced:
    together = max(1, round(a_minute * AT_ONCE))
    return EvenlySpaced(f"slack~{method}", 60 / (a_minute - together), together)


@dataclass
class Pacer:
    """The pace of one app in this process; the places themselves are the store's."""

    store: Store
    apart: float
    waiting: ShutdownWait = field(default_factory=ShutdownWait)
    _lines: dict[str, PriorityLock] = field(default_factory=dict)
    #: By limit, until when duties were sent away: the next is sent away for longer, or all would come back together.
    _away: dict[str, float] = field(default_factory=dict)

    async def turn(
        self, method: str, channel: str | None, lane: SendPriority, patience: float = LONGEST_WAIT
    ) -> None:
        """Return when this call may be made; raises Wait where that takes longer than `patience` seconds."""
        limits = limits_for(method, channel, self.apart)
        if not limits:
            return
        first = limits[0]
        assert isinstance(first, EvenlySpaced)
        line = self._lines.setdefault(first.lane, PriorityLock())
        if lane is not SendPriority.DANGER and len(line) * first.interval > patience:
            raise Wait(self._send_away(first, patience))
        async with line.turn(lane):
            taken = await self._taken(limits, lane, patience, first)
        await asyncio.sleep(max(0.0, taken.at - time.monotonic()))

    async def _taken(
        self, limits: tuple[Limit, ...], lane: SendPriority, patience: float, first: EvenlySpaced
    ) -> RateSlot:
        ahead = AHEAD[lane]
        while True:
            taken = await self.store.awrite(take_slot_within, limits, ahead)
            if isinstance(taken, RateSlot):
                return taken
            if taken > patience:
                raise Wait(max(taken, self._send_away(first, patience)))
            if self.waiting.is_over(lane):
                raise Wait(taken)
            await self.waiting.out(taken - ahead, lane)

    def _send_away(self, limit: EvenlySpaced, patience: float) -> float:
        now = time.monotonic()
        until = max(self._away.get(limit.lane, 0.0), now + patience) + limit.interval
        self._away[limit.lane] = until
        return until - now

    async def refused(self, method: str, channel: str | None, seconds: float) -> None:
        """Slack asks for a pause: of the channel where it was a post, else of the method."""
        limits = limits_for(method, channel, self.apart)
        if limits:
            await self.store.awrite(pause_sending, limits[0], seconds)


@dataclass(frozen=True)
class Turn:
    """On whose behalf the calls of this task are made."""

    pacer: Pacer
    lane: SendPriority
    patience: float = LONGEST_WAIT


_turn: ContextVar[Turn | None] = ContextVar("slack_turn", default=None)


def turn_of_this_task() -> Turn | None:
    """None where a person waits for the answer: such calls go at once."""
    return _turn.get()


@contextmanager
def in_turn(turn: Turn | None) -> Iterator[None]:
    """Every call within waits for its turn."""
    token = _turn.set(turn)
    try:
        yield
    finally:
        _turn.reset(token)
