"""How long a failed try waits: doubling to ten minutes, in danger to half a minute, with jitter: a crowd spreads."""

from __future__ import annotations

import random

from complaints.duties import Lane

FIRST = 2.0
LONGEST, LONGEST_IN_DANGER = 600.0, 30.0
#: After this many tries (about ten hours of trying) a person must look.
MOST_TRIES, MOST_TRIES_IN_DANGER = 70, 1_250
#: A performer that breaks by itself (about five minutes): waiting mends no bug, and what is behind it waits too.
MOST_BREAKS = 8


def most_tries(lane: Lane) -> int:
    """How often it is tried, so that it is given up after the same hours in every lane."""
    return MOST_TRIES_IN_DANGER if lane is Lane.DANGER else MOST_TRIES


def wait(attempts: int, asked: float | None = None, lane: Lane = Lane.NOTICE) -> float:
    """Seconds before try number `attempts + 1`; what the other side asked for (Retry-After) is the least."""
    longest = LONGEST_IN_DANGER if lane is Lane.DANGER else LONGEST
    doubled = min(longest, FIRST * float(2 ** min(attempts, 12)))
    jittered = doubled * random.uniform(0.5, 1.0)  # spreading a crowd needs no secrecy
    return max(jittered, asked or 0.0)
