"""Gates on the model of the first day, trained from the starter examples alone.

`heldout.csv` holds texts written apart from the starters, 75 for each language; a worse pipeline or a harmed
starter file fails here.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from triage.csvfile import Columns, read_examples
from triage.evaluation import evaluate
from triage.pipeline import Model
from triage.starters import CATEGORIES, starter_examples, starter_languages, train_starter

HELD_OUT = read_examples(
    Path(__file__).with_name("heldout.csv"), columns=Columns(language="language"), categories=CATEGORIES
).examples


@pytest.fixture(scope="module")
def model() -> Model:
    return train_starter(("en", "tr"))


def test_every_language_has_enough_starters_in_every_category() -> None:
    assert starter_languages() == ("en", "tr")
    for language in starter_languages():
        counts = Counter(example.category for example in starter_examples((language,)))
        assert set(counts) == set(CATEGORIES)
        assert min(counts.values()) >= 25


def test_starters_are_neither_repeated_nor_without_a_severity() -> None:
    examples = starter_examples()
    assert len({example.text.casefold() for example in examples}) == len(examples)
    assert all(example.severity in (1, 2, 3, 4, 5) for example in examples)


def test_starters_mention_other_categories_words() -> None:
    texts = [(example.text.casefold(), example.category) for example in starter_examples(("en",))]
    assert {category for text, category in texts if "bill" in text} >= {"money", "handling"}
    assert {category for text, category in texts if "warranty" in text} >= {"guarantee"}
    assert {category for text, category in texts if "contract" in text} >= {"contract", "discrimination"}


def test_no_held_out_text_is_a_starter() -> None:
    starters = {example.text.casefold() for example in starter_examples()}
    assert [example for example in HELD_OUT if example.text.casefold() in starters] == []


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_first_model_is_right_often_enough(model: Model, language: str) -> None:
    figures = evaluate(model, [example for example in HELD_OUT if example.language == language])
    assert figures["rows"] == 75
    assert figures["accuracy"] >= 0.74
    assert figures["macro_f1"] >= 0.70
    assert figures["accuracy_at_80"] >= 0.82


def test_the_first_model_is_not_sure_of_itself_without_cause(model: Model) -> None:
    rows = [example for example in HELD_OUT if example.language in ("en", "tr")]
    figures = evaluate(model, rows)
    assert figures["precision"] >= 0.87
    # Its calibration comes from folds of harder texts, so it errs to the careful side; over-confidence fails.
    probabilities = model.probabilities(model.matrix([example.text for example in rows]))
    assert float(probabilities.max(axis=1).mean()) <= figures["accuracy"] + 0.05
    assert figures["ece"] <= 0.25


def test_held_back_starters_are_told_apart_far_above_chance(model: Model) -> None:
    assert model.facts["accuracy"] >= 0.50
    assert model.facts["log_loss"] <= 1.65
    assert model.facts["ece"] <= 0.12
    assert model.facts["ece_interval"][0] <= model.facts["ece"]


def test_probabilities_sum_to_one(model: Model) -> None:
    texts = [example.text for example in HELD_OUT] + ["", "🔥", "a" * 100_000, "?"]
    probabilities = model.probabilities(model.matrix(texts))
    assert probabilities.shape == (len(texts), len(CATEGORIES))
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert float(probabilities.min()) > 0


def test_only_trained_categories_can_come_out(model: Model) -> None:
    assert set(model.categories) == set(CATEGORIES)
    assert set(train_starter(("tr",)).categories) == set(CATEGORIES)


def test_a_language_without_starters_is_served_by_english() -> None:
    assert train_starter(("fi",)).version == train_starter(("en",)).version


def test_the_same_starters_give_the_same_model(model: Model) -> None:
    again = train_starter(("en", "tr"))
    assert again.version == model.version
    assert np.array_equal(again.plane.weights, model.plane.weights)
    assert again.threshold == model.threshold
