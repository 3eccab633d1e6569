"""Drift: a warning where proposals and confirmed labels part by more than chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.learning.drift import LEAST, MOST, DriftObservation, drift

T = datetime(2026, 11, 3, tzinfo=UTC)
NAMES = tuple("abcdefghijklmno")


def course(
    count: int,
    *,
    right: float,
    sure: float = 0.8,
    names: Callable[[int], Sequence[str]] = lambda _: NAMES,
    seed: int = 0,
) -> list[DriftObservation]:
    """Assessed complaints: so often right, with this probability, of these categories by number."""
    drawn = random.Random(seed)
    found = []
    for number in range(count):
        confirmed = drawn.choice(names(number))
        agrees = drawn.random() < right
        proposed = confirmed if agrees else drawn.choice([one for one in NAMES if one != confirmed])
        found.append(DriftObservation(T + timedelta(hours=number), proposed, sure, confirmed))
    return found


def codes(seen: Sequence[DriftObservation], accuracy: float | None = 0.8) -> list[str]:
    """What is warned of."""
    return [one.code for one in drift(seen, accuracy=accuracy)]


def test_a_desk_that_agrees_as_the_card_says_is_not_warned() -> None:
    assert codes(course(1000, right=0.8)) == []


def test_agreement_clearly_below_the_card_is_warned_of() -> None:
    found = drift(course(1000, right=0.55, sure=0.6), accuracy=0.8)
    assert [(one.code, one.bound, one.rows) for one in found] == [("agreement", 0.8, MOST)]
    assert found[0].value < 0.65


def test_a_little_below_may_be_chance() -> None:
    assert codes(course(60, right=0.74, sure=0.75)) == []


def test_without_a_card_agreement_is_not_judged() -> None:
    assert codes(course(1000, right=0.55, sure=0.6), None) == []


def test_another_mix_of_complaints_is_warned_of() -> None:
    found = codes(course(1000, right=0.8, names=lambda number: NAMES if number < 800 else NAMES[:4]))
    assert found == ["mix"]


def test_proposals_that_are_falsely_sure_are_warned_of() -> None:
    assert codes(course(1000, right=0.7, sure=0.95), 0.7) == ["calibration"]


def test_under_fifty_nothing_is_said() -> None:
    assert codes(course(LEAST - 1, right=0.0)) == []
    assert "agreement" in codes(course(LEAST, right=0.0))


def test_only_the_newest_count_whatever_order_they_come_in() -> None:
    early, late = course(800, right=0.1, sure=0.8), course(200, right=0.8, seed=1)
    later = [
        DriftObservation(one.at + timedelta(days=365), one.proposed, one.probability, one.confirmed)
        for one in late
    ]
    assert codes([*later, *early]) == []


@pytest.mark.parametrize("right", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("count", [60, 150, 400])
def test_an_unchanged_desk_is_hardly_ever_warned(count: int, right: float) -> None:
    # Too few right by chance is bad agreement and bad calibration at once, so desks are counted, not warnings.
    warned = sum(bool(codes(course(count, right=right, sure=right, seed=seed), right)) for seed in range(100))
    assert warned <= 8


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.floats(0, 1)), max_size=300))
@settings(max_examples=30)
def test_any_course_is_answered_with_figures_beyond_their_bounds(rows: list[tuple[str, str, float]]) -> None:
    seen = [DriftObservation(T + timedelta(hours=n), p, sure, c) for n, (p, c, sure) in enumerate(rows)]
    for one in drift(seen, accuracy=0.8):
        beyond = one.value < one.bound if one.code == "agreement" else one.value > one.bound
        assert beyond
        assert one.rows <= MOST
