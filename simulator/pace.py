"""Token buckets: how fast a bot may speak."""

import math
import time
from collections.abc import Callable

from simulator.limits import Pace


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

    def __init__(self, pace: Pace | None, monotonic: Callable[[], float] = time.monotonic) -> None:
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
