"""Shares with their uncertainty: the Wilson 95 % interval, hidden where there is too little to say (8.4).

How long things take when some are not over yet: Kaplan-Meier on plain numbers (8.4).

Leaving open cases out would praise a desk that never ends the hard ones; counting their age as their duration
would too. Each stays "at risk" until its age and is then set aside, neither ended nor forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

#: Below so many units a share says more about chance than about the work: it is not shown.
FEWEST = 10
#: Two-sided 95 %: the 0.975 quantile of the normal distribution.
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """So many of so many. `value` and `interval` lie in 0-1 and are None below `FEWEST` units."""

    hits: int
    of: int

    @property
    def enough(self) -> bool:
        """Is there enough to speak of a share?"""
        return self.of >= FEWEST

    @property
    def value(self) -> float | None:
        """The share itself."""
        return self.hits / self.of if self.enough else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which shares the true one lies, with 95 % confidence."""
        return wilson(self.hits, self.of) if self.enough else None


def wilson(hits: int, of: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of Wilson (1927): honest near 0 and 1, where the usual one leaves the scale.

    Raises ValueError unless 0 <= hits <= of and of > 0.
    """
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} of {of} is no share: give 0 <= hits <= of, and of above 0")
    share, scale = hits / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / scale
    # At the ends the bound is exact; arithmetic alone would leave it a hair beyond.
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == of else middle + half
    return low, high


# Products of fractions drift by some 1e-13; a quantile must not move over that.
_DRIFT = 1e-9


@dataclass(frozen=True)
class Survival:
    """What became of durations: how many ended, how many are still open, and when half and nine in ten ended.

    `median` and `p90` are in the unit of the durations; None where so many have not ended yet.
    """

    ended: int
    still_open: int
    median: float | None
    p90: float | None

    @property
    def n(self) -> int:
        """How many were watched."""
        return self.ended + self.still_open


def survival(ended: Iterable[float], still_open: Iterable[float] = ()) -> Survival:
    """Median and 90 % time of durations, of which some are only known to be at least so long.

    Raises ValueError for a negative duration: it began after it ended.
    """
    over, waiting = Counter(ended), Counter(still_open)
    if any(one < 0 for one in (*over, *waiting)):
        raise ValueError("a duration is negative: the end lies before the start")
    return Survival(
        ended=over.total(),
        still_open=waiting.total(),
        median=_quantile(over, waiting, 0.5),
        p90=_quantile(over, waiting, 0.9),
    )


def _quantile(over: Counter[float], waiting: Counter[float], part: float) -> float | None:
    """The first duration by which that part has ended (Kaplan and Meier, 1958)."""
    at_risk = over.total() + waiting.total()
    left = 1.0
    for time in sorted(over | waiting):
        # Of equal durations the ended come first: the open ones were still at risk at that moment.
        if over[time]:
            left *= 1 - over[time] / at_risk
            if left <= 1 - part + _DRIFT:
                return time
        at_risk -= over[time] + waiting[time]
    return None
