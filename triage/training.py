"""Training: examples in, a calibrated model with its own honest figures out (`triage.md`, recommendation 2
to 6).

Balanced linear SVM on words and character n-grams; decision values of held-back folds are calibrated, the
threshold of doubt is set on them, and the plane is then fitted on everything. Seeds are fixed: the same
examples give the same model.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from triage.calibration import Doubles, Integers, fit_calibration, fit_sigmoid
from triage.card import training_facts
from triage.errors import UnusableExamples
from triage.example import Example
from triage.features import Floats, fit_features
from triage.figures import alert_threshold, precision_threshold
from triage.pipeline import CRITICAL, Critical, Linear, Model
from triage.text import normalise

PIPELINE = "3"
"""Changes with every change that makes the same examples give another model."""

FOLDS = 3
WANTED_PRECISION = 0.90
ALERT_RATE = 0.10
PREVALENCE = 0.06
"""The share of critical cases a desk sees; training rows hold more."""
_FEWEST_CRITICAL = 6


def _fit_plane(matrix: sparse.csr_matrix, labels: Integers, categories: int, seed: int) -> Linear:
    """One balanced plane for each category; one absent from these rows gets a plane that never says yes."""
    present = np.unique(labels)
    classifier = LinearSVC(C=0.3, class_weight="balanced", random_state=seed)
    with warnings.catch_warnings():
        # A plane that is not quite at its optimum is calibrated on what it does say.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(matrix, labels)
    weights: Floats = np.zeros((categories, matrix.shape[1]), dtype=np.float32)
    intercepts: Floats = np.full(categories, -1, dtype=np.float32)
    if len(present) == 2:
        weights[present] = np.vstack([-classifier.coef_, classifier.coef_])
        intercepts[present] = [-classifier.intercept_[0], classifier.intercept_[0]]
    else:
        weights[present] = classifier.coef_
        intercepts[present] = classifier.intercept_
    return Linear(weights, intercepts)


def _folds(labels: Integers, seed: int) -> list[tuple[Integers, Integers]]:
    with warnings.catch_warnings():
        # A category with fewer rows than folds is simply absent from some of them.
        warnings.simplefilter("ignore", UserWarning)
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        return list(splitter.split(np.zeros(len(labels)), labels))


def _held_back(
    matrix: sparse.csr_matrix,
    labels: Integers,
    categories: int,
    folds: list[tuple[Integers, Integers]],
    seed: int,
) -> Doubles:
    decisions = np.zeros((len(labels), categories))
    for rest, held in folds:
        decisions[held] = _fit_plane(matrix[rest], labels[rest], categories, seed).decide(matrix[held])
    return decisions


def _cross_fitted(decisions: Doubles, labels: Integers, folds: list[tuple[Integers, Integers]]) -> Doubles:
    """Probabilities of each fold from a calibration that has not seen it: for figures, not for use."""
    probabilities = np.zeros_like(decisions)
    for rest, held in folds:
        probabilities[held] = fit_calibration(decisions[rest], labels[rest]).apply(decisions[held])
    return probabilities


def _fit_critical(
    matrix: sparse.csr_matrix, severities: npt.NDArray[np.float64], seed: int
) -> Critical | None:
    """The classifier of severity >= 4 on the rows whose severity is known; None where there are too few."""
    known = np.flatnonzero(~np.isnan(severities))
    labels = (severities[known] >= CRITICAL).astype(np.int64)
    if min(int(labels.sum()), int((1 - labels).sum())) < _FEWEST_CRITICAL:
        return None
    rows = matrix[known]
    decisions = _held_back(rows, labels, 2, _folds(labels, seed), seed)[:, 1]
    critical = labels == 1
    sigmoid = fit_sigmoid(decisions, critical)
    threshold = alert_threshold(sigmoid.apply(decisions), critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    plane = _fit_plane(rows, labels, 2, seed)
    return Critical(Linear(plane.weights[1:], plane.intercepts[1:]), sigmoid, threshold)


def _version(examples: Sequence[Example], seed: int) -> str:
    rows = sorted([example.text, example.category, str(example.severity)] for example in examples)
    text = json.dumps([PIPELINE, seed, rows], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def usable(examples: Sequence[Example]) -> list[Example]:
    """The examples a model can learn from: with words and a category, each (text, category) once.

    Raises UnusableExamples when fewer than two categories or six rows remain.
    """
    seen: dict[tuple[str, str], Example] = {}
    for example in examples:
        text = normalise(example.text)
        if text and example.category:
            seen.setdefault((text.casefold(), example.category), example)
    kept = list(seen.values())
    categories = {example.category for example in kept}
    if len(categories) < 2 or len(kept) < 6:
        raise UnusableExamples(
            f"{len(kept)} usable examples in {len(categories)} categories: a model needs at least 6 in 2. "
            "Add examples, or train together with the starter examples."
        )
    return kept


def train(examples: Sequence[Example], *, seed: int = 0, wanted_precision: float = WANTED_PRECISION) -> Model:
    """Train a model; the same examples and seed give the same model.

    `wanted_precision` sets the threshold of doubt: of the proposals above it, so many are right on held-
    back rows. Raises UnusableExamples.
    """
    rows = usable(examples)
    texts = [normalise(row.text) for row in rows]
    categories = tuple(sorted({row.category for row in rows}))
    numbers = {category: number for number, category in enumerate(categories)}
    labels = np.array([numbers[row.category] for row in rows], dtype=np.int64)
    severities = np.array(
        [np.nan if row.severity is None else row.severity for row in rows], dtype=np.float64
    )
    features, matrix = fit_features(texts)
    folds = _folds(labels, seed)
    decisions = _held_back(matrix, labels, len(categories), folds, seed)
    honest = _cross_fitted(decisions, labels, folds)
    threshold, coverage = precision_threshold(honest, labels, wanted_precision)
    return Model(
        version=_version(rows, seed),
        categories=categories,
        features=features,
        plane=_fit_plane(matrix, labels, len(categories), seed),
        calibration=fit_calibration(decisions, labels),
        threshold=threshold,
        critical=_fit_critical(matrix, severities, seed),
        facts=training_facts(rows, categories, honest, labels, threshold, coverage, wanted_precision),
    )
