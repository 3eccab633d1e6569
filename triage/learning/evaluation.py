"""Evaluation of a model on labelled complaints that it has not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from triage.criteria import rule_grades
from triage.csv.columns import label_key
from triage.errors import UnusableExamples
from triage.example import Example
from triage.model.calibration import Doubles, Mask
from triage.model.model_card import (
    accuracy_figures,
    coverage_and_precision,
    rounded,
    rounded_interval,
    severity_recall,
)
from triage.model.pipeline import CRITICAL, Model
from triage.model.prediction_metrics import f1_scores, proportion_interval
from triage.safety.signs import find_signs


def evaluate(model: Model, examples: Sequence[Example]) -> dict[str, Any]:
    """Figures of a model on labelled examples, as plain values.

    Returns accuracy, macro_f1 (over the categories that occur, unknown ones at 0), log_loss, ece, coverage and
    precision at the model's threshold, each with its 95 % interval (Wilson's for shares of rows, bootstrap for the
    rest); accuracy_at_80 (without the 20 % least sure); figures for each category; accuracy by language; and for
    severity, where labelled, the recall of critical cases at 10 % alerts, re-weighted to 6 % critical.

    A label is matched ignoring case, blanks and hyphens. One that the model does not know counts as wrong and is
    listed under unknown_categories. Raises UnusableExamples without rows.
    """
    rows = [example for example in examples if example.text.strip() and example.category]
    if not rows:
        raise UnusableExamples("No example with a text and a category: check the column names.")
    numbers = {category: number for number, category in enumerate(model.categories)}
    by_key = {label_key(category): number for category, number in numbers.items()}
    # Each category that the model does not know has its own number below 0: no proposal is right for it.
    unknown_keys = {label_key(row.category) for row in rows} - {*by_key}
    unknown = {key: -1 - index for index, key in enumerate(sorted(unknown_keys))}
    by_key |= unknown
    label_numbers = [numbers.get(row.category, by_key[label_key(row.category)]) for row in rows]
    labels = np.array(label_numbers, dtype=np.int64)
    texts = [row.text for row in rows]
    matrix = model.matrix(texts)
    vectors = model.encode(texts)
    probabilities = model.blend(model.word_probabilities(matrix), vectors)
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    correct = predicted == labels
    f1 = f1_scores(predicted, labels, len(model.categories))
    present = np.unique(labels[labels >= 0])
    covered = probabilities.max(axis=1) >= model.abstains_below(vectors)
    return {
        "model_version": model.version,
        "rows": len(rows),
        **accuracy_figures(probabilities, labels, f1[present].sum() / (len(present) + len(unknown))),
        **coverage_and_precision(correct, covered),
        "categories": {
            category: _category_figures(predicted == number, labels == number, f1[number])
            for category, number in numbers.items()
        },
        "languages": _language_figures(rows, correct),
        "unknown_categories": sorted(
            {row.category for row, label in zip(rows, label_numbers, strict=True) if label < 0}
        ),
        "severity": _severity_figures(model, rows, model.critical_probabilities(matrix, rule_grades(texts))),
    }


def critical_scores(texts: Sequence[str], p_critical: Doubles | None) -> Doubles:
    """Scores (texts,) that rank texts by how critical they are: the model's probability, or without it the rules."""
    if p_critical is not None:
        return p_critical
    return np.array([_rule_score(text) for text in texts])


def _rule_score(text: str) -> float:
    return max(
        (sign.severity + sign.safety / 10 + sign.danger / 100 for sign in find_signs(text)), default=0.0
    )


def _category_figures(predicted: Mask, actual: Mask, f1: float) -> dict[str, Any]:
    hits = int((predicted & actual).sum())
    return {
        "rows": int(actual.sum()),
        "precision": rounded(hits / predicted.sum()) if predicted.any() else None,
        "recall": rounded(hits / actual.sum()) if actual.any() else None,
        "f1": None if np.isnan(f1) else rounded(f1),
    }


def _language_figures(rows: Sequence[Example], correct: Mask) -> dict[str, Any]:
    languages = np.array([row.language or "unknown" for row in rows])
    figures = {}
    for language in np.unique(languages):
        in_language = languages == language
        hits, count = int(correct[in_language].sum()), int(in_language.sum())
        figures[str(language)] = {
            "rows": count,
            "accuracy": rounded(correct[in_language].mean()),
            "accuracy_interval": rounded_interval(proportion_interval(hits, count)),
        }
    return figures


def _severity_figures(
    model: Model, rows: Sequence[Example], p_critical: Doubles | None
) -> dict[str, Any] | None:
    rated = [index for index, row in enumerate(rows) if row.severity is not None]
    critical = np.array([(rows[index].severity or 0) >= CRITICAL for index in rated], dtype=bool)
    if not critical.any() or critical.all():
        return None
    scores = critical_scores([row.text for row in rows], p_critical)[rated]
    by_rules = np.array(
        [
            max((sign.severity for sign in find_signs(rows[index].text)), default=1) >= CRITICAL
            for index in rated
        ]
    )
    alerts = by_rules
    if model.critical is not None and p_critical is not None:
        alerts = by_rules | (p_critical[rated] > model.critical.threshold)
    return {
        **severity_recall(scores, critical),
        "rules_recall": rounded(by_rules[critical].mean()),
        "rules_false_alarms": rounded(by_rules[~critical].mean()),
        "recall": rounded(alerts[critical].mean()),
        "recall_interval": rounded_interval(
            proportion_interval(int(alerts[critical].sum()), int(critical.sum()))
        ),
        "false_alarms": rounded(alerts[~critical].mean()),
    }
