"""The model card: what a model was trained on, how good it is on held-back rows, and where it is weak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.calibration import Doubles, Integers
from triage.critical import ALERT_RATE, PREVALENCE, HeldBack
from triage.example import Example
from triage.figures import (
    accuracy_at,
    calibration_error,
    calibration_interval,
    f1_scores,
    log_loss,
    log_loss_interval,
    macro_f1_interval,
    proportion_interval,
    recall_at_alerts,
    recall_interval,
)
from triage.pipeline import Model

_FEW_ROWS = 15
_WEAK_F1 = 0.5


def rounded(value: float) -> float:
    """Four places: more would claim what few rows cannot say."""
    return round(float(value), 4)


def rounded_interval(bounds: tuple[float, float]) -> list[float]:
    """Both ends of a 95 % interval, as `rounded`."""
    return [rounded(bounds[0]), rounded(bounds[1])]


def sureness(right: npt.NDArray[np.bool_], sure: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Coverage and precision of the proposals that are sure, with Wilson's intervals; all arrays (rows,)."""
    hits, kept = int(right[sure].sum()), int(sure.sum())
    return {
        "coverage": rounded(sure.mean()),
        "coverage_interval": rounded_interval(proportion_interval(kept, len(sure))),
        "precision": rounded(hits / kept) if kept else None,
        "precision_interval": rounded_interval(proportion_interval(hits, kept)) if kept else None,
    }


def severity_recall(scores: Doubles, critical: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """How many critical rows are found at 10 % alerts, as if 6 % were critical, with its bootstrap interval."""
    found = recall_at_alerts(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    between = recall_interval(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    return {
        "rows": len(critical),
        "critical": int(critical.sum()),
        "recall_at_10": rounded(found),
        "recall_at_10_interval": rounded_interval(between),
    }


def training_facts(
    rows: Sequence[Example],
    categories: tuple[str, ...],
    probabilities: Doubles,
    labels: Integers,
    threshold: float,
    wanted_precision: float,
    severity: HeldBack | None,
) -> dict[str, Any]:
    """The card's facts from held-back probabilities (n, k) and labels (n,), as plain values.

    `severity` is how the classifier of critical cases ranked the rows held back from it.
    """
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    f1 = f1_scores(predicted, labels, len(categories))
    counts = Counter(row.category for row in rows)
    languages = Counter(row.language or "unknown" for row in rows)
    severities = Counter(row.severity for row in rows if row.severity is not None)
    right = predicted == labels
    sure = sureness(right, probabilities.max(axis=1) >= threshold)
    return {
        "rows": len(rows),
        "categories": {category: counts[category] for category in categories},
        "languages": dict(sorted(languages.items())),
        "severities": {str(grade): severities[grade] for grade in sorted(severities)},
        "severity": None if severity is None else severity_recall(severity.scores, severity.critical),
        "accuracy": rounded(right.mean()),
        "accuracy_interval": rounded_interval(proportion_interval(int(right.sum()), len(right))),
        "macro_f1": rounded(float(np.nanmean(f1))),
        "macro_f1_interval": rounded_interval(macro_f1_interval(predicted, labels, len(categories))),
        "log_loss": rounded(log_loss(probabilities, labels)),
        "log_loss_interval": rounded_interval(log_loss_interval(probabilities, labels)),
        "ece": rounded(calibration_error(probabilities, labels)),
        "ece_interval": rounded_interval(calibration_interval(probabilities, labels)),
        "accuracy_at_80": rounded(accuracy_at(probabilities, labels, 0.8)),
        "wanted_precision": wanted_precision,
        "threshold": rounded(threshold),
        **sure,
        "f1": {category: rounded(score) for category, score in zip(categories, f1.tolist(), strict=True)},
        "weaknesses": _weaknesses(categories, counts, f1, sure["coverage"], len(rows)),
    }


def _weaknesses(
    categories: tuple[str, ...], counts: Counter[str], f1: Doubles, coverage: float, rows: int
) -> list[str]:
    told = []
    few = [category for category in categories if counts[category] < _FEW_ROWS]
    if few:
        told.append(f"fewer than {_FEW_ROWS} examples: {', '.join(few)}")
    weak = [category for category, score in zip(categories, f1, strict=True) if score < _WEAK_F1]
    if weak:
        told.append(f"wrong as often as right on held-back rows: {', '.join(weak)}")
    if coverage == 0:
        told.append("never sure enough for the wanted precision: every proposal says not sure")
    if rows < 1_000:
        told.append("trained on few examples: figures vary by several points from one draw to the next")
    return told


def card(model: Model) -> dict[str, Any]:
    """The model card: version, data, figures on held-back rows, threshold of doubt and known weaknesses."""
    critical = model.critical
    return {
        "version": model.version,
        "classes": list(model.categories),
        "pipeline": (
            "TF-IDF of words 1-2 and characters 3-5, widened by a latent space below 2,000 rows; balanced "
            "linear planes of the kind chosen; sigmoids on held-back rows, read normalised and as a softmax, mixed"
        ),
        "critical": None if critical is None else {"alert_threshold": rounded(critical.threshold)},
        **model.facts,
    }
