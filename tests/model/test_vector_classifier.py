"""The blend of words and sentence vectors: each part is weighed by its figures on held-out rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.model_selection import StratifiedKFold

from triage.encoder import Encoder, Vectors
from triage.model.calibration import Doubles, Integers
from triage.model.prediction_metrics import log_loss
from triage.model.vector_classifier import ALONE, JOINED, WORDS, VectorClassifier, fit_vectors

ENCODER = Encoder(lambda texts: np.zeros((len(texts), 6)))
CATEGORIES, ROWS = 3, 240


def some_labels(seed: int = 0) -> Integers:
    return np.random.default_rng(seed).integers(0, CATEGORIES, ROWS)


def vectors_of(labels: Integers, *, strength: float, seed: int = 1) -> Vectors:
    noise = np.random.default_rng(seed).normal(size=(len(labels), 6))
    noise[np.arange(len(labels)), labels] += strength
    return (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)


def words_of(labels: Integers, *, strength: float, seed: int = 2) -> Doubles:
    odds = np.random.default_rng(seed).normal(size=(len(labels), CATEGORIES))
    odds[np.arange(len(labels)), labels] += strength
    probabilities = np.exp(odds)
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))


def folds_of(labels: Integers) -> list[tuple[Integers, Integers]]:
    return list(StratifiedKFold(3, shuffle=True, random_state=0).split(labels, labels))


def fitted(labels: Integers, words: Doubles, vectors: Vectors) -> tuple[VectorClassifier, Doubles]:
    return fit_vectors(ENCODER, vectors, labels, words, folds_of(labels), wanted_precision=0.9)[:2]


@pytest.mark.parametrize(("words", "meaning"), [(2.0, 0.0), (0.0, 3.0), (1.5, 2.0)])
def test_a_blend_is_as_good_as_its_better_part(words: float, meaning: float) -> None:
    labels, unseen = some_labels(), some_labels(seed=9)
    by_words = words_of(labels, strength=words)
    model, held_back = fitted(labels, by_words, vectors_of(labels, strength=meaning))
    unseen_words = words_of(unseen, strength=words, seed=7)
    blended = model.blend(unseen_words, vectors_of(unseen, strength=meaning, seed=8))
    alone = model.blend(np.full_like(unseen_words, 1 / 3), vectors_of(unseen, strength=meaning, seed=8))
    assert log_loss(blended, unseen) < min(log_loss(unseen_words, unseen), log_loss(alone, unseen)) + 0.02
    assert np.allclose(blended.sum(axis=1), 1)
    assert np.allclose(held_back.sum(axis=1), 1)


@pytest.mark.parametrize(("words", "meaning"), [(2.0, 0.5), (0.2, 3.0)])
def test_the_card_has_the_losses_of_words_encoder_and_both(words: float, meaning: float) -> None:
    labels = some_labels()
    by_words, vectors = words_of(labels, strength=words), vectors_of(labels, strength=meaning)
    model, held_back, losses = fit_vectors(
        ENCODER, vectors, labels, by_words, folds_of(labels), wanted_precision=0.9
    )
    assert losses[WORDS] == pytest.approx(log_loss(by_words, labels))
    assert losses[JOINED] == pytest.approx(log_loss(held_back, labels))
    assert (losses[ALONE] < losses[WORDS]) == (meaning > words)
    assert losses[JOINED] < min(losses[ALONE], losses[WORDS]) + 0.02
    reason = model.reason(losses)
    assert all(f"{name} {loss:.3f}" in reason for name, loss in losses.items())
    assert f"words with the exponent {model.exponents[0]:.2f}" in reason


def test_an_uninformative_part_changes_little() -> None:
    labels = some_labels()
    for words, meaning in ((3.0, 0.0), (0.0, 6.0)):
        by_words, vectors = words_of(labels, strength=words), vectors_of(labels, strength=meaning)
        model, held_back = fitted(labels, by_words, vectors)
        right = by_words if words else model.blend(np.full_like(by_words, 1 / 3), vectors)
        assert (held_back.argmax(axis=1) == right.argmax(axis=1)).mean() > 0.95


def test_a_blank_text_keeps_the_probabilities_of_the_words() -> None:
    labels = some_labels()
    words = words_of(labels, strength=1.0)
    model, _ = fitted(labels, words, vectors_of(labels, strength=2.0))
    blank: npt.NDArray[np.float32] = np.zeros((ROWS, 6), dtype=np.float32)
    assert np.array_equal(model.blend(words, blank), words)


@pytest.mark.parametrize("others", [[0, 1], [0]])
def test_a_category_with_one_row_is_still_proposed(others: list[int]) -> None:
    labels = np.array([2, *(others[row % len(others)] for row in range(ROWS - 1))])
    vectors = vectors_of(labels, strength=6.0)
    with pytest.warns(UserWarning, match="least populated class"):
        folds = folds_of(labels)
    words = np.full((ROWS, CATEGORIES), 1 / 3)
    model, _, _ = fit_vectors(ENCODER, vectors, labels, words, folds, wanted_precision=0.9)
    assert model.blend(words[:1], vectors[:1]).argmax() == 2


def test_the_same_rows_give_the_same_blend() -> None:
    labels = some_labels()
    words, vectors = words_of(labels, strength=1.0), vectors_of(labels, strength=2.0)
    first, second = fitted(labels, words, vectors)[0], fitted(labels, words, vectors)[0]
    assert first.exponents == second.exponents
    assert first.threshold == second.threshold
    assert np.array_equal(first.weights, second.weights)
