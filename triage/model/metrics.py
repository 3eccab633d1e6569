"""Figures on predictions: accuracy, F1, log-loss, calibration error, coverage; all from probabilities and
labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from triage.model.calibration import Doubles, Integers

BINS = 15
"""Bins of equal width for the expected calibration error, as in the literature."""


def calibration_error(probabilities: Doubles, labels: Integers) -> float:
    """Expected calibration error: mean gap between the surest probability and how often it was right."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    total = 0.0
    for place in np.unique(bins):
        rows = bins == place
        total += abs(float(sure[rows].mean()) - float(right[rows].mean())) * float(rows.mean())
    return total


def calibration_interval(
    probabilities: Doubles, labels: Integers, *, seed: int = 0, rounds: int = 200
) -> tuple[float, float]:
    """95 % bootstrap interval of the calibration error.

    Drawing rows anew makes the error larger on average than it is; that much is taken off both ends.
    """
    if len(labels) == 0:
        return 0.0, 1.0
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(rounds):
        rows = random.integers(0, len(labels), len(labels))
        drawn.append(calibration_error(probabilities[rows], labels[rows]))
    error = calibration_error(probabilities, labels)
    low, high = np.quantile(drawn, [0.025, 0.975]) - (np.mean(drawn) - error)
    return min(error, max(0.0, float(low))), float(high)


def log_loss(probabilities: Doubles, labels: Integers) -> float:
    """Mean of -log p of the right category, natural logarithm; an unknown label (-1) counts as p = 1e-6."""
    known = labels >= 0
    right = np.where(known, probabilities[np.arange(len(labels)), np.maximum(labels, 0)], 0.0)
    return float(-np.log(np.maximum(right, 1e-6)).mean())


def f1_scores(predicted: Integers, labels: Integers, categories: int) -> Doubles:
    """F1 of each category, array (categories,); nan for one that neither occurs nor was predicted."""
    scores = np.full(categories, np.nan)
    for category in range(categories):
        hits = int(((predicted == category) & (labels == category)).sum())
        asked, there = int((predicted == category).sum()), int((labels == category).sum())
        if asked + there:
            scores[category] = 2 * hits / (asked + there)
    return scores


def proportion_interval(hits: int, rows: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927): holds its promise with few rows and near 0 and 1 too."""
    if rows == 0:
        return 0.0, 1.0
    z = 1.959964
    share, spread = hits / rows, z * z / rows
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / rows + spread / (4 * rows)) / (1 + spread)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def macro_f1_interval(
    predicted: Integers, labels: Integers, categories: int, *, seed: int = 0, rounds: int = 200
) -> tuple[float, float]:
    """95 % bootstrap interval of the mean F1 over the categories that occur in each draw.

    Labels below 0 are categories that the model does not know, each with a number of its own: their F1 is 0.
    """
    if len(labels) == 0:
        return 0.0, 1.0
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(rounds):
        rows = random.integers(0, len(labels), len(labels))
        asked, there = predicted[rows], labels[rows]
        known = there >= 0
        hits = np.bincount(there[known & (asked == there)], minlength=categories)
        total = np.bincount(asked, minlength=categories) + np.bincount(there[known], minlength=categories)
        occurs = np.bincount(there[known], minlength=categories) > 0
        count = occurs.sum() + len(np.unique(there[~known]))
        drawn.append(float((2 * hits[occurs] / total[occurs]).sum() / count))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def log_loss_interval(
    probabilities: Doubles, labels: Integers, *, seed: int = 0, rounds: int = 200
) -> tuple[float, float]:
    """95 % bootstrap interval of `log_loss`."""
    if len(labels) == 0:
        return 0.0, 14.0
    random = np.random.default_rng(seed)
    right = np.where(labels >= 0, probabilities[np.arange(len(labels)), np.maximum(labels, 0)], 0.0)
    losses = -np.log(np.maximum(right, 1e-6))
    drawn = [float(losses[random.integers(0, len(losses), len(losses))].mean()) for _ in range(rounds)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def accuracy_at(probabilities: Doubles, labels: Integers, share: float) -> float:
    """Accuracy on the surest `share` of the rows."""
    sure = probabilities.max(axis=1)
    kept = np.argsort(-sure, kind="stable")[: max(1, round(share * len(labels)))]
    return float((probabilities.argmax(axis=1)[kept] == labels[kept]).mean())


def precision_threshold(probabilities: Doubles, labels: Integers, wanted: float) -> tuple[float, float]:
    """The lowest probability above which the proposals were right in `wanted` of the rows, and the share
    they cover.

    Gives (1.0, 0.0) where no threshold reaches it, so that the model always says "not sure".
    """
    sure = probabilities.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    right = (probabilities.argmax(axis=1) == labels)[order]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    # Under ten rows a precision is chance.
    good = np.flatnonzero((precision >= wanted) & (np.arange(1, len(right) + 1) >= min(10, len(right))))
    if len(good) == 0:
        return 1.0, 0.0
    last = int(good[-1])
    return float(sure[order][last]), (last + 1) / len(right)


def alert_threshold(
    scores: Doubles, critical: npt.NDArray[np.bool_], *, rate: float, prevalence: float
) -> float:
    """The score above which a share `rate` of all cases raises an alert, were `prevalence` of them critical.

    Training rows hold more critical cases than a desk sees; re-weighting keeps the budget of alerts honest.
    """
    weights = alert_weights(critical, prevalence)
    order = np.argsort(-scores, kind="stable")
    spent = np.cumsum(weights[order])
    within = int((spent <= rate).sum())
    return float(scores[order][max(within - 1, 0)])


def alert_weights(critical: npt.NDArray[np.bool_], prevalence: float) -> Doubles:
    """Weights (n,) that sum to 1 and give the critical rows a share of `prevalence`."""
    high, low = int(critical.sum()), int((~critical).sum())
    if high == 0 or low == 0:
        return np.full(len(critical), 1 / max(1, len(critical)))
    return np.where(critical, prevalence / high, (1 - prevalence) / low)


def recall_at_alerts(
    scores: Doubles, critical: npt.NDArray[np.bool_], *, rate: float, prevalence: float
) -> float:
    """The share of critical cases caught when the highest scores, `rate` of all cases, raise an alert."""
    weights = alert_weights(critical, prevalence)
    order = np.argsort(-scores, kind="stable")
    within = np.cumsum(weights[order]) <= rate
    return float(critical[order][within].sum() / max(1, critical.sum()))


def recall_interval(
    scores: Doubles,
    critical: npt.NDArray[np.bool_],
    *,
    rate: float,
    prevalence: float,
    seed: int = 0,
    rounds: int = 200,
) -> tuple[float, float]:
    """95 % bootstrap interval of `recall_at_alerts`; critical rows and others are drawn each among themselves."""
    high, low = np.flatnonzero(critical), np.flatnonzero(~critical)
    if len(high) == 0 or len(low) == 0:
        return 0.0, 1.0
    random = np.random.default_rng(seed)
    # One sorting for all draws: how often a row was drawn is its weight.
    order = np.argsort(-scores, kind="stable")
    ranked = critical[order]
    drawn = []
    for _ in range(rounds):
        times = np.zeros(len(scores))
        for rows in (high, low):
            times += np.bincount(random.choice(rows, len(rows)), minlength=len(scores))
        weights = times[order] * np.where(ranked, prevalence / len(high), (1 - prevalence) / len(low))
        within = np.cumsum(weights) <= rate
        drawn.append(float(times[order][within & ranked].sum() / len(high)))
    bounds = np.quantile(drawn, [0.025, 0.975])
    return float(bounds[0]), float(bounds[1])


def best_first(losses: Mapping[str, float]) -> str:
    """The log-loss of each candidate, the lowest first, for the model card."""
    return ", ".join(f"{name} {loss:.3f}" for name, loss in sorted(losses.items(), key=lambda e: e[1]))
