"""The time that one group waits compared with all others of its kind (4.5): a difference of restricted means.

A mean of the first `HORIZON` working days needs no end of open complaints: each counts for as long as it was watched
(Irwin, 1949, on the curve of Kaplan and Meier). Its interval is Welch's.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from statistics import NormalDist

from reports.breakdowns import CONFIDENCE
from reports.statistics import FEWEST, student_quantile, survival

#: Working days that are compared. Up to 20 the interval covers 93 to 97 % in simulations; up to 40 only 89 to 96 %.
HORIZON = 20


@dataclass
class Durations:
    """Durations in whole working days that ended, and those that only stopped or still run."""

    ended: Counter[int] = field(default_factory=Counter)
    censored: Counter[int] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        return self.ended.total() + self.censored.total()

    @property
    def median(self) -> float | None:
        if self.ended.total() < FEWEST:
            return None
        return survival(self.ended.elements(), self.censored.elements()).median

    @property
    def watched(self) -> int:
        """Up to which day the curve is known: the last open complaint ends it, unless all had ended before."""
        last = max(self.censored, default=0)
        return HORIZON if last <= max(self.ended, default=0) else last

    def restricted_mean(self, horizon: int) -> tuple[float, float]:
        """The mean of the days up to the horizon, and the variance of that mean (Greenwood)."""
        at_risk, curve, steps = self.number, [1.0], list[tuple[int, float]]()
        for day in range(horizon):
            ended = self.ended[day]
            if at_risk > ended > 0:
                steps.append((day, ended / (at_risk * (at_risk - ended))))
            curve.append(curve[-1] * (1 - ended / at_risk) if at_risk else curve[-1])
            at_risk -= ended + self.censored[day]
        total = self.ended.total()
        variance = sum(sum(curve[day + 1 :]) ** 2 * part for day, part in steps)
        return sum(curve[1:]), variance * total / max(1, total - 1)


@dataclass(frozen=True)
class DurationGap:
    """One group against the others; None for too few. `comparisons` are made together, as in `Gap`."""

    of: str
    group: str
    here: Durations
    others: Durations
    comparisons: int = 1
    measure: str = "time"

    @cached_property
    def _means(self) -> tuple[float, float, float] | None:
        """The difference, its standard error, and its degrees of freedom."""
        groups = (self.here, self.others)
        if min(group.ended.total() for group in groups) < FEWEST:
            return None
        horizon = min(HORIZON, *(group.watched for group in groups))
        (here, own), (others, other) = (group.restricted_mean(horizon) for group in groups)
        parts = own**2 / (self.here.number - 1) + other**2 / (self.others.number - 1)
        return here - others, sqrt(own + other), (own + other) ** 2 / parts if parts else 1.0

    @property
    def difference(self) -> float | None:
        """How many working days longer the group waited on average."""
        return None if self._means is None else self._means[0]

    @property
    def interval(self) -> tuple[float, float] | None:
        """The simultaneous 95 % interval of the difference."""
        if self._means is None:
            return None
        value, error, freedom = self._means
        half = student_quantile(1 - (1 - CONFIDENCE) / (2 * self.comparisons), freedom) * error
        return value - half, value + half

    @property
    def flagged(self) -> bool:
        """True if chance does not explain it: neither the interval nor the log-rank test (Mantel, 1966) does."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return False
        here, total = self.here.number, self.here.number + self.others.number
        excess = variance = 0.0
        for day in range(max(self.here.ended | self.others.ended) + 1):
            ended = self.here.ended[day] + self.others.ended[day]
            if total > 1:
                excess += self.here.ended[day] - ended * here / total
                variance += ended * here * (total - here) * (total - ended) / (total**2 * (total - 1))
            here -= self.here.ended[day] + self.here.censored[day]
            total -= ended + self.here.censored[day] + self.others.censored[day]
        p_value = 2 * NormalDist().cdf(-abs(excess) / sqrt(variance)) if variance else 1.0
        return p_value * self.comparisons <= 1 - CONFIDENCE


def duration_gaps(of: str, groups: Mapping[str, Durations]) -> list[DurationGap]:
    """Each group against all others of its kind; none where there is one group."""
    gaps = []
    for name, group in sorted(groups.items()) if len(groups) > 1 else ():
        rest = [other for key, other in groups.items() if key != name]
        ended = sum((other.ended for other in rest), Counter[int]())
        censored = sum((other.censored for other in rest), Counter[int]())
        gaps.append(DurationGap(of, name, group, Durations(ended, censored)))
    return gaps
