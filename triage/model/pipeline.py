"""The trained model: a normalised text in, probabilities of categories and of a critical case out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sparse

from triage.model.calibration import Calibration, Doubles, Sigmoid
from triage.model.embeddings import Encoder, Meaning
from triage.model.features import Features, Floats
from triage.neighbours import Neighbours
from triage.text import normalise

CRITICAL = 4
"""From this severity on a case is critical."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights (k, n features) and intercepts (k,) of k one-against-rest planes."""

    weights: Floats
    intercepts: Floats

    def __post_init__(self) -> None:
        """Lay the weights out by feature: else each text that is read would copy all of them."""
        object.__setattr__(self, "weights", np.asfortranarray(self.weights))

    def decide(self, matrix: sparse.csr_matrix) -> Doubles:
        """Decision values, array (rows, k)."""
        return np.asarray(matrix @ self.weights.T + self.intercepts, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Leaning:
    """A plane over rows weighed by `ratios` (n features,) and brought back to length 1: long or short, a text
    counts by what tells. `weights` (n features,) hold the ratios already.
    """

    weights: Floats
    ratios: Floats

    def decide(self, matrix: sparse.csr_matrix) -> Doubles:
        """Decision values, array (rows,); 0 for a text without a known word."""
        squares = np.asarray(matrix.power(2) @ np.square(self.ratios), dtype=np.float64)
        values = np.asarray(matrix @ self.weights, dtype=np.float64)
        return np.divide(values, np.sqrt(squares), out=np.zeros_like(values), where=squares > 0)


@dataclass(frozen=True, slots=True)
class Critical:
    """The second classifier: severity 4 or 5, with the threshold at which it raises an alert.

    `counts` is what the grade of the gravest safety rule (0 to 1) adds to the decision value, never negative.
    """

    plane: Linear
    leaning: Leaning
    counts: float
    sigmoid: Sigmoid
    threshold: float

    def decide(self, matrix: sparse.csr_matrix, grades: Doubles) -> Doubles:
        """Decision values, array (rows,); `grades` (rows,) are those of the gravest rule of each text."""
        by_words = self.plane.decide(matrix)[:, 0] + self.leaning.decide(matrix)
        return np.asarray(by_words + self.counts * grades, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model; `threshold` is the probability below which it says "not sure", `neighbours` the cases
    it can compare with, `facts` its model card. `meaning` is the half that reads vectors, where it was trained
    with an encoder; it answers only while that very `encoder` is here.
    """

    version: str
    categories: tuple[str, ...]
    features: Features
    plane: Linear
    calibration: Calibration
    threshold: float
    critical: Critical | None
    neighbours: Neighbours | None = None
    meaning: Meaning | None = None
    encoder: Encoder | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def matrix(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Feature matrix of texts as written."""
        return self.features.transform([normalise(text) for text in texts])

    def probabilities(self, matrix: sparse.csr_matrix) -> Doubles:
        """Array (rows, categories), rows sum to 1, by words alone, calibrated on out-of-fold decision values."""
        return self.calibration.apply(self.plane.decide(matrix))

    @property
    def sure_from(self) -> float:
        """The probability below which the model says "not sure", with the encoder or without."""
        if self.meaning is None or self.encoder is None:
            return self.threshold
        return self.meaning.threshold

    def read(self, texts: Sequence[str], matrix: sparse.csr_matrix | None = None) -> Doubles:
        """Array (texts, categories), rows sum to 1, of texts as written; `matrix` where it is made already."""
        by_words = self.probabilities(self.matrix(texts) if matrix is None else matrix)
        if self.meaning is None or self.encoder is None:
            return by_words
        return self.meaning.blend(by_words, self.encoder.encode([normalise(text) for text in texts]))

    def critical_probabilities(self, matrix: sparse.csr_matrix, grades: Doubles) -> Doubles | None:
        """Array (rows,): the probability of severity >= 4; None where the examples held no severities.

        `grades` (rows,) are those of the gravest rule of each text (`triage.criteria.rule_grades`).
        """
        if self.critical is None:
            return None
        return self.critical.sigmoid.apply(self.critical.decide(matrix, grades))
