"""Drift: a warning where proposals and confirmed labels differ by more than chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databases import LONG
from triage.learning.drift import FEWEST_RECENT, MOST_RECENT, DriftObservation, find_drift

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
    """Assessed complaints: share of right proposals, their probability, and categories by number."""
    drawn = random.Random(seed)
    observations = []
    for number in range(count):
        confirmed = drawn.choice(names(number))
        agrees = drawn.random() < right
        proposed = confirmed if agrees else drawn.choice([name for name in NAMES if name != confirmed])
        observations.append(DriftObservation(T + timedelta(hours=number), proposed, sure, confirmed))
    return observations


def codes(observations: Sequence[DriftObservation], accuracy: float | None = 0.8) -> list[str]:
    """The codes of the warnings."""
    return [warning.code for warning in find_drift(observations, accuracy=accuracy)]


def test_agreement_as_on_the_model_card_gives_no_warning() -> None:
    assert codes(course(1000, right=0.8)) == []


def test_agreement_clearly_below_the_model_card_gives_a_warning() -> None:
    warnings = find_drift(course(1000, right=0.55, sure=0.6), accuracy=0.8)
    assert [(warning.code, warning.bound, warning.rows) for warning in warnings] == [
        ("agreement", 0.8, MOST_RECENT)
    ]
    assert warnings[0].value < 0.65


def test_agreement_slightly_below_the_model_card_gives_no_warning() -> None:
    assert codes(course(60, right=0.74, sure=0.75)) == []


def test_without_a_model_card_agreement_is_not_checked() -> None:
    assert codes(course(1000, right=0.55, sure=0.6), None) == []


def test_a_changed_mix_of_categories_gives_a_warning() -> None:
    warning_codes = codes(course(1000, right=0.8, names=lambda number: NAMES if number < 800 else NAMES[:4]))
    assert warning_codes == ["mix"]


def test_overconfident_proposals_give_a_warning() -> None:
    assert codes(course(1000, right=0.7, sure=0.95), 0.7) == ["calibration"]


def test_fewer_than_fifty_assessments_give_no_warning() -> None:
    assert codes(course(FEWEST_RECENT - 1, right=0.0)) == []
    assert "agreement" in codes(course(FEWEST_RECENT, right=0.0))


def test_only_the_newest_assessments_count_in_any_order() -> None:
    early, late = course(800, right=0.1, sure=0.8), course(200, right=0.8, seed=1)
    later = [
        DriftObservation(
            observation.at + timedelta(days=365),
            observation.proposed,
            observation.probability,
            observation.confirmed,
        )
        for observation in late
    ]
    assert codes([*later, *early]) == []


@pytest.mark.parametrize(
    ("count", "right"),
    [
        (count, right)
        for row, count in enumerate((60, 150, 400))
        for column, right in enumerate((0.6, 0.75, 0.9))
        if LONG or row == column
    ],
)
def test_an_unchanged_desk_is_rarely_warned(count: int, right: float) -> None:
    # Too few right by chance is bad agreement and bad calibration at once, so desks are counted, not
    # warnings.
    warned = sum(bool(codes(course(count, right=right, sure=right, seed=seed), right)) for seed in range(100))
    assert warned <= 8


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.floats(0, 1)), max_size=300))
@settings(max_examples=30)
def test_every_warning_is_beyond_its_bound(rows: list[tuple[str, str, float]]) -> None:
    observations = [
        DriftObservation(T + timedelta(hours=n), p, sure, c) for n, (p, c, sure) in enumerate(rows)
    ]
    for warning in find_drift(observations, accuracy=0.8):
        beyond = (
            warning.value < warning.bound if warning.code == "agreement" else warning.value > warning.bound
        )
        assert beyond
        assert warning.rows <= MOST_RECENT
