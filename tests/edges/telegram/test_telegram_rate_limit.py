"""Telegram's rate limits in one process: slots taken in the store, waits outside it, pauses where they belong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bots.priority_lock import ShutdownWait
from bots.telegram.telegram_limits import (
    BOT,
    BULK_INTERVAL_SECONDS,
    MAX_WAIT_SECONDS,
    TelegramRateLimit,
    limits_for,
)
from complaints.obligations.kinds import SendPriority
from simulator import Simulator
from store.cases.outgoing_messages import begin_sending_in_order
from store.outbox.claim import claim
from store.outbox.complete import RateLimited
from store.outbox.rate_limit import (
    EvenlySpaced,
    Limit,
    RateSlot,
    SlidingWindow,
    pause_sending,
    peek_wait,
    take_slot,
    take_slot_within,
)
from store.store import Store
from store.tables import RATE_LIMITS
from store.values import Obligation
from tests.edges.desk import Desk
from tests.edges.telegram_desk import telegram_desk

#: These tests depend on SQL, so they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both


def _paused(store: Store) -> set[str]:
    query = RATE_LIMITS.select().where(RATE_LIMITS.c.name.endswith("/pause"))
    return store.read(lambda tx: set(tx.connection.execute(query).scalars()))


def _survey(store: Store) -> Obligation:
    Desk(store).send_reply("a", lane=SendPriority.BULK)
    (obligation,) = store.write(claim, ["say"], 1, 60)
    return obligation


async def test_a_message_is_recorded_together_with_its_slot_or_not_at_all(store: Store) -> None:
    obligation, limits = _survey(store), limits_for("70001", SendPriority.BULK)
    written: dict[str, Any] = {"template": "t", "language": "en", "ref": None}
    store.write(pause_sending, limits[1], 60.0)
    refused = store.write(begin_sending_in_order, obligation, "text", limits, 1.0, **written)
    assert isinstance(refused, float)
    taken = store.write(begin_sending_in_order, obligation, "text", limits, 90.0, **written)
    assert isinstance(taken, tuple)
    number, slot = taken
    # It is the first message in the table: the refused one left no row.
    assert number == 1
    assert slot.wait > 1.0


async def test_a_message_that_would_wait_long_is_released_as_rate_limited(usual_store: Store) -> None:
    rate_limit = TelegramRateLimit(usual_store)
    usual_store.write(pause_sending, EvenlySpaced(f"{BOT}:1", 1.0), 300.0)

    def refuse(limits: Sequence[Limit], within: float) -> float:
        wait = usual_store.write(take_slot_within, limits, within)
        assert isinstance(wait, float)
        return wait

    answer = await rate_limit.begin("1", SendPriority.DIALOGUE, refuse)
    assert isinstance(answer, RateLimited)
    assert answer.after_seconds > MAX_WAIT_SECONDS


async def test_at_shutdown_a_message_waiting_for_a_slot_returns_to_the_queue(
    usual_store: Store,
) -> None:
    shutdown = ShutdownWait()
    rate_limit = TelegramRateLimit(usual_store, shutdown=shutdown)
    usual_store.write(pause_sending, EvenlySpaced(f"{BOT}:1", 1.0), 4.0)

    def refuse(limits: Sequence[Limit], within: float) -> float:
        wait = usual_store.write(take_slot_within, limits, within)
        assert isinstance(wait, float)
        return wait

    sending = asyncio.create_task(rate_limit.begin("1", SendPriority.NOTICE, refuse))
    await asyncio.sleep(0.05)
    assert not sending.done()
    shutdown.stop()
    answer = await asyncio.wait_for(sending, 2.0)
    assert isinstance(answer, RateLimited)
    assert 0 < answer.after_seconds <= 4.0


@pytest.mark.parametrize(("sent", "is_chat_paused"), [(1, False), (3, True)])
async def test_after_a_429_a_busy_chat_is_paused_and_otherwise_the_whole_bot(
    usual_store: Store, sent: int, is_chat_paused: bool
) -> None:
    for _ in range(sent):
        usual_store.write(take_slot, limits_for("1", SendPriority.DIALOGUE))
    await TelegramRateLimit(usual_store).refused("1", 7.0)
    chat, bot = EvenlySpaced(f"{BOT}:1", 1.0, 9), SlidingWindow(BOT, 30, 1.02)
    paused = [usual_store.read(peek_wait, [limit]) > 5.0 for limit in (chat, bot)]
    assert paused == [is_chat_paused, not is_chat_paused]


async def test_a_message_delayed_beyond_its_slot_takes_another(usual_store: Store) -> None:
    rate_limit = TelegramRateLimit(usual_store, monotonic=lambda: time.monotonic() + 10.0)
    limits, moments = limits_for("1", SendPriority.BULK), list[float]()

    def write(*_: Any) -> tuple[int, RateSlot]:
        slot = usual_store.write(take_slot, limits)
        moments.append(slot.moment)
        return 5, slot

    number = await rate_limit.begin("1", SendPriority.BULK, write)
    assert number == 5
    # Two slots of the even lane are used, and one of the chat's.
    even = RATE_LIMITS.select().where(RATE_LIMITS.c.name == f"{BOT}~even")
    until = usual_store.read(lambda tx: tx.connection.execute(even).one().next_free_at)
    assert until >= moments[0] + 2 * BULK_INTERVAL_SECONDS - 1e-5
    assert usual_store.write(take_slot, [EvenlySpaced(f"{BOT}:1", 1.0, 3)]).wait == 0.0


async def test_a_rate_limited_desk_keeps_the_pause_that_telegram_demands(usual_store: Store) -> None:
    async with Simulator() as sim, telegram_desk(sim, usual_store, paced=True) as desk:
        desk.sim.fail_next("sendMessage", status=429, retry_after=1)
        anna = desk.sim.customer("Anna")
        await anna.says("The water is brown.")
        await anna.hears("Your reference is")
        await desk.settled()
        assert f"{BOT}/pause" in _paused(usual_store)


def test_danger_messages_and_replies_may_come_together_and_notices_one_at_a_time() -> None:
    def burst_of(lane: SendPriority) -> int:
        return next(limit.burst for limit in limits_for("1", lane) if isinstance(limit, EvenlySpaced))

    assert [burst_of(lane) for lane in SendPriority] == [4, 3, 1, 1]
