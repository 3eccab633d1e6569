"""The cache of folded complaints is limited by their number of events."""

from __future__ import annotations

from store.database.transaction import MAX_CASES, MAX_EVENTS, FoldedCase, FoldedCases
from tests.rules.builders import BuiltComplaint, a_received_case


def _of(complaint: BuiltComplaint, events: int) -> FoldedCase:
    """A complaint with this many events."""
    return FoldedCase("head", "rules", complaint.case, complaint.events[:1] * events)


def test_a_long_complaint_evicts_as_many_short_ones_as_it_has_events() -> None:
    cache, complaint = FoldedCases(), a_received_case()
    for number in range(MAX_CASES):
        cache.keep(str(number), _of(complaint, 1))
    assert cache.of("0") is not None
    cache.keep("long", _of(complaint, MAX_EVENTS - 10))
    assert len(cache) == MAX_EVENTS
    assert cache.of("long") is not None
    # Of the short complaints the latest ten remain.
    assert [number for number in range(MAX_CASES) if cache.of(str(number))] == list(
        range(MAX_CASES - 10, MAX_CASES)
    )


def test_a_growing_complaint_counts_once_and_the_newest_is_always_kept() -> None:
    cache, complaint = FoldedCases(), a_received_case()
    for events in range(1, 20):
        cache.keep("a", _of(complaint, events))
    assert len(cache) == 19
    cache.keep("b", _of(complaint, MAX_EVENTS * 2))
    assert (cache.of("a"), len(cache)) == (None, MAX_EVENTS * 2)
