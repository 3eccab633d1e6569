"""The quality gate: a candidate is used only if it is not worse than the model in use (7.5; 8.5; decision 60).

Both models answer the same rows, which neither has learned from. A figure is worse if the 95 % interval of the paired
difference lies wholly on the bad side, or if it falls by more than its tolerance and by more than its standard error.
For severity 4 and 5 the candidate may not find less at the alert budget, nor miss more in total.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from scipy.stats import binomtest, fisher_exact

from triage.criteria import rule_grades
from triage.defaults import ALERT_RATE
from triage.example import Example
from triage.learning.holdout import FEWEST
from triage.learning.training import labels_of, severities_of
from triage.model.calibration import Doubles, Integers, Mask
from triage.model.critical import PREVALENCE
from triage.model.pipeline import CRITICAL, Model
from triage.model.prediction_metrics import log_loss, macro_f1, recall_at_alerts
from triage.safety.signs import find_signs

TOLERANCE: Mapping[str, float] = {"macro_f1": 0.02, "log_loss": 0.05, "recall": 0.02}
"""How much worse a figure may look by chance. Log-loss is in nats: 0.05 is about 5 % of a probability."""

FEWEST_NEW = 10
"""With fewer new rows, many wrong answers among them prove nothing."""
UNLIKELY, GAINED = 0.001, 0.05
"""Significance levels of the test for random labels (decision 60): that new rows are answered worse than older ones,
and that the candidate has learned something from them.
"""

ROUNDS = 400
"""Resamples of the paired bootstrap."""
_INTERVAL_WIDTH = 3.92
"""Standard errors from one end of a 95 % interval to the other."""

_METRIC_NAMES = {"macro_f1": "macro-F1", "log_loss": "log-loss", "recall": "recall of severity >= 4"}

Figures = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the model may be used, with the reasons as sentences and the figures of each set as plain values.

    `learnt_until` is set where the model to use is not the candidate but the previous model, retrained after an
    erasure: it has learned from what was confirmed up to then.
    """

    passes: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)
    learnt_until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values under the keys that the record and `--json` use; `learnt_until` only where it is set."""
        values = {"passes": self.passes, "reasons": list(self.reasons), "figures": dict(self.figures)}
        if self.learnt_until is None:
            return values
        return {**values, "learnt_until": self.learnt_until.isoformat()}


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """The answers of a model to n rows.

    `probabilities` (n, k) are over the categories of both models and of the rows. `scores` (n,) say how critical a
    row is. `alerts` (n,) say whether it raises severity to 4 or more, rules included.
    """

    probabilities: Doubles
    scores: Doubles
    alerts: Mask


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """A set of n rows with their labels and the answers of both models.

    `labels` (n,) are numbers of `categories`; `severities` (n,) are nan where unknown. `new` (n,) marks rows that
    were confirmed after the model in use had learned, None where this is not known. `comparable` (n,) marks rows of
    a category that the model in use knows, None where all are.
    """

    name: str
    categories: tuple[str, ...]
    labels: Integers
    severities: Doubles
    candidate: ModelAnswers
    active: ModelAnswers | None
    new: Mask | None = None
    comparable: Mask | None = None

    @property
    def compared(self) -> Integers:
        """The rows that answers about the category are compared on; all, if the candidate is measured alone."""
        if self.active is None or self.comparable is None or not self.comparable.any():
            return np.arange(len(self.labels))
        return np.flatnonzero(self.comparable)

    @property
    def is_compared(self) -> bool:
        return self.active is not None and (self.comparable is None or bool(self.comparable.any()))

    @property
    def left_out(self) -> list[str]:
        """The categories of the rows that are not comparable."""
        if self.active is None or self.comparable is None:
            return []
        return [self.categories[number] for number in np.unique(self.labels[~self.comparable]).tolist()]


def judge(
    candidate: Model,
    active: Model | None,
    *,
    fixed: Sequence[Example],
    recent: Sequence[Example],
    alert_budget: float = ALERT_RATE,
) -> Verdict:
    """The verdict on a candidate from labelled rows; each set is judged separately, an empty one is skipped.

    Rows of a category that the model in use cannot know are left out of the comparison, and a reason says so. A
    candidate that lacks a category of the rows is wrong there, because the desk would lose it. Without a model in
    use, or where it knows the category of no row, the candidate must beat the guess of the most frequent category, on
    these rows or, where there are fewer than 30, on its own held-out rows.
    """
    sets = [
        label_rows(name, candidate, active, rows)
        for name, rows in (("fixed", fixed), ("recent", recent))
        if rows
    ]
    return weigh(sets, candidate, has_active=active is not None, alert_budget=alert_budget)


def label_rows(
    name: str, candidate: Model, active: Model | None, rows: Sequence[Example], *, new: Mask | None = None
) -> LabelledRows:
    """A set of rows with the answers of both models."""
    names = {*candidate.categories, *(active.categories if active else ()), *(row.category for row in rows)}
    categories = tuple(sorted(names))
    return LabelledRows(
        name,
        categories,
        labels_of(rows, categories),
        severities_of(rows),
        answer_rows(candidate, rows, categories),
        None if active is None else answer_rows(active, rows, categories),
        new,
        None if active is None else knows(active, rows),
    )


def knows(model: Model, rows: Sequence[Example]) -> Mask:
    """Which of the rows (n,) have a category that the model knows."""
    return np.array([row.category in model.categories for row in rows], dtype=bool)


def answer_rows(model: Model, rows: Sequence[Example], categories: Sequence[str]) -> ModelAnswers:
    """The answers of a model, with probabilities over `categories`, which include all of its own."""
    texts = [row.text for row in rows]
    matrix = model.matrix(texts)
    columns = [categories.index(category) for category in model.categories]
    probabilities = np.zeros((len(rows), len(categories)))
    probabilities[:, columns] = model.predict_proba(texts, matrix)
    by_rules = np.array([max((sign.severity for sign in find_signs(text)), default=1) for text in texts])
    alerts = by_rules >= CRITICAL
    critical = model.critical_probabilities(matrix, rule_grades(texts))
    scores = by_rules.astype(np.float64)
    if critical is not None and model.critical is not None:
        scores = critical
        alerts = alerts | (critical > model.critical.threshold)
    return ModelAnswers(probabilities, scores, alerts)


def weigh(
    sets: Sequence[LabelledRows], candidate: Model, *, has_active: bool, alert_budget: float = ALERT_RATE
) -> Verdict:
    figures = {rows.name: _compare(rows, alert_budget) for rows in sets}
    if not has_active:
        return beats_guess(sets, candidate, figures)
    if not sets:
        return Verdict(False, ("There is no confirmed complaint to compare the two models on.",), figures)
    worse = [reason for rows in sets for reason in _worse_figures(rows, figures[rows.name])]
    notes = tuple(_not_compared(rows) for rows in sets if rows.left_out)
    objections = [*_random_labels(sets), *worse, *_missed_critical(figures)]
    if objections:
        return Verdict(False, (*objections, *notes), figures)
    compared = [rows for rows in sets if rows.is_compared]
    if not compared:
        verdict = beats_guess(sets, candidate, figures, why="The model in use knows none of these categories")
        return replace(verdict, reasons=(*verdict.reasons, *notes))
    reasons = tuple(
        f"{rows.name}: macro-F1 {_change(figures[rows.name], 'macro_f1')}, log-loss "
        f"{_change(figures[rows.name], 'log_loss')} on {len(rows.compared)} rows."
        for rows in compared
    )
    return Verdict(True, (*reasons, *notes), figures)


def _not_compared(rows: LabelledRows) -> str:
    count = 0 if rows.comparable is None else int((~rows.comparable).sum())
    return (
        f"{rows.name}: {count} rows are not compared, because the model in use cannot know their categories: "
        f"{', '.join(rows.left_out)}."
    )


def beats_guess(
    sets: Sequence[LabelledRows],
    candidate: Model,
    figures: Mapping[str, Any],
    *,
    why: str = "No model in use",
) -> Verdict:
    """The verdict where nothing can be compared: is it right more often than the most frequent category?"""
    labels = [rows.categories[number] for rows in sets for number in rows.labels.tolist()]
    if len(labels) >= FEWEST:
        hits = sum(figures[rows.name]["candidate"]["accuracy"] * len(rows.labels) for rows in sets)
        accuracy, guess = hits / len(labels), max(labels.count(label) for label in set(labels)) / len(labels)
        count, where = len(labels), "confirmed complaints"
    else:
        counts = dict(candidate.facts.get("categories", {}))
        accuracy, count = float(candidate.facts.get("accuracy", 0.0)), sum(counts.values())
        guess, where = max(counts.values(), default=0) / max(1, count), "held-back rows of its own"
    reason = f"{why}: right in {accuracy:.2f} of {count} {where}, the most frequent category in {guess:.2f}."
    return Verdict(accuracy > guess, (reason,), figures)


def _worse_figures(rows: LabelledRows, figures: Mapping[str, Any]) -> list[str]:
    reasons = []
    for key, name in _METRIC_NAMES.items():
        difference = figures["difference"].get(key)
        if difference is None:
            continue
        # Every difference has the sign that makes negative values worse.
        low, value, high = difference
        error = (high - low) / _INTERVAL_WIDTH
        if high < 0 or value < -max(TOLERANCE[key], error):
            reasons.append(
                f"{rows.name}: {name} {_change(figures, key)} on {len(rows.compared)} rows "
                f"(better by {value:+.3f}, at most {high:+.3f})."
            )
    return reasons


def _missed_critical(figures: Mapping[str, Any]) -> list[str]:
    """A critical complaint taken for a normal one is the most expensive error: not one more is accepted."""
    after, before = (
        sum(of_set[model]["missed"] or 0 for of_set in figures.values()) for model in ("candidate", "active")
    )
    if after <= before:
        return []
    return [f"Of severity >= 4 it misses {after}, the one in use {before}."]


def _random_labels(sets: Sequence[LabelledRows]) -> list[str]:
    """Labels that do not follow from the words cannot judge: a model that learned chance then looks less wrong.

    This is suspected where the candidate is right far less often for new rows than for older ones, and not more
    often than the model in use.
    """
    older: list[bool] = []
    newer: list[bool] = []
    gained = lost = 0
    for rows in sets:
        if rows.new is None or rows.active is None:
            continue
        correct, correct_before = (
            answers.probabilities.argmax(axis=1) == rows.labels for answers in (rows.candidate, rows.active)
        )
        older += correct[~rows.new].tolist()
        newer += correct[rows.new].tolist()
        # What the model in use cannot know is no gain.
        both_know = rows.new if rows.comparable is None else rows.new & rows.comparable
        gained += int((correct & ~correct_before)[both_know].sum())
        lost += int((correct_before & ~correct)[both_know].sum())
    if len(older) < FEWEST or len(newer) < FEWEST_NEW:
        return []
    table = [[sum(newer), len(newer) - sum(newer)], [sum(older), len(older) - sum(older)]]
    p_worse = float(fisher_exact(table, alternative="less").pvalue)
    p_gain = float(binomtest(gained, gained + lost, alternative="greater").pvalue) if gained else 1.0
    if p_worse >= UNLIKELY or p_gain < GAINED:
        return []
    reason = (
        f"The newest {len(newer)} assessments look as if drawn by lot: right in {np.mean(newer):.2f} of them, in "
        f"{np.mean(older):.2f} of the {len(older)} before, and nothing is gained by learning from them. See who "
        "made them, and how."
    )
    return [reason]


def _change(figures: Mapping[str, Any], key: str) -> str:
    return f"{figures['active'][key]:.3f} -> {figures['candidate'][key]:.3f}"


def _compare(rows: LabelledRows, budget: float) -> dict[str, Any]:
    candidate = _measure(rows, rows.candidate, budget)
    if rows.active is None:
        return {"rows": len(rows.labels), "candidate": _rounded(candidate), "active": None, "difference": {}}
    active = _measure(rows, rows.active, budget)
    if not rows.is_compared:
        active |= dict.fromkeys(("accuracy", "macro_f1", "log_loss"))
    return {
        "rows": len(rows.labels),
        "compared": len(rows.compared) if rows.is_compared else 0,
        "candidate": _rounded(candidate),
        "active": _rounded(active),
        "difference": _differences(rows, rows.active, candidate, active, budget),
    }


def _measure(rows: LabelledRows, answers: ModelAnswers, budget: float) -> Figures:
    indices, compared = np.arange(len(rows.labels)), rows.compared
    critical = rows.severities >= CRITICAL
    has_recall = bool(critical.any()) and bool((~critical & ~np.isnan(rows.severities)).any())
    return {
        "accuracy": float((answers.probabilities.argmax(axis=1) == rows.labels)[compared].mean()),
        "macro_f1": _macro_f1(rows, answers, compared),
        "log_loss": _log_loss(rows, answers, compared),
        "recall": _recall(rows, answers, indices, budget) if has_recall else None,
        "critical": int(critical.sum()),
        "missed": int((critical & ~answers.alerts).sum()) if critical.any() else None,
    }


def _differences(
    rows: LabelledRows, active: ModelAnswers, after: Figures, before: Figures, budget: float
) -> dict[str, list[float]]:
    """Low, value and high of the candidate's advantage in each figure, by a paired bootstrap over the rows."""
    random = np.random.default_rng(0)
    resampled: dict[str, list[float]] = {"macro_f1": [], "log_loss": []} if rows.is_compared else {}
    has_recall = after["recall"] is not None
    if has_recall:
        resampled["recall"] = []
    candidate = rows.candidate
    for _ in range(ROUNDS):
        sample = random.integers(0, len(rows.labels), len(rows.labels))
        drawn = sample if rows.comparable is None else sample[rows.comparable[sample]]
        if rows.is_compared and len(drawn):
            resampled["macro_f1"].append(_macro_f1(rows, candidate, drawn) - _macro_f1(rows, active, drawn))
            resampled["log_loss"].append(_log_loss(rows, active, drawn) - _log_loss(rows, candidate, drawn))
        if has_recall and (rows.severities[sample] >= CRITICAL).any():
            resampled["recall"].append(
                _recall(rows, candidate, sample, budget) - _recall(rows, active, sample, budget)
            )
    differences = {}
    for key, values in resampled.items():
        low, high = np.quantile(values, [0.025, 0.975]) if values else (0.0, 0.0)
        sign = -1.0 if key == "log_loss" else 1.0
        value = sign * (float(after[key] or 0) - float(before[key] or 0))
        differences[key] = [round(float(number), 4) for number in (low, value, high)]
    return differences


def _macro_f1(rows: LabelledRows, answers: ModelAnswers, indices: Integers) -> float:
    predicted = answers.probabilities.argmax(axis=1)[indices]
    return macro_f1(predicted, rows.labels[indices], len(rows.categories))


def _log_loss(rows: LabelledRows, answers: ModelAnswers, indices: Integers) -> float:
    return log_loss(answers.probabilities[indices], rows.labels[indices])


def _recall(rows: LabelledRows, answers: ModelAnswers, indices: Integers, budget: float) -> float:
    """Share of the critical rows found at the alert budget, re-weighted to the prevalence at a desk."""
    indices = indices[~np.isnan(rows.severities[indices])]
    critical = rows.severities[indices] >= CRITICAL
    return recall_at_alerts(answers.scores[indices], critical, rate=budget, prevalence=PREVALENCE)


def _rounded(figures: Figures) -> Figures:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
