"""The bot's pace in one process: places taken in the store, waited out outside it, pauses where they belong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bots.priority_lock import ShutdownWait
from bots.telegram.rate_limit import (
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
from store.outbox.outcomes import RateLimited
from store.outbox.rate_limit import EvenlySpaced, Limit, RateSlot, pause_sending, take_slot, take_slot_within
from store.store import Store
from store.tables import LANES
from store.values import Obligation
from tests.edges.desk import Desk
from tests.edges.telegram_line import line

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def _paused(store: Store) -> set[str]:
    query = LANES.select().where(LANES.c.lane.endswith("/pause"))
    return store.read(lambda tx: set(tx.connection.execute(query).scalars()))


def _survey(store: Store) -> Obligation:
    Desk(store).say("a", lane=SendPriority.BULK)
    (owed,) = store.write(claim, ["say"], 1, 60)
    return owed


async def test_a_message_is_on_the_record_with_its_place_or_not_at_all(store: Store) -> None:
    owed, limits = _survey(store), limits_for("70001", SendPriority.BULK)
    written: dict[str, Any] = {"template": "t", "language": "en", "ref": None}
    store.write(pause_sending, limits[1], 60.0)
    refused = store.write(begin_sending_in_order, owed, "text", limits, 1.0, **written)
    assert isinstance(refused, float)
    taken = store.write(begin_sending_in_order, owed, "text", limits, 90.0, **written)
    assert isinstance(taken, tuple)
    number, place = taken
    # The first message of all: the refused one left no row behind.
    assert number == 1
    assert place.wait > 1.0


async def test_who_would_wait_long_holds_no_place_among_the_duties_in_hand(usual_store: Store) -> None:
    pace = TelegramRateLimit(usual_store)
    usual_store.write(pause_sending, EvenlySpaced(f"{BOT}:1", 1.0), 300.0)

    def never(limits: Sequence[Limit], within: float) -> float:
        found = usual_store.write(take_slot_within, limits, within)
        assert isinstance(found, float)
        return found

    answer = await pace.begin("1", SendPriority.DIALOGUE, never)
    assert isinstance(answer, RateLimited)
    assert answer.after_seconds > MAX_WAIT_SECONDS


async def test_when_the_process_ends_who_waits_for_a_place_goes_back_into_the_queue(
    usual_store: Store,
) -> None:
    waiting = ShutdownWait()
    pace = TelegramRateLimit(usual_store, shutdown=waiting)
    usual_store.write(pause_sending, EvenlySpaced(f"{BOT}:1", 1.0), 4.0)

    def no_place_yet(limits: Sequence[Limit], within: float) -> float:
        found = usual_store.write(take_slot_within, limits, within)
        assert isinstance(found, float)
        return found

    begun = asyncio.create_task(pace.begin("1", SendPriority.NOTICE, no_place_yet))
    await asyncio.sleep(0.05)
    assert not begun.done()
    waiting.stop()
    answer = await asyncio.wait_for(begun, 2.0)
    assert isinstance(answer, RateLimited)
    assert 0 < answer.after_seconds <= 4.0


@pytest.mark.parametrize(("heard", "lane"), [(1, BOT), (3, f"{BOT}:1")])
async def test_a_refusal_means_the_chat_that_heard_much_else_the_bot(
    usual_store: Store, heard: int, lane: str
) -> None:
    for _ in range(heard):
        usual_store.write(take_slot, limits_for("1", SendPriority.DIALOGUE))
    await TelegramRateLimit(usual_store).refused("1", 7.0)
    assert _paused(usual_store) == {f"{lane}/pause"}


async def test_held_up_past_its_place_a_message_takes_another(usual_store: Store) -> None:
    pace = TelegramRateLimit(usual_store, monotonic=lambda: time.monotonic() + 10.0)
    limits, first = limits_for("1", SendPriority.BULK), list[float]()

    def write(*_: Any) -> tuple[int, RateSlot]:
        place = usual_store.write(take_slot, limits)
        first.append(place.moment)
        return 5, place

    number = await pace.begin("1", SendPriority.BULK, write)
    assert number == 5
    # Two places of the even lane are gone, and one of the chat's.
    even = LANES.select().where(LANES.c.lane == f"{BOT}~even")
    until = usual_store.read(lambda tx: tx.connection.execute(even).one().next_free_at)
    assert until >= first[0] + 2 * BULK_INTERVAL_SECONDS - 1e-5
    assert usual_store.write(take_slot, [EvenlySpaced(f"{BOT}:1", 1.0, 3)]).wait == 0.0


async def test_a_paced_desk_sends_and_keeps_the_pause_that_telegram_asks_for(usual_store: Store) -> None:
    async with Simulator() as sim, line(sim, usual_store, paced=True) as desk:
        desk.sim.fail_next("sendMessage", status=429, retry_after=1)
        anna = desk.sim.customer("Anna")
        await anna.says("The water is brown.")
        await anna.hears("Your reference is")
        await desk.settled()
        assert f"{BOT}/pause" in _paused(usual_store)


def test_into_a_chat_danger_comes_beside_answers_and_what_we_begin_alone() -> None:
    def together(lane: SendPriority) -> int:
        return next(one.together for one in limits_for("1", lane) if isinstance(one, EvenlySpaced))

    assert [together(lane) for lane in SendPriority] == [4, 3, 1, 1]
