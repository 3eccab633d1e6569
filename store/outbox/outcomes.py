"""How the handling of an obligation ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: Why an obligation waits: its message may have arrived; or it was sent again and may have arrived twice.
NO_ANSWER, NO_ANSWER_AGAIN = "no answer", "no answer again"


@dataclass(frozen=True)
class Completed:
    """Done, or nothing was needed. `settled` is true if the handler completed the row itself."""

    settled: bool = False


@dataclass(frozen=True)
class Rescheduled:
    """Not yet: due again at `at`, by the desk's clock. This is not a failure."""

    at: datetime
    why: str


@dataclass(frozen=True)
class Retry:
    """The attempt failed: retry after so many seconds of real time; None means the usual backoff."""

    why: str
    after_seconds: float | None = None


@dataclass(frozen=True)
class RateLimited:
    """The platform's rate limit has no slot yet: claim again after so many real seconds. This is not a failure."""

    after_seconds: float


@dataclass(frozen=True)
class Failed:
    """It cannot be done; a person must look at it."""

    why: str


Outcome = Completed | Rescheduled | Retry | RateLimited | Failed
