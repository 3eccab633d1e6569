"""The classifier that reads sentence vectors, blended with the probabilities of the words (decision 77).

Vectors help where a category has few examples: two sentences with the same meaning get similar vectors before any
example shows it. The exponents of the blend are fitted on held-out rows. The half that reads words stays a complete
model: it answers alone where the encoder is absent, and it alone gives the reasons.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from triage.encoder import Encoder, Vectors
from triage.model.calibration import Doubles, Integers, Mask
from triage.model.prediction_metrics import format_losses, log_loss, precision_threshold
from triage.model.text_features import Floats

WORDS, ALONE, JOINED = "words", "encoder alone", "words and encoder"
"""Names of the candidates in the model card of a model with an encoder."""

_C = 3.0
_EQUAL_EXPONENTS = np.array([0.5, 0.5])
_PULL_TO_EQUAL = 10.0
_LARGEST_EXPONENT = 4.0
_LEAST_PROBABILITY = 1e-6
"""Neither half may rule out a category that the other half considers."""


@dataclass(frozen=True, slots=True)
class VectorClassifier:
    """A softmax regression on the vectors of the encoder with this fingerprint, and how it is blended with the words.

    `weights` (categories, dimensions), `intercepts` (categories,). `exponents` are those of the words' probabilities
    and of these, both >= 0: (1, 0) is words alone, (0, x) the encoder alone. `threshold` is the probability of the
    blend below which the model abstains ("not sure").
    """

    fingerprint: str
    weights: Floats
    intercepts: Floats
    exponents: tuple[float, float]
    threshold: float

    def blend(self, by_words: Doubles, vectors: Vectors) -> Doubles:
        """Probabilities (rows, categories), rows sum to 1, from the words' probabilities and vectors of the rows.

        A row of zeros (the vector of a blank text) keeps the words' probabilities.
        """
        blended = _blend(by_words, _decide(self.weights, self.intercepts, vectors), self.exponents)
        return np.where(vectors.any(axis=1, keepdims=True), blended, by_words)

    def reason(self, losses: Mapping[str, float]) -> str:
        """A sentence for the model card: the exponents, and the log-loss of each candidate."""
        words, vectors = self.exponents
        return (
            f"with the encoder both are blended, words with the exponent {words:.2f} and meaning with "
            f"{vectors:.2f}; log-loss on held-back rows ({format_losses(losses)})"
        )


def fit_vectors(
    encoder: Encoder,
    vectors: Vectors,
    labels: Integers,
    by_words: Doubles,
    folds: Sequence[tuple[Integers, Integers]],
    *,
    wanted_precision: float,
) -> tuple[VectorClassifier, Doubles, Mapping[str, float]]:
    """Fit the classifier on all rows and its exponents on held-out ones.

    `by_words` (rows, categories) are the words' probabilities of the same rows, out of the same folds. Returns the
    classifier, the blend of the held-out rows (for the figures of the model), and the log-loss of `WORDS`, `ALONE`
    and `JOINED` on rows that did not set the exponents used for them.
    """
    categories = by_words.shape[1]
    decisions = np.zeros_like(by_words)
    # Neither half can know a category that the other folds lack, so such rows do not set the exponents.
    usable: Mask = np.zeros(len(labels), dtype=np.bool_)
    for train, holdout in folds:
        decisions[holdout] = _decide(
            *_fit_regression(vectors[train], labels[train], categories), vectors[holdout]
        )
        usable[holdout] = np.isin(labels[holdout], labels[train])
    exponents = _fit_exponents(by_words[usable], decisions[usable], labels[usable])
    blended, alone = np.zeros_like(by_words), np.zeros_like(by_words)
    for train, holdout in folds:
        # The exponents of each fold come from the others: figures must not come from the rows that set them.
        rows = train[usable[train]]
        for target, largest in ((blended, _LARGEST_EXPONENT), (alone, 0.0)):
            of_fold = _fit_exponents(by_words[rows], decisions[rows], labels[rows], largest_of_words=largest)
            target[holdout] = _blend(by_words[holdout], decisions[holdout], of_fold)
    candidates = {WORDS: by_words, ALONE: alone, JOINED: blended}
    losses = {
        name: log_loss(probabilities[usable], labels[usable]) for name, probabilities in candidates.items()
    }
    threshold, _ = precision_threshold(blended, labels, wanted_precision)
    weights, intercepts = _fit_regression(vectors, labels, categories)
    classifier = VectorClassifier(encoder.fingerprint, weights, intercepts, exponents, threshold)
    return classifier, blended, losses


def _fit_regression(vectors: Vectors, labels: Integers, categories: int) -> tuple[Floats, Floats]:
    """Weights and intercepts of a balanced softmax regression; a category without rows gets p = 1e-6."""
    present = np.unique(labels)
    weights: Floats = np.zeros((categories, vectors.shape[1]), dtype=np.float32)
    intercepts: Floats = np.full(categories, np.log(_LEAST_PROBABILITY), dtype=np.float32)
    if len(present) == 1:
        intercepts[present] = 0
        return weights, intercepts
    centre = vectors.mean(axis=0)
    scale = max(float(np.sqrt(((vectors - centre) ** 2).sum(axis=1).mean())), 1e-6)
    regression = LogisticRegression(C=_C, class_weight="balanced", max_iter=300)
    with warnings.catch_warnings():
        # The exponents are fitted on the values that it does give, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit((vectors - centre) / scale, labels)
    if len(present) == 2:
        weights[present] = np.vstack([-regression.coef_, regression.coef_]) / 2
        intercepts[present] = np.array([-regression.intercept_[0], regression.intercept_[0]]) / 2
    else:
        weights[present] = regression.coef_
        intercepts[present] = regression.intercept_
    weights /= scale
    return weights, intercepts - weights @ centre


def _decide(weights: Floats, intercepts: Floats, vectors: Vectors) -> Doubles:
    return np.asarray(vectors @ weights.T + intercepts, dtype=np.float64)


def _log_halves(by_words: Doubles, decisions: Doubles) -> tuple[Doubles, Doubles]:
    floor = np.log(_LEAST_PROBABILITY)
    return np.log(np.maximum(by_words, _LEAST_PROBABILITY)), np.maximum(log_softmax(decisions, axis=1), floor)


def _blend(by_words: Doubles, decisions: Doubles, exponents: tuple[float, float]) -> Doubles:
    words, vectors = _log_halves(by_words, decisions)
    blended: Doubles = softmax(exponents[0] * words + exponents[1] * vectors, axis=1)
    return blended


def _fit_exponents(
    by_words: Doubles, decisions: Doubles, labels: Integers, *, largest_of_words: float = _LARGEST_EXPONENT
) -> tuple[float, float]:
    """The two exponents with the lowest log-loss on these rows; the loss is convex.

    `largest_of_words` bounds the exponent of the words; with 0 the encoder answers alone.
    """
    halves = _log_halves(by_words, decisions)
    rows = np.arange(len(labels))

    def loss(exponents: Doubles) -> tuple[float, Doubles]:
        logs = log_softmax(exponents[0] * halves[0] + exponents[1] * halves[1], axis=1)
        expected = np.exp(logs)
        gradient = [np.mean((expected * half).sum(axis=1) - half[rows, labels]) for half in halves]
        # A prior towards equal exponents, worth a few rows: few rows must not silence a half by chance.
        offset = (exponents - _EQUAL_EXPONENTS) * _PULL_TO_EQUAL / len(labels)
        value = -float(np.mean(logs[rows, labels])) + float(offset @ (exponents - _EQUAL_EXPONENTS)) / 2
        return value, np.array(gradient) + offset

    bounds = [(0.0, largest_of_words), (0.0, _LARGEST_EXPONENT)]
    start = np.array([min(_EQUAL_EXPONENTS[0], largest_of_words), _EQUAL_EXPONENTS[1]])
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(best.x[0]), float(best.x[1])
