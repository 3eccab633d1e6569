"""The half of a model that reads vectors, blended with the half that reads words.

Words decide where examples are many, meaning where they are few; how much each says is measured on held-back
rows, so "words alone" and "the encoder alone" are the two ends of one blend. The words' half stays a whole
model: where the encoder is absent it answers by itself, and it alone gives the reasons.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from triage.calibration import Doubles, Integers
from triage.embeddings import Encoder, Vectors
from triage.features import Floats
from triage.figures import best_first, log_loss, precision_threshold

WORDS, ALONE, JOINED = "words", "encoder alone", "words and encoder"
"""The candidates where an encoder is installed, by the names in the model card."""

_INVERSE_PENALTY = 10.0
_EQUAL = np.array([0.5, 0.5])
_PULL = 10.0
_MOST = 4.0
_SURELY_NOT = 1e-6
"""No half may rule out a category that the other half sees."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Planes over the vectors of one encoder, and what each half counts in the blend.

    `weights` (categories, dimensions), `intercepts` (categories,); `shares` are the exponents of the words'
    probabilities and of these, both >= 0: (1, 0) is words alone, (0, x) the encoder alone. `threshold` is the
    probability of the blend below which the model says "not sure".
    """

    encoder: str
    fingerprint: str
    weights: Floats
    intercepts: Floats
    shares: tuple[float, float]
    threshold: float

    def reason(self, losses: Mapping[str, float]) -> str:
        """In a sentence, for the model card: what the blend is made of and what each part is worth."""
        words, meaning = self.shares
        return (
            f"with the encoder {self.encoder} both are joined, words counting {words:.2f} and meaning {meaning:.2f}, "
            f"which is fitted so that neither end is shut out; log-loss on held-back rows ({best_first(losses)})"
        )

    def blend(self, by_words: Doubles, vectors: Vectors) -> Doubles:
        """Array (rows, categories), rows sum to 1, from the words' probabilities and the vectors of the same rows.

        A row without a vector (a blank text) keeps the words' probabilities.
        """
        blended = _blend(by_words, _decide(self.weights, self.intercepts, vectors), self.shares)
        return np.where(vectors.any(axis=1, keepdims=True), blended, by_words)


def fit_meaning(
    encoder: Encoder,
    vectors: Vectors,
    labels: Integers,
    by_words: Doubles,
    folds: Sequence[tuple[Integers, Integers]],
    *,
    wanted_precision: float,
) -> tuple[Meaning, Doubles, Mapping[str, float]]:
    """Fit the planes on all rows and the shares on held-back ones; gives the blend of the held-back rows as well.

    `by_words` (rows, categories) are probabilities of the same rows from planes that have not seen them, over
    the same folds. The second value is what the figures of the whole model are measured on; the third is the
    log-loss of `WORDS`, `ALONE` and `JOINED` on these rows, none of which set the shares that it is taken with.
    """
    categories = by_words.shape[1]
    decisions = np.zeros_like(by_words)
    # Of a category that the other folds do not hold neither half can know, so its rows do not choose between them.
    telling = np.zeros(len(labels), dtype=np.bool_)
    for rest, held in folds:
        decisions[held] = _decide(*_fit(vectors[rest], labels[rest], categories), vectors[held])
        telling[held] = np.isin(labels[held], labels[rest])
    shares = _fit_shares(by_words[telling], decisions[telling], labels[telling])
    blended, alone = np.zeros_like(by_words), np.zeros_like(by_words)
    for rest, held in folds:
        # Shares of each fold from the others: figures must not come from rows that set them.
        other = rest[telling[rest]]
        for into, most in ((blended, _MOST), (alone, 0.0)):
            fold = _fit_shares(by_words[other], decisions[other], labels[other], of_words=most)
            into[held] = _blend(by_words[held], decisions[held], fold)
    candidates = {WORDS: by_words, ALONE: alone, JOINED: blended}
    losses = {name: log_loss(said[telling], labels[telling]) for name, said in candidates.items()}
    threshold, _ = precision_threshold(blended, labels, wanted_precision)
    planes = _fit(vectors, labels, categories)
    return Meaning(encoder.name, encoder.fingerprint, *planes, shares, threshold), blended, losses


def _fit(vectors: Vectors, labels: Integers, categories: int) -> tuple[Floats, Floats]:
    """One balanced softmax regression; a category absent from these rows is all but ruled out."""
    present = np.unique(labels)
    weights: Floats = np.zeros((categories, vectors.shape[1]), dtype=np.float32)
    intercepts: Floats = np.full(categories, np.log(_SURELY_NOT), dtype=np.float32)
    if len(present) == 1:
        intercepts[present] = 0
        return weights, intercepts
    # E5 keeps all texts in a narrow cone: seen from their middle and drawn apart, one penalty suits every encoder.
    middle = vectors.mean(axis=0)
    spread = max(float(np.sqrt(((vectors - middle) ** 2).sum(axis=1).mean())), 1e-6)
    classifier = LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", max_iter=300)
    with warnings.catch_warnings():
        # The shares are fitted on what the planes do say, at their optimum or near it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit((vectors - middle) / spread, labels)
    if len(present) == 2:
        weights[present] = np.vstack([-classifier.coef_, classifier.coef_]) / 2
        intercepts[present] = np.array([-classifier.intercept_[0], classifier.intercept_[0]]) / 2
    else:
        weights[present] = classifier.coef_
        intercepts[present] = classifier.intercept_
    weights /= spread
    return weights, intercepts - weights @ middle


def _decide(weights: Floats, intercepts: Floats, vectors: Vectors) -> Doubles:
    return np.asarray(vectors @ weights.T + intercepts, dtype=np.float64)


def _halves(by_words: Doubles, decisions: Doubles) -> tuple[Doubles, Doubles]:
    floor = np.log(_SURELY_NOT)
    return np.log(np.maximum(by_words, _SURELY_NOT)), np.maximum(log_softmax(decisions, axis=1), floor)


def _blend(by_words: Doubles, decisions: Doubles, shares: tuple[float, float]) -> Doubles:
    words, meaning = _halves(by_words, decisions)
    blended: Doubles = softmax(shares[0] * words + shares[1] * meaning, axis=1)
    return blended


def _fit_shares(
    by_words: Doubles, decisions: Doubles, labels: Integers, *, of_words: float = _MOST
) -> tuple[float, float]:
    """The two exponents of least log-loss on these rows; the loss is convex, so there is one answer.

    `of_words` is the most that the words may count: with 0 the encoder answers alone.
    """
    words, meaning = _halves(by_words, decisions)
    rows = np.arange(len(labels))

    def loss(shares: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logs = log_softmax(shares[0] * words + shares[1] * meaning, axis=1)
        expected = np.exp(logs)
        slope = [np.mean((expected * half).sum(axis=1) - half[rows, labels]) for half in (words, meaning)]
        # A pull towards equal shares, worth a few rows: few rows must not silence one half by chance.
        away = (shares - _EQUAL) * _PULL / len(labels)
        value = -float(np.mean(logs[rows, labels])) + float(away @ (shares - _EQUAL)) / 2
        return value, np.array(slope) + away

    bounds = [(0.0, of_words), (0.0, _MOST)]
    begin = np.array([min(_EQUAL[0], of_words), _EQUAL[1]])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), float(found.x[1])
