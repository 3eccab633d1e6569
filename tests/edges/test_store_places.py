"""Places in a platform's pace, on both databases: never more than it allows, the urgent first, pauses kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from bots.telegram.pace import APART, BOT, MOST_A_SECOND, SECOND, limits_for
from complaints.duties import Lane
from store.open import Store
from store.places import Even, Place, Window
from store.tables import LANES
from tests.databases import FakeClock


def _leave(store: Store, lane: Lane, many: int, *, first: int = 0) -> list[float]:
    """When so many messages, each into a chat of its own, may leave."""
    return [store.take_place(limits_for(str(first + n), lane)).moment for n in range(many)]


def _in_use(store: Store) -> None:
    """The even lane is taken for a minute, so that what follows queues however slowly this test runs."""
    store.take_place([Even(f"{BOT}~even", 60.0)])


def _most_in_a_second(moments: list[float]) -> int:
    ordered = sorted(moments)
    return max(sum(begin <= at < begin + 1.0 for at in ordered) for begin in ordered)


def test_a_row_forgotten_while_a_place_is_sought_is_free(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_use(store)
    # Forgotten between its making and its locking.
    monkeypatch.setattr("store.places._make", lambda tx, limits: None)
    alone = Even("nobody yet", 60.0)
    assert store.take_place([alone]).wait == 0.0
    assert store.take_place([alone]).wait > 1.0
    assert store.take_place([Window("nobody yet either", 2, 60.0)]).wait == 0.0


def test_bulk_leaves_evenly_and_at_nearly_the_whole_limit(store: Store) -> None:
    _in_use(store)
    moments = _leave(store, Lane.BULK, 90)
    apart = [after - before for before, after in pairwise(moments)]
    assert min(apart) == pytest.approx(APART, abs=1e-5)
    assert 1 / APART >= 0.95 * MOST_A_SECOND
    # One that the network brings 20 ms late still makes no 31st.
    assert min(after - before for before, after in zip(moments, moments[30:], strict=False)) > 1.02


def test_no_second_holds_more_than_the_limit_whatever_is_mixed(store: Store) -> None:
    _in_use(store)
    moments = _leave(store, Lane.BULK, 40) + _leave(store, Lane.DIALOGUE, 40, first=100)
    moments += _leave(store, Lane.DANGER, 3, first=200) + _leave(store, Lane.NOTICE, 20, first=300)
    moments += _leave(store, Lane.BULK, 20, first=400)
    assert _most_in_a_second(moments) <= MOST_A_SECOND


def test_talk_may_come_all_at_once_and_danger_still_finds_its_place(store: Store) -> None:
    waits = [
        store.take_place_within(limits_for(str(n), Lane.DIALOGUE), 0.0) for n in range(MOST_A_SECOND - 1)
    ]
    moments = [one.moment for one in waits if isinstance(one, Place)] + _leave(store, Lane.DIALOGUE, 1)
    assert len(moments) == MOST_A_SECOND
    assert moments[-1] - moments[0] >= SECOND - 1e-5
    assert store.take_place(limits_for("danger", Lane.DANGER)).wait == 0.0


def test_what_is_not_urgent_takes_no_place_far_ahead(store: Store) -> None:
    _in_use(store)
    limits = limits_for("late", Lane.BULK)
    refused = store.take_place_within(limits, 0.25)
    assert isinstance(refused, float)
    assert refused > 0.25
    assert store.take_place(limits_for("talk", Lane.DIALOGUE)).wait == 0.0
    assert isinstance(store.take_place_within(limits, 90.0), Place)


def test_a_chat_hears_a_few_together_and_then_one_a_second(store: Store) -> None:
    limits = limits_for("1", Lane.DIALOGUE)
    together = [store.take_place_within(limits, 0.0) for _ in range(3)]
    moments = [one.moment for one in together if isinstance(one, Place)]
    moments += [store.take_place(limits).moment for _ in range(2)]
    assert len(moments) == 5
    assert min(after - before for before, after in zip(moments, moments[3:], strict=False)) > 0.99
    assert store.take_place(limits_for("2", Lane.DIALOGUE)).wait == 0.0


def test_a_pause_that_was_asked_for_is_kept_by_all_who_are_meant(store: Store) -> None:
    chat, bot = Even(f"{BOT}:1", 1.0, 3), Window(BOT, 29, SECOND)
    store.pause(chat, 30.0)
    assert store.take_place(limits_for("1", Lane.DANGER)).wait == pytest.approx(30.0, abs=1.0)
    assert store.take_place(limits_for("2", Lane.BULK)).wait == 0.0
    store.pause(chat, 5.0)
    assert store.take_place(limits_for("1", Lane.DANGER)).wait > 20.0
    store.pause(bot, 60.0)
    assert store.take_place(limits_for("3", Lane.DANGER)).wait == pytest.approx(60.0, abs=1.0)


def test_processes_side_by_side_share_one_pace(store: Store) -> None:
    limits = [limits_for(str(n), Lane.DIALOGUE if n % 3 else Lane.BULK) for n in range(80)]
    with ThreadPoolExecutor(8) as side_by_side:
        moments = [place.moment for place in side_by_side.map(store.take_place, limits)]
    assert _most_in_a_second(moments) <= MOST_A_SECOND


def test_lanes_of_chats_that_fell_silent_are_forgotten(store: Store, clock: FakeClock) -> None:
    store.take_place(limits_for("1", Lane.DIALOGUE))
    store.run(lambda tx: tx.connection.execute(LANES.update().values(next_free_at=1.0)), writes=True)
    store.take_place(limits_for("2", Lane.DIALOGUE))
    store.tidy()
    left = store.run(lambda tx: set(tx.connection.execute(LANES.select()).scalars()), writes=False)
    assert {one for one in left if ":" in one} == {f"{BOT}:2"}
