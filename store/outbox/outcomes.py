"""How the performing of an obligation ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: Why a duty waits whose message may have arrived, once; and whose message was sent again and may have arrived twice.
NO_ANSWER, NO_ANSWER_AGAIN = "no answer", "no answer again"


@dataclass(frozen=True)
class Completed:
    """Done, or nothing was needed. `settled` is True when the performer settled the row itself."""

    settled: bool = False


@dataclass(frozen=True)
class Rescheduled:
    """Not yet: due again at `at` (the desk's clock). No failure."""

    at: datetime
    why: str


@dataclass(frozen=True)
class Retry:
    """The other side failed: try again after so many seconds of real time, None for the usual backoff."""

    why: str
    after_seconds: float | None = None


@dataclass(frozen=True)
class RateLimited:
    """The platform's pace has no place for it yet: ask again after so many seconds of real time. No failure."""

    after_seconds: float


@dataclass(frozen=True)
class Failed:
    """It cannot be done; a person must see it."""

    why: str


Outcome = Completed | Rescheduled | Retry | RateLimited | Failed
