"""Did an improvement help? The complaints of its kind before and after, with an exact interval (8.7)."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, lgamma, log, log1p

#: Fewer complaints than this before and after together prove nothing.
FEWEST = 10
#: Steps of the search for a limit: the interval of a probability is halved so often.
_HALVINGS = 60


class EffectVerdict(StrEnum):
    """`no_clear_fall`: the interval does not exclude that as many come as before."""

    EFFECTIVE = "effective"
    NO_CLEAR_FALL = "no_clear_fall"
    TOO_FEW = "too_few"


@dataclass(frozen=True)
class Effect:
    """Complaints in `before_days` before and `after_days` after; the ratio of their rates with its 95 % limits."""

    before: int
    before_days: int
    after: int
    after_days: int

    @property
    def interval(self) -> tuple[float, float]:
        """The exact limits of the rate after divided by the rate before (conditional binomial, Clopper-Pearson)."""
        return rate_ratio_interval(self.before, self.before_days, self.after, self.after_days)

    @property
    def verdict(self) -> EffectVerdict:
        if self.before + self.after < FEWEST:
            return EffectVerdict.TOO_FEW
        return EffectVerdict.EFFECTIVE if self.interval[1] < 1 else EffectVerdict.NO_CLEAR_FALL


def rate_ratio_interval(
    before: int, before_time: float, after: int, after_time: float
) -> tuple[float, float]:
    """The 95 % interval of the ratio of two Poisson rates, after to before; (0, inf) without any event.

    Given the sum, the later count is binomial, and its probability gives the ratio.
    """
    total = before + after
    low = _limit(after, total, lower=True) if after else 0.0
    high = _limit(after, total, lower=False) if before else 1.0
    scale = before_time / after_time
    return low / (1 - low) * scale, inf if high >= 1 else high / (1 - high) * scale


def _limit(events: int, total: int, *, lower: bool) -> float:
    """The probability at which so many events or more (or fewer) are as rare as 2.5 %."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tail = 1 - _at_most(events - 1, total, middle) if lower else _at_most(events, total, middle)
        # The upper tail grows with the probability, the lower one falls.
        if (tail < 0.025) == lower:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(events: int, total: int, probability: float) -> float:
    """The binomial probability of so many events or fewer."""
    if probability <= 0 or probability >= 1:
        return 1.0 if probability <= 0 or events >= total else 0.0
    terms = (
        lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1)
        + k * log(probability) + (total - k) * log1p(-probability)
        for k in range(events + 1)
    )  # fmt: skip
    return min(1.0, sum(map(exp, terms)))
