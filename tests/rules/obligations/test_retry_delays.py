"""The delay between retries, and the total time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.obligations.kinds import SendPriority
from scheduler.worker import (
    FIRST_RETRY_SECONDS,
    MAX_RETRY_SECONDS,
    MAX_RETRY_SECONDS_IN_DANGER,
    max_attempts,
    retry_delay,
)

attempts, lanes = st.integers(0, 100_000), st.sampled_from(SendPriority)


def _longest(lane: SendPriority) -> float:
    return MAX_RETRY_SECONDS_IN_DANGER if lane is SendPriority.DANGER else MAX_RETRY_SECONDS


def _middle(tries: int, lane: SendPriority) -> float:
    """The average delay, without randomness."""
    doubled = FIRST_RETRY_SECONDS * 2.0 ** min(tries, 64)
    return 0.75 * min(_longest(lane), doubled)


@given(attempts, lanes)
def test_the_delay_doubles_up_to_a_limit_and_is_randomised_by_a_third(tries: int, lane: SendPriority) -> None:
    middle = _middle(tries, lane)

    assert middle * 2 / 3 <= retry_delay(tries, None, lane) <= middle * 4 / 3


@given(attempts, lanes, st.floats(0, 1e6))
def test_a_retry_never_comes_before_the_requested_delay(
    tries: int, lane: SendPriority, requested_seconds: float
) -> None:
    waited = retry_delay(tries, requested_seconds, lane)

    assert waited >= requested_seconds
    assert waited <= max(requested_seconds, _longest(lane))


def test_many_retries_are_spread_over_time() -> None:
    random.seed(1)
    waits = [retry_delay(20) for _ in range(1000)]

    assert min(waits) < 0.55 * MAX_RETRY_SECONDS
    assert max(waits) > 0.95 * MAX_RETRY_SECONDS


@pytest.mark.parametrize("lane", SendPriority)
def test_a_failing_obligation_is_retried_for_about_ten_hours_in_every_lane(lane: SendPriority) -> None:
    seconds = sum(_middle(tries, lane) for tries in range(max_attempts(lane)))

    assert 7 < seconds / 3600 < 11
