"""What the platforms tolerate in time and pace. The defaults are theirs, except that pacing is off."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
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
    telegram_pace: Pace | None = None
    slack_pace: Pace | None = None
    # Telegram ignores fields it does not know. We hold our own product to the specification.
    strict: bool = True


DEFAULT_TELEGRAM_PACE = Pace()
DEFAULT_SLACK_PACE = Pace(per_second=100, per_chat_second=1, chat_burst=5)
