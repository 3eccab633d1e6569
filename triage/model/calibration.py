"""Calibration: decision values of linear classifiers become probabilities that match observed frequencies.

Each category has its own sigmoid (Platt 1999), which keeps rare categories in play, but single sigmoids do not give
a reliable overall confidence. So two readings of the same log-odds are mixed: the normalised sigmoids and a softmax,
each with its own temperature (Guo et al. 2017), fitted together on held-out rows. The order of the categories is the
same in both, so accuracy does not change. On public complaint narratives the calibration error fell by half.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, softmax

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FEW = 3
"""A category with fewer rows than this shares the sigmoid of all categories."""

_MIX_ROWS = 3_000
"""Rows used to fit the three numbers of the mix; more only cost time."""

_FLOOR = 1e-9
"""Keeps a row from summing to zero when every sigmoid underflows."""


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Probability = 1 / (1 + exp(-(slope * value + offset)))."""

    slope: float
    offset: float

    def apply(self, values: Doubles) -> Doubles:
        """Probabilities in the shape of `values`."""
        return np.asarray(expit(self.slope * values + self.offset), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The sigmoids of k categories and the mix of both readings.

    `slopes` and `offsets` have shape (k,). `mix` holds the logarithms of the inverse temperatures of the normalised
    and of the softmax reading, and the log-odds of the share of the normalised one.
    """

    slopes: Doubles
    offsets: Doubles
    mix: tuple[float, float, float]

    def apply(self, decisions: Doubles) -> Doubles:
        """Probabilities (n, k), rows sum to 1, from decision values (n, k)."""
        log_odds = self.slopes * decisions + self.offsets
        return _mix_readings(_normalise(log_odds), log_odds, self.mix)


def _normalise(log_odds: Doubles) -> Doubles:
    """The logarithms of the sigmoids' probabilities, which sum to 1 in each row."""
    normalised = np.log(expit(log_odds) + _FLOOR)
    return np.asarray(normalised - np.log(np.exp(normalised).sum(axis=1, keepdims=True)), dtype=np.float64)


def _mix_readings(normalised: Doubles, log_odds: Doubles, mix: tuple[float, float, float]) -> Doubles:
    share = float(expit(mix[2]))
    mixed = share * softmax(np.exp(mix[0]) * normalised, axis=1) + (1 - share) * softmax(
        np.exp(mix[1]) * log_odds, axis=1
    )
    return np.asarray(mixed, dtype=np.float64)


def fit_sigmoid(values: Doubles, positive: Mask) -> Sigmoid:
    """Fit Platt's sigmoid with smoothed targets; `positive` marks the values of rows in the category."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        score = parameters[0] * values + parameters[1]
        # log(1 + exp(x)) - t x is the cross entropy without overflow.
        value = float((np.logaddexp(0, score) - targets * score).mean())
        residual = (expit(score) - targets) / len(values)
        return value, np.array([(residual * values).sum(), residual.sum()])

    start = np.array([1.0, np.log((positives + 1) / (negatives + 1))])
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(1e-3, None), (None, None)])
    return Sigmoid(float(best.x[0]), float(best.x[1]))


def fit_calibration(decisions: Doubles, labels: Integers, *, real: Mask | None = None) -> Calibration:
    """Fit sigmoids and mix on out-of-fold decision values (n, k) and labels (n,) below k.

    `real` (n,) marks the rows that the overall confidence must match: the organisation's own complaints, not the
    written examples, which are harder. Default None: all rows. The sigmoids always use all rows.
    """
    categories = decisions.shape[1]
    counts = np.bincount(labels, minlength=categories)
    one_hot = labels[:, None] == np.arange(categories)[None, :]
    shared = fit_sigmoid(decisions.ravel(), one_hot.ravel())
    sigmoids = [
        fit_sigmoid(decisions[:, category], one_hot[:, category]) if counts[category] >= FEW else shared
        for category in range(categories)
    ]
    slopes = np.array([sigmoid.slope for sigmoid in sigmoids])
    offsets = np.array([sigmoid.offset for sigmoid in sigmoids])
    log_odds = slopes * decisions + offsets
    rows = np.ones(len(labels), dtype=bool) if real is None or not real.any() else real
    return Calibration(slopes, offsets, _fit_mix(log_odds[rows], labels[rows]))


def _fit_mix(log_odds: Doubles, labels: Integers) -> tuple[float, float, float]:
    if len(labels) > _MIX_ROWS:
        rows = np.random.default_rng(0).permutation(len(labels))[:_MIX_ROWS]
        log_odds, labels = log_odds[rows], labels[rows]
    positions, normalised = np.arange(len(labels)), _normalise(log_odds)

    def loss(mix: Doubles) -> float:
        correct = _mix_readings(normalised, log_odds, (mix[0], mix[1], mix[2]))[positions, labels]
        # A prior towards "no temperature, equal shares", worth a row or two: a few rows must not move it far.
        return float(-np.log(np.maximum(correct, 1e-12)).mean() + (mix**2).sum() / len(labels))

    best = minimize(
        loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-6, "maxiter": 200}
    )
    return float(best.x[0]), float(best.x[1]), float(best.x[2])
