"""The gate: a candidate is used only if it is not worse, judged on rows that neither model learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.example import Example
from triage.learning.gate import LabelledRows, ModelAnswers, judge, weigh
from triage.model.pipeline import Model

K = 3


def answers_of(
    labels: Sequence[int],
    *,
    right: Sequence[bool],
    sure: float = 0.9,
    scores: Sequence[float] | None = None,
    alerts: Sequence[bool] | None = None,
) -> ModelAnswers:
    """Answers that are right as listed, with this probability for the proposed category."""
    n = len(labels)
    proposed = [label if ok else (label + 1) % K for label, ok in zip(labels, right, strict=True)]
    probabilities = np.full((n, K), (1 - sure) / (K - 1))
    probabilities[np.arange(n), proposed] = sure
    return ModelAnswers(
        probabilities,
        np.zeros(n) if scores is None else np.array(scores, dtype=float),
        np.zeros(n, dtype=bool) if alerts is None else np.array(alerts),
    )


def labelled_rows(
    labels: Sequence[int],
    candidate: ModelAnswers,
    active: ModelAnswers | None,
    severities: Sequence[float] | None = None,
    name: str = "fixed",
) -> LabelledRows:
    """Rows with their labels and the answers of both models."""
    severity_values = (
        np.full(len(labels), np.nan) if severities is None else np.array(severities, dtype=float)
    )
    return LabelledRows(name, ("a", "b", "c"), np.array(labels), severity_values, candidate, active)


def a_model(**facts: Any) -> Model:
    """A model of which only the card matters here."""
    return cast("Model", SimpleNamespace(facts=facts))


LABELS = [0, 1, 2] * 40
GOOD = answers_of(LABELS, right=[n % 5 != 0 for n in range(120)])
POOR = answers_of(LABELS, right=[n % 5 > 2 for n in range(120)])


def verdict(candidate: ModelAnswers, active: ModelAnswers, severities: Sequence[float] | None = None) -> Any:
    """The verdict on one set of rows."""
    return weigh([labelled_rows(LABELS, candidate, active, severities)], a_model(), has_active=True)


def test_a_better_candidate_passes_and_a_worse_one_does_not() -> None:
    assert verdict(GOOD, POOR).passes
    turned_away = verdict(POOR, GOOD)
    assert not turned_away.passes
    assert "macro-F1 0.800 -> 0.400" in turned_away.reasons[0]


def test_the_same_answers_pass() -> None:
    assert verdict(GOOD, GOOD).passes


def test_an_overconfident_candidate_does_not_pass() -> None:
    proud = answers_of(LABELS, right=[n % 5 != 0 for n in range(120)], sure=0.9999)
    result = verdict(proud, GOOD)
    assert not result.passes
    assert [reason.split(":")[1].split()[0] for reason in result.reasons] == ["log-loss"]


def test_a_large_drop_does_not_pass_even_if_it_may_be_chance() -> None:
    labels = [0, 1, 2] * 10
    active = answers_of(labels, right=[n % 5 != 0 for n in range(30)])
    candidate = answers_of(labels, right=[n == 0 or (n % 5 != 0 and n > 3) for n in range(30)])
    result = weigh([labelled_rows(labels, candidate, active)], a_model(), has_active=True)
    low, value, high = result.figures["fixed"]["difference"]["macro_f1"]
    assert low < value < -0.02 < high
    assert not result.passes


def test_both_sets_must_pass() -> None:
    parts = [labelled_rows(LABELS, GOOD, POOR), labelled_rows(LABELS, POOR, GOOD, name="recent")]
    result = weigh(parts, a_model(), has_active=True)
    assert not result.passes
    assert {reason.split(":")[0] for reason in result.reasons} == {"recent"}


def test_missing_one_more_critical_complaint_is_enough_to_refuse() -> None:
    severities = [5 if n < 10 else 2 for n in range(120)]
    all_caught, one_missed = [n < 10 for n in range(120)], [n < 9 for n in range(120)]
    ranked = [1.0 if n < 10 else 0.0 for n in range(120)]
    right = [n % 5 != 0 for n in range(120)]
    before = answers_of(LABELS, right=right, scores=ranked, alerts=all_caught)
    after = answers_of(LABELS, right=right, scores=ranked, alerts=one_missed)
    result = verdict(after, before, severities)
    assert not result.passes
    assert result.reasons == ("Of severity >= 4 it misses 1, the one in use 0.",)
    assert verdict(before, after, severities).passes


NEW = np.arange(300) >= 250
LONG = [0, 1, 2] * 100
BEFORE = [n % 4 != 0 for n in range(250)]


def verdict_on_new_rows(right: Sequence[bool], right_before: Sequence[bool] | None = None) -> Any:
    """The verdict where 50 of 300 rows are new.

    Both models are right in three of four old rows. The candidate is right in `right` of the new rows and
    less sure; the active model is right in every tenth of them or in `right_before`.
    """
    before = [n % 10 == 0 for n in range(50)] if right_before is None else right_before
    active = answers_of(LONG, right=[*BEFORE, *before], sure=0.98)
    candidate = answers_of(LONG, right=[*BEFORE, *right], sure=0.7)
    return weigh([replace(labelled_rows(LONG, candidate, active), new=NEW)], a_model(), has_active=True)


def test_unlearnable_new_labels_are_refused_even_if_every_figure_improves() -> None:
    result = verdict_on_new_rows([n % 10 == 5 for n in range(50)])
    difference = result.figures["fixed"]["difference"]
    assert (difference["log_loss"][0] > 0, difference["macro_f1"][1] >= 0) == (True, True)
    assert not result.passes
    assert result.reasons[0].startswith("The newest 50 assessments look as if drawn by lot: right in 0.10")


@pytest.mark.parametrize(
    "learnt",
    [[n % 4 != 0 for n in range(50)], [n % 5 > 2 for n in range(50)], [n % 10 < 3 for n in range(50)]],
    ids=["as well as the others", "less well", "poorly"],
)
def test_learnable_new_rows_are_not_taken_as_random(learnt: Sequence[bool]) -> None:
    assert verdict_on_new_rows(learnt).passes


def test_new_rows_as_hard_for_both_models_as_old_ones_are_not_random() -> None:
    right = [n % 4 != 0 for n in range(50)]
    assert verdict_on_new_rows(right, right).passes


def test_a_few_new_rows_cannot_look_random() -> None:
    right = [*BEFORE, *([True] * 41), *([False] * 9)]
    part = replace(
        labelled_rows(LONG, answers_of(LONG, right=right), answers_of(LONG, right=right)),
        new=np.arange(300) >= 291,
    )
    assert weigh([part], a_model(), has_active=True).passes


def test_lower_recall_at_the_alert_budget_is_refused() -> None:
    severities = [5 if n < 20 else 2 for n in range(120)]
    right = [n % 5 != 0 for n in range(120)]
    before = answers_of(LABELS, right=right, scores=[float(-n) for n in range(120)])
    after = answers_of(LABELS, right=right, scores=[float(n) for n in range(120)])
    result = verdict(after, before, severities)
    assert result.figures["fixed"]["active"]["recall"] == 1.0
    assert result.figures["fixed"]["candidate"]["recall"] == 0.0
    assert "recall of severity >= 4" in result.reasons[0]


def test_without_an_active_model_the_candidate_must_beat_the_most_frequent_category() -> None:
    mostly = [0] * 90 + [1] * 10
    never = answers_of(mostly, right=[n % 5 != 0 for n in range(100)])
    result = weigh([labelled_rows(mostly, never, None)], a_model(), has_active=False)
    assert not result.passes
    assert (
        "right in 0.80 of 100 confirmed complaints, the most frequent category in 0.90" in result.reasons[0]
    )


@pytest.mark.parametrize(("accuracy", "passes"), [(0.51, True), (0.5, False), (0.3, False)])
def test_with_few_rows_the_model_card_is_compared_with_guessing(accuracy: float, passes: bool) -> None:
    model = a_model(accuracy=accuracy, categories={"a": 10, "b": 10})
    assert weigh([], model, has_active=False).passes is passes
    part = labelled_rows([0], answers_of([0], right=[False]), None)
    assert weigh([part], model, has_active=False).passes is passes


def test_without_rows_to_compare_the_candidate_does_not_pass() -> None:
    result = weigh([], a_model(), has_active=True)
    assert (result.passes, result.reasons) == (
        False,
        ("There is no confirmed complaint to compare the two models on.",),
    )


class FixedModel:
    """A model that always gives its first category."""

    def __init__(self, *categories: str) -> None:
        self.categories, self.critical, self.facts = categories, None, {}

    def matrix(self, texts: Sequence[str]) -> int:
        return len(texts)

    def word_probabilities(self, rows: int) -> Any:
        return np.tile(np.eye(len(self.categories))[0], (rows, 1))

    def predict_proba(self, _: Sequence[str], rows: int) -> Any:
        return self.word_probabilities(rows)

    def critical_probabilities(self, *_: Any) -> None:
        """The gate does not need it here."""


class ReadingModel(FixedModel):
    """A model that takes each text for the name of its category."""

    def predict_proba(self, texts: Sequence[str], rows: int) -> Any:
        return np.array([[float(text == name) for name in self.categories] for text in texts])


def test_categories_that_only_the_candidate_has_are_not_compared_and_those_it_lacks_are_wrong() -> None:
    rows = [Example("a text", "new")] * 40
    knows, not_yet = cast("Model", FixedModel("new", "a")), cast("Model", FixedModel("a", "b"))
    result = judge(knows, not_yet, fixed=rows, recent=())
    figures = result.figures["fixed"]
    # Right in every row, but so is the guess of the most frequent category.
    assert (figures["candidate"]["accuracy"], figures["active"]["accuracy"], result.passes) == (
        1.0,
        None,
        False,
    )
    assert "knows none of these categories" in result.reasons[0]
    lacking = judge(not_yet, knows, fixed=rows, recent=())
    figures = lacking.figures["fixed"]
    assert (figures["candidate"]["accuracy"], figures["active"]["accuracy"], lacking.passes) == (
        0.0,
        1.0,
        False,
    )
    reads = cast("Model", ReadingModel("new", "newer"))
    mixed = [Example("new", "new"), Example("newer", "newer")] * 20
    assert judge(reads, not_yet, fixed=mixed, recent=()).passes


def test_a_severity_raised_by_the_rules_counts_for_both_models() -> None:
    rows = [Example("The boiler is on fire and my son was burnt.", "a", 5), Example("A bill.", "a", 1)] * 20
    same = cast("Model", FixedModel("a", "b"))
    figures = judge(same, same, fixed=rows, recent=()).figures["fixed"]["candidate"]
    assert (figures["critical"], figures["missed"], figures["recall"]) == (20, 0, 1.0)


rows = st.lists(
    st.tuples(st.integers(0, K - 1), st.booleans(), st.booleans(), st.sampled_from([1.0, 3.0, 5.0, np.nan])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=25)
@given(rows)
def test_a_model_equals_itself_and_two_models_never_both_lose(
    given_rows: Any,
) -> None:
    labels = [row[0] for row in given_rows]
    answers = answers_of(labels, right=[row[1] for row in given_rows], alerts=[row[1] for row in given_rows])
    other = answers_of(labels, right=[row[2] for row in given_rows], alerts=[row[2] for row in given_rows])
    part = labelled_rows(labels, answers, other, [row[3] for row in given_rows])
    assert weigh([replace(part, active=answers)], a_model(), has_active=True).passes
    ahead = weigh([part], a_model(), has_active=True).figures["fixed"]["difference"]["macro_f1"]
    back = weigh([replace(part, candidate=other, active=answers)], a_model(), has_active=True)
    behind = back.figures["fixed"]["difference"]["macro_f1"]
    assert not (ahead[2] < 0 and behind[2] < 0)
    assert ahead[1] == pytest.approx(-behind[1], abs=2e-4)
