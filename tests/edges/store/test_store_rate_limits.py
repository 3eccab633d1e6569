"""Rate limits on both databases: never more than the platform allows, urgent messages first, pauses kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import pytest

from bots.telegram.telegram_limits import (
    BOT,
    BULK_INTERVAL_SECONDS,
    MAX_PER_SECOND,
    WINDOW_SECONDS,
    limits_for,
)
from complaints.obligations.kinds import SendPriority
from store.custody.erasure import delete_expired_rows
from store.outbox.rate_limit import (
    EvenlySpaced,
    RateSlot,
    SlidingWindow,
    pause_sending,
    peek_wait,
    take_slot,
    take_slot_within,
)
from store.store import Store
from store.tables import RATE_LIMITS
from tests.databases import FakeClock


def _send_times(store: Store, lane: SendPriority, many: int, *, first: int = 0) -> list[float]:
    """The moments at which `many` messages, each to a chat of its own, may be sent."""
    return [store.write(take_slot, limits_for(str(first + n), lane)).moment for n in range(many)]


def _occupy_even_lane(store: Store) -> None:
    """Occupy the evenly spaced lane for a minute, so that later messages queue even if this test runs slowly."""
    store.write(take_slot, [EvenlySpaced(f"{BOT}~even", 60.0)])


def _most_in_a_second(moments: list[float]) -> int:
    ordered = sorted(moments)
    return max(sum(begin <= at < begin + 1.0 for at in ordered) for begin in ordered)


def test_a_rate_limit_row_deleted_before_it_is_locked_counts_as_free(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _occupy_even_lane(store)
    # The row is deleted between its insertion and its lock.
    monkeypatch.setattr("store.outbox.rate_limit._insert_missing_rows", lambda tx, limits: None)
    alone = EvenlySpaced("nobody yet", 60.0)
    assert store.write(take_slot, [alone]).wait == 0.0
    assert store.write(take_slot, [alone]).wait > 1.0
    assert store.write(take_slot, [SlidingWindow("nobody yet either", 2, 60.0)]).wait == 0.0


def test_bulk_messages_are_evenly_spaced_at_nearly_the_whole_limit(store: Store) -> None:
    _occupy_even_lane(store)
    moments = _send_times(store, SendPriority.BULK, 90)
    apart = [after - before for before, after in pairwise(moments)]
    assert min(apart) == pytest.approx(BULK_INTERVAL_SECONDS, abs=1e-5)
    assert 1 / BULK_INTERVAL_SECONDS >= 0.95 * MAX_PER_SECOND
    # A message that the network delays by 20 ms still makes no 31st within a second.
    assert min(after - before for before, after in zip(moments, moments[30:], strict=False)) > 1.02


def test_no_second_exceeds_the_limit_in_any_mix_of_priorities(store: Store) -> None:
    _occupy_even_lane(store)
    moments = _send_times(store, SendPriority.BULK, 40) + _send_times(
        store, SendPriority.DIALOGUE, 40, first=100
    )
    moments += _send_times(store, SendPriority.DANGER, 3, first=200) + _send_times(
        store, SendPriority.NOTICE, 20, first=300
    )
    moments += _send_times(store, SendPriority.BULK, 20, first=400)
    assert _most_in_a_second(moments) <= MAX_PER_SECOND


def test_a_burst_of_replies_leaves_a_slot_for_a_danger_message(store: Store) -> None:
    waits = [
        store.write(take_slot_within, limits_for(str(n), SendPriority.DIALOGUE), 0.0)
        for n in range(MAX_PER_SECOND - 1)
    ]
    moments = [slot.moment for slot in waits if isinstance(slot, RateSlot)] + _send_times(
        store, SendPriority.DIALOGUE, 1
    )
    assert len(moments) == MAX_PER_SECOND
    assert moments[-1] - moments[0] >= WINDOW_SECONDS - 1e-5
    assert store.write(take_slot, limits_for("danger", SendPriority.DANGER)).wait == 0.0


def test_a_bulk_message_takes_no_slot_further_ahead_than_it_may_wait(store: Store) -> None:
    _occupy_even_lane(store)
    limits = limits_for("late", SendPriority.BULK)
    refused = store.write(take_slot_within, limits, 0.25)
    assert isinstance(refused, float)
    assert refused > 0.25
    assert store.write(take_slot, limits_for("talk", SendPriority.DIALOGUE)).wait == 0.0
    assert isinstance(store.write(take_slot_within, limits, 90.0), RateSlot)


def test_a_chat_may_receive_three_messages_at_once_and_then_one_per_second(store: Store) -> None:
    limits = limits_for("1", SendPriority.DIALOGUE)
    together = [store.write(take_slot_within, limits, 0.0) for _ in range(3)]
    moments = [slot.moment for slot in together if isinstance(slot, RateSlot)]
    moments += [store.write(take_slot, limits).moment for _ in range(2)]
    assert len(moments) == 5
    assert min(after - before for before, after in zip(moments, moments[3:], strict=False)) > 0.99
    assert store.write(take_slot, limits_for("2", SendPriority.DIALOGUE)).wait == 0.0


def test_a_pause_applies_to_every_message_under_the_paused_limit_and_is_never_shortened(store: Store) -> None:
    chat, bot = EvenlySpaced(f"{BOT}:1", 1.0, 3), SlidingWindow(BOT, 29, WINDOW_SECONDS)
    store.write(pause_sending, chat, 30.0)
    assert store.write(take_slot, limits_for("1", SendPriority.DANGER)).wait == pytest.approx(30.0, abs=1.0)
    assert store.write(take_slot, limits_for("2", SendPriority.BULK)).wait == 0.0
    store.write(pause_sending, chat, 5.0)
    assert store.write(take_slot, limits_for("1", SendPriority.DANGER)).wait > 20.0
    store.write(pause_sending, bot, 60.0)
    assert store.write(take_slot, limits_for("3", SendPriority.DANGER)).wait == pytest.approx(60.0, abs=1.0)


def test_concurrent_processes_share_one_rate_limit(store: Store) -> None:
    limits = [limits_for(str(n), SendPriority.DIALOGUE if n % 3 else SendPriority.BULK) for n in range(80)]
    with ThreadPoolExecutor(8) as pool:
        moments = [slot.moment for slot in pool.map(partial(store.write, take_slot), limits)]
    assert _most_in_a_second(moments) <= MAX_PER_SECOND


def test_rate_limit_rows_of_silent_chats_are_deleted(store: Store, clock: FakeClock) -> None:
    store.write(take_slot, limits_for("1", SendPriority.DIALOGUE))
    store.write(lambda tx: tx.connection.execute(RATE_LIMITS.update().values(next_free_at=1.0)))
    store.write(take_slot, limits_for("2", SendPriority.DIALOGUE))
    store.write(delete_expired_rows)
    left = store.read(lambda tx: set(tx.connection.execute(RATE_LIMITS.select()).scalars()))
    assert len({lane for lane in left if ":" in lane}) == 1
    assert store.read(peek_wait, [EvenlySpaced(f"{BOT}:2", 1.0)]) > 0
