"""What words stand near each other, learned from texts with and without a label (latent semantic analysis).

With few labelled rows most words of a new complaint were never seen with a category. Texts without a label,
which an organisation has from its first week, say which words go together. The latent columns are linear in
the others and are not normalised, so a plane over both is folded back into one plane over words and
characters: a model learned this way is no larger, no slower and explained as exactly as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from sklearn.decomposition import TruncatedSVD

from triage.features import Floats
from triage.pipeline import Linear

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
