"""Statistics of the report: shares with their Wilson interval, and durations by Kaplan-Meier (8.4).

Without the open cases, the durations would look good for a desk that never closes the difficult ones. To count their
age as their duration would be wrong too. In a Kaplan-Meier estimate each open case is censored at its age.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import exp, lgamma, log, sqrt
from statistics import NormalDist

#: A share of fewer units is not shown: it depends more on chance than on the work.
FEWEST = 10
#: Two-sided 95 %: the 0.975 quantile of the normal distribution.
Z95 = 1.959963984540054
#: Tolerance for rounding errors of some 1e-13 in products of fractions, which must not move a quantile.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Share:
    """`hits` of `of` units. `value` and `interval` are between 0 and 1, and None for fewer than `FEWEST` units."""

    hits: int
    of: int

    @property
    def enough(self) -> bool:
        return self.of >= FEWEST

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.enough else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.hits, self.of) if self.enough else None


def rounded(value: float | None, digits: int = 4) -> float | None:
    # Four decimal places: finer than the complaints of one month can show.
    return None if value is None else round(value, digits)


def rounded_interval(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(bound, 4) for bound in interval]


def wilson(hits: float, of: float, z: float = Z95) -> tuple[float, float]:
    """The score interval of Wilson (1927), which stays between 0 and 1 and is accurate near both.

    Raises ValueError unless 0 <= hits <= of and of > 0.
    """
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} of {of} is no share: give 0 <= hits <= of, and of above 0")
    share, scale = hits / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / scale
    # At the ends the bound is exact; rounding errors would put it slightly outside.
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == of else middle + half
    return low, high


def mean_interval(total: float, squares: float, number: int) -> tuple[float, float] | None:
    """The 95 % interval of the mean of scores from 1 to 5 with this sum and sum of squares; None below `FEWEST`.

    It is that of Wilson for as many yes-or-no answers as would vary as much. Student's interval covers only 83 to
    93 % with ten scores, most of which are 5.
    """
    if number < FEWEST:
        return None
    mean, freedom = total / number, number - 1
    middle = min(1.0, max(0.0, (mean - 1) / 4))
    variance = max(0.0, (squares - total * mean) / freedom) / 16
    most = middle * (1 - middle)
    # Scores that are all 1, or all 5, say no more than as many yes-or-no answers.
    units = number * max(1.0, most / variance) if variance > _TOLERANCE else float(number)
    low, high = wilson(middle * units, units, student_quantile(0.975, freedom))
    return 1 + 4 * low, 1 + 4 * high


def student_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's distribution by Fisher's expansion (Hill, 1970).

    Right to two digits from 5 degrees of freedom on, and to .0003 from 9.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def exact_p_value(share: Share, other: Share) -> float:
    """The two-sided p-value of Fisher's exact test (1935) that two shares differ by chance alone.

    With few units or shares near 0 or 1, approximate intervals exclude zero too often; this test never does.
    """
    hits = share.hits + other.hits
    least, most = max(0, hits - other.of), min(share.of, hits)
    weights = [
        _log_choose(share.of, number) + _log_choose(other.of, hits - number)
        for number in range(least, most + 1)
    ]
    all_weights = _log_choose(share.of + other.of, hits)
    observed = weights[share.hits - least]
    return sum(exp(weight - all_weights) for weight in weights if weight <= observed + _TOLERANCE * most)


def _log_choose(total: int, number: int) -> float:
    return lgamma(total + 1) - lgamma(number + 1) - lgamma(total - number + 1)


@dataclass(frozen=True)
class Survival:
    """How many durations ended, how many are still open, and the times by which 50 % and 90 % ended.

    `median`, its 95 % interval and `p90` are in the unit of the durations; None if too many have not ended.
    """

    ended: int
    still_open: int
    median: float | None
    p90: float | None
    median_low: float | None = field(default=None, compare=False)
    median_high: float | None = field(default=None, compare=False)

    @property
    def n(self) -> int:
        return self.ended + self.still_open

    @property
    def median_interval(self) -> list[float | None] | None:
        """Lower and upper bound of the median; None for a bound that too many open ones leave open."""
        return None if self.n < FEWEST else [self.median_low, self.median_high]


def survival(ended: Iterable[float], still_open: Iterable[float] = ()) -> Survival:
    """Median and 90 % time of durations; those in `still_open` are at least that long.

    Raises ValueError for a negative duration.
    """
    complete, censored = Counter(ended), Counter(still_open)
    if any(duration < 0 for duration in (*complete, *censored)):
        raise ValueError("a duration is negative: the end lies before the start")
    median, low, high = _quantile(complete, censored, 0.5)
    return Survival(
        ended=complete.total(),
        still_open=censored.total(),
        median=median,
        p90=_quantile(complete, censored, 0.9)[0],
        median_low=low,
        median_high=high,
    )


def _quantile(
    complete: Counter[float], censored: Counter[float], part: float
) -> tuple[float | None, float | None, float | None]:
    """The first duration by which this part has ended (Kaplan and Meier, 1958), and its 95 % interval.

    The interval has the durations whose share of survivors differs from that of the quantile by chance alone
    (Brookmeyer and Crowley, 1982, on the log-log scale with Greenwood's variance).
    """
    at_risk = complete.total() + censored.total()
    surviving, variance = 1.0, 0.0
    left = 1 - part
    middle = low = high = None
    for time in sorted(complete | censored):
        # Of equal durations the complete ones come first: the censored ones were still at risk at that time.
        if complete[time]:
            surviving *= 1 - complete[time] / at_risk
            if middle is None and surviving <= left + _TOLERANCE:
                middle = time
            if surviving <= _TOLERANCE:
                return middle, time if low is None else low, time if high is None else high
            variance += complete[time] / (at_risk * (at_risk - complete[time]))
            scale = log(surviving)
            score = (log(-scale) - log(-log(left))) * -scale / sqrt(variance)
            low = time if low is None and score >= -Z95 else low
            high = time if high is None and score > Z95 else high
        at_risk -= complete[time] + censored[time]
    return middle, low, high
