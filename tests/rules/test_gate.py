"""The gate: a candidate is used only where it is not worse, judged on rows that neither has learnt from."""

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


def said(
    labels: Sequence[int],
    *,
    right: Sequence[bool],
    sure: float = 0.9,
    scores: Sequence[float] | None = None,
    alerts: Sequence[bool] | None = None,
) -> ModelAnswers:
    """Answers that are right where told, with this probability for what they propose."""
    n = len(labels)
    proposed = [label if ok else (label + 1) % K for label, ok in zip(labels, right, strict=True)]
    probabilities = np.full((n, K), (1 - sure) / (K - 1))
    probabilities[np.arange(n), proposed] = sure
    return ModelAnswers(
        probabilities,
        np.zeros(n) if scores is None else np.array(scores, dtype=float),
        np.zeros(n, dtype=bool) if alerts is None else np.array(alerts),
    )


def a_part(
    labels: Sequence[int],
    candidate: ModelAnswers,
    active: ModelAnswers | None,
    severities: Sequence[float] | None = None,
    name: str = "fixed",
) -> LabelledRows:
    """Rows with their truth and what both said."""
    known = np.full(len(labels), np.nan) if severities is None else np.array(severities, dtype=float)
    return LabelledRows(name, ("a", "b", "c"), np.array(labels), known, candidate, active)


def a_model(**facts: Any) -> Model:
    """A model of which only the card counts here."""
    return cast("Model", SimpleNamespace(facts=facts))


LABELS = [0, 1, 2] * 40
GOOD = said(LABELS, right=[n % 5 != 0 for n in range(120)])
POOR = said(LABELS, right=[n % 5 > 2 for n in range(120)])


def verdict(candidate: ModelAnswers, active: ModelAnswers, severities: Sequence[float] | None = None) -> Any:
    """Of one part."""
    return weigh([a_part(LABELS, candidate, active, severities)], a_model(), has_active=True)


def test_a_better_candidate_passes_and_a_worse_one_does_not() -> None:
    assert verdict(GOOD, POOR).passes
    turned_away = verdict(POOR, GOOD)
    assert not turned_away.passes
    assert "macro-F1 0.800 -> 0.400" in turned_away.reasons[0]


def test_the_same_answers_pass() -> None:
    assert verdict(GOOD, GOOD).passes


def test_one_that_is_as_often_right_but_falsely_sure_does_not_pass() -> None:
    proud = said(LABELS, right=[n % 5 != 0 for n in range(120)], sure=0.9999)
    found = verdict(proud, GOOD)
    assert not found.passes
    assert [reason.split(":")[1].split()[0] for reason in found.reasons] == ["log-loss"]


def test_a_fall_that_may_be_chance_but_is_large_does_not_pass() -> None:
    labels = [0, 1, 2] * 10
    active = said(labels, right=[n % 5 != 0 for n in range(30)])
    candidate = said(labels, right=[n == 0 or (n % 5 != 0 and n > 3) for n in range(30)])
    found = weigh([a_part(labels, candidate, active)], a_model(), has_active=True)
    low, value, high = found.figures["fixed"]["difference"]["macro_f1"]
    assert low < value < -0.02 < high
    assert not found.passes


def test_both_sets_must_pass() -> None:
    parts = [a_part(LABELS, GOOD, POOR), a_part(LABELS, POOR, GOOD, name="recent")]
    found = weigh(parts, a_model(), has_active=True)
    assert not found.passes
    assert {reason.split(":")[0] for reason in found.reasons} == {"recent"}


def test_missing_one_critical_complaint_more_is_enough_to_be_turned_away() -> None:
    severities = [5 if n < 10 else 2 for n in range(120)]
    all_caught, one_missed = [n < 10 for n in range(120)], [n < 9 for n in range(120)]
    ranked = [1.0 if n < 10 else 0.0 for n in range(120)]
    right = [n % 5 != 0 for n in range(120)]
    before = said(LABELS, right=right, scores=ranked, alerts=all_caught)
    after = said(LABELS, right=right, scores=ranked, alerts=one_missed)
    found = verdict(after, before, severities)
    assert not found.passes
    assert found.reasons == ("Of severity >= 4 it misses 1, the one in use 0.",)
    assert verdict(before, after, severities).passes


NEW = np.arange(300) >= 250
LONG = [0, 1, 2] * 100
BEFORE = [n % 4 != 0 for n in range(250)]


def newest(right: Sequence[bool], right_before: Sequence[bool] | None = None) -> Any:
    """The verdict where fifty of three hundred rows are new and both are right of the others in three of four; the
    candidate, right of these, is less sure of itself than the one in use, which is right of every tenth of them or
    of those told.
    """
    before = [n % 10 == 0 for n in range(50)] if right_before is None else right_before
    active = said(LONG, right=[*BEFORE, *before], sure=0.98)
    candidate = said(LONG, right=[*BEFORE, *right], sure=0.7)
    return weigh([replace(a_part(LONG, candidate, active), new=NEW)], a_model(), has_active=True)


def test_labels_that_no_model_can_tell_from_the_words_are_turned_away_though_every_figure_is_better() -> None:
    found = newest([n % 10 == 5 for n in range(50)])
    difference = found.figures["fixed"]["difference"]
    assert (difference["log_loss"][0] > 0, difference["macro_f1"][1] >= 0) == (True, True)
    assert not found.passes
    assert found.reasons[0].startswith("The newest 50 assessments look as if drawn by lot: right in 0.10")


@pytest.mark.parametrize(
    "learnt",
    [[n % 4 != 0 for n in range(50)], [n % 5 > 2 for n in range(50)], [n % 10 < 3 for n in range(50)]],
    ids=["as well as the others", "less well", "poorly"],
)
def test_new_rows_that_can_be_learnt_from_are_not_taken_for_drawn_by_lot(learnt: Sequence[bool]) -> None:
    assert newest(learnt).passes


def test_new_rows_as_hard_for_both_as_those_before_are_no_lot() -> None:
    right = [n % 4 != 0 for n in range(50)]
    assert newest(right, right).passes


def test_a_handful_of_new_rows_cannot_look_drawn_by_lot() -> None:
    right = [*BEFORE, *([True] * 41), *([False] * 9)]
    part = replace(a_part(LONG, said(LONG, right=right), said(LONG, right=right)), new=np.arange(300) >= 291)
    assert weigh([part], a_model(), has_active=True).passes


def test_catching_fewer_at_the_alert_budget_is_turned_away() -> None:
    severities = [5 if n < 20 else 2 for n in range(120)]
    right = [n % 5 != 0 for n in range(120)]
    before = said(LABELS, right=right, scores=[float(-n) for n in range(120)])
    after = said(LABELS, right=right, scores=[float(n) for n in range(120)])
    found = verdict(after, before, severities)
    assert found.figures["fixed"]["active"]["recall"] == 1.0
    assert found.figures["fixed"]["candidate"]["recall"] == 0.0
    assert "recall of severity >= 4" in found.reasons[0]


def test_without_a_model_in_use_the_candidate_must_beat_the_most_frequent_category() -> None:
    mostly = [0] * 90 + [1] * 10
    never = said(mostly, right=[n % 5 != 0 for n in range(100)])
    found = weigh([a_part(mostly, never, None)], a_model(), has_active=False)
    assert not found.passes
    assert "right in 0.80 of 100 confirmed complaints, the most frequent category in 0.90" in found.reasons[0]


@pytest.mark.parametrize(("accuracy", "passes"), [(0.51, True), (0.5, False), (0.3, False)])
def test_with_few_rows_the_card_speaks_against_the_guess(accuracy: float, passes: bool) -> None:
    model = a_model(accuracy=accuracy, categories={"a": 10, "b": 10})
    assert weigh([], model, has_active=False).passes is passes
    one = a_part([0], said([0], right=[False]), None)
    assert weigh([one], model, has_active=False).passes is passes


def test_with_nothing_to_compare_on_nothing_passes() -> None:
    found = weigh([], a_model(), has_active=True)
    assert (found.passes, found.reasons) == (
        False,
        ("There is no confirmed complaint to compare the two models on.",),
    )


class Fixed:
    """A model that always says one category of its own."""

    def __init__(self, *categories: str) -> None:
        self.categories, self.critical, self.facts = categories, None, {}

    def matrix(self, texts: Sequence[str]) -> int:
        """How many."""
        return len(texts)

    def probabilities(self, rows: int) -> Any:
        """Sure of its first category."""
        return np.tile(np.eye(len(self.categories))[0], (rows, 1))

    def read(self, _: Sequence[str], rows: int) -> Any:
        """The same with the texts at hand."""
        return self.probabilities(rows)

    def critical_probabilities(self, *_: Any) -> None:
        """Knows nothing of it."""


def test_categories_that_only_one_of_them_knows_count_as_wrong_with_the_other() -> None:
    rows = [Example("a text", "new")] * 40
    knows, not_yet = cast("Model", Fixed("new", "a")), cast("Model", Fixed("a", "b"))
    found = judge(knows, not_yet, fixed=rows, recent=())
    figures = found.figures["fixed"]
    assert (figures["candidate"]["accuracy"], figures["active"]["accuracy"], found.passes) == (1.0, 0.0, True)
    assert not judge(not_yet, knows, fixed=rows, recent=()).passes


def test_a_severity_that_the_rules_raise_counts_for_both() -> None:
    rows = [Example("The boiler is on fire and my son was burnt.", "a", 5), Example("A bill.", "a", 1)] * 20
    same = cast("Model", Fixed("a", "b"))
    figures = judge(same, same, fixed=rows, recent=()).figures["fixed"]["candidate"]
    assert (figures["critical"], figures["missed"], figures["recall"]) == (20, 0, 1.0)


rows = st.lists(
    st.tuples(st.integers(0, K - 1), st.booleans(), st.booleans(), st.sampled_from([1.0, 3.0, 5.0, np.nan])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=25)
@given(rows)
def test_no_model_is_turned_away_against_itself_and_never_both_ways_round_by_an_interval(
    given_rows: Any,
) -> None:
    labels = [one[0] for one in given_rows]
    one = said(labels, right=[row[1] for row in given_rows], alerts=[row[1] for row in given_rows])
    other = said(labels, right=[row[2] for row in given_rows], alerts=[row[2] for row in given_rows])
    part = a_part(labels, one, other, [row[3] for row in given_rows])
    assert weigh([replace(part, active=one)], a_model(), has_active=True).passes
    ahead = weigh([part], a_model(), has_active=True).figures["fixed"]["difference"]["macro_f1"]
    back = weigh([replace(part, candidate=other, active=one)], a_model(), has_active=True)
    behind = back.figures["fixed"]["difference"]["macro_f1"]
    assert not (ahead[2] < 0 and behind[2] < 0)
    assert ahead[1] == pytest.approx(-behind[1], abs=2e-4)
