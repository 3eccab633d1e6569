"""Control charts of clause 8.2: counts (c), counts per unit (u) and shares (p), and the rule that a point breaks.

With thousands of complaints a week, Poisson limits are so narrow that every week is outside of them. So the standard
deviation is widened by what the points show from one to the next (Laney 2002: the p' and u' charts); with few
complaints the chart is the classic one. Rates for each thousand customers are compared with all others, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from math import inf, sqrt
from statistics import fmean

#: The mean range of two standard normal values.
_D2 = 1.128379167
#: The centre line is computed from at least so many points.
LEAST_POINTS = 12


class ControlRule(StrEnum):
    """The Western Electric rules (1956): points on one side of the centre line."""

    BEYOND = "beyond_3_sigma"
    TWO = "two_of_three_beyond_2_sigma"
    FOUR = "four_of_five_beyond_1_sigma"
    EIGHT = "eight_on_one_side"


#: Of so many points in a row at least so many are further away than so many standard deviations.
_RULES: Mapping[ControlRule, tuple[int, int, float]] = {
    ControlRule.BEYOND: (1, 1, 3),
    ControlRule.TWO: (3, 2, 2),
    ControlRule.FOUR: (5, 4, 1),
    ControlRule.EIGHT: (8, 8, 0),
}


@dataclass(frozen=True)
class ControlPoint:
    """A week or month: its value, the centre line, limits of three standard deviations, and the rules it breaks."""

    start: date
    number: int
    value: float
    centre: float
    low: float
    high: float
    rules: tuple[ControlRule, ...]


def c_chart(rows: Sequence[tuple[date, int]], before: date) -> list[ControlPoint]:
    """Numbers of complaints. The centre line is that of the points before this day; empty for too few of them."""
    return _chart([(start, number, 1.0) for start, number in rows], before, most=None)


def u_chart(rows: Sequence[tuple[date, int, float]], before: date) -> list[ControlPoint]:
    """Complaints for each unit, such as a day of a month; periods without units are left out."""
    return _chart(rows, before, most=None)


def p_chart(rows: Sequence[tuple[date, int, int]], before: date) -> list[ControlPoint]:
    """Shares: hits and units of each week; weeks without units are left out."""
    return _chart(rows, before, most=1.0)


def _chart(rows: Sequence[tuple[date, int, float]], before: date, most: float | None) -> list[ControlPoint]:
    rows = [row for row in rows if row[2] > 0]
    base = [row for row in rows if row[0] < before]
    if len(base) < LEAST_POINTS:
        return []
    centre = sum(number for _, number, _ in base) / sum(units for _, _, units in base)
    spread = centre * (1 - centre) if most else centre
    if spread <= 0:
        return []
    sigmas = [sqrt(spread / units) for _, _, units in rows]
    scores = [
        (number / units - centre) / sigma for (_, number, units), sigma in zip(rows, sigmas, strict=True)
    ]
    wider = max(1.0, fmean(abs(after - earlier) for earlier, after in pairwise(scores[: len(base)])) / _D2)
    broken = _broken([score / wider for score in scores])
    return [
        ControlPoint(
            start=start,
            number=number,
            value=number / units,
            centre=centre,
            low=max(0.0, centre - 3 * sigma * wider),
            high=min(most or inf, centre + 3 * sigma * wider),
            rules=rules,
        )
        for (start, number, units), sigma, rules in zip(rows, sigmas, broken, strict=True)
    ]


def _broken(scores: Sequence[float]) -> Iterator[tuple[ControlRule, ...]]:
    """The rules that are broken at each point, which is one of those that break them."""
    for index, score in enumerate(scores):
        side = 1 if score > 0 else -1
        yield tuple(
            rule
            for rule, (length, needed, limit) in _RULES.items()
            if score * side > limit
            and sum(other * side > limit for other in scores[max(0, index + 1 - length) : index + 1])
            >= needed
        )


@dataclass(frozen=True)
class Rate:
    """`number` complaints of `units` customers; `others` are those of all other codes of the same family.

    `comparisons` are made together, so that chance alone flags one in at most 5 % of reports.
    """

    code: str
    number: int
    units: int
    others: tuple[int, int]
    comparisons: int = 1

    @property
    def per_thousand(self) -> float:
        return 1000 * self.number / self.units

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95 % interval (Garwood, 1936) of the rate for each thousand."""
        low, high = poisson_interval(self.number)
        return 1000 * low / self.units, 1000 * high / self.units

    @property
    def flagged(self) -> bool:
        """True if the exact conditional test says that the rate is not that of all others together."""
        number, units = self.others
        if not units or not self.number + number:
            return False
        # Imported where it computes, here and below: the process that takes messages only reads the result.
        from scipy.stats import binomtest

        share = self.units / (self.units + units)
        return float(binomtest(self.number, self.number + number, share).pvalue) * self.comparisons <= 0.05


def poisson_interval(number: int) -> tuple[float, float]:
    """The exact 95 % interval of an expected number (Garwood, 1936). Raises ValueError for a negative number."""
    if number < 0:
        raise ValueError(f"{number} is no number of complaints")
    from scipy.special import gammaincinv

    return float(gammaincinv(number, 0.025)) if number else 0.0, float(gammaincinv(number + 1, 0.975))
