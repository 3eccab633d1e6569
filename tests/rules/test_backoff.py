"""How long a failed try waits, and for how long in all."""

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
    """Without chance: what a crowd waits on average."""
    doubled = FIRST_RETRY_SECONDS * 2.0 ** min(tries, 64)
    return 0.75 * min(_longest(lane), doubled)


@given(attempts, lanes)
def test_each_pause_is_twice_the_last_up_to_the_longest_and_a_crowd_spreads_over_its_second_half(
    tries: int, lane: SendPriority
) -> None:
    middle = _middle(tries, lane)

    assert middle * 2 / 3 <= retry_delay(tries, None, lane) <= middle * 4 / 3


@given(attempts, lanes, st.floats(0, 1e6))
def test_nobody_comes_back_before_the_other_side_asked(tries: int, lane: SendPriority, asked: float) -> None:
    waited = retry_delay(tries, asked, lane)

    assert waited >= asked
    assert waited <= max(asked, _longest(lane))


def test_a_crowd_does_not_come_back_together() -> None:
    random.seed(1)
    waits = [retry_delay(20) for _ in range(1000)]

    assert min(waits) < 0.55 * MAX_RETRY_SECONDS
    assert max(waits) > 0.95 * MAX_RETRY_SECONDS


@pytest.mark.parametrize("lane", SendPriority)
def test_what_fails_is_tried_for_about_ten_hours_in_every_lane(lane: SendPriority) -> None:
    seconds = sum(_middle(tries, lane) for tries in range(max_attempts(lane)))

    assert 7 < seconds / 3600 < 11
