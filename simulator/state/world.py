"""The simulated world: its clock, its outages and limits, the calls so far, and the state of both platforms."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from simulator.state.slack_state import SlackState
from simulator.state.telegram_state import TelegramState

Json = dict[str, Any]
#: `Changes.wait_until` also checks its predicate this often (seconds) without a change.
POLL_SECONDS = 0.05
#: The newest calls that `CallLog` keeps.
CALL_LOG_LIMIT = 50_000


class SimClock(Protocol):
    """Time as the demo shows it. Instants are aware UTC.

    A clock may also have `zone`, an IANA name. Without it the page shows times in the browser's zone.
    """

    def now(self) -> datetime:
        """The simulated time."""
        ...

    def next_due(self) -> tuple[str, datetime] | None:
        """The next due obligation as (label, due time), or None."""
        ...

    async def advance(self, duration: timedelta, /) -> None:
        """Move forward and stop at each due time on the way; return when everything due is done."""
        ...

    async def to_next_due(self) -> None:
        """Move to `next_due`; do nothing when there is none."""
        ...


class RealTime:
    """The machine's clock, which cannot be moved."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def next_due(self) -> tuple[str, datetime] | None:
        """None: a plain clock does not know the obligations."""
        return None

    async def advance(self, duration: timedelta, /) -> None:
        """Raises ValueError: real time cannot be moved."""
        raise ValueError(
            f"The simulator runs on real time and cannot move by {duration}: start it with a clock."
        )

    async def to_next_due(self) -> None:
        raise ValueError("The simulator runs on real time and knows no due times: start it with a clock.")


class Changes:
    """Change notification for one event loop: a version number that grows with every change."""

    def __init__(self) -> None:
        self.version = 0
        self.closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Count a change and wake all waiting tasks."""
        self.version += 1
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Wake all waiting tasks for the last time."""
        self.closed = True
        self.notify()

    async def wait_for_newer(self, version: int, max_wait: float | None) -> bool:
        """Wait until the version exceeds `version`; False after `max_wait` seconds."""
        if self.version > version:
            return True
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, max_wait)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    async def wait_until(self, predicate: Callable[[], object], max_wait: float) -> bool:
        """Wait until `predicate` is true; False after `max_wait` seconds or when the simulator stops.

        The predicate is checked after every change. It may also read a database, which changes without
        notification, so it is checked every POLL_SECONDS too.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max_wait
        while not predicate():
            remaining = deadline - loop.time()
            if remaining <= 0 or self.closed:
                return False
            await self.wait_for_newer(self.version, min(remaining, POLL_SECONDS))
        return True


FaultKind = Literal[
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
    """What goes wrong with a single call, before or after its work is done."""

    how: FaultKind = "answer"
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None

    @property
    def accepts(self) -> bool:
        """Whether the work is done although the caller gets no valid answer."""
        return self.how in ("timeout_after_accept", "cut_after_accept", "bad_json")


class Trouble:
    """The outage switches of the page, and the faults that tests inject.

    A fault is injected for a method name, or for one of: "file" (a download from Telegram), "interactive",
    "slash_commands", "events_api" (deliveries to the app in Slack, which can be `lost` or come `twice`).
    """

    def __init__(self) -> None:
        self.cut_connections = False
        self.listeners: list[Callable[[], None]] = []
        self._down = {"telegram": False, "slack": False}
        self._faults: dict[str, list[Fault]] = {}

    @property
    def telegram_down(self) -> bool:
        """Whether Telegram answers 502, or closes the connection when `cut_connections` is set."""
        return self._down["telegram"]

    @telegram_down.setter
    def telegram_down(self, down: bool) -> None:
        self._switch("telegram", down)

    @property
    def slack_down(self) -> bool:
        """Whether Slack answers 503 and its sockets are closed."""
        return self._down["slack"]

    @slack_down.setter
    def slack_down(self, down: bool) -> None:
        self._switch("slack", down)

    def _switch(self, platform: str, down: bool) -> None:
        if self._down[platform] != down:
            self._down[platform] = down
            for listener in self.listeners:
                listener()

    def inject(self, method: str, fault: Fault, times: int) -> None:
        self._faults.setdefault(method.lower(), []).extend([fault] * times)

    def take_fault(self, method: str) -> Fault | None:
        """The fault injected for this call, if any. Each is used once."""
        faults = self._faults.get(method.lower())
        return faults.pop(0) if faults else None


@dataclass(frozen=True)
class SimulatedRateLimit:
    """A token bucket for the whole bot, and a bucket per chat or channel."""

    per_second: float = 30
    per_chat_second: float = 1
    chat_burst: int = 4


@dataclass(frozen=True)
class Limits:
    """The platforms' timeouts and rate limits. The defaults are theirs, but rate limits are off.

    Seconds are real time, not simulated time, because they limit programs.
    """

    trigger_seconds: float = 3.0
    ack_seconds: float = 3.0
    callback_seconds: float = 900.0
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    redelivery_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    webhook_retry_seconds: tuple[float, ...] = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0)
    webhook_timeout_seconds: float = 60.0
    telegram_rate_limit: SimulatedRateLimit | None = None
    slack_rate_limit: SimulatedRateLimit | None = None
    # Telegram ignores fields that it does not know. Strict refuses them, to find mistakes in the product.
    strict: bool = True


class TokenBucket:
    """`rate` tokens a second, at most `size` at a time. Times are monotonic seconds."""

    def __init__(self, rate: float, size: float, now: float) -> None:
        self.rate, self.size, self.tokens, self.refilled_at = rate, size, size, now

    def wait(self, now: float) -> float:
        """Seconds until a token is available; 0 if there is one."""
        self.tokens = min(self.size, self.tokens + (now - self.refilled_at) * self.rate)
        self.refilled_at = now
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate


class RateLimiter:
    """The token buckets of a bot and of each of its chats."""

    def __init__(
        self, rate_limit: SimulatedRateLimit | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate_limit, self.monotonic = rate_limit, monotonic
        self.buckets: dict[str, TokenBucket] = {}

    def take_token(self, chat: str) -> int:
        """Take a token for a message to this chat; return 0, or the seconds to wait before a retry."""
        limit = self.rate_limit
        if limit is None:
            return 0
        now = self.monotonic()
        overall = self.buckets.setdefault("", TokenBucket(limit.per_second, limit.per_second, now))
        per_chat = self.buckets.setdefault(chat, TokenBucket(limit.per_chat_second, limit.chat_burst, now))
        wait = max(overall.wait(now), per_chat.wait(now))
        if wait > 0:
            return max(1, math.ceil(wait))
        overall.tokens -= 1
        per_chat.tokens -= 1
        return 0


@dataclass(frozen=True)
class Call:
    """A call of a platform's method. `answer` is the whole answer, also when the caller never got it."""

    method: str
    arguments: Json
    answer: Json
    status: int
    called_at: datetime


class CallLog:
    """The newest calls, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Call] = deque(maxlen=CALL_LOG_LIMIT)

    def to_method(self, method: str) -> list[Call]:
        """The calls of a single method, oldest first."""
        return [call for call in self.entries if call.method == method]


@dataclass
class World:
    """The state of both platforms and what surrounds them. Use it from a single event loop."""

    telegram: TelegramState
    slack: SlackState
    clock: SimClock = field(default_factory=RealTime)
    limits: Limits = field(default_factory=Limits)
    changes: Changes = field(default_factory=Changes)
    trouble: Trouble = field(default_factory=Trouble)
    calls: CallLog = field(default_factory=CallLog)
    monotonic: Callable[[], float] = time.monotonic
    url: str = "http://127.0.0.1"
    #: Violations of a platform's published contract: unknown fields, texts too long, malformed blocks.
    breaches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.telegram_rate_limiter = RateLimiter(self.limits.telegram_rate_limit, self.monotonic)
        self.trouble.listeners.append(self._on_outage)
        self.slack_rate_limiter = RateLimiter(self.limits.slack_rate_limit, self.monotonic)

    def _on_outage(self) -> None:
        # Wake open long polls: they end with the outage.
        self.telegram.arrived.set()
        self.mark_changed()

    @property
    def real_time(self) -> bool:
        return isinstance(self.clock, RealTime)

    def now(self) -> datetime:
        """The simulated time, aware UTC."""
        return self.clock.now()

    def mark_changed(self) -> None:
        """Notify all tasks that wait for a change."""
        self.changes.notify()
