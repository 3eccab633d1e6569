"""Minimum figures of the model on its first day, trained from the starter examples alone.

`heldout.csv` has 75 texts for each language, written separately from the starters. A worse pipeline or a damaged
starter file fails here.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from tests.shared_models import starter_model
from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import read_examples
from triage.encoder import installed_encoder
from triage.learning import examples, training
from triage.learning.evaluation import evaluate
from triage.learning.examples import (
    CATEGORIES,
    starter_examples,
    starter_languages,
    starter_version,
    train_starter,
)
from triage.learning.training import train
from triage.matching import fold
from triage.model.pipeline import Model
from triage.model.text_features import WORD, folded
from triage.text import guess_language, normalise

HELD_OUT = read_examples(
    Path(__file__).with_name("heldout.csv"), columns=ColumnNames(language="language"), categories=CATEGORIES
).examples
STARTED = ("de", "en", "es", "tr")
DANGER_WORDS = {
    "en": r"\bfire|hospital|burn|police|hurt",
    "tr": r"itfaiye|hastane|yang[ıi]n|yaral|yanan",
    "de": r"feuer|krankenhaus|spital|brand\b|rettung",
    "es": r"bombero|hospital|incendio|quem",
}
MENTIONS = [
    ("en", "bill", {"money", "handling", "goods", "service", "contract"}),
    ("en", "warranty", {"guarantee"}),
    ("en", "contract", {"contract", "discrimination", "supply"}),
    ("en", "refund", {"safety", "compensation", "money", "refusal"}),
    ("tr", "fatura", {"money", "handling", "staff_conduct", "goods", "supply"}),
    ("tr", "sözleşme", {"contract", "discrimination"}),
    ("tr", "iade", {"money", "safety", "goods"}),
    ("de", "rechnung", {"money", "handling", "safety", "guarantee", "staff_conduct"}),
    ("de", "vertrag", {"contract", "handling", "information"}),
    ("de", "garantie", {"guarantee", "staff_conduct"}),
    ("es", "factura", {"money", "handling", "safety", "supply", "other"}),
    ("es", "contrato", {"contract", "discrimination", "privacy"}),
    ("es", "garantía", {"guarantee", "staff_conduct"}),
]


@pytest.fixture(scope="module")
def model() -> Model:
    return starter_model(("en", "tr"))


@pytest.fixture(scope="module")
def wide() -> Model:
    """The model of a desk with all four languages."""
    return starter_model(STARTED)


@pytest.mark.parametrize("language", STARTED)
def test_every_language_has_enough_starters_in_every_category(language: str) -> None:
    counts = Counter(example.category for example in starter_examples((language,)))
    assert set(counts) == set(CATEGORIES)
    assert min(counts.values()) >= 31


def test_there_are_starters_in_four_languages() -> None:
    assert starter_languages() == STARTED


@pytest.mark.parametrize("language", STARTED)
def test_every_row_of_a_starter_file_can_be_read(language: str) -> None:
    file = resources.files("triage").joinpath("starter", f"{language}.csv")
    table = read_examples(file.read_bytes(), columns=ColumnNames(severity="severity"), categories=CATEGORIES)
    assert table.refused == ()
    assert [example.text for example in table.examples] == [
        example.text for example in starter_examples((language,))
    ]


@pytest.mark.parametrize("language", STARTED)
def test_every_category_has_short_and_long_starters(language: str) -> None:
    lengths: dict[str, list[int]] = {category: [] for category in CATEGORIES}
    for example in starter_examples((language,)):
        lengths[example.category].append(len(example.text.split()))
    for counts in lengths.values():
        assert sum(60 <= length <= 160 for length in counts) >= 6
        assert sum(length < 60 for length in counts) >= 25
        assert min(counts) <= 4
        assert max(counts) <= 160


def test_starters_are_neither_repeated_nor_without_a_severity() -> None:
    examples = starter_examples(STARTED)
    assert len({fold(normalise(example.text)).text for example in examples}) == len(examples)
    assert all(example.severity in (1, 2, 3, 4, 5) for example in examples)


@pytest.mark.parametrize("language", STARTED)
def test_severity_differs_within_categories(language: str) -> None:
    examples = starter_examples((language,))
    assert {example.severity for example in examples} == {1, 2, 3, 4, 5}
    grave = {example.category for example in examples if (example.severity or 0) >= 4}
    assert len(grave - {"safety", "discrimination"}) >= 8


@pytest.mark.parametrize("language", STARTED)
def test_some_mild_starters_contain_words_of_danger(language: str) -> None:
    lookalikes = re.compile(DANGER_WORDS[language], re.IGNORECASE)
    mild = [
        example
        for example in starter_examples((language,))
        if (example.severity or 0) <= 2 and lookalikes.search(example.text)
    ]
    assert len(mild) >= 4


@pytest.mark.parametrize(("language", "stem", "categories"), MENTIONS)
def test_starters_of_several_categories_share_words(language: str, stem: str, categories: set[str]) -> None:
    mentioned_in = {
        example.category for example in starter_examples((language,)) if stem in example.text.casefold()
    }
    assert mentioned_in >= categories


@pytest.mark.parametrize("language", STARTED)
def test_the_language_of_a_starter_is_guessed_correctly(language: str) -> None:
    texts = [e.text for e in starter_examples((language,)) if len(e.text.split()) >= 5]
    right = sum(guess_language(text, ("en", "tr", "de", "es")) == language for text in texts)
    assert right / len(texts) >= 0.97


def test_no_held_out_text_is_a_starter() -> None:
    starters = {fold(normalise(example.text)).text for example in starter_examples(STARTED)}
    assert [example for example in HELD_OUT if fold(normalise(example.text)).text in starters] == []


@pytest.mark.parametrize(
    ("language", "accuracy", "macro_f1", "surest"), [("en", 0.84, 0.83, 0.91), ("tr", 0.80, 0.80, 0.91)]
)
def test_the_first_model_reaches_its_minimum_figures(
    model: Model, language: str, accuracy: float, macro_f1: float, surest: float
) -> None:
    figures = evaluate(model, [example for example in HELD_OUT if example.language == language])
    assert figures["rows"] == 75
    assert figures["accuracy"] >= accuracy
    assert figures["macro_f1"] >= macro_f1
    assert figures["accuracy_at_80"] >= surest


@pytest.mark.parametrize(
    ("language", "accuracy", "macro_f1", "surest"),
    [
        ("en", 0.84, 0.84, 0.89),
        ("tr", 0.76, 0.76, 0.86),
        ("de", 0.76, 0.75, 0.81),
        ("es", 0.72, 0.71, 0.82),
    ],
)
def test_a_model_of_four_languages_reaches_its_minimum_figures_in_each(
    wide: Model, language: str, accuracy: float, macro_f1: float, surest: float
) -> None:
    figures = evaluate(wide, [example for example in HELD_OUT if example.language == language])
    assert figures["rows"] == 75
    assert figures["accuracy"] >= accuracy
    assert figures["macro_f1"] >= macro_f1
    assert figures["accuracy_at_80"] >= surest
    assert figures["precision"] >= 0.83


def test_no_language_has_fewer_starters_than_another() -> None:
    counts = Counter(example.language for example in starter_examples(STARTED))
    assert min(counts.values()) >= 877
    assert max(counts.values()) - min(counts.values()) <= 10


@pytest.mark.parametrize("language", STARTED)
def test_every_category_has_grave_starters(language: str) -> None:
    grave = Counter(e.category for e in starter_examples((language,)) if (e.severity or 0) >= 4)
    # Nobody is harmed by what belongs to no other category.
    assert {category for category in CATEGORIES if grave[category] < 2} == {"other"}
    assert grave.total() >= 145


def test_the_starters_of_all_languages_keep_the_words_that_occur_in_one_text(wide: Model) -> None:
    counts = Counter(
        word for e in starter_examples(STARTED) for word in set(WORD.findall(folded(normalise(e.text))))
    )
    rare = [word for word, count in counts.items() if count == 1]
    assert sum(word in wide.features.words for word in rare) / len(rare) > 0.9


def test_the_first_model_is_not_overconfident(model: Model) -> None:
    rows = [example for example in HELD_OUT if example.language in ("en", "tr")]
    figures = evaluate(model, rows)
    assert figures["precision"] >= 0.87
    # Its calibration comes from folds of harder texts, so it may be too careful; over-confidence fails.
    probabilities = model.word_probabilities(model.matrix([example.text for example in rows]))
    assert float(probabilities.max(axis=1).mean()) <= figures["accuracy"] + 0.05
    assert figures["ece"] <= 0.25


def test_held_out_starters_are_classified_far_above_chance(model: Model) -> None:
    assert model.facts["accuracy"] >= 0.50
    assert model.facts["log_loss"] <= 1.65
    assert model.facts["ece"] <= 0.12
    assert model.facts["ece_interval"][0] <= model.facts["ece"]


def test_probabilities_sum_to_one(model: Model) -> None:
    texts = [example.text for example in HELD_OUT] + ["", "🔥", "a" * 100_000, "?"]
    probabilities = model.word_probabilities(model.matrix(texts))
    assert probabilities.shape == (len(texts), len(CATEGORIES))
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert float(probabilities.min()) > 0


def test_only_trained_categories_are_proposed(model: Model) -> None:
    assert set(model.categories) == set(CATEGORIES)
    assert set(starter_model(("en",)).categories) == set(CATEGORIES)


def test_a_language_without_starters_uses_the_english_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "train", lambda rows, encoder: rows)
    assert examples._train_once.__wrapped__(("en",)) == starter_examples(("en",))
    monkeypatch.setattr(examples, "_train_once", lambda languages: languages)
    assert train_starter(("fi",)) == ("en",)
    assert starter_version(("fi",)) == starter_version(("en",))


def test_the_same_starters_give_the_same_model() -> None:
    model, again = starter_model(("en",)), train(starter_examples(("en",)), encoder=installed_encoder())
    assert again.version == model.version
    assert np.array_equal(again.linear.weights, model.linear.weights)
    assert again.threshold == model.threshold
