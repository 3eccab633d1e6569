"""The clock that the simulated world shows; whoever starts the simulator owns it.

A number that grows with every change of the world, and waiting for it.

Trouble on purpose: outages, and faults of single calls.

What the platforms tolerate in time and pace. The defaults are theirs, except that pacing is off.

What was called, with what, and what was answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol


class SimClock(Protocol):
    """Time as the demo sees it. Instants are aware UTC.

    A clock may also have `zone`, an IANA name: the page shows times in it, else in the browser's own.
    """

    def now(self) -> datetime:
        """The world's time."""
        ...

    def next_due(self) -> tuple[str, datetime] | None:
        """What is owed next, in words, and when; None when nothing is."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Move forward, stopping at each due time on the way; returns when what fell due is done."""
        ...

    async def to_next_due(self) -> None:
        """Move to `next_due`; nothing happens when there is none."""
        ...


class RealTime:
    """The machine's clock, which nobody can move."""

    def now(self) -> datetime:
        """The machine's time."""
        return datetime.now(UTC)

    def next_due(self) -> tuple[str, datetime] | None:
        """Unknown to a plain clock."""
        return None

    async def advance(self, by: timedelta) -> None:
        """Refused: real time moves by itself."""
        raise ValueError(f"The simulator runs on real time and cannot move by {by}: start it with a clock.")

    async def to_next_due(self) -> None:
        """Refused: real time moves by itself."""
        raise ValueError("The simulator runs on real time and knows no due times: start it with a clock.")


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


How = Literal[
    "answer",
    "timeout_after_accept",
    "cut_after_accept",
    "cut_before",
    "html_502",
    "bad_json",
    "lost",
    "twice",
]


@dataclass(frozen=True)
class Fault:
    """What happens to one call instead of, or after, its work."""

    how: How = "answer"
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None

    @property
    def accepts(self) -> bool:
        """Whether the work is done although the caller is not told."""
        return self.how in ("timeout_after_accept", "cut_after_accept", "bad_json")


class Trouble:
    """The switches of the page, and the faults that tests order.

    Faults are ordered by method name; "file" is a download from Telegram; "interactive", "slash_commands" and
    "events_api" are deliveries to the app in Slack, which can be `lost` or come `twice`.
    """

    def __init__(self) -> None:
        self.refuse = False
        self.listeners: list[Callable[[], None]] = []
        self._down = {"telegram": False, "slack": False}
        self._faults: dict[str, list[Fault]] = {}

    @property
    def telegram_down(self) -> bool:
        """Telegram answers 502, or cuts the line when `refuse` is set."""
        return self._down["telegram"]

    @telegram_down.setter
    def telegram_down(self, down: bool) -> None:
        self._switch("telegram", down)

    @property
    def slack_down(self) -> bool:
        """Slack answers 503, its sockets are closed."""
        return self._down["slack"]

    @slack_down.setter
    def slack_down(self, down: bool) -> None:
        self._switch("slack", down)

    def _switch(self, platform: str, down: bool) -> None:
        if self._down[platform] != down:
            self._down[platform] = down
            for listener in self.listeners:
                listener()

    def order(self, method: str, fault: Fault, times: int) -> None:
        """Let the next `times` calls of `method` go wrong."""
        self._faults.setdefault(method.lower(), []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, which is used up."""
        ordered = self._faults.get(method.lower())
        return ordered.pop(0) if ordered else None


@dataclass(frozen=True)
class SimulatedRateLimit:
    """A token bucket for the whole bot and one per chat or channel."""

    per_second: float = 30
    per_chat_second: float = 1
    chat_burst: int = 4


@dataclass(frozen=True)
class Limits:
    """Seconds are real time, not the world's clock: they bound programs, not people."""

    trigger_seconds: float = 3.0
    ack_seconds: float = 3.0
    callback_seconds: float = 900.0
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    redelivery_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    webhook_retry_seconds: tuple[float, ...] = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0)
    webhook_timeout_seconds: float = 60.0
    telegram_pace: SimulatedRateLimit | None = None
    slack_pace: SimulatedRateLimit | None = None
    # Telegram ignores fields it does not know. We hold our own product to the specification.
    strict: bool = True


DEFAULT_TELEGRAM_PACE = SimulatedRateLimit()
DEFAULT_SLACK_PACE = SimulatedRateLimit(per_second=100, per_chat_second=1, chat_burst=5)


Json = dict[str, Any]
KEPT = 50_000


@dataclass(frozen=True)
class Call:
    """One call of a platform's method. `answer` is the whole answer, also when the caller never got it."""

    method: str
    arguments: Json
    answer: Json
    status: int
    at: datetime


class Calls:
    """The newest calls, oldest first."""

    def __init__(self) -> None:
        self.all: deque[Call] = deque(maxlen=KEPT)

    def of(self, method: str) -> list[Call]:
        """The calls of one method, in order."""
        return [call for call in self.all if call.method == method]
