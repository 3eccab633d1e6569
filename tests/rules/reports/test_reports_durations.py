"""Kaplan-Meier medians with open cases censored (8.4)."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from reports.statistics import Survival, survival

days = st.integers(0, 60)
many = st.lists(days, max_size=80)


@given(st.lists(days, min_size=1, max_size=200))
def test_without_open_cases_the_result_is_the_plain_median(ended: list[int]) -> None:
    ordered, n = sorted(ended), len(ended)
    result = survival(ended)
    assert (result.median, result.p90) == (ordered[ceil(n * 0.5) - 1], ordered[ceil(n * 0.9) - 1])


@given(st.lists(days, min_size=1, max_size=80), many)
def test_the_quantiles_equal_those_of_scipys_survival_curve(ended: list[int], still_open: list[int]) -> None:
    curve = ecdf(CensoredData(uncensored=ended, right=still_open)).sf
    result = survival(ended, still_open)
    for part, quantile in ((0.5, result.median), (0.9, result.p90)):
        reached = curve.quantiles[np.asarray(curve.probabilities) <= 1 - part + 1e-9]
        assert quantile == (min(reached) if len(reached) else None)


@given(many, many, days)
def test_one_more_open_case_never_shortens_the_median(
    ended: list[int], still_open: list[int], age: int
) -> None:
    before, after = survival(ended, still_open), survival(ended, [*still_open, age])
    assert after.median is None or (before.median is not None and after.median >= before.median)


@given(many, many)
def test_every_case_is_counted_once(ended: list[int], still_open: list[int]) -> None:
    result = survival(ended, still_open)
    assert (result.ended, result.still_open, result.n) == (
        len(ended),
        len(still_open),
        len(ended) + len(still_open),
    )


@given(many)
def test_without_ended_cases_there_is_no_median(still_open: list[int]) -> None:
    assert survival([], still_open) == Survival(0, len(still_open), None, None)


def test_open_cases_raise_the_median() -> None:
    assert survival([1, 2, 3, 4]).median == 2
    assert survival([1, 2, 3, 4], [2, 2, 9, 9]).median == 4
    assert survival([1, 2, 3, 4], [9, 9, 9, 9, 9]).median is None


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        survival([3, -1])
