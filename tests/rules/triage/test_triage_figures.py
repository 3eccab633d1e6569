"""The arithmetic of the model card, checked against cases calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model.calibration import fit_calibration, fit_sigmoid
from triage.model.prediction_metrics import (
    accuracy_at,
    alert_threshold,
    calibration_error,
    calibration_interval,
    f1_scores,
    log_loss,
    precision_threshold,
    recall_at_alerts,
    recall_interval,
)

P = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
Y = np.array([0, 1, 1, 1])


def test_calibration_error_is_the_mean_gap_of_confidence_and_hits() -> None:
    # Bins of width 1/15: each row has its own; gaps 0.1, 0.8, 0.4, 0.3.
    assert calibration_error(P, Y) == pytest.approx((0.1 + 0.8 + 0.4 + 0.3) / 4)


def test_log_loss_is_the_mean_surprise() -> None:
    assert log_loss(P, Y) == pytest.approx(-np.log([0.9, 0.2, 0.6, 0.7]).mean())
    assert log_loss(P[:1], np.array([-1])) == pytest.approx(-np.log(1e-6))


def test_f1_of_a_category_that_does_not_occur_is_unknown() -> None:
    scores = f1_scores(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert scores[:2].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(scores[2])


def test_accuracy_at_a_share_leaves_out_the_least_confident_rows() -> None:
    assert accuracy_at(P, Y, 0.5) == pytest.approx(0.5)
    assert accuracy_at(P, Y, 1.0) == pytest.approx(0.75)


def test_the_threshold_of_doubt_reaches_the_wanted_precision() -> None:
    sure = np.linspace(0.99, 0.5, 50)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    labels = np.array([0] * 40 + [1] * 10)
    threshold, coverage = precision_threshold(probabilities, labels, 0.9)
    kept = probabilities.max(axis=1) >= threshold
    assert (labels[kept] == 0).mean() >= 0.9
    assert coverage == pytest.approx(kept.mean())
    assert coverage >= 0.8


def test_an_unreachable_precision_makes_every_row_doubtful() -> None:
    probabilities = np.tile([0.6, 0.4], (20, 1))
    assert precision_threshold(probabilities, np.ones(20, dtype=np.int64), 0.9) == (1.0, 0.0)


def test_the_alert_budget_assumes_that_few_cases_are_critical() -> None:
    scores = np.concatenate([np.linspace(1, 0.6, 50), np.linspace(0.55, 0, 50)])
    critical = np.array([True] * 50 + [False] * 50)
    # All critical cases cost 6 %; the rest of the budget of 10 % is spent on others.
    assert recall_at_alerts(scores, critical, rate=0.10, prevalence=0.06) == 1.0
    assert recall_at_alerts(-scores, critical, rate=0.10, prevalence=0.06) == 0.0
    assert alert_threshold(scores, critical, rate=0.10, prevalence=0.06) < 0.56


@given(st.integers(0, 1_000))
def test_an_interval_usually_contains_its_figure(seed: int) -> None:
    random = np.random.default_rng(seed)
    sure = random.uniform(0.5, 1, 60)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    labels = (random.uniform(0, 1, 60) > sure).astype(np.int64)
    low, high = calibration_interval(probabilities, labels, rounds=40)
    assert 0 <= low <= high <= 1


def test_a_sigmoid_learns_frequencies() -> None:
    values = np.array([-1.0] * 100 + [1.0] * 100)
    positive = np.array([True] * 20 + [False] * 80 + [True] * 90 + [False] * 10)
    sigmoid = fit_sigmoid(values, positive)
    assert sigmoid.apply(np.array([-1.0, 1.0])).tolist() == pytest.approx([0.2, 0.9], abs=0.02)


@given(st.integers(0, 1_000), st.integers(2, 6))
def test_calibrated_rows_are_probabilities_even_with_rare_categories(seed: int, categories: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.concatenate([random.integers(0, categories, 30), np.arange(categories)])
    decisions = random.normal(-0.5, 1, (len(labels), categories)) + 2 * np.eye(categories)[labels]
    probabilities = fit_calibration(decisions, labels).apply(decisions * 40)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert float(probabilities.min()) > 0


def test_the_recall_of_critical_cases_is_within_its_interval_which_narrows_with_more_rows() -> None:
    widths = []
    for rows in (60, 600, 6_000):
        random = np.random.default_rng(1)
        critical = np.arange(rows) % 6 == 0
        scores = random.normal(size=rows) + 1.5 * critical
        low, high = recall_interval(scores, critical, rate=0.1, prevalence=0.06)
        assert low <= recall_at_alerts(scores, critical, rate=0.1, prevalence=0.06) <= high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.1


def test_without_critical_rows_their_recall_is_unknown() -> None:
    scores = np.linspace(0, 1, 9)
    assert recall_interval(scores, np.zeros(9, dtype=bool), rate=0.1, prevalence=0.06) == (0.0, 1.0)
