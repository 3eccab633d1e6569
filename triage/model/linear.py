"""Fitting linear classifiers, and the latent space that helps them while labelled rows are few.

All classifiers are one-vs-rest, class-balanced and linear, so a blend of two kinds is again one linear classifier
and can be explained word by word. The latent space (latent semantic analysis) learns from unlabelled complaints
which words occur together. It is linear too and its columns are not normalised, so a classifier over words and
latent columns is folded back into one over the words alone, of the same size and speed.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from triage.defaults import LATENT_BELOW
from triage.model.calibration import Integers
from triage.model.pipeline import LinearClassifier
from triage.model.text_features import Floats

FOLDS = 3
Folds = list[tuple[Integers, Integers]]

_TOL = 0.01
"""scikit-learn's `tol`. It is 100 times the default and moves no decision value by more than 0.002."""
_MANY_ROWS = 2_000
_TOL_OF_MANY = {"svm": 0.1, "regression": 0.3}
"""`tol` from 2,000 rows on, where each iteration is expensive. On held-out rows of public data sets decision values
move by 0.002 to 0.005 of their spread on average, and the log-loss by 0.0001; with fewer rows both move more."""


def _svm(tol: float, seed: int, c: float = 0.3) -> Any:
    return LinearSVC(C=c, class_weight="balanced", tol=tol, random_state=seed)


def _regression(tol: float, seed: int, c: float = 10) -> Any:
    # One-vs-rest in the dual form: ten times faster than multinomial, with the same log-loss.
    return OneVsRestClassifier(
        LogisticRegression(
            C=c, class_weight="balanced", solver="liblinear", dual=True, tol=tol, random_state=seed
        )
    )


ESTIMATORS: Mapping[str, Callable[..., Any]] = {"svm": _svm, "regression": _regression}


def fit_linear(
    kind: str,
    matrix: sparse.csr_matrix,
    labels: Integers,
    *,
    categories: int,
    seed: int,
    c: float | None = None,
) -> LinearClassifier:
    """Fit a linear classifier of a kind of `ESTIMATORS` on rows (n, features) with labels (n,).

    A category that is absent from these rows gets weights of 0 and an intercept of -1, so it is never predicted.
    `c` is scikit-learn's C; the default None is the usual one of the kind (SVM 0.3, regression 10).
    """
    present = np.unique(labels)
    tol = _TOL if len(labels) < _MANY_ROWS else _TOL_OF_MANY[kind]
    estimator = ESTIMATORS[kind](tol, seed, *(() if c is None else (c,)))
    with warnings.catch_warnings():
        # A classifier that has not quite converged is calibrated on the values that it does give.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(matrix, labels)
    coefficients, biases = _coefficients(estimator)
    weights: Floats = np.zeros((categories, matrix.shape[1]), dtype=np.float32)
    intercepts: Floats = np.full(categories, -1, dtype=np.float32)
    if len(present) == 2:
        weights[present] = np.vstack([-coefficients, coefficients])
        intercepts[present] = [-biases[0], biases[0]]
    else:
        weights[present] = coefficients
        intercepts[present] = biases
    return LinearClassifier(weights, intercepts)


def _coefficients(estimator: Any) -> tuple[Floats, Floats]:
    if isinstance(estimator, OneVsRestClassifier):
        parts = estimator.estimators_
        return np.vstack([part.coef_ for part in parts]), np.concatenate([part.intercept_ for part in parts])
    return estimator.coef_, estimator.intercept_


def stratified_folds(labels: Integers, *, seed: int) -> Folds:
    """Three stratified folds as pairs (rows to fit on, held-out rows)."""
    with warnings.catch_warnings():
        # A category with fewer rows than folds is absent from some of them.
        warnings.simplefilter("ignore", UserWarning)
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        return list(splitter.split(np.zeros(len(labels)), labels))


def blend_classifiers(
    classifiers: Mapping[str, LinearClassifier], spreads: Mapping[str, float]
) -> LinearClassifier:
    """The sum of classifiers as one, each divided by the spread of its decision values so that none dominates."""
    weights = sum(part.weights / np.float32(spreads[kind]) for kind, part in classifiers.items())
    intercepts = sum(part.intercepts / np.float32(spreads[kind]) for kind, part in classifiers.items())
    return LinearClassifier(np.asarray(weights, dtype=np.float32), np.asarray(intercepts, dtype=np.float32))


LATENT_DIMENSIONS = 100
LATENT_ROWS = 6_000
"""Rows used to fit the latent space; more only cost time."""
FEWEST_UNLABELLED = 300
"""With fewer unlabelled texts the space helps only where labelled rows are very few as well."""
VERY_FEW_LABELLED = 300


@dataclass(frozen=True, slots=True)
class LatentSpace:
    """`directions` (features, dimensions), scaled so that the latent part of an average row has length 1."""

    directions: Floats

    def widen(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        """The matrix with the latent columns after its own."""
        blocks = [matrix, sparse.csr_matrix(matrix @ self.directions)]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def fold_back(self, classifier: LinearClassifier) -> LinearClassifier:
        """A classifier of the widened matrix as one of the matrix itself, with the same decision values."""
        own = self.directions.shape[0]
        weights = classifier.weights[:, :own] + classifier.weights[:, own:] @ self.directions.T
        return LinearClassifier(np.asarray(weights, dtype=np.float32), classifier.intercepts)


def needs_latent_space(*, labelled: int, unlabelled: int) -> bool:
    """Whether a latent space improves a model of so many rows."""
    return labelled < LATENT_BELOW and (unlabelled >= FEWEST_UNLABELLED or labelled < VERY_FEW_LABELLED)


def fit_latent_space(matrix: sparse.csr_matrix, *, seed: int) -> LatentSpace | None:
    """Fit the latent space of these rows (labelled rows first); None where there are too few."""
    rows = matrix[:LATENT_ROWS]
    dimensions = min(LATENT_DIMENSIONS, rows.shape[0] - 1, rows.shape[1] - 1)
    if dimensions < 2:
        return None
    svd = TruncatedSVD(dimensions, n_iter=3, random_state=seed).fit(rows)
    directions = np.asarray(svd.components_.T, dtype=np.float32)
    length = float(np.linalg.norm(rows @ directions, axis=1).mean())
    return LatentSpace(directions / length) if length > 0 else None
