"""The confirmed cases most like a new one, so that an assessor sees how others like it were judged (7.5).

Each case that trained the model is kept as a short vector of its own, by reference and without words: a
direction in the latent space of the model's most frequent words, a byte a dimension. Which of them a reader
may know is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.decomposition import TruncatedSVD

from triage.example import Example
from triage.model.features import Features, Floats

Bytes = npt.NDArray[np.int8]

PROPOSED = 8
"""Cases that a proposal keeps: three are shown, and of these some readers may not know one or the other."""
DIMENSIONS = 64
FEWEST = 8
"""Confirmed cases below which there is no space worth searching."""
MOST = 20_000
"""Confirmed cases kept, the newest: 1.3 MB in the artefact."""
LIKE = 0.5
"""Cosine below which two cases are not alike, however near the next one is."""

_WORDS = 8_000
_READ = 6_000
_STEPS = 127


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A confirmed case, what people found it to be, and how like it is: the cosine, at most 1."""

    ref: str
    category: str
    severity: int | None
    likeness: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Vectors (cases, dimensions) of the cases; `columns` (words kept,) of the model's words, `directions`
    (words kept, dimensions). Both are bytes of one scale each: only angles are read.
    """

    refs: tuple[str, ...]
    categories: tuple[str, ...]
    severities: tuple[int | None, ...]
    vectors: Bytes
    columns: npt.NDArray[np.int32]
    directions: Bytes

    def nearest(
        self, row: sparse.csr_matrix, *, count: int = PROPOSED, but: str | None = None
    ) -> list[Neighbour]:
        """The cases most like this row of the model's matrix, most like first; `but` is the case itself."""
        asked = np.asarray(row[:, self.columns] @ self.directions.astype(np.float32))[0]
        length = float(np.linalg.norm(asked))
        if length == 0:
            return []
        lengths = np.linalg.norm(self.vectors.astype(np.float32), axis=1)
        cosines = (self.vectors @ (asked / length)) / np.maximum(lengths, 1)
        found: list[Neighbour] = []
        for place in np.argsort(-cosines, kind="stable")[: count + 1].tolist():
            if cosines[place] < LIKE or len(found) == count:
                break
            if self.refs[place] != but:
                likeness = round(min(1.0, float(cosines[place])), 3)
                found.append(
                    Neighbour(self.refs[place], self.categories[place], self.severities[place], likeness)
                )
        return found


def fit_neighbours(
    rows: Sequence[Example], matrix: sparse.csr_matrix, features: Features, *, seed: int
) -> Neighbours | None:
    """The confirmed cases among the rows (those with a reference); None where they are too few."""
    places = [place for place, row in enumerate(rows) if row.ref is not None][-MOST:]
    words = matrix[places][:, : len(features.words)]
    if len(places) < FEWEST:
        return None
    often = np.asarray((words > 0).sum(axis=0)).ravel()
    columns = np.sort(np.argsort(-often, kind="stable")[:_WORDS]).astype(np.int32)
    known = words[:, columns].tocsr()
    dimensions = min(DIMENSIONS, len(places) - 1, len(columns) - 1)
    if dimensions < 2:
        return None
    space = TruncatedSVD(dimensions, n_iter=3, random_state=seed).fit(known[-_READ:])
    directions = _bytes(np.asarray(space.components_.T, dtype=np.float32))
    vectors = np.asarray(known @ directions.astype(np.float32))
    return Neighbours(
        refs=tuple(str(rows[place].ref) for place in places),
        categories=tuple(rows[place].category for place in places),
        severities=tuple(rows[place].severity for place in places),
        vectors=_bytes(vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)),
        columns=columns,
        directions=directions,
    )


def _bytes(values: Floats) -> Bytes:
    return np.asarray(np.rint(values * (_STEPS / max(float(np.abs(values).max()), 1e-9))), dtype=np.int8)
