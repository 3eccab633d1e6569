"""Recall of critical cases at 10 % alerts, re-weighted to 6 % critical, by what ranks them.

Critical rows are few, and which of them a draw holds back moves recall by two points and more. So every row is
scored by models that did not learn from its fold, several times over; the interval of the difference is by
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
from benchmarks.triage_sets import Rows, dev, learnt
from triage.criteria import rule_grades
from triage.example import Example
from triage.learning.evaluation import critical_scores
from triage.learning.examples import train_starter
from triage.learning.training import ALERT_RATE, PREVALENCE, train
from triage.model.metrics import calibration_error, recall_at_alerts
from triage.model.pipeline import Model

SEVERITY_SET = "nhtsa"
OURS = "Amends"
RULES, FIRST_DAY = "Amends, rules alone", "Amends on its first day (starter examples, no history)"
FOLDS = 5
ROUNDS = 1_000
WIDE = tuple(np.arange(0.065, 0.141, 0.005))
"""Rates of alerts around the asked one: their mean recall hangs less on a single row."""
Split = tuple[np.ndarray, np.ndarray]
Figure = Callable[[np.ndarray, np.ndarray], float]


def severity(folder: Path, *, repeats: int, on_dev: bool) -> list[dict[str, Any]]:
    """A line for each ranking; scores (repeats, rows) of the rows of both files, or of the dev rows once."""
    train_rows, dev_rows = learnt(folder, SEVERITY_SET), dev(folder, SEVERITY_SET)
    rows = Rows(
        train_rows.texts + dev_rows.texts,
        train_rows.categories + dev_rows.categories,
        np.concatenate([train_rows.critical, dev_rows.critical]),
    )
    asked = np.arange(len(train_rows.texts), len(rows.texts)) if on_dev else np.arange(len(rows.texts))
    rest = np.setdiff1d(np.arange(len(rows.texts)), asked)
    splits = [[(rest, asked)]] if on_dev else [_folds(rows, seed) for seed in range(repeats)]
    scores: dict[str, np.ndarray] = {}
    for repeat, folds in enumerate(splits):
        for known, held in folds:
            for title, found in _scored(rows.at(known), rows.at(held).texts).items():
                scores.setdefault(title, np.zeros((len(splits), len(rows.texts))))[repeat, held] = found
    texts = rows.at(asked).texts
    first_day = critical_of(train_starter(("en",)), texts)
    told = {title: each[:, asked] for title, each in scores.items()}
    told |= {RULES: critical_scores(texts, None)[None, :], FIRST_DAY: first_day[None, :]}
    return _table(told, rows.critical[asked])


def _folds(rows: Rows, seed: int) -> list[Split]:
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows.texts, rows.categories))


def _scored(known: Rows, texts: Sequence[str]) -> dict[str, np.ndarray]:
    grades = ["critical" if one else "normal" for one in known.critical]
    found = {}
    for title, make in RIVALS.items():
        predict, classes = make(known.texts, grades)
        found[title] = predict(texts)[:, classes.index("critical")]
    rows = zip(known.texts, grades, known.critical, strict=True)
    model = train([Example(text, grade, 5 if critical else 2) for text, grade, critical in rows])
    return found | {OURS: critical_of(model, texts)}


def critical_of(model: Model, texts: Sequence[str]) -> np.ndarray:
    """The probability of a critical case, array (texts,)."""
    found = model.critical_probabilities(model.matrix(texts), rule_grades(texts))
    assert found is not None
    return found


def _table(scores: dict[str, np.ndarray], critical: np.ndarray) -> list[dict[str, Any]]:
    table = []
    for title, each in scores.items():
        row: dict[str, Any] = {
            "ranked by": title,
            "recall at 10 % alerts": _recall(each, critical, (ALERT_RATE,)),
        }
        row["at 6.5 to 14 %"] = _recall(each, critical, WIDE)
        row["auc"] = _mean(auc, each, critical)
        row["auc, 95 %"] = _spoken(_drawn(auc, each, critical))
        row["ece"] = "" if title == RULES else _mean(_error, each, critical)
        # Rows drawn anew make the error larger than it is: that much is taken off both ends.
        row["ece, 95 %"] = "" if title == RULES else _spoken(_drawn(_error, each, critical), row["ece"])
        for name, rates in (("recall - SVM", (ALERT_RATE,)), ("the same, 6.5 to 14 %", WIDE)):
            row[name] = _interval(each, scores[SVM], critical, rates) if title == OURS else ""
        table.append(row)
    return table


def _recall(scores: np.ndarray, critical: np.ndarray, rates: Sequence[float]) -> float:
    """Mean over repeats and rates of alerts."""
    return float(
        np.mean(
            [
                recall_at_alerts(one, critical, rate=rate, prevalence=PREVALENCE)
                for one in scores
                for rate in rates
            ]
        )
    )


def _error(scores: np.ndarray, critical: np.ndarray) -> float:
    return calibration_error(np.c_[1 - scores, scores], critical.astype(np.int64))


def auc(scores: np.ndarray, critical: np.ndarray) -> float:
    """The chance that a critical row is ranked above another; equal ranks count half."""
    ranks, many = rankdata(scores), int(critical.sum())
    return float((ranks[critical].sum() - many * (many + 1) / 2) / (many * (len(critical) - many)))


def _mean(of: Figure, each: np.ndarray, critical: np.ndarray) -> float:
    return float(np.mean([of(one, critical) for one in each]))


def _drawn(of: Figure, each: np.ndarray, critical: np.ndarray) -> list[float]:
    """The figure over rows drawn anew, each with its scores of all repeats."""
    random = np.random.default_rng(0)
    draws = (random.integers(0, len(critical), len(critical)) for _ in range(ROUNDS))
    return [_mean(of, each[:, rows], critical[rows]) for rows in draws]


def _spoken(drawn: list[float], mean: float | None = None) -> str:
    low, high = np.quantile(drawn, [0.025, 0.975]) - (0.0 if mean is None else np.mean(drawn) - mean)
    return f"{max(0.0, low):.3f} … {high:.3f}"


def _interval(mine: np.ndarray, theirs: np.ndarray, critical: np.ndarray, rates: Sequence[float]) -> str:
    random = np.random.default_rng(0)
    gains = []
    for _ in range(ROUNDS):
        rows = random.integers(0, len(critical), len(critical))
        drawn = critical[rows]
        gains.append(_recall(mine[:, rows], drawn, rates) - _recall(theirs[:, rows], drawn, rates))
    low, high = np.quantile(gains, [0.025, 0.975])
    return f"{low:+.3f} … {high:+.3f}"
