"""Control charts of clause 8.2: counts (c), counts per unit (u) and shares (p), and the rule that a point breaks.

With thousands of complaints a week, Poisson limits are so narrow that every week is outside of them. So the standard
deviation is widened by what the points show from one to the next (Laney 2002: the p' and u' charts); with few
complaints the chart is the classic one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import sqrt
from statistics import fmean

#: The mean range of two standard normal values.
_D2 = 1.128379167
#: The centre line is computed from at least so many points.
LEAST_POINTS = 12


class Rule(StrEnum):
    """The Western Electric rules (1956): points on one side of the centre line."""

    BEYOND = "beyond_3_sigma"
    TWO = "two_of_three_beyond_2_sigma"
    FOUR = "four_of_five_beyond_1_sigma"
    EIGHT = "eight_on_one_side"


#: Of so many points in a row at least so many lie beyond so many standard deviations.
_RULES = {Rule.BEYOND: (1, 1, 3.0), Rule.TWO: (3, 2, 2.0), Rule.FOUR: (5, 4, 1.0), Rule.EIGHT: (8, 8, 0.0)}


@dataclass(frozen=True)
class Point:
    """A week: its value, the centre line, the limits of three standard deviations, and the rules that it breaks."""

    week: date
    number: int
    units: float
    value: float
    centre: float
    low: float
    high: float
    rules: tuple[Rule, ...]


def c_chart(weeks: Sequence[tuple[date, int]], base: int) -> list[Point]:
    """Numbers of complaints. The centre line is that of the first `base` points; empty for too few of them."""
    return u_chart([(week, number, 1.0) for week, number in weeks], base)


def u_chart(weeks: Sequence[tuple[date, int, float]], base: int) -> list[Point]:
    """Complaints for each unit, such as a working day; weeks without units are left out."""
    return _chart([row for row in weeks if row[2] > 0], base, most=None)


def p_chart(weeks: Sequence[tuple[date, int, int]], base: int) -> list[Point]:
    """Shares: hits and units of each week; weeks without units are left out."""
    return _chart([(week, hits, float(of)) for week, hits, of in weeks if of], base, most=1.0)


def _chart(weeks: Sequence[tuple[date, int, float]], base: int, most: float | None) -> list[Point]:
    if min(base, len(weeks)) < LEAST_POINTS:
        return []
    centre = sum(number for _, number, _ in weeks[:base]) / sum(units for _, _, units in weeks[:base])
    spread = centre * (1 - centre) if most else centre
    if spread <= 0:
        return []
    sigmas = [sqrt(spread / units) for _, _, units in weeks]
    scores = [
        (number / units - centre) / sigma for (_, number, units), sigma in zip(weeks, sigmas, strict=True)
    ]
    moves = [abs(after - before) for before, after in zip(scores[: base - 1], scores[1:base], strict=True)]
    wider = max(1.0, fmean(moves) / _D2)
    broken = list(_broken([score / wider for score in scores]))
    return [
        Point(
            week=week,
            number=number,
            units=units,
            value=number / units,
            centre=centre,
            low=max(0.0, centre - 3 * sigma * wider),
            high=min(most or float("inf"), centre + 3 * sigma * wider),
            rules=rules,
        )
        for (week, number, units), sigma, rules in zip(weeks, sigmas, broken, strict=True)
    ]


def _broken(scores: Sequence[float]) -> Iterator[tuple[Rule, ...]]:
    """The rules that are broken at each point, which is one of those that break them."""
    for index, score in enumerate(scores):
        side = 1 if score > 0 else -1
        yield tuple(
            rule
            for rule, (length, needed, beyond) in _RULES.items()
            if score * side > beyond
            and sum(other * side > beyond for other in scores[max(0, index + 1 - length) : index + 1])
            >= needed
        )
