"""The trained model: a text in, probabilities of the categories and of a critical case out, and the reasons.

The model is linear, so the share of each word in the decision value is exact: its own weight, its share of the word
pairs that it belongs to, and the character n-grams inside it.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sparse

from triage.encoder import Encoder, Vectors
from triage.hidden_characters import normalise_characters
from triage.model.calibration import Calibration, Doubles, Sigmoid
from triage.model.neighbours import Neighbours
from triage.model.text_features import WORD, Features, Floats, character_ngrams, folded
from triage.model.vector_classifier import VectorClassifier
from triage.text import LONGEST, normalise

CRITICAL = 4
"""Severity from which on a case is critical."""


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """One-vs-rest linear classifiers of k categories: `weights` (k, features), `intercepts` (k,)."""

    weights: Floats
    intercepts: Floats

    def __post_init__(self) -> None:
        """Store the weights column by column; otherwise each prediction copies all of them."""
        object.__setattr__(self, "weights", np.asfortranarray(self.weights))

    def decide(self, matrix: sparse.csr_matrix) -> Doubles:
        """Decision values (rows, k)."""
        return np.asarray(matrix @ self.weights.T + self.intercepts, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class NormalisedLinear:
    """A linear classifier over rows that are scaled by `ratios` and then brought to length 1.

    So a long text and a short one count alike. `weights` and `ratios` have shape (features,); the ratios are
    already multiplied into the weights.
    """

    weights: Floats
    ratios: Floats

    def decide(self, matrix: sparse.csr_matrix) -> Doubles:
        """Decision values (rows,); 0 for a text without a word of the vocabulary."""
        squares = np.asarray(matrix.power(2) @ np.square(self.ratios), dtype=np.float64)
        values = np.asarray(matrix @ self.weights, dtype=np.float64)
        return np.divide(values, np.sqrt(squares), out=np.zeros_like(values), where=squares > 0)


@dataclass(frozen=True, slots=True)
class CriticalClassifier:
    """The second classifier: severity 4 or 5, with the probability (`threshold`) above which it raises an alert.

    `rule_weight` is what the grade of the gravest safety rule (0 to 1) adds to the decision value; never negative.
    """

    linear: LinearClassifier
    normalised: NormalisedLinear
    rule_weight: float
    sigmoid: Sigmoid
    threshold: float

    def decide(self, matrix: sparse.csr_matrix, grades: Doubles) -> Doubles:
        """Decision values (rows,); `grades` (rows,) are those of the gravest rule of each text."""
        by_words = self.linear.decide(matrix)[:, 0] + self.normalised.decide(matrix)
        return np.asarray(by_words + self.rule_weight * grades, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model.

    `threshold` is the probability below which it abstains ("not sure"). `neighbours` are the cases it can compare
    with, None where it has too few. `vectors` is set where it was trained with an encoder; it is used only with the
    vectors of a text, which come from the same `encoder` in this process or in another. `facts` are those of its
    model card.
    """

    version: str
    categories: tuple[str, ...]
    features: Features
    linear: LinearClassifier
    calibration: Calibration
    threshold: float
    critical: CriticalClassifier | None
    neighbours: Neighbours | None = None
    vectors: VectorClassifier | None = None
    encoder: Encoder | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def matrix(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Feature matrix (texts, features) of texts as written."""
        return self.features.transform([normalise(text) for text in texts])

    def word_probabilities(self, matrix: sparse.csr_matrix) -> Doubles:
        """Probabilities (rows, categories), rows sum to 1, without the encoder; calibrated out of fold."""
        return self.calibration.apply(self.linear.decide(matrix))

    def encode(self, texts: Sequence[str]) -> Vectors | None:
        """Sentence vectors of texts as written; None where it was trained without them, or has no encoder here."""
        if self.vectors is None or self.encoder is None:
            return None
        return self.encoder.encode([normalise(text) for text in texts])

    def predict_proba(self, texts: Sequence[str], matrix: sparse.csr_matrix | None = None) -> Doubles:
        """Probabilities (texts, categories), rows sum to 1, of texts as written.

        `matrix` is that of the same texts, where the caller already has it.
        """
        by_words = self.word_probabilities(self.matrix(texts) if matrix is None else matrix)
        return self.blend(by_words, self.encode(texts))

    def blend(self, by_words: Doubles, vectors: Vectors | None) -> Doubles:
        """Probabilities (rows, categories), rows sum to 1, from those of the words and the rows' vectors, if any."""
        return by_words if self.vectors is None or vectors is None else self.vectors.blend(by_words, vectors)

    def abstains_below(self, vectors: Vectors | None) -> float:
        """The probability below which the model abstains, for texts with these vectors or without."""
        return self.threshold if self.vectors is None or vectors is None else self.vectors.threshold

    def critical_probabilities(self, matrix: sparse.csr_matrix, grades: Doubles) -> Doubles | None:
        """Probabilities (rows,) of severity >= 4; None where the training examples had too few severities.

        `grades` (rows,) are those of the gravest rule of each text (`triage.criteria.rule_grades`).
        """
        if self.critical is None:
            return None
        return self.critical.sigmoid.apply(self.critical.decide(matrix, grades))


MOST_FOR, MOST_AGAINST = 5, 3
_LEAST_WEIGHT = 0.005
_SHORTEST = 3
_EDGE = re.compile(r"^[^\w\u0300-\u036f]+|[^\w\u0300-\u036f]+$")


@dataclass(frozen=True, slots=True)
class ProposalReason:
    """A word of the text and its share of the decision value: positive for the category, negative against it."""

    word: str
    weight: float


def find_reasons(
    model: Model, text: str, category: str, row: sparse.csr_matrix | None = None
) -> tuple[ProposalReason, ...]:
    """The strongest words for (at most 5) and against (at most 3) a category; none where no word is in the model.

    `row` is the text's row of the feature matrix, where the caller already has it.
    """
    row = model.matrix([text]) if row is None else row
    return _find_words(model, text, row, model.linear.weights[model.categories.index(category)])


def find_critical_words(model: Model, text: str, row: sparse.csr_matrix) -> tuple[str, ...]:
    """The words (at most 5) that speak most for severity 4 or 5; `row` is the text's row of the feature matrix."""
    if model.critical is None:
        return ()
    normalised = model.critical.normalised
    length = float(np.sqrt(row.power(2) @ np.square(normalised.ratios))[0])
    weights = model.critical.linear.weights[0] + (normalised.weights / length if length else 0)
    return tuple(reason.word for reason in _find_words(model, text, row, weights) if reason.weight > 0)


def _find_words(
    model: Model, text: str, row: sparse.csr_matrix, weights: Floats
) -> tuple[ProposalReason, ...]:
    normalised = normalise(text)
    if not normalised:
        return ()
    shares = dict(zip(row.indices.tolist(), (row.data * weights[row.indices]).tolist(), strict=True))
    pieces = normalised.split(" ")
    occurrences = _occurrences(model, [folded(piece) for piece in pieces])
    counts = Counter(column for _, column in occurrences)
    totals = [0.0] * len(pieces)
    for index, column in occurrences:
        totals[index] += shares.get(column, 0.0) / counts[column]
    return _strongest(text, pieces, totals)


def _occurrences(model: Model, pieces: list[str]) -> list[tuple[int, int]]:
    """(index of the piece, column) of every feature that occurs; a word pair counts for both of its pieces."""
    words, characters = model.features.words, model.features.characters
    offset = len(words)
    occurrences: list[tuple[int, int]] = []
    previous: tuple[int, str] | None = None
    for index, piece in enumerate(pieces):
        for word in WORD.findall(piece):
            if word in words:
                occurrences.append((index, words[word]))
            if previous is not None and (pair := words.get(f"{previous[1]} {word}")) is not None:
                occurrences += [(previous[0], pair), (index, pair)]
            previous = (index, word)
        occurrences += [
            (index, offset + characters[ngram]) for ngram in character_ngrams(piece) if ngram in characters
        ]
    return occurrences


def _strongest(text: str, pieces: list[str], totals: list[float]) -> tuple[ProposalReason, ...]:
    by_word: dict[str, tuple[str, float]] = {}
    # Full-width letters, combining accents and joiners inside a word: show the word as it was written.
    as_written = (
        {} if text.isascii() else {normalise_characters(word): word for word in text[:LONGEST].split()}
    )
    for piece, total in zip(pieces, totals, strict=True):
        word = _EDGE.sub("", piece)
        if word not in text:
            word = _EDGE.sub("", as_written.get(piece, ""))
        # A mask does not occur in the text, so it is no reason that a person could check.
        if len(word) < _SHORTEST:
            continue
        spelling, sum_so_far = by_word.get(word.casefold(), (word, 0.0))
        by_word[word.casefold()] = (spelling, sum_so_far + total)
    ranked = sorted(by_word.values(), key=lambda entry: (-entry[1], entry[0]))
    in_favour = [entry for entry in ranked if entry[1] >= _LEAST_WEIGHT][:MOST_FOR]
    against = [entry for entry in reversed(ranked) if entry[1] <= -_LEAST_WEIGHT][:MOST_AGAINST]
    return tuple(ProposalReason(word, round(weight, 3)) for word, weight in in_favour + against)


def rename_categories(model: Model, names: Mapping[str, str]) -> Model:
    """The same model with these categories renamed, also in its facts; `names` map old to new, one to one.

    Raises ValueError where two categories would get the same name: probabilities of two cannot be read as one.
    """
    categories = tuple(names.get(category, category) for category in model.categories)
    if len(set(categories)) < len(categories):
        raise ValueError("two categories would get the same name")
    facts = {**model.facts, **_renamed(model.facts, names)}
    if facts.get("evaluation"):
        facts["evaluation"] = {**facts["evaluation"], **_renamed(facts["evaluation"], names)}
    neighbours = model.neighbours
    if neighbours is not None:
        of_cases = tuple(names.get(category, category) for category in neighbours.categories)
        neighbours = replace(neighbours, categories=of_cases)
    # A proposal names its model by the version alone, and this one gives other answers.
    inputs = json.dumps([model.version, sorted(names.items())])
    return replace(
        model,
        version=hashlib.sha256(inputs.encode()).hexdigest()[:12],
        categories=categories,
        neighbours=neighbours,
        facts={**facts, "renamed": dict(names)},
    )


def _renamed(facts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The facts by category under the new names."""
    tables = {key: facts[key] for key in ("categories", "f1") if isinstance(facts.get(key), Mapping)}
    return {
        key: {names.get(category, category): value for category, value in table.items()}
        for key, table in tables.items()
    }
