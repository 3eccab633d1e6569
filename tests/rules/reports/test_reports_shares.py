"""Shares and their Wilson intervals (8.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from reports.statistics import FEWEST, Share, wilson


@st.composite
def counts(draw: st.DrawFn, least: int = 1) -> tuple[int, int]:
    of = draw(st.integers(least, 5000))
    return draw(st.integers(0, of)), of


@given(counts())
def test_the_interval_equals_scipys_wilson_interval(count: tuple[int, int]) -> None:
    expected = binomtest(*count).proportion_ci(method="wilson")
    assert wilson(*count) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(counts())
def test_the_interval_contains_the_share_and_lies_between_0_and_1(count: tuple[int, int]) -> None:
    low, high = wilson(*count)
    assert 0 <= low <= count[0] / count[1] <= high <= 1


@given(counts())
def test_the_complement_has_the_mirrored_interval(count: tuple[int, int]) -> None:
    hits, of = count
    low, high = wilson(hits, of)
    assert wilson(of - hits, of) == pytest.approx((1 - high, 1 - low))


@given(counts(), st.integers(2, 20))
def test_more_data_with_the_same_share_narrows_the_interval(count: tuple[int, int], times: int) -> None:
    low, high = wilson(*count)
    closer_low, closer_high = wilson(count[0] * times, count[1] * times)
    assert closer_high - closer_low < high - low


@given(st.integers(0, FEWEST - 1).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_fewer_than_ten_are_not_shown_as_a_share(count: tuple[int, int]) -> None:
    share = Share(*count)
    assert (share.value, share.interval) == (None, None)


@given(counts(least=FEWEST))
def test_ten_or_more_are_shown(count: tuple[int, int]) -> None:
    share = Share(*count)
    assert share.value == count[0] / count[1]
    assert share.interval == wilson(*count)


def test_nine_of_ten_gives_the_textbook_interval() -> None:
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)


@pytest.mark.parametrize("count", [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_more_hits_than_cases_or_no_cases_are_refused(count: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(*count)
