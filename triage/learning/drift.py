"""Drift: do people still confirm what the model proposes, and do complaints still resemble its training data?

It reads only codes and figures of assessed complaints, no words. Each warning must exceed what chance explains,
because with few rows an index or a calibration error is large on its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from complaints.case_values import RULES_ALONE
from triage.model.prediction_metrics import calibration_error

if TYPE_CHECKING:
    from triage.model.calibration import Doubles, Mask

FEWEST_RECENT, MOST_RECENT = 50, 200
"""How many of the newest assessed complaints are examined."""

FEWEST_BEFORE = 100
"""Fewest older complaints that their mix of categories is compared with."""

ASSESSMENTS_READ = 1_200
"""Assessments to read from the store: the newest, and enough older ones to know the usual mix."""

CHANCE = 0.01
"""Probability of a warning by chance alone. It is low because the warnings are looked at every day."""

MIX_BOUND = 0.25
"""A population stability index above 0.25 is by convention a shift."""

CALIBRATION_BOUND = 0.15
"""Smallest calibration error that raises a warning."""


@dataclass(frozen=True, slots=True)
class DriftObservation:
    """An assessed complaint: the proposed category with its probability, and the category that was confirmed."""

    at: datetime
    proposed: str
    probability: float
    confirmed: str


@dataclass(frozen=True, slots=True)
class DriftWarning:
    """A warning: its code (`agreement`, `mix` or `calibration`), the figure, its bound, and the number of rows."""

    code: str
    value: float
    bound: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        """Plain values under the keys that `--json` uses."""
        return {
            "code": self.code,
            "value": round(self.value, 4),
            "bound": round(self.bound, 4),
            "rows": self.rows,
        }


def find_drift_in_record(
    assessed: Iterable[Mapping[str, Any]], card: Mapping[str, Any] | None
) -> tuple[DriftWarning, ...]:
    """The warnings from assessed complaints as the store returns them; proposals by rules alone do not count.

    `card` is that of the model in use, None without one.
    """
    observations = [
        DriftObservation(row["at"], row["proposed"], row["probability"], row["confirmed"])
        for row in assessed
        if row["model"] not in (None, RULES_ALONE)
    ]
    return find_drift(observations, accuracy=None if card is None else card.get("accuracy"))


def find_drift(
    observations: Sequence[DriftObservation], *, accuracy: float | None
) -> tuple[DriftWarning, ...]:
    """The warnings from assessed complaints in any order; none for fewer than 50 of them.

    `accuracy` is the held-out accuracy on the model card; None skips the test of agreement.
    """
    ordered = sorted(observations, key=lambda observation: observation.at)
    recent, before = ordered[-MOST_RECENT:], ordered[:-MOST_RECENT]
    if len(before) < FEWEST_BEFORE:
        # A young record: compare the newest complaints with all older ones.
        is_young = len(ordered) < FEWEST_BEFORE + FEWEST_RECENT
        before, recent = ordered[:-FEWEST_RECENT], (recent if is_young else ordered[-FEWEST_RECENT:])
    if len(recent) < FEWEST_RECENT:
        return ()
    warnings = (_check_agreement(recent, accuracy), _check_mix(recent, before), _check_calibration(recent))
    return tuple(warning for warning in warnings if warning is not None)


def _check_agreement(recent: Sequence[DriftObservation], accuracy: float | None) -> DriftWarning | None:
    """One-sided exact binomial test of the share confirmed against the accuracy on the card."""
    if accuracy is None:
        return None
    # Imported here and below: most processes only hold the warnings, and SciPy takes .7 s and 60 MB.
    from scipy.stats import binom

    agreed = sum(observation.proposed == observation.confirmed for observation in recent)
    p_value = float(binom.cdf(agreed, len(recent), accuracy))
    return (
        DriftWarning("agreement", agreed / len(recent), accuracy, len(recent)) if p_value < CHANCE else None
    )


def _check_mix(recent: Sequence[DriftObservation], before: Sequence[DriftObservation]) -> DriftWarning | None:
    """Population stability index of the confirmed categories, recent against earlier."""
    if len(before) < FEWEST_BEFORE:
        return None
    now = Counter(observation.confirmed for observation in recent)
    earlier = Counter(observation.confirmed for observation in before)
    names = sorted({*now, *earlier})
    if len(names) < 2:
        return None
    shares_now, shares_earlier = _shares(now, names), _shares(earlier, names)
    index = float(((shares_now - shares_earlier) * np.log(shares_now / shares_earlier)).sum())
    from scipy.stats import chi2

    # For an unchanged mix the index is about this factor times a chi-squared with k - 1 degrees of freedom.
    by_chance = (1 / len(recent) + 1 / len(before)) * float(chi2.ppf(1 - CHANCE, len(names) - 1))
    bound = max(MIX_BOUND, by_chance)
    return DriftWarning("mix", index, bound, len(recent)) if index > bound else None


def _shares(counts: Counter[str], names: Sequence[str]) -> Doubles:
    """Shares with half a row added to each, so that an absent category does not make the index infinite."""
    smoothed = np.array([counts[name] + 0.5 for name in names], dtype=np.float64)
    total: Doubles = smoothed / smoothed.sum()
    return total


def _check_calibration(recent: Sequence[DriftObservation]) -> DriftWarning | None:
    """Expected calibration error of the proposals, against that of a calibrated model in 500 simulations."""
    probabilities = np.array([observation.probability for observation in recent], dtype=np.float64)
    confirmed = np.array([observation.proposed == observation.confirmed for observation in recent])
    error = _calibration_error(probabilities, confirmed)
    random = np.random.default_rng(0)
    simulated = [
        _calibration_error(probabilities, random.random(len(probabilities)) < probabilities)
        for _ in range(500)
    ]
    bound = max(CALIBRATION_BOUND, float(np.quantile(simulated, 1 - CHANCE)))
    return DriftWarning("calibration", error, bound, len(recent)) if error > bound else None


def _calibration_error(probabilities: Doubles, confirmed: Mask) -> float:
    return calibration_error(probabilities.reshape(-1, 1), np.where(confirmed, 0, 1).astype(np.int64))
