"""Fitting planes: a linear SVM, a logistic regression, and the two added into one.

Each category has its plane against all the rest, balanced, so that rare categories survive. Two kinds of
planes add up to a third, since all are linear: a blend is one plane again, explained like any other.

What words stand near each other, learned from texts with and without a label (latent semantic analysis).

With few labelled rows most words of a new complaint were never seen with a category. Texts without a label,
which an organisation has from its first week, say which words go together. The latent columns are linear in
the others and are not normalised, so a plane over both is folded back into one plane over words and
characters: a model learned this way is no larger, no slower and explained as exactly as any other.
"""

from __future__ import annotations

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

from triage.model.calibration import Integers
from triage.model.features import Floats
from triage.model.pipeline import Linear

FOLDS = 3
_NEAR = 0.01
"""How near its optimum a plane is left: a hundred times farther than usual moves no decision value by .002."""
_MANY = 2_000
"""Rows from which on it is left farther away, for there each step costs: on held-back rows of public sets decision
values move by .002 to .005 of their spread in the mean, the log-loss by .0001. With fewer it would be more."""
_NEAR_WITH_MANY = {"svm": 0.1, "regression": 0.3}
Folds = list[tuple[Integers, Integers]]


def _svm(near: float, seed: int, softness: float = 0.3) -> Any:
    return LinearSVC(C=softness, class_weight="balanced", tol=near, random_state=seed)


def _regression(near: float, seed: int, softness: float = 10) -> Any:
    # One against the rest in the dual: ten times sooner than all categories at once, and no worse.
    return OneVsRestClassifier(
        LogisticRegression(
            C=softness, class_weight="balanced", solver="liblinear", dual=True, tol=near, random_state=seed
        )
    )


MAKERS: Mapping[str, Callable[..., Any]] = {"svm": _svm, "regression": _regression}


def fit_plane(
    kind: str,
    matrix: sparse.csr_matrix,
    labels: Integers,
    *,
    categories: int,
    seed: int,
    softness: float | None = None,
) -> Linear:
    """One balanced plane for each category; one absent from these rows gets a plane that never says yes.

    `softness` is the C of scikit-learn, where not the usual one of the kind.
    """
    present = np.unique(labels)
    near = _NEAR if len(labels) < _MANY else _NEAR_WITH_MANY[kind]
    classifier = MAKERS[kind](near, seed, *(() if softness is None else (softness,)))
    with warnings.catch_warnings():
        # A plane that is not quite at its optimum is calibrated on what it does say.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(matrix, labels)
    slopes, shifts = _coefficients(classifier)
    weights: Floats = np.zeros((categories, matrix.shape[1]), dtype=np.float32)
    intercepts: Floats = np.full(categories, -1, dtype=np.float32)
    if len(present) == 2:
        weights[present] = np.vstack([-slopes, slopes])
        intercepts[present] = [-shifts[0], shifts[0]]
    else:
        weights[present] = slopes
        intercepts[present] = shifts
    return Linear(weights, intercepts)


def _coefficients(classifier: Any) -> tuple[Floats, Floats]:
    if isinstance(classifier, OneVsRestClassifier):
        each = classifier.estimators_
        return np.vstack([one.coef_ for one in each]), np.concatenate([one.intercept_ for one in each])
    return classifier.coef_, classifier.intercept_


def split(labels: Integers, *, seed: int) -> Folds:
    """Stratified folds: (rows to fit on, rows held back)."""
    with warnings.catch_warnings():
        # A category with fewer rows than folds is simply absent from some of them.
        warnings.simplefilter("ignore", UserWarning)
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        return list(splitter.split(np.zeros(len(labels)), labels))


def added(planes: Mapping[str, Linear], spreads: Mapping[str, float]) -> Linear:
    """The planes as one: each divided by the spread of its decision values, so that neither drowns the other."""
    weights = sum(one.weights / np.float32(spreads[kind]) for kind, one in planes.items())
    intercepts = sum(one.intercepts / np.float32(spreads[kind]) for kind, one in planes.items())
    return Linear(np.asarray(weights, dtype=np.float32), np.asarray(intercepts, dtype=np.float32))


DIMENSIONS = 100
BELOW = 2_000
"""Labelled rows from which on the latent columns gain nothing (decision 10)."""
FEWEST = 300
"""Texts without a label below which they tell too little, unless the labelled rows are very few themselves."""
VERY_FEW = 300
READ = 6_000
"""Texts that settle the space; more only cost time."""


@dataclass(frozen=True, slots=True)
class Latent:
    """`directions` (features, dimensions), scaled so that an average row has a latent part of length 1."""

    directions: Floats

    def widen(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        """The matrix with the latent columns behind its own."""
        both = [matrix, sparse.csr_matrix(matrix @ self.directions)]
        return sparse.hstack(both, format="csr", dtype=np.float32)

    def fold_back(self, plane: Linear) -> Linear:
        """The plane over the widened matrix as one over the matrix itself: the same decision values."""
        own = self.directions.shape[0]
        weights = plane.weights[:, :own] + plane.weights[:, own:] @ self.directions.T
        return Linear(np.asarray(weights, dtype=np.float32), plane.intercepts)


def helps(*, labelled: int, unlabelled: int) -> bool:
    """Whether latent columns are worth having for so many rows."""
    return labelled < BELOW and (unlabelled >= FEWEST or labelled < VERY_FEW)


def fit_latent(matrix: sparse.csr_matrix, *, seed: int) -> Latent | None:
    """The space of these rows (labelled ones first); None where there are too few to have one."""
    rows = matrix[:READ]
    dimensions = min(DIMENSIONS, rows.shape[0] - 1, rows.shape[1] - 1)
    if dimensions < 2:
        return None
    space = TruncatedSVD(dimensions, n_iter=3, random_state=seed).fit(rows)
    directions = np.asarray(space.components_.T, dtype=np.float32)
    length = float(np.linalg.norm(rows @ directions, axis=1).mean())
    return Latent(directions / length) if length > 0 else None
