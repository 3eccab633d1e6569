"""Slack's rate limits across all processes: per channel and second, per method and minute. A press never waits."""

from __future__ import annotations

import asyncio

import pytest
from slack_sdk.errors import SlackApiError

from bots.slack.client.client import make_client
from bots.slack.client.slack_limits import (
    CALLS_PER_MINUTE,
    RESERVE_AHEAD,
    RateLimitedTask,
    RateLimitWait,
    SlackRateLimiter,
    limits_for,
    rate_limited,
)
from bots.slack.jobs.post import failure_outcome
from complaints.obligations.kinds import SendPriority
from simulator import Simulator
from store.outbox.complete import RateLimited
from store.outbox.rate_limit import EvenlySpaced, pause_sending, take_slot
from store.store import Store


def _most_within(moments: list[float], seconds: float) -> int:
    return max(sum(begin <= at < begin + seconds for at in moments) for begin in moments)


@pytest.mark.parametrize("method", sorted(CALLS_PER_MINUTE))
def test_no_minute_has_more_calls_of_a_method_than_slack_allows(usual_store: Store, method: str) -> None:
    limits = limits_for(method, "C1", 0.001)
    moments = [usual_store.write(take_slot, limits).moment for _ in range(2 * CALLS_PER_MINUTE[method])]
    assert _most_within(moments, 60.0) <= CALLS_PER_MINUTE[method]
    assert _most_within(moments, 60.0) >= 0.9 * CALLS_PER_MINUTE[method]


def test_a_channel_takes_one_post_a_second_and_other_channels_do_not_wait(store: Store) -> None:
    posts = limits_for("chat.postMessage", "C1", 1.0)
    moments = [store.write(take_slot, posts).moment for _ in range(3)]
    assert moments[2] - moments[0] == pytest.approx(2.0, abs=1e-5)
    assert store.write(take_slot, limits_for("chat.postMessage", "C2", 1.0)).wait == 0.0
    assert store.write(take_slot, limits_for("chat.update", "C1", 1.0)).wait == 0.0


@pytest.mark.on_both
async def test_a_message_with_a_long_wait_is_released_each_later_than_the_one_before(
    usual_store: Store,
) -> None:
    limiter = SlackRateLimiter(usual_store, 1.0)
    usual_store.write(pause_sending, EvenlySpaced("slack:C1", 1.0), 60.0)
    waits = []
    for _ in range(3):
        with pytest.raises(RateLimitWait) as wait:
            await limiter.wait("chat.postMessage", "C1", SendPriority.BULK)
        waits.append(wait.value.seconds)
    assert min(waits) > 50.0
    assert failure_outcome(RateLimitWait(7.0)) == RateLimited(7.0)
    delays = [limiter._put_off(EvenlySpaced("slack:C1", 1.0), 5.0) for _ in range(3)]
    assert delays == sorted(set(delays))


async def test_a_bulk_message_takes_no_slot_ahead_of_a_danger_message(usual_store: Store) -> None:
    assert RESERVE_AHEAD[SendPriority.BULK] <= 1.0
    limiter = SlackRateLimiter(usual_store, 1.0)
    usual_store.write(take_slot, [EvenlySpaced("slack:C1", 3.0)])
    waiting = asyncio.create_task(limiter.wait("chat.postMessage", "C1", SendPriority.BULK))
    await asyncio.sleep(0.05)
    # The bulk message waits without having taken a slot: the next slot is for danger.
    taken = usual_store.write(take_slot, limits_for("chat.postMessage", "C1", 1.0))
    assert taken.wait < 3.0
    waiting.cancel()


async def test_at_shutdown_waiting_messages_return_to_the_queue_except_danger_messages(
    usual_store: Store,
) -> None:
    limiter = SlackRateLimiter(usual_store, 0.2)
    usual_store.write(take_slot, [EvenlySpaced("slack:C1", 3.0)])
    usual_store.write(take_slot, [EvenlySpaced("slack:C2", 0.4)])
    waiting = [
        asyncio.create_task(limiter.wait("chat.postMessage", channel, priority))
        for channel, priority in (
            ("C1", SendPriority.BULK),
            ("C1", SendPriority.NOTICE),
            ("C2", SendPriority.DANGER),
        )
    ]
    await asyncio.sleep(0.05)
    limiter.shutdown.stop()
    bulk, notice, danger = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 2.0)
    assert [type(bulk), type(notice), danger] == [RateLimitWait, RateLimitWait, None]
    assert usual_store.write(take_slot, [EvenlySpaced("slack:C1", 3.0)]).wait < 3.0


async def test_a_pause_demanded_by_slack_is_kept_and_calls_for_a_press_do_not_wait(
    usual_store: Store,
) -> None:
    results: list[tuple[str, str]] = []
    async with Simulator() as sim:
        client = make_client(sim.slack_bot_token, sim.slack_url)
        client.on_result = lambda method, outcome: results.append((method, outcome))
        limiter = SlackRateLimiter(usual_store, 0.001)
        sim.fail_next("conversations.open", status=429, error="ratelimited", retry_after=40)
        with rate_limited(RateLimitedTask(limiter, SendPriority.NOTICE)):
            with pytest.raises(SlackApiError):
                await client.conversations_open(users="U0000001")
            with pytest.raises(RateLimitWait):
                await client.conversations_open(users="U0000001")
        with pytest.raises(SlackApiError, match="user_not_found"):
            await client.conversations_open(users="U404")
        assert (await client.auth_test())["ok"]
    assert results == [
        ("conversations.open", "429"),
        ("conversations.open", "refused"),
        ("auth.test", "ok"),
    ]
