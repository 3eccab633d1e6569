"""The parts of a model: counts, linear classifiers that blend, a latent space that folds back, and the choice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from triage.example import Example
from triage.learning.examples import starter_examples
from triage.learning.training import TrainingRows, choose, train
from triage.model import linear
from triage.model.linear import blend_classifiers, fit_latent_space, fit_linear
from triage.model.pipeline import LinearClassifier
from triage.model.text_features import fit_features, fit_words, folded
from triage.text import normalise

TEXTS = [normalise(example.text) for example in starter_examples(("en", "de"))][::9]


def test_character_columns_are_those_of_the_plain_vectoriser() -> None:
    features, matrix = fit_features(TEXTS)
    vectoriser = TfidfVectorizer(
        preprocessor=folded, analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32
    )
    wanted = vectoriser.fit_transform(TEXTS)
    characters = matrix[:, len(features.words) :]
    order = [features.characters[gram] for gram in vectoriser.get_feature_names_out()]
    assert characters.shape == wanted.shape
    assert abs(characters[:, order] - wanted).max() < 1e-6


def test_word_columns_are_those_of_the_plain_vectoriser() -> None:
    features, matrix = fit_features(TEXTS)
    vectoriser = TfidfVectorizer(preprocessor=folded, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    wanted = vectoriser.fit_transform(TEXTS)
    assert list(features.words) == vectoriser.get_feature_names_out().tolist()
    assert abs(matrix[:, : len(features.words)] - wanted).max() < 1e-6


def test_only_the_most_frequent_words_in_enough_texts_are_kept() -> None:
    texts = ["late bus", "late bus late", "bus stop", "old stop"]
    vocabulary, counts = fit_words(texts, min_df=2, max_features=3)
    assert list(vocabulary) == ["bus", "late", "stop"]
    assert counts.toarray().tolist() == [[1, 1, 0], [1, 2, 0], [1, 0, 1], [0, 0, 1]]
    assert list(fit_words(texts, min_df=2, max_features=9)[0]) == ["bus", "late", "late bus", "stop"]


def test_columns_are_sorted_so_that_no_fit_sorts_a_copy() -> None:
    _, matrix = fit_features(TEXTS)
    columns = np.split(matrix.indices, matrix.indptr[1:-1])
    assert all((np.diff(row) > 0).all() for row in columns)


def test_a_single_text_has_the_same_columns_as_in_a_batch() -> None:
    features, matrix = fit_features(TEXTS)
    assert abs(features.transform([TEXTS[3]]) - matrix[3]).max() < 1e-6
    assert features.transform([""]).nnz == 0


def test_a_latent_classifier_folds_back_to_the_same_decisions() -> None:
    _, matrix = fit_features(TEXTS)
    labels = np.arange(len(TEXTS), dtype=np.int64) % 3
    space = fit_latent_space(matrix, seed=0)
    assert space is not None
    wide = space.widen(matrix)
    classifier = fit_linear("svm", wide, labels, categories=3, seed=0)
    assert np.allclose(space.fold_back(classifier).decide(matrix), classifier.decide(wide), atol=1e-3)


def test_blended_classifiers_decide_as_the_sum_of_their_parts() -> None:
    _, matrix = fit_features(TEXTS)
    labels = np.arange(len(TEXTS), dtype=np.int64) % 3
    parts = {kind: fit_linear(kind, matrix, labels, categories=3, seed=0) for kind in ("svm", "regression")}
    both = blend_classifiers(parts, {"svm": 0.5, "regression": 2.0}).decide(matrix)
    assert np.allclose(
        both, parts["svm"].decide(matrix) / 0.5 + parts["regression"].decide(matrix) / 2, atol=1e-3
    )


@pytest.mark.parametrize("kind", ["svm", "regression"])
def test_the_larger_tolerance_for_many_rows_decides_almost_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = starter_examples(("en", "de"))
    names = sorted({example.category for example in examples})
    labels = np.array([names.index(example.category) for example in examples])
    _, matrix = fit_features([normalise(example.text) for example in examples])
    rest = np.arange(len(examples)) % 4 > 0

    def decided() -> np.ndarray:
        classifier = fit_linear(kind, matrix[rest], labels[rest], categories=len(names), seed=0)
        return classifier.decide(matrix[~rest])

    near = decided()
    monkeypatch.setattr(linear, "_MANY_ROWS", int(rest.sum()))
    far = decided()
    assert 0 < np.abs(far - near).mean() < 0.02 * near.std()


def test_a_category_absent_from_the_rows_is_never_predicted() -> None:
    _, matrix = fit_features(TEXTS)
    labels = np.arange(len(TEXTS), dtype=np.int64) % 2
    classifier = fit_linear("svm", matrix, labels, categories=3, seed=0)
    assert isinstance(classifier, LinearClassifier)
    assert (classifier.decide(matrix)[:, 2] == -1).all()


SHORT = [
    Example(f"{verb} my {thing}", thing.split()[0])
    for thing in (
        "card", "account", "transfer", "limit", "pin", "statement", "app", "loan", "address", "cheque",
        "deposit", "fee", "rate", "branch", "salary", "payment", "refund", "alert", "invoice", "passport",
    )
    for verb in ("lost", "where is", "please change", "cannot see", "how about", "problem with")
]  # fmt: skip


def test_every_candidate_is_compared_and_the_card_has_the_reason() -> None:
    model = train(SHORT)
    assert set(model.facts["candidates"]) == {"svm", "regression", "blend"}
    chosen = model.facts["choice"].split(":")[0]
    assert chosen in model.facts["candidates"]
    assert "log-loss on 120 held-back rows" in model.facts["choice"]


def test_another_candidate_replaces_the_svm_only_if_clearly_better() -> None:
    _, matrix = fit_features(TEXTS)
    noise = np.random.default_rng(0).integers(0, 3, len(TEXTS) - 3)
    choice = choose(TrainingRows(matrix, noise, np.ones(len(noise), dtype=bool)), seed=0)
    best = min(choice.losses.values())
    assert choice.name == "svm" or choice.losses[choice.name] == pytest.approx(best)
    assert choice.losses["svm"] - best < 0.2 or choice.name != "svm"
