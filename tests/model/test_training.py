"""Training on any organisation's examples: few rows, rare categories, one class, duplicates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.shared_models import starter_model
from triage.errors import UnusableExamples
from triage.example import Example
from triage.learning import training
from triage.learning.evaluation import evaluate
from triage.learning.examples import starter_examples
from triage.learning.training import train, usable
from triage.proposal import propose
from triage.text import normalise


def few(category: str, *texts: str, severity: int | None = None) -> list[Example]:
    return [Example(text, category, severity) for text in texts]


LIFTS = few(
    "lift", "lift stuck again", "the lift is out of order", "elevator broken", "lift doors jam", "no lift"
)
BINS = few(
    "bins",
    "bins not emptied",
    "rubbish everywhere",
    "bin lorry missed us",
    "waste not collected",
    "full bins",
)


WORDS_AND_PEOPLE = [
    *(("five", f"p{number}") for number in range(5)),
    *(("four", f"p{number}") for number in range(4)),
    *(("alone", "p9") for _ in range(8)),
    *((f"shared house{number}", f"p{number}") for number in range(5)),
]


def test_an_organisation_may_use_its_own_categories() -> None:
    model = train(LIFTS + BINS)
    assert model.categories == ("bins", "lift")
    assert propose(model, "the lift does not work").category == "lift"
    assert propose(model, "nobody emptied the bins").category == "bins"


def test_a_category_with_one_row_is_learnt() -> None:
    model = train(LIFTS + BINS + few("pool", "the swimming pool is closed"))
    assert "pool" in model.categories
    assert propose(model, "swimming pool closed").category == "pool"
    probabilities = model.word_probabilities(model.matrix(["anything else"]))
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_one_category_alone_is_refused_with_a_remedy() -> None:
    with pytest.raises(UnusableExamples, match="starter examples"):
        train(LIFTS)


def test_no_examples_are_refused() -> None:
    with pytest.raises(UnusableExamples, match="at least 6 in 2"):
        train([])


def test_rows_without_words_or_category_and_duplicates_are_left_out() -> None:
    rows = [*LIFTS, *BINS, LIFTS[0], Example("", "lift"), Example("text", ""), Example("<br>", "lift")]
    assert usable(rows) == LIFTS + BINS


def test_each_text_is_normalised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def record_and_normalise(text: str) -> str:
        read.append(text)
        return normalise(text)

    monkeypatch.setattr(training, "normalise", record_and_normalise)
    train(LIFTS + BINS)
    assert read == [*(row.text for row in LIFTS + BINS), "bins", "lift"]


def test_the_order_of_the_examples_does_not_change_the_version() -> None:
    assert train(LIFTS + BINS).version == train(BINS + LIFTS).version
    assert train(LIFTS + BINS).version != train(LIFTS + BINS[:-1]).version


def test_other_thresholds_change_the_version() -> None:
    plain = train(LIFTS + BINS)
    assert train(LIFTS + BINS, wanted_precision=0.9, alert_rate=0.1).version == plain.version
    assert train(LIFTS + BINS, wanted_precision=0.8).version != plain.version
    assert train(LIFTS + BINS, alert_rate=0.05).version != plain.version


def test_corrections_teach_the_model() -> None:
    confirmed = few(
        "service", "the fountain in the park is dry", "park fountain off again", "why is the fountain off",
        "the fountain does not run", "no water in the park fountain", "fountain broken",
    )  # fmt: skip
    before = starter_model(("en",))
    after = train([*starter_examples(("en",)), *confirmed])
    assert propose(before, "the fountain is still off").category != "service"
    assert propose(after, "the fountain is still off").category == "service"


def test_without_severities_there_is_no_critical_classifier() -> None:
    model = train(LIFTS + BINS)
    assert model.critical is None
    assert propose(model, "the lift is stuck").p_critical is None


def test_severities_teach_what_is_critical() -> None:
    model = starter_model(("en", "tr"))
    assert model.critical is not None
    grave = propose(model, "a loose tile fell from your roof beside my daughter")
    calm = propose(model, "I do not like your new colours")
    assert grave.p_critical is not None
    assert calm.p_critical is not None
    assert grave.p_critical > calm.p_critical


def test_an_evaluation_has_the_figures_of_the_contract() -> None:
    model = starter_model(("en",))
    figures = evaluate(model, starter_examples(("en",)))
    assert {
        "accuracy", "macro_f1", "log_loss", "ece", "accuracy_at_80", "categories", "severity",
        "unknown_categories"
    } <= set(figures)  # fmt: skip
    assert set(figures["categories"]["money"]) == {"rows", "precision", "recall", "f1"}
    assert set(figures["severity"]) == {
        "rows", "critical", "recall_at_10", "recall_at_10_interval", "rules_recall", "rules_false_alarms", "recall",
        "recall_interval", "false_alarms",
    }  # fmt: skip
    assert figures["accuracy"] > 0.95
    for place, key in ((figures, "coverage"), (figures, "precision"), (figures["severity"], "recall_at_10")):
        low, high = place[f"{key}_interval"]
        assert low <= place[key] <= high


def test_a_label_unknown_to_the_model_counts_as_wrong_and_is_listed() -> None:
    model = train([replace(row, written=True) for row in LIFTS + BINS])
    figures = evaluate(model, [*LIFTS, Example("the pool is closed", "pool")])
    assert figures["unknown_categories"] == ["pool"]
    assert figures["accuracy"] == pytest.approx(5 / 6, abs=1e-3)
    # It was never predicted, but counts in the mean over the categories that occur.
    known_f1 = next(category["f1"] for category in figures["categories"].values() if category["rows"])
    assert figures["macro_f1"] == pytest.approx(known_f1 / 2, abs=1e-3)
    low, high = figures["macro_f1_interval"]
    assert low <= figures["macro_f1"] <= high


def test_an_evaluation_without_rows_is_refused() -> None:
    with pytest.raises(UnusableExamples, match="column names"):
        evaluate(train(LIFTS + BINS), [])


def test_a_categorys_own_name_is_an_example_of_it() -> None:
    texts = ("closed again", "too cold", "the showers are dirty")
    chances = []
    for name in ("swimming_pool", "x9"):
        model = train(LIFTS + BINS + few(name, *texts))
        row = model.word_probabilities(model.matrix(["the swimming pool"]))[0]
        chances.append(row[model.categories.index(name)])
    assert chances[0] > chances[1] + 0.1


def test_two_categories_are_learnt_even_if_one_has_a_single_row() -> None:
    model = train([*LIFTS, *few("pool", "the swimming pool is closed")])
    assert propose(model, "swimming pool closed").category == "pool"


def test_a_word_in_no_labelled_row_is_learnt_from_unlabelled_texts() -> None:
    """ "Hoist" is in no labelled row; unassessed complaints use it with words that are."""
    unlabelled = [f"hoist {row.text} hoist number {number}" for number in range(80) for row in LIFTS]
    without, with_them = train(LIFTS + BINS), train(LIFTS + BINS, unlabelled=unlabelled)
    text = "hoist hoist"
    assert with_them.facts["latent"]
    assert with_them.facts["unlabelled"] == len(unlabelled)
    lift = with_them.categories.index("lift")
    after, before = (
        model.word_probabilities(model.matrix([text]))[0][lift] for model in (with_them, without)
    )
    assert after > before + 0.05


def test_figures_come_from_real_rows_if_there_are_enough() -> None:
    every = starter_examples(("en",))
    starters = every[::3]
    real = [
        Example(f"{example.text} ({n})", example.category, example.severity)
        for n, example in enumerate(every[:250])
    ]
    assert all(example.written for example in starters)
    assert "on 250 held-back rows" in train([*starters, *real]).facts["choice"]
    assert f"on {len(starters) + 100} held-back rows" in train([*starters, *real[:100]]).facts["choice"]


def test_reported_progress_only_grows_and_ends_at_one() -> None:
    shares: list[float] = []
    train(LIFTS + BINS, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_model_keeps_a_word_of_complaints_only_if_five_people_used_it() -> None:
    rows = [
        *(
            Example(f"the lift at {word} is stuck", "lift", person=person)
            for word, person in WORDS_AND_PEOPLE
        ),
        *(replace(row, written=True) for row in LIFTS + BINS),
    ]
    words = train(rows).features.words
    assert {"five", "shared", "stuck"} <= words.keys()
    assert words.keys().isdisjoint({"four", "alone"})


def test_the_same_words_of_five_people_count_for_each_of_them() -> None:
    rows = [Example("quokka in the lift", "lift", person=f"p{number}") for number in range(5)]
    written = [replace(row, written=True) for row in LIFTS + BINS]
    assert "quokka" in train([*written, *rows]).features.words
    assert "quokka" not in train([*written, *rows[:4]]).features.words


def test_unassessed_complaints_of_few_people_add_no_word() -> None:
    written = [replace(row, written=True) for row in LIFTS + BINS]
    texts = [f"quokka in the lift, day {number}" for number in range(6)]
    assert "quokka" in train(written, unlabelled=texts).features.words
    model = train(written, unlabelled=texts, unlabelled_people=["p1", "p2", "p3", "p4", "p4", "p4"])
    assert "quokka" not in model.features.words
    assert not any("quok" in term for term in (*model.features.words, *model.features.characters))
