"""Rates for each thousand customers with exact intervals, compared with all others together (8.2)."""

from dataclasses import dataclass


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
