"""The simulated world, shared by both platforms, the page and the tests; and the rate limits of a bot."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from simulator.state.environment import (
    CallLog,
    Changes,
    Limits,
    RealTime,
    SimClock,
    SimulatedRateLimit,
    Trouble,
)
from simulator.state.slack import SlackState
from simulator.state.telegram import TelegramState


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
        """Whether the clock is real and cannot be moved."""
        return isinstance(self.clock, RealTime)

    def now(self) -> datetime:
        """The simulated time, aware UTC."""
        return self.clock.now()

    def mark_changed(self) -> None:
        """Notify all tasks that wait for a change."""
        self.changes.notify()
