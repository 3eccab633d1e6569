"""The second classifier: whether a case is critical (severity 4 or 5), with the threshold of its alerts.

Two linear readings are added into one plane: the SVM on the plain columns, and one on columns weighed by how
much more often they occur in critical texts (Wang and Manning 2012). Together they catch more at the same
number of alerts than either alone (decision 10). It never sees the rules, which stand beside it as a floor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from triage.calibration import Doubles, Integers, fit_sigmoid
from triage.features import Floats
from triage.figures import alert_threshold
from triage.pipeline import CRITICAL, Critical, Linear
from triage.planes import fit_plane, split

ALERT_RATE = 0.10
"""The share of all cases that may raise an alert."""
PREVALENCE = 0.06
"""The share of critical cases a desk sees; training rows hold more."""
ENOUGH = 6_000
"""Rows that settle sigmoid and threshold; with more, a fixed random part of them is held back once."""

_FEWEST = 6
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
    weighed = fit_plane("svm", matrix.multiply(ratios).tocsr(), labels, categories=2, seed=seed)
    return (
        Linear(plain.weights[1:], plain.intercepts[1:]),
        Linear(weighed.weights[1:] * ratios, weighed.intercepts[1:]),
    )


def _added(readings: tuple[Linear, Linear], spreads: tuple[float, float]) -> Linear:
    first, second = (
        Linear(one.weights / np.float32(by), one.intercepts / np.float32(by))
        for one, by in zip(readings, spreads, strict=True)
    )
    return Linear(first.weights + second.weights, first.intercepts + second.intercepts)


def fit_critical(
    matrix: sparse.csr_matrix,
    severities: npt.NDArray[np.float64],
    *,
    seed: int,
    alert_rate: float = ALERT_RATE,
) -> Critical | None:
    """The classifier of severity >= 4 on the rows whose severity is known (else nan); None where too few are."""
    known = np.flatnonzero(~np.isnan(severities))
    labels = (severities[known] >= CRITICAL).astype(np.int64)
    if min(int(labels.sum()), int((1 - labels).sum())) < _FEWEST:
        return None
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
    decisions: Doubles = values[seen, 0] / spreads[0] + values[seen, 1] / spreads[1]
    critical = labels[seen] == 1
    sigmoid = fit_sigmoid(decisions, critical)
    threshold = alert_threshold(sigmoid.apply(decisions), critical, rate=alert_rate, prevalence=PREVALENCE)
    return Critical(_added(_readings(rows, labels, seed), spreads), sigmoid, threshold)
