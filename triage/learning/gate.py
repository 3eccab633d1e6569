"""The gate of a model: a candidate is used only where it is not worse than the one in use (7.5; 8.5).

Both answer the same rows, which neither has learnt from. Worse means: the 95 % interval of the paired
difference lies wholly on the bad side, or the figure itself falls by more than is let pass and by more than
its standard error. Of severity 4 and 5 it may catch no less at the alert budget, and miss no more in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, fisher_exact

from triage.criteria import rule_grades
from triage.example import Example
from triage.learning.holdout import FEWEST
from triage.learning.training import ALERT_RATE, PREVALENCE
from triage.model.calibration import Doubles, Integers
from triage.model.metrics import alert_weights
from triage.model.pipeline import CRITICAL, Model
from triage.safety.signs import signs

LET_PASS: Mapping[str, float] = {"macro_f1": 0.02, "log_loss": 0.05, "recall": 0.02}
"""How much worse a figure may look by chance; log-loss in nats, where 0.05 is a twentieth of a probability."""

FEWEST_NEW = 10
"""Under so many new rows a bad day is no sign of anything."""
BY_CHANCE, GAINED = 0.001, 0.05
"""So rarely honest new rows are told so much worse than those before; so rarely chance looks like something learnt
from them (decision 60).
"""

ROUNDS = 400
_WIDTH = 3.92
"""Standard errors from one end of a 95 % interval to the other."""

_TINY = 1e-6
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """May the model be used? `reasons` are sentences for people, `figures` plain values for each set.

    `learnt_until`: it is not the candidate but the model before made anew (`unlearning`), of what was confirmed
    up to then.
    """

    passes: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)
    learnt_until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values under the keys that the record and `--json` use; `learnt_until` where it is set."""
        said = {"passes": self.passes, "reasons": list(self.reasons), "figures": dict(self.figures)}
        return said if self.learnt_until is None else {**said, "learnt_until": self.learnt_until.isoformat()}


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """What one model said to n rows: `probabilities` (n, k) over the categories of both models and of the
    rows, `scores` (n,) how critical, `alerts` (n,) whether it raises severity to 4 or more, rules included.
    """

    probabilities: Doubles
    scores: Doubles
    alerts: Flags


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """One set of rows with its truth: `labels` (n,) numbers of categories, `severities` (n,), nan unknown, `new`
    (n,) whether confirmed after the model in use had learnt (None: not known).
    """

    name: str
    categories: tuple[str, ...]
    labels: Integers
    severities: Doubles
    candidate: ModelAnswers
    active: ModelAnswers | None
    new: Flags | None = None


def judge(
    candidate: Model,
    active: Model | None,
    *,
    fixed: Sequence[Example],
    recent: Sequence[Example],
    alert_budget: float = ALERT_RATE,
) -> Verdict:
    """The verdict on a candidate from labelled rows, each set judged apart; an empty set is left out.

    A category that only one of the two knows has probability 0 with the other, so its rows count as wrong
    there. Without a model in use the candidate must beat the guess of the most frequent category, on these
    rows or, where they are fewer than 30, on its own held-back ones.
    """
    parts = [
        part(name, candidate, active, rows) for name, rows in (("fixed", fixed), ("recent", recent)) if rows
    ]
    return weigh(parts, candidate, has_active=active is not None, alert_budget=alert_budget)


def part(
    name: str,
    candidate: Model,
    active: Model | None,
    rows: Sequence[Example],
    *,
    new: Flags | None = None,
) -> LabelledRows:
    """Both models' answers to these rows."""
    known = {*candidate.categories, *(active.categories if active else ()), *(row.category for row in rows)}
    categories = tuple(sorted(known))
    return LabelledRows(
        name,
        categories,
        labels_of(rows, categories),
        severities_of(rows),
        answers(candidate, rows, categories),
        None if active is None else answers(active, rows, categories),
        new,
    )


def labels_of(rows: Sequence[Example], categories: Sequence[str]) -> Integers:
    """Numbers (n,) of the rows' categories."""
    numbers = {category: number for number, category in enumerate(categories)}
    return np.array([numbers[row.category] for row in rows], dtype=np.int64)


def severities_of(rows: Sequence[Example]) -> Doubles:
    """Severities (n,), nan where nobody said."""
    return np.array([np.nan if row.severity is None else row.severity for row in rows], dtype=np.float64)


def answers(model: Model, rows: Sequence[Example], categories: Sequence[str]) -> ModelAnswers:
    """One model's answers, its probabilities laid out over `categories`."""
    texts = [row.text for row in rows]
    matrix = model.matrix(texts)
    places = [categories.index(one) for one in model.categories]
    probabilities = np.zeros((len(rows), len(categories)))
    probabilities[:, places] = model.read(texts, matrix)
    ruled = np.array([max((sign.severity for sign in signs(text)), default=1) for text in texts])
    alerts = ruled >= CRITICAL
    critical = model.critical_probabilities(matrix, rule_grades(texts))
    scores = ruled.astype(np.float64)
    if critical is not None and model.critical is not None:
        scores = critical
        alerts = alerts | (critical > model.critical.threshold)
    return ModelAnswers(probabilities, scores, alerts)


def weigh(
    parts: Sequence[LabelledRows],
    candidate: Model,
    *,
    has_active: bool,
    alert_budget: float = ALERT_RATE,
) -> Verdict:
    """The verdict from answers that are there already."""
    figures = {one.name: _figures(one, alert_budget) for one in parts}
    if not has_active:
        return against_a_guess(parts, candidate, figures)
    if not parts:
        return Verdict(False, ("There is no confirmed complaint to compare the two models on.",), figures)
    worse = [reason for one in parts for reason in _worse(one, figures[one.name])]
    worse = [*_by_lot(parts), *worse, *_missed(figures)]
    if worse:
        return Verdict(False, tuple(worse), figures)
    said = tuple(
        f"{one.name}: macro-F1 {_change(figures[one.name], 'macro_f1')}, log-loss "
        f"{_change(figures[one.name], 'log_loss')} on {len(one.labels)} rows."
        for one in parts
    )
    return Verdict(True, said, figures)


def against_a_guess(
    parts: Sequence[LabelledRows],
    candidate: Model,
    figures: Mapping[str, Any],
    *,
    why: str = "No model in use",
) -> Verdict:
    """The verdict where nothing can be compared: is it right more often than the most frequent category?"""
    labels = [one.categories[number] for one in parts for number in one.labels.tolist()]
    if len(labels) >= FEWEST:
        right = sum(figures[one.name]["candidate"]["accuracy"] * len(one.labels) for one in parts) / len(
            labels
        )
        guess = max(labels.count(one) for one in set(labels)) / len(labels)
        rows, where = len(labels), "confirmed complaints"
    else:
        counts = dict(candidate.facts.get("categories", {}))
        right, rows = float(candidate.facts.get("accuracy", 0.0)), sum(counts.values())
        guess, where = max(counts.values(), default=0) / max(1, rows), "held-back rows of its own"
    said = f"{why}: right in {right:.2f} of {rows} {where}, the most frequent category in {guess:.2f}."
    return Verdict(right > guess, (said,), figures)


def _worse(one: LabelledRows, figures: Mapping[str, Any]) -> list[str]:
    found = []
    for name, spoken in (
        ("macro_f1", "macro-F1"),
        ("log_loss", "log-loss"),
        ("recall", "recall of severity >= 4"),
    ):
        difference = figures["difference"].get(name)
        if difference is None:
            continue
        # Every difference is turned so that below zero is worse.
        low, value, high = difference
        error = (high - low) / _WIDTH
        if high < 0 or value < -max(LET_PASS[name], error):
            found.append(
                f"{one.name}: {spoken} {_change(figures, name)} on {len(one.labels)} rows "
                f"(better by {value:+.3f}, at most {high:+.3f})."
            )
    return found


def _missed(figures: Mapping[str, Any]) -> list[str]:
    """A critical complaint taken for a normal one is the dearest error: not one more is let pass."""
    after, before = (
        sum(one[who]["missed"] or 0 for one in figures.values()) for who in ("candidate", "active")
    )
    if after <= before:
        return []
    return [f"Of severity >= 4 it misses {after}, the one in use {before}."]


def _by_lot(parts: Sequence[LabelledRows]) -> list[str]:
    """Labels that the words do not tell are no judges: a model that has learnt chance answers them less wrongly.

    The candidate is right far less often of new rows than of those before, and no oftener than the model in use.
    """
    before, new, gained, lost = [], [], 0, 0
    for one in parts:
        if one.new is None or one.active is None:
            continue
        right, was = (said.probabilities.argmax(axis=1) == one.labels for said in (one.candidate, one.active))
        before += right[~one.new].tolist()
        new += right[one.new].tolist()
        gained += int((right & ~was)[one.new].sum())
        lost += int((was & ~right)[one.new].sum())
    if len(before) < FEWEST or len(new) < FEWEST_NEW:
        return []
    table = [[sum(new), len(new) - sum(new)], [sum(before), len(before) - sum(before)]]
    fewer = float(fisher_exact(table, alternative="less").pvalue)
    more = float(binomtest(gained, gained + lost, alternative="greater").pvalue) if gained else 1.0
    if fewer >= BY_CHANCE or more < GAINED:
        return []
    said = (
        f"The newest {len(new)} assessments look as if drawn by lot: right in {np.mean(new):.2f} of them, in "
        f"{np.mean(before):.2f} of the {len(before)} before, and nothing is gained by learning from them. See who "
        "made them, and how."
    )
    return [said]


def _change(figures: Mapping[str, Any], name: str) -> str:
    return f"{figures['active'][name]:.3f} -> {figures['candidate'][name]:.3f}"


def _figures(one: LabelledRows, budget: float) -> dict[str, Any]:
    candidate = _of(one, one.candidate, budget)
    if one.active is None:
        return {"rows": len(one.labels), "candidate": _rounded(candidate), "active": None, "difference": {}}
    active = _of(one, one.active, budget)
    return {
        "rows": len(one.labels),
        "candidate": _rounded(candidate),
        "active": _rounded(active),
        "difference": _differences(one, one.active, candidate, active, budget),
    }


def _of(one: LabelledRows, said: ModelAnswers, budget: float) -> dict[str, float | int | None]:
    everything = np.arange(len(one.labels))
    critical = one.severities >= CRITICAL
    judged = bool(critical.any()) and bool((~critical & ~np.isnan(one.severities)).any())
    return {
        "accuracy": float((said.probabilities.argmax(axis=1) == one.labels).mean()),
        "macro_f1": _macro_f1(one, said, everything),
        "log_loss": _log_loss(one, said, everything),
        "recall": _recall(one, said, everything, budget) if judged else None,
        "critical": int(critical.sum()),
        "missed": int((critical & ~said.alerts).sum()) if critical.any() else None,
    }


def _differences(
    one: LabelledRows,
    active: ModelAnswers,
    after: Mapping[str, float | int | None],
    before: Mapping[str, float | int | None],
    budget: float,
) -> dict[str, list[float]]:
    """Low, value and high of the candidate's advantage in each figure, by a paired bootstrap over the rows."""
    random = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {"macro_f1": [], "log_loss": []}
    has_recall = after["recall"] is not None
    if has_recall:
        drawn["recall"] = []
    for _ in range(ROUNDS):
        rows = random.integers(0, len(one.labels), len(one.labels))
        drawn["macro_f1"].append(_macro_f1(one, one.candidate, rows) - _macro_f1(one, active, rows))
        drawn["log_loss"].append(_log_loss(one, active, rows) - _log_loss(one, one.candidate, rows))
        if has_recall and (one.severities[rows] >= CRITICAL).any():
            drawn["recall"].append(
                _recall(one, one.candidate, rows, budget) - _recall(one, active, rows, budget)
            )
    found = {}
    for name, each in drawn.items():
        low, high = np.quantile(each, [0.025, 0.975]) if each else (0.0, 0.0)
        sign = -1.0 if name == "log_loss" else 1.0
        value = sign * (float(after[name] or 0) - float(before[name] or 0))
        found[name] = [round(float(each_one), 4) for each_one in (low, value, high)]
    return found


def _macro_f1(one: LabelledRows, said: ModelAnswers, rows: Integers) -> float:
    """Mean F1 over the categories that occur among these rows."""
    labels, size = one.labels[rows], len(one.categories)
    predicted = said.probabilities.argmax(axis=1)[rows]
    there = np.bincount(labels, minlength=size)
    asked = np.bincount(predicted, minlength=size)
    hits = np.bincount(labels[labels == predicted], minlength=size)
    present = there > 0
    return float((2 * hits[present] / (there[present] + asked[present])).mean())


def _log_loss(one: LabelledRows, said: ModelAnswers, rows: Integers) -> float:
    right = said.probabilities[rows, one.labels[rows]]
    return float(-np.log(np.maximum(right, _TINY)).mean())


def _recall(one: LabelledRows, said: ModelAnswers, rows: Integers, budget: float) -> float:
    """The share of the critical rows caught when so many alerts are raised, as a desk sees them."""
    rows = rows[~np.isnan(one.severities[rows])]
    critical = one.severities[rows] >= CRITICAL
    order = np.argsort(-said.scores[rows], kind="stable")
    within = np.cumsum(alert_weights(critical, PREVALENCE)[order]) <= budget
    return float(critical[order][within].sum() / max(1, critical.sum()))


def _rounded(figures: Mapping[str, float | int | None]) -> dict[str, float | int | None]:
    return {name: round(one, 4) if isinstance(one, float) else one for name, one in figures.items()}
