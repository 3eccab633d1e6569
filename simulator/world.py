"""Token buckets: how fast a bot may speak.

The simulated world: one Telegram, one Slack, one clock, its troubles.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from simulator.base import Calls, Changes, Limits, RealTime, SimClock, SimulatedRateLimit, Trouble
from simulator.slack.state import SlackState
from simulator.telegram.state import TelegramState


class Bucket:
    """`rate` tokens a second, at most `size` at once."""

    def __init__(self, rate: float, size: float, now: float) -> None:
        self.rate, self.size, self.tokens, self.at = rate, size, size, now

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 when one is."""
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate


class Pacing:
    """Buckets of one bot and of each of its chats."""

    def __init__(
        self, pace: SimulatedRateLimit | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace, self.monotonic = pace, monotonic
        self.buckets: dict[str, Bucket] = {}

    def refuse(self, chat: str) -> int:
        """0 when the chat may be spoken to now, else the seconds after which to try again."""
        if self.pace is None:
            return 0
        now = self.monotonic()
        whole = self.buckets.setdefault("", Bucket(self.pace.per_second, self.pace.per_second, now))
        one = self.buckets.setdefault(chat, Bucket(self.pace.per_chat_second, self.pace.chat_burst, now))
        wait = max(whole.wait(now), one.wait(now))
        if wait > 0:
            return max(1, math.ceil(wait))
        whole.tokens -= 1
        one.tokens -= 1
        return 0


@dataclass
class World:
    """Shared by both platforms, the page and the tests; used from one event loop."""

    telegram: TelegramState
    slack: SlackState
    clock: SimClock = field(default_factory=RealTime)
    limits: Limits = field(default_factory=Limits)
    changes: Changes = field(default_factory=Changes)
    trouble: Trouble = field(default_factory=Trouble)
    calls: Calls = field(default_factory=Calls)
    monotonic: Callable[[], float] = time.monotonic
    url: str = "http://127.0.0.1"
    #: What was against the written contract of a platform: an unknown field, a text too long, a block malformed.
    breaches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.telegram_pacing = Pacing(self.limits.telegram_pace, self.monotonic)
        self.trouble.listeners.append(self._troubled)
        self.slack_pacing = Pacing(self.limits.slack_pace, self.monotonic)

    def _troubled(self) -> None:
        # Open long polls end with the outage.
        self.telegram.arrived.set()
        self.changed()

    @property
    def real_time(self) -> bool:
        """Whether nobody can move the clock."""
        return isinstance(self.clock, RealTime)

    def now(self) -> datetime:
        """The world's time, aware UTC."""
        return self.clock.now()

    def changed(self) -> None:
        """Tell everyone who watches."""
        self.changes.changed()
