"""How long a failed try waits: doubling to ten minutes, with jitter so that a crowd spreads."""

from __future__ import annotations

import random

FIRST = 2.0
LONGEST = 600.0
#: After this many tries (about ten hours of trying) a person must look.
MOST_TRIES = 70
#: A performer that breaks by itself (about five minutes): waiting mends no bug, and what is behind it waits too.
MOST_BREAKS = 8


def wait(attempts: int, asked: float | None = None) -> float:
    """Seconds before try number `attempts + 1`; what the other side asked for (Retry-After) is the least."""
    doubled = min(LONGEST, FIRST * float(2 ** min(attempts, 12)))
    jittered = doubled * random.uniform(0.5, 1.0)  # spreading a crowd needs no secrecy
    return max(jittered, asked or 0.0)
