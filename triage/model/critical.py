"""The second classifier: whether a case is critical (severity 4 or 5), with the threshold of its alerts.

Three linear readings are added: the SVM on the plain columns, one on columns weighed by how much more often
they occur in critical texts (Wang and Manning 2012), and one on those rows brought back to length 1, where a
word that tells is not drowned by the many that do not. Together they catch more at the same number of alerts
than any alone (decision 10). How much the gravest safety rule counts beside the words is fitted on held-back
rows: much while there are only examples, little with a history. Beside that the rules stand as a floor of
their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from triage.model.calibration import Doubles, Integers, Sigmoid, fit_sigmoid
from triage.model.features import Floats
from triage.model.linear import fit_plane, split
from triage.model.metrics import alert_threshold
from triage.model.pipeline import CRITICAL, Critical, Leaning, Linear

ALERT_RATE = 0.10
"""The share of all cases that may raise an alert."""
PREVALENCE = 0.06
"""The share of critical cases a desk sees; training rows hold more."""
ENOUGH = 6_000
"""Rows that settle sigmoid and threshold; with more, a fixed random part of them is held back once."""

MOST = 4_000
"""Rows that settle the planes: more cost time and gain little."""

_FEWEST = 6
_WEIGHED_C = 3.0
_LEANING_C = 1.0
# Written examples seldom show what the rules were written for: without a history rules count half as much again.
_BEFORE_HISTORY = 1.5
# The weight is fitted to all rows. Among the surest, where alerts are raised, rows of an organisation's own
# have taught the words what the rules know: a quarter of it catches more there.
_WITH_HISTORY = 0.25
_HISTORY = 200
_SMOOTHING = 3.0


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Decision values of rows held back from the classifier and which of them are critical, arrays (rows,)."""

    scores: Doubles
    critical: npt.NDArray[np.bool_]


def _ratios(matrix: sparse.csr_matrix, critical: npt.NDArray[np.bool_]) -> Floats:
    """How strongly each column tells critical texts from others: |log ratio| of smoothed frequencies."""
    there = matrix.copy()
    there.data = np.ones_like(there.data)
    often = np.asarray(there[critical].sum(axis=0)).ravel() + _SMOOTHING
    seldom = np.asarray(there[~critical].sum(axis=0)).ravel() + _SMOOTHING
    told = np.abs(np.log((often / often.sum()) / (seldom / seldom.sum())))
    return np.asarray(told, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Readings:
    """The three readings of the same rows, each over the plain columns; `ratios` (n features,) weigh them."""

    plain: Linear
    weighed: Linear
    leaning: Linear
    ratios: Floats

    def decide(self, matrix: sparse.csr_matrix) -> Doubles:
        """Decision values, array (rows, 3)."""
        leaning = Leaning(self.leaning.weights[0], self.ratios).decide(matrix) + self.leaning.intercepts[0]
        planes = self.plain.decide(matrix)[:, 0], self.weighed.decide(matrix)[:, 0]
        return np.stack([*planes, leaning], axis=1)

    def added(self, spreads: Doubles) -> tuple[Linear, Leaning]:
        """All three as one, each divided by the spread of its decision values."""
        each = [self.plain, self.weighed, self.leaning]
        shift = sum(one.intercepts / spread for one, spread in zip(each, spreads, strict=True))
        plane = self.plain.weights / spreads[0] + self.weighed.weights / spreads[1]
        return (
            Linear(plane.astype(np.float32), np.asarray(shift, dtype=np.float32)),
            Leaning((self.leaning.weights[0] / spreads[2]).astype(np.float32), self.ratios),
        )


def _readings(matrix: sparse.csr_matrix, labels: Integers, seed: int) -> _Readings:
    ratios = _ratios(matrix, labels == 1)
    weighed = matrix.multiply(ratios).tocsr()
    plain = _critical_plane(matrix, labels, seed)
    by_ratio = _critical_plane(weighed, labels, seed, _WEIGHED_C)
    leaning = _critical_plane(normalize(weighed), labels, seed, _LEANING_C)
    return _Readings(
        plain,
        Linear(by_ratio.weights * ratios, by_ratio.intercepts),
        Linear(leaning.weights * ratios, leaning.intercepts),
        ratios,
    )


def _critical_plane(
    matrix: sparse.csr_matrix, labels: Integers, seed: int, softness: float | None = None
) -> Linear:
    both = fit_plane("svm", matrix, labels, categories=2, seed=seed, softness=softness)
    return Linear(both.weights[1:], both.intercepts[1:])


def _enough(labels: Integers, seed: int) -> Integers:
    """The rows to learn from: all, or of very many as many as settle it, the critical ones before others."""
    if len(labels) <= MOST:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    critical = order[labels[order] == 1][: MOST // 2]
    others = order[labels[order] == 0][: MOST - len(critical)]
    return np.sort(np.concatenate([critical, others]))


def _of_all(sigmoid: Sigmoid, share: float, learnt: float) -> Sigmoid:
    """The sigmoid for all rows where `share` of them are critical, but `learnt` of those it was fitted on."""
    shift = np.log(share / (1 - share)) - np.log(learnt / (1 - learnt))
    return Sigmoid(sigmoid.slope, sigmoid.offset + float(shift))


def _counts(decisions: Doubles, grades: Doubles, critical: npt.NDArray[np.bool_]) -> float:
    """How much a rule's grade counts beside a decision value; never less than nothing."""
    if not grades.any():
        return 0.0
    fitted = LogisticRegression(C=10, class_weight="balanced").fit(np.c_[decisions, grades], critical)
    by_words, by_rules = fitted.coef_[0]
    return float(max(0.0, by_rules) / max(by_words, 0.05))


def _trust(own: int) -> float:
    """How much of the fitted weight of a rule counts, by the rows of an organisation's own."""
    if own == 0:
        return _BEFORE_HISTORY
    return 1.0 if own < _HISTORY else _WITH_HISTORY


def fit_critical(
    matrix: sparse.csr_matrix,
    severities: npt.NDArray[np.float64],
    grades: Callable[[Integers], Doubles],
    *,
    seed: int,
    alert_rate: float = ALERT_RATE,
    own: int = 0,
) -> tuple[Critical, HeldBack] | None:
    """The classifier of severity >= 4 on the rows whose severity is known (else nan); None where too few are.

    With it comes how it ranked rows that it had not seen. `grades` gives those of the gravest rule of the texts at
    some places (`triage.criteria.rule_grades`): of very many texts only those are read whose rows settle it. `own`
    is how many of the known ones are an organisation's own, not written examples. Rows of the matrix behind the
    severities are left alone.
    """
    known = np.flatnonzero(~np.isnan(severities))
    labels = (severities[known] >= CRITICAL).astype(np.int64)
    if min(int(labels.sum()), int((1 - labels).sum())) < _FEWEST:
        return None
    share = float(labels.mean())
    places = _enough(labels, seed)
    known, labels = known[places], labels[places]
    rows = matrix[known]
    folds = split(labels, seed=seed)
    if len(labels) > ENOUGH:
        folds = folds[:1]
    values = np.full((len(labels), 3), np.nan)
    for rest, held in folds:
        values[held] = _readings(rows[rest], labels[rest], seed).decide(rows[held])
    seen = ~np.isnan(values[:, 0])
    spreads: Doubles = np.std(values[seen], axis=0)
    spreads[spreads == 0] = 1.0
    by_words: Doubles = (values[seen] / spreads).sum(axis=1)
    critical, told = labels[seen] == 1, grades(known[seen])
    counts = _counts(by_words, told, critical) * _trust(own)
    decisions = by_words + counts * told
    sigmoid = _of_all(fit_sigmoid(decisions, critical), share, float(labels.mean()))
    threshold = alert_threshold(sigmoid.apply(decisions), critical, rate=alert_rate, prevalence=PREVALENCE)
    plane, leaning = _readings(rows, labels, seed).added(spreads)
    return Critical(plane, leaning, counts, sigmoid, threshold), HeldBack(decisions, critical)
