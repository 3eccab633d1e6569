"""How well a model does on labelled complaints it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.criteria import rule_grades
from triage.csv.columns import label_key
from triage.errors import UnusableExamples
from triage.example import Example
from triage.model.calibration import Doubles
from triage.model.card import rounded, rounded_interval, severity_recall, sureness
from triage.model.metrics import (
    accuracy_at,
    calibration_error,
    calibration_interval,
    f1_scores,
    log_loss,
    log_loss_interval,
    macro_f1_interval,
    proportion_interval,
)
from triage.model.pipeline import CRITICAL, Model
from triage.safety.signs import signs


def evaluate(model: Model, examples: Sequence[Example]) -> dict[str, Any]:
    """Figures of a model on labelled examples.

    Gives accuracy, macro_f1 (over the categories that occur, unknown ones at 0), log_loss, ece, coverage and
    precision at the model's threshold, each with its 95 % interval (Wilson's for shares of rows, bootstraps for
    the rest), accuracy_at_80 (the 20 % least sure left out), a table for each category, accuracy by language,
    and for severity (where labelled) the recall of critical cases at 10 % alerts, re-weighted to 6 % critical.
    A label that the model does not know counts as wrong and is listed under unknown_categories; spelt otherwise
    (case, blanks, hyphens) it is known. Raises UnusableExamples without rows.
    """
    rows = [example for example in examples if example.text.strip() and example.category]
    if not rows:
        raise UnusableExamples("No example with a text and a category: check the column names.")
    numbers = {category: number for number, category in enumerate(model.categories)}
    alike = {label_key(category): number for category, number in numbers.items()}
    # A category that the model does not know has a number of its own, below 0: no proposal is right of it.
    keys = {label_key(row.category) for row in rows}
    strange = {key: -1 - place for place, key in enumerate(sorted(keys - {*alike}))}
    alike |= strange
    known = [numbers.get(row.category, alike[label_key(row.category)]) for row in rows]
    labels = np.array(known, dtype=np.int64)
    texts = [row.text for row in rows]
    matrix = model.matrix(texts)
    probabilities = model.read(texts, matrix)
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    right = predicted == labels
    f1 = f1_scores(predicted, labels, len(model.categories))
    present = np.unique(labels[labels >= 0])
    hits = int(right.sum())
    ece = calibration_error(probabilities, labels)
    low, high = calibration_interval(probabilities, labels)
    sure = probabilities.max(axis=1) >= model.sure_from
    return {
        "model_version": model.version,
        "rows": len(rows),
        "accuracy": rounded(right.mean()),
        "accuracy_interval": rounded_interval(proportion_interval(hits, len(rows))),
        "macro_f1": rounded(f1[present].sum() / (len(present) + len(strange))),
        "macro_f1_interval": rounded_interval(macro_f1_interval(predicted, labels, len(model.categories))),
        "log_loss": rounded(log_loss(probabilities, labels)),
        "log_loss_interval": rounded_interval(log_loss_interval(probabilities, labels)),
        "ece": rounded(ece),
        # Drawing anew adds error of its own: the lower end may come out above the figure itself.
        "ece_interval": rounded_interval((min(ece, low), high)),
        "accuracy_at_80": rounded(accuracy_at(probabilities, labels, 0.8)),
        **sureness(right, sure),
        "categories": {
            category: _category(predicted == number, labels == number, f1[number])
            for category, number in numbers.items()
        },
        "languages": _languages(rows, right),
        "unknown_categories": sorted(
            {row.category for row, label in zip(rows, known, strict=True) if label < 0}
        ),
        "severity": _severity(model, rows, model.critical_probabilities(matrix, rule_grades(texts))),
    }


def _languages(rows: Sequence[Example], right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    spoken = np.array([row.language or "unknown" for row in rows])
    return {
        str(language): {
            "rows": int((spoken == language).sum()),
            "accuracy": rounded(right[spoken == language].mean()),
            "accuracy_interval": rounded_interval(
                proportion_interval(int(right[spoken == language].sum()), int((spoken == language).sum()))
            ),
        }
        for language in np.unique(spoken)
    }


def _category(asked: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_], f1: float) -> dict[str, Any]:
    hits = int((asked & there).sum())
    return {
        "rows": int(there.sum()),
        "precision": rounded(hits / asked.sum()) if asked.any() else None,
        "recall": rounded(hits / there.sum()) if there.any() else None,
        "f1": None if np.isnan(f1) else rounded(f1),
    }


def critical_scores(texts: Sequence[str], p_critical: Doubles | None) -> Doubles:
    """How critical each text is held to be, to rank them: the model's probability; with none, the rules."""
    if p_critical is not None:
        return p_critical
    found = [signs(text) for text in texts]
    return np.array(
        [
            max((sign.severity + sign.safety / 10 + sign.danger / 100 for sign in each), default=0.0)
            for each in found
        ]
    )


def _severity(model: Model, rows: Sequence[Example], p_critical: Doubles | None) -> dict[str, Any] | None:
    known = [place for place, row in enumerate(rows) if row.severity is not None]
    critical = np.array([(rows[place].severity or 0) >= CRITICAL for place in known], dtype=bool)
    if not critical.any() or critical.all():
        return None
    scores = critical_scores([row.text for row in rows], p_critical)[known]
    ruled = np.array(
        [max((sign.severity for sign in signs(rows[place].text)), default=1) >= CRITICAL for place in known]
    )
    alerts = ruled
    if model.critical is not None and p_critical is not None:
        alerts = ruled | (p_critical[known] > model.critical.threshold)
    return {
        **severity_recall(scores, critical),
        "rules_recall": rounded(ruled[critical].mean()),
        "rules_false_alarms": rounded(ruled[~critical].mean()),
        "recall": rounded(alerts[critical].mean()),
        "recall_interval": rounded_interval(
            proportion_interval(int(alerts[critical].sum()), int(critical.sum()))
        ),
        "false_alarms": rounded(alerts[~critical].mean()),
    }
