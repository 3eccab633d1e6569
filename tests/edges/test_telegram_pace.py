"""The bot's pace in one process: places taken in the store, waited out outside it, pauses where they belong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from bots.telegram.pace import APART, BOT, LONGEST_WAIT, Pace, limits_for
from bots.turns import Waiting
from complaints.duties import Lane
from simulator import Simulator
from store.open import Store
from store.outcomes import NoPlace
from store.places import Even, Limit, Place
from store.tables import LANES
from store.values import Obligation
from tests.edges.desk import Desk
from tests.edges.telegram_line import line

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def _paused(store: Store) -> set[str]:
    query = LANES.select().where(LANES.c.lane.endswith("/pause"))
    return store.run(lambda tx: set(tx.connection.execute(query).scalars()), writes=False)


def _survey(store: Store) -> Obligation:
    Desk(store).say("a", lane=Lane.BULK)
    (owed,) = store.claim(["say"], 1, 60)
    return owed


async def test_a_message_is_on_the_record_with_its_place_or_not_at_all(store: Store) -> None:
    owed, limits = _survey(store), limits_for("70001", Lane.BULK)
    written: dict[str, Any] = {"template": "t", "language": "en", "ref": None}
    store.pause(limits[1], 60.0)
    refused = store.sending_in_turn(owed, "text", limits, 1.0, **written)
    assert isinstance(refused, float)
    taken = store.sending_in_turn(owed, "text", limits, 90.0, **written)
    assert isinstance(taken, tuple)
    number, place = taken
    # The first message of all: the refused one left no row behind.
    assert number == 1
    assert place.wait > 1.0


async def test_who_would_wait_long_holds_no_place_among_the_duties_in_hand(usual_store: Store) -> None:
    pace = Pace(usual_store)
    usual_store.pause(Even(f"{BOT}:1", 1.0), 300.0)

    def never(limits: Sequence[Limit], within: float) -> float:
        found = usual_store.take_place_within(limits, within)
        assert isinstance(found, float)
        return found

    answer = await pace.begin("1", Lane.DIALOGUE, never)
    assert isinstance(answer, NoPlace)
    assert answer.after_seconds > LONGEST_WAIT


async def test_when_the_process_ends_who_waits_for_a_place_goes_back_into_the_queue(
    usual_store: Store,
) -> None:
    waiting = Waiting()
    pace = Pace(usual_store, waiting=waiting)
    usual_store.pause(Even(f"{BOT}:1", 1.0), 4.0)

    def no_place_yet(limits: Sequence[Limit], within: float) -> float:
        found = usual_store.take_place_within(limits, within)
        assert isinstance(found, float)
        return found

    begun = asyncio.create_task(pace.begin("1", Lane.NOTICE, no_place_yet))
    await asyncio.sleep(0.05)
    assert not begun.done()
    waiting.stop()
    answer = await asyncio.wait_for(begun, 2.0)
    assert isinstance(answer, NoPlace)
    assert 0 < answer.after_seconds <= 4.0


@pytest.mark.parametrize(("heard", "lane"), [(1, BOT), (3, f"{BOT}:1")])
async def test_a_refusal_means_the_chat_that_heard_much_else_the_bot(
    usual_store: Store, heard: int, lane: str
) -> None:
    for _ in range(heard):
        usual_store.take_place(limits_for("1", Lane.DIALOGUE))
    await Pace(usual_store).refused("1", 7.0)
    assert _paused(usual_store) == {f"{lane}/pause"}


async def test_held_up_past_its_place_a_message_takes_another(usual_store: Store) -> None:
    pace = Pace(usual_store, monotonic=lambda: time.monotonic() + 10.0)
    limits, first = limits_for("1", Lane.BULK), list[float]()

    def write(*_: Any) -> tuple[int, Place]:
        place = usual_store.take_place(limits)
        first.append(place.moment)
        return 5, place

    number = await pace.begin("1", Lane.BULK, write)
    assert number == 5
    # Two places of the even lane are gone, and one of the chat's.
    even = LANES.select().where(LANES.c.lane == f"{BOT}~even")
    until = usual_store.run(lambda tx: tx.connection.execute(even).one().next_free_at, writes=False)
    assert until >= first[0] + 2 * APART - 1e-5
    assert usual_store.take_place([Even(f"{BOT}:1", 1.0, 3)]).wait == 0.0


async def test_a_paced_desk_sends_and_keeps_the_pause_that_telegram_asks_for(usual_store: Store) -> None:
    async with Simulator() as sim, line(sim, usual_store, paced=True) as desk:
        desk.sim.fail_next("sendMessage", status=429, retry_after=1)
        anna = desk.sim.customer("Anna")
        await anna.says("The water is brown.")
        await anna.hears("Your reference is")
        await desk.settled()
        assert f"{BOT}/pause" in _paused(usual_store)


def test_into_a_chat_danger_comes_beside_answers_and_what_we_begin_alone() -> None:
    def together(lane: Lane) -> int:
        return next(one.together for one in limits_for("1", lane) if isinstance(one, Even))

    assert [together(lane) for lane in Lane] == [4, 3, 1, 1]
