"""The second classifier: whether a case is critical (severity 4 or 5), with the threshold of its alerts.

Two linear readings are added into one plane: the SVM on the plain columns, and one on columns weighed by how
much more often they occur in critical texts (Wang and Manning 2012). Together they catch more at the same
number of alerts than either alone (decision 10). How much the gravest safety rule counts beside the words is
fitted on held-back rows: much while there are only examples, little with a history. Beside that the rules
stand as a floor of their own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

from triage.calibration import Doubles, Integers, Sigmoid, fit_sigmoid
from triage.features import Floats
from triage.figures import alert_threshold
from triage.pipeline import CRITICAL, Critical, Linear
from triage.planes import added, fit_plane, split

ALERT_RATE = 0.10
"""The share of all cases that may raise an alert."""
PREVALENCE = 0.06
"""The share of critical cases a desk sees; training rows hold more."""
ENOUGH = 6_000
"""Rows that settle sigmoid and threshold; with more, a fixed random part of them is held back once."""

MOST = 8_000
"""Rows that settle the planes: more cost time and gain little."""

_FEWEST = 6
_READINGS = ("plain", "weighed")
_WEIGHED_C = 3.0
# Written examples seldom show what the rules were written for: without a history rules count half as much again.
_BEFORE_HISTORY = 1.5
_SMOOTHING = 3.0


def _ratios(matrix: sparse.csr_matrix, critical: npt.NDArray[np.bool_]) -> Floats:
    """How strongly each column tells critical texts from others: |log ratio| of smoothed frequencies."""
    there = matrix.copy()
    there.data = np.ones_like(there.data)
    often = np.asarray(there[critical].sum(axis=0)).ravel() + _SMOOTHING
    seldom = np.asarray(there[~critical].sum(axis=0)).ravel() + _SMOOTHING
    told = np.abs(np.log((often / often.sum()) / (seldom / seldom.sum())))
    return np.asarray(told, dtype=np.float32)


def _readings(matrix: sparse.csr_matrix, labels: Integers, seed: int) -> tuple[Linear, Linear]:
    """The two planes, both over the plain columns."""
    plain = fit_plane("svm", matrix, labels, categories=2, seed=seed)
    ratios = _ratios(matrix, labels == 1)
    weighed = fit_plane(
        "svm", matrix.multiply(ratios).tocsr(), labels, categories=2, seed=seed, softness=_WEIGHED_C
    )
    return (
        Linear(plain.weights[1:], plain.intercepts[1:]),
        Linear(weighed.weights[1:] * ratios, weighed.intercepts[1:]),
    )


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


def fit_critical(
    matrix: sparse.csr_matrix,
    severities: npt.NDArray[np.float64],
    grades: Doubles,
    *,
    seed: int,
    alert_rate: float = ALERT_RATE,
    first_day: bool = False,
) -> Critical | None:
    """The classifier of severity >= 4 on the rows whose severity is known (else nan); None where too few are.

    `grades` (rows,) are those of the gravest rule of each text (`triage.severity.rule_grade`); `first_day`:
    all rows are written examples.
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
    values = np.full((len(labels), 2), np.nan)
    for rest, held in folds:
        for place, reading in enumerate(_readings(rows[rest], labels[rest], seed)):
            values[held, place] = reading.decide(rows[held])[:, 0]
    seen = ~np.isnan(values[:, 0])
    spreads = (float(np.std(values[seen, 0])) or 1.0, float(np.std(values[seen, 1])) or 1.0)
    by_words: Doubles = values[seen, 0] / spreads[0] + values[seen, 1] / spreads[1]
    critical = labels[seen] == 1
    counts = _counts(by_words, grades[known][seen], critical) * (_BEFORE_HISTORY if first_day else 1)
    decisions = by_words + counts * grades[known][seen]
    sigmoid = _of_all(fit_sigmoid(decisions, critical), share, float(labels.mean()))
    threshold = alert_threshold(sigmoid.apply(decisions), critical, rate=alert_rate, prevalence=PREVALENCE)
    plane = added(
        dict(zip(_READINGS, _readings(rows, labels, seed), strict=True)),
        dict(zip(_READINGS, spreads, strict=True)),
    )
    return Critical(plane, counts, sigmoid, threshold)
