"""The rows that planes are fitted on: those with a label and, behind them, the categories' own names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from triage.calibration import Integers
from triage.planes import Folds, split

Asked = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Labelled:
    """n labelled rows and k names of categories, one each in order: `matrix` (n + k, features) as one piece, for
    very many rows are too large to lie there twice; `labels` (n,) below k; `asked` (n,) says which rows count for
    figures.
    """

    matrix: sparse.csr_matrix
    labels: Integers
    asked: Asked

    @property
    def categories(self) -> int:
        """How many categories there are, k."""
        return int(self.matrix.shape[0]) - len(self.labels)

    @property
    def all_labels(self) -> Integers:
        """Array (n + k,): the labels of the rows, then those of the names."""
        return np.concatenate([self.labels, np.arange(self.categories, dtype=np.int64)])

    def some(self, places: Integers) -> Labelled:
        """These of the labelled rows, with all the names."""
        names = np.arange(len(self.labels), self.matrix.shape[0])
        rows = self.matrix[np.concatenate([places, names])]
        return Labelled(rows, self.labels[places], self.asked[places])

    def folds(self, *, seed: int) -> Folds:
        """Folds of the labelled rows: in each the names are learnt from, and never held back."""
        names = np.arange(len(self.labels), self.matrix.shape[0])
        return [(np.concatenate([rest, names]), held) for rest, held in split(self.labels, seed=seed)]
