"""Nearest confirmed cases, so that an assessor sees how similar complaints were assessed (7.5).

Each case that trained the model is stored as a short vector, by reference and without words: its position in the
latent space of the most frequent words, one byte per dimension. Access rights are checked by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from sklearn.decomposition import TruncatedSVD

from triage.example import Example
from triage.model.text_features import Features, Floats

Bytes = npt.NDArray[np.int8]

MAX_PROPOSED = 8
"""Cases in a proposal. Three are shown; the others replace those that a reader may not see."""
MIN_SIMILARITY = 0.5
"""Cosine below which two cases are not similar, even if nothing is nearer."""
DIMENSIONS = 64
MIN_CASES = 8
"""With fewer confirmed cases there is no latent space."""
MAX_CASES = 20_000
"""The newest confirmed cases that are kept: 1.3 MB in the artefact."""

_WORDS = 8_000
_SVD_ROWS = 6_000
_BYTE_MAX = 127


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A confirmed case, its assessment, and its cosine similarity (at most 1)."""

    ref: str
    category: str
    severity: int | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The confirmed cases of a model as vectors.

    `vectors` (cases, dimensions), `columns` (words kept,) among the model's words, and `directions` (words kept,
    dimensions). Vectors and directions are bytes on a common scale, because only angles are compared.
    """

    refs: tuple[str, ...]
    categories: tuple[str, ...]
    severities: tuple[int | None, ...]
    vectors: Bytes
    columns: npt.NDArray[np.int32]
    directions: Bytes

    def nearest(self, row: sparse.csr_matrix, *, exclude: str | None = None) -> list[Neighbour]:
        """The cases nearest to a row of the model's matrix, most similar first; `exclude` is the case's own ref."""
        query = np.asarray(row[:, self.columns] @ self.directions.astype(np.float32))[0]
        length = float(np.linalg.norm(query))
        if length == 0:
            return []
        lengths = np.linalg.norm(self.vectors.astype(np.float32), axis=1)
        cosines = (self.vectors @ (query / length)) / np.maximum(lengths, 1)
        nearest: list[Neighbour] = []
        for index in np.argsort(-cosines, kind="stable")[: MAX_PROPOSED + 1].tolist():
            if cosines[index] < MIN_SIMILARITY or len(nearest) == MAX_PROPOSED:
                break
            if self.refs[index] != exclude:
                cosine = round(min(1.0, float(cosines[index])), 3)
                nearest.append(
                    Neighbour(self.refs[index], self.categories[index], self.severities[index], cosine)
                )
        return nearest


def fit_neighbours(
    rows: Sequence[Example], matrix: sparse.csr_matrix, features: Features, *, seed: int
) -> Neighbours | None:
    """Fit the vectors of the confirmed cases among the rows (those with a reference).

    `matrix` (rows, features) is that of the same rows. Returns None where there are fewer than 8 cases.
    """
    case_rows = [index for index, row in enumerate(rows) if row.ref is not None][-MAX_CASES:]
    words = matrix[case_rows][:, : len(features.words)]
    if len(case_rows) < MIN_CASES:
        return None
    document_frequency = np.asarray((words > 0).sum(axis=0)).ravel()
    columns = np.sort(np.argsort(-document_frequency, kind="stable")[:_WORDS]).astype(np.int32)
    frequent = words[:, columns].tocsr()
    dimensions = min(DIMENSIONS, len(case_rows) - 1, len(columns) - 1)
    if dimensions < 2:
        return None
    svd = TruncatedSVD(dimensions, n_iter=3, random_state=seed).fit(frequent[-_SVD_ROWS:])
    directions = _to_bytes(np.asarray(svd.components_.T, dtype=np.float32))
    vectors = np.asarray(frequent @ directions.astype(np.float32))
    return Neighbours(
        refs=tuple(str(rows[index].ref) for index in case_rows),
        categories=tuple(rows[index].category for index in case_rows),
        severities=tuple(rows[index].severity for index in case_rows),
        vectors=_to_bytes(vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)),
        columns=columns,
        directions=directions,
    )


def _to_bytes(values: Floats) -> Bytes:
    return np.asarray(np.rint(values * (_BYTE_MAX / max(float(np.abs(values).max()), 1e-9))), dtype=np.int8)
