"""Metrics of predictions: F1, log-loss, calibration error, coverage and recall, with 95 % intervals.

Arrays have shape (n, k) for probabilities and (n,) for labels, which are category numbers below k.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from triage.model.calibration import Doubles, Integers, Mask

BINS = 15
"""Bins of equal width for the expected calibration error (15 as in Guo et al. 2017)."""
ROUNDS = 200
"""Samples of a bootstrap."""


def calibration_error(probabilities: Doubles, labels: Integers) -> float:
    """Expected calibration error: mean gap between the highest probability and the accuracy, over bins."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    total = 0.0
    for number in np.unique(bins):
        rows = bins == number
        total += abs(float(confidence[rows].mean()) - float(correct[rows].mean())) * float(rows.mean())
    return total


def calibration_interval(
    probabilities: Doubles, labels: Integers, *, rounds: int = ROUNDS
) -> tuple[float, float]:
    """95 % bootstrap interval of the calibration error.

    The error of resampled rows is larger on average; this bias is subtracted from both ends.
    """
    if len(labels) == 0:
        return 0.0, 1.0
    resampled = _resample(
        len(labels), lambda rows: calibration_error(probabilities[rows], labels[rows]), rounds=rounds
    )
    error = calibration_error(probabilities, labels)
    low, high = np.quantile(resampled, [0.025, 0.975]) - (np.mean(resampled) - error)
    return min(error, max(0.0, float(low))), float(high)


def log_loss(probabilities: Doubles, labels: Integers) -> float:
    """Mean of -log p of the correct category, in nats; a negative label (unknown category) counts as p = 1e-6."""
    return float(losses_of(probabilities, labels).mean())


def losses_of(probabilities: Doubles, labels: Integers) -> Doubles:
    """-log p of the correct category of each row, array (n,)."""
    correct = np.where(labels >= 0, probabilities[np.arange(len(labels)), np.maximum(labels, 0)], 0.0)
    return np.asarray(-np.log(np.maximum(correct, 1e-6)))


def f1_scores(predicted: Integers, labels: Integers, categories: int) -> Doubles:
    """F1 of each category, array (categories,); nan where it neither occurs nor was predicted."""
    scores = np.full(categories, np.nan)
    for category in range(categories):
        hits = int(((predicted == category) & (labels == category)).sum())
        proposals, occurrences = int((predicted == category).sum()), int((labels == category).sum())
        if proposals + occurrences:
            scores[category] = 2 * hits / (proposals + occurrences)
    return scores


def proportion_interval(hits: int, rows: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927), which is right for few rows and near 0 and 1 as well."""
    if rows == 0:
        return 0.0, 1.0
    z = 1.959964
    share, spread = hits / rows, z * z / rows
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / rows + spread / (4 * rows)) / (1 + spread)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def macro_f1(predicted: Integers, labels: Integers, categories: int) -> float:
    """Mean F1 over the categories that occur among the labels.

    Labels below 0 are categories that the model does not know, a different number for each: their F1 is 0.
    """
    in_model = labels >= 0
    occurrences = np.bincount(labels[in_model], minlength=categories)
    hits = np.bincount(labels[in_model & (predicted == labels)], minlength=categories)
    total = np.bincount(predicted, minlength=categories) + occurrences
    occurs = occurrences > 0
    count = occurs.sum() + len(np.unique(labels[~in_model]))
    return float((2 * hits[occurs] / total[occurs]).sum() / count)


def macro_f1_interval(predicted: Integers, labels: Integers, categories: int) -> tuple[float, float]:
    """95 % bootstrap interval of `macro_f1`."""
    if len(labels) == 0:
        return 0.0, 1.0
    return _interval(_resample(len(labels), lambda rows: macro_f1(predicted[rows], labels[rows], categories)))


def log_loss_interval(probabilities: Doubles, labels: Integers) -> tuple[float, float]:
    """95 % bootstrap interval of `log_loss`."""
    if len(labels) == 0:
        return 0.0, 14.0
    losses = losses_of(probabilities, labels)
    return _interval(_resample(len(losses), lambda rows: float(losses[rows].mean())))


def _resample(count: int, figure: Callable[[Integers], float], *, rounds: int = ROUNDS) -> list[float]:
    """The figure of each bootstrap sample of `count` rows."""
    random = np.random.default_rng(0)
    return [figure(random.integers(0, count, count)) for _ in range(rounds)]


def _interval(resampled: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def accuracy_at(probabilities: Doubles, labels: Integers, share: float) -> float:
    """Accuracy on the `share` (0 to 1) of rows with the highest probabilities."""
    confidence = probabilities.max(axis=1)
    kept = np.argsort(-confidence, kind="stable")[: max(1, round(share * len(labels)))]
    return float((probabilities.argmax(axis=1)[kept] == labels[kept]).mean())


def precision_threshold(probabilities: Doubles, labels: Integers, wanted: float) -> tuple[float, float]:
    """The lowest probability from which on proposals reach the precision `wanted`, and the share of rows covered.

    Returns (1.0, 0.0) where no threshold reaches it, so the model always abstains.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    correct = (probabilities.argmax(axis=1) == labels)[order]
    counts = np.arange(1, len(correct) + 1)
    precision = np.cumsum(correct) / counts
    # The precision of fewer than ten rows is chance.
    reached = np.flatnonzero((precision >= wanted) & (counts >= min(10, len(correct))))
    if len(reached) == 0:
        return 1.0, 0.0
    last = int(reached[-1])
    return float(confidence[order][last]), (last + 1) / len(correct)


def alert_threshold(scores: Doubles, critical: Mask, *, rate: float, prevalence: float) -> float:
    """The score above which a share `rate` of all cases raises an alert if `prevalence` of them are critical.

    Training rows contain more critical cases than a desk sees, so they are re-weighted.
    """
    weights = alert_weights(critical, prevalence)
    order = np.argsort(-scores, kind="stable")
    alerts = int((np.cumsum(weights[order]) <= rate).sum())
    return float(scores[order][max(alerts - 1, 0)])


def alert_weights(critical: Mask, prevalence: float) -> Doubles:
    """Weights (n,) that sum to 1 and give the critical rows a share of `prevalence`."""
    positives, negatives = int(critical.sum()), int((~critical).sum())
    if positives == 0 or negatives == 0:
        return np.full(len(critical), 1 / max(1, len(critical)))
    return np.where(critical, prevalence / positives, (1 - prevalence) / negatives)


def recall_at_alerts(scores: Doubles, critical: Mask, *, rate: float, prevalence: float) -> float:
    """Share of critical cases found when the highest scores, a share `rate` of all cases, raise an alert."""
    weights = alert_weights(critical, prevalence)
    order = np.argsort(-scores, kind="stable")
    within = np.cumsum(weights[order]) <= rate
    return float(critical[order][within].sum() / max(1, critical.sum()))


def recall_interval(
    scores: Doubles, critical: Mask, *, rate: float, prevalence: float
) -> tuple[float, float]:
    """95 % bootstrap interval of `recall_at_alerts`; critical rows and others are resampled separately."""
    positives, negatives = np.flatnonzero(critical), np.flatnonzero(~critical)
    if len(positives) == 0 or len(negatives) == 0:
        return 0.0, 1.0
    random = np.random.default_rng(0)
    # Sort once for all resamples: the number of times a row was drawn is its weight.
    order = np.argsort(-scores, kind="stable")
    ranked = critical[order]
    resampled = []
    for _ in range(ROUNDS):
        times = np.zeros(len(scores))
        for rows in (positives, negatives):
            times += np.bincount(random.choice(rows, len(rows)), minlength=len(scores))
        weights = times[order] * np.where(
            ranked, prevalence / len(positives), (1 - prevalence) / len(negatives)
        )
        alerts = np.cumsum(weights) <= rate
        resampled.append(float(times[order][alerts & ranked].sum() / len(positives)))
    return _interval(resampled)


def format_losses(losses: Mapping[str, float]) -> str:
    """The log-loss of each candidate as text, the lowest first, for the model card."""
    return ", ".join(f"{name} {loss:.3f}" for name, loss in sorted(losses.items(), key=lambda item: item[1]))
