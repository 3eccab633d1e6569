"""Recall of critical cases at 10 % alerts, re-weighted to 6 % critical, for each ranking.

Critical rows are few, and a draw that holds back different ones changes recall by two points or more. Every row is
therefore scored several times by models that did not learn from its fold. The interval of the difference is a
bootstrap over rows, each drawn with all its scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedKFold

from benchmarks.triage_rivals import RIVALS, SVM
from benchmarks.triage_sets import LabelledTexts, dev, learnt
from triage.criteria import rule_grades
from triage.defaults import ALERT_RATE
from triage.example import Example
from triage.learning.evaluation import critical_scores
from triage.learning.examples import train_starter
from triage.learning.training import train
from triage.model.critical import PREVALENCE
from triage.model.pipeline import Model
from triage.model.prediction_metrics import calibration_error, recall_at_alerts

SEVERITY_SET = "nhtsa"
OURS = "Amends"
RULES, FIRST_DAY = "Amends, rules alone", "Amends on its first day (starter examples, no history)"
FOLDS = 5
ROUNDS = 1_000
WIDE_RATES = tuple(np.arange(0.065, 0.141, 0.005))
"""Alert rates around ALERT_RATE: their mean recall depends less on a single row."""
Split = tuple[np.ndarray, np.ndarray]
Figure = Callable[[np.ndarray, np.ndarray], float]


def severity(folder: Path, *, repeats: int, on_dev: bool) -> list[dict[str, Any]]:
    """A table row per ranking, from the scores of train and dev rows, or of the dev rows alone."""
    train_rows, dev_rows = learnt(folder, SEVERITY_SET), dev(folder, SEVERITY_SET)
    rows = LabelledTexts(
        train_rows.texts + dev_rows.texts,
        train_rows.categories + dev_rows.categories,
        np.concatenate([train_rows.critical, dev_rows.critical]),
    )
    scored = np.arange(len(train_rows.texts), len(rows.texts)) if on_dev else np.arange(len(rows.texts))
    rest = np.setdiff1d(np.arange(len(rows.texts)), scored)
    splits = [[(rest, scored)]] if on_dev else [_folds(rows, seed) for seed in range(repeats)]
    scores: dict[str, np.ndarray] = {}
    for repeat, folds in enumerate(splits):
        for learnt_from, held_out in folds:
            for title, probabilities in _score(rows.at(learnt_from), rows.at(held_out).texts).items():
                scores.setdefault(title, np.zeros((len(splits), len(rows.texts))))[repeat, held_out] = (
                    probabilities
                )
    texts = rows.at(scored).texts
    first_day = critical_of(train_starter(("en",)), texts)
    shown_scores = {title: matrix[:, scored] for title, matrix in scores.items()}
    shown_scores |= {RULES: critical_scores(texts, None)[None, :], FIRST_DAY: first_day[None, :]}
    return _table(shown_scores, rows.critical[scored])


def _folds(rows: LabelledTexts, seed: int) -> list[Split]:
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows.texts, rows.categories))


def _score(rows_: LabelledTexts, texts: Sequence[str]) -> dict[str, np.ndarray]:
    grades = ["critical" if is_critical else "normal" for is_critical in rows_.critical]
    scores = {}
    for title, make in RIVALS.items():
        predict, classes = make(rows_.texts, grades)
        scores[title] = predict(texts)[:, classes.index("critical")]
    rows = zip(rows_.texts, grades, rows_.critical, strict=True)
    model = train([Example(text, grade, 5 if critical else 2) for text, grade, critical in rows])
    return scores | {OURS: critical_of(model, texts)}


def critical_of(model: Model, texts: Sequence[str]) -> np.ndarray:
    """The probability of a critical case, array (texts,)."""
    probabilities = model.critical_probabilities(model.matrix(texts), rule_grades(texts))
    assert probabilities is not None
    return probabilities


def _table(scores: dict[str, np.ndarray], critical: np.ndarray) -> list[dict[str, Any]]:
    table = []
    for title, matrix in scores.items():
        row: dict[str, Any] = {
            "ranked by": title,
            "recall at 10 % alerts": _recall(matrix, critical, (ALERT_RATE,)),
        }
        row["at 6.5 to 14 %"] = _recall(matrix, critical, WIDE_RATES)
        row["auc"] = _mean(auc, matrix, critical)
        row["auc, 95 %"] = _interval_text(_bootstrap(auc, matrix, critical))
        row["ece"] = "" if title == RULES else _mean(_error, matrix, critical)
        # A bootstrap overestimates the calibration error: its bias is subtracted from both ends.
        row["ece, 95 %"] = (
            "" if title == RULES else _interval_text(_bootstrap(_error, matrix, critical), row["ece"])
        )
        for name, rates in (("recall - SVM", (ALERT_RATE,)), ("the same, 6.5 to 14 %", WIDE_RATES)):
            row[name] = _interval(matrix, scores[SVM], critical, rates) if title == OURS else ""
        table.append(row)
    return table


def _recall(scores: np.ndarray, critical: np.ndarray, rates: Sequence[float]) -> float:
    """Mean over repeats and rates of alerts."""
    return float(
        np.mean(
            [
                recall_at_alerts(row, critical, rate=rate, prevalence=PREVALENCE)
                for row in scores
                for rate in rates
            ]
        )
    )


def _error(scores: np.ndarray, critical: np.ndarray) -> float:
    return calibration_error(np.c_[1 - scores, scores], critical.astype(np.int64))


def auc(scores: np.ndarray, critical: np.ndarray) -> float:
    """The probability that a critical row ranks above a normal one; equal ranks count half."""
    ranks, positives = rankdata(scores), int(critical.sum())
    return float(
        (ranks[critical].sum() - positives * (positives + 1) / 2) / (positives * (len(critical) - positives))
    )


def _mean(figure: Figure, matrix: np.ndarray, critical: np.ndarray) -> float:
    return float(np.mean([figure(row, critical) for row in matrix]))


def _bootstrap(figure: Figure, matrix: np.ndarray, critical: np.ndarray) -> list[float]:
    """The figure in each bootstrap sample of rows, each row with its scores of all repeats."""
    random = np.random.default_rng(0)
    draws = (random.integers(0, len(critical), len(critical)) for _ in range(ROUNDS))
    return [_mean(figure, matrix[:, rows], critical[rows]) for rows in draws]


def _interval_text(drawn: list[float], mean: float | None = None) -> str:
    low, high = np.quantile(drawn, [0.025, 0.975]) - (0.0 if mean is None else np.mean(drawn) - mean)
    return f"{max(0.0, low):.3f} … {high:.3f}"


def _interval(product: np.ndarray, baseline: np.ndarray, critical: np.ndarray, rates: Sequence[float]) -> str:
    random = np.random.default_rng(0)
    gains = []
    for _ in range(ROUNDS):
        rows = random.integers(0, len(critical), len(critical))
        drawn = critical[rows]
        gains.append(_recall(product[:, rows], drawn, rates) - _recall(baseline[:, rows], drawn, rates))
    low, high = np.quantile(gains, [0.025, 0.975])
    return f"{low:+.3f} … {high:+.3f}"
