"""Shares with their uncertainty: the Wilson 95 % interval, hidden where there is too little to say (8.4)."""

from __future__ import annotations

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
