"""Free slots of a worker: urgent obligations find one despite bulk, and platforms do not share theirs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from complaints.obligations.kinds import SendPriority
from scheduler.worker import PLATFORM_SLOTS, Capacity, free_slots


@given(in_hand=st.integers(0, 40))
def test_a_more_urgent_lane_never_has_fewer_free_slots(in_hand: int) -> None:
    room = free_slots(PLATFORM_SLOTS, in_hand)
    assert list(room.values()) == sorted(room.values(), reverse=True)
    assert all(slots >= 0 for slots in room.values())


def test_bulk_leaves_slots_for_notices_dialogue_and_danger() -> None:
    room = free_slots(32, 16)
    assert room == {
        SendPriority.DANGER: 16,
        SendPriority.DIALOGUE: 14,
        SendPriority.NOTICE: 8,
        SendPriority.BULK: 0,
    }
    assert free_slots(32, 30)[SendPriority.DANGER] == 2


def test_a_full_platform_takes_no_slot_of_the_other() -> None:
    capacity = Capacity(("say", "survey", "card", "lapse"), (("say", "survey"), ("card",)))
    for _ in range(PLATFORM_SLOTS):
        capacity.acquire("survey")
    full, other, rest = capacity.by_platform()
    assert (full.kinds, full.free_slots[SendPriority.DANGER]) == (("say", "survey"), 0)
    assert (other.kinds, other.free_slots[SendPriority.BULK]) == (("card",), 24)
    assert rest.kinds == ("lapse",)
    assert (capacity.free_for_any_kind(), capacity.is_full) == (0, False)
    capacity.release("survey")
    assert capacity.by_platform()[0].free_slots[SendPriority.DANGER] == 1
