"""Complaints that are remembered folded: as many as are in hand, and no more memory than that takes."""

from __future__ import annotations

from store.database.transaction import MAX_CASES, MAX_EVENTS, FoldedCase, FoldedCases
from tests.rules.builders import Told, a_received_case


def _of(told: Told, events: int) -> FoldedCase:
    """A complaint with so many events."""
    return FoldedCase("head", "rules", told.case, told.events[:1] * events)


def test_long_complaints_push_out_as_many_short_ones_as_they_weigh() -> None:
    known, told = FoldedCases(), a_received_case()
    for number in range(MAX_CASES):
        known.keep(str(number), _of(told, 1))
    assert known.of("0") is not None
    known.keep("long", _of(told, MAX_EVENTS - 10))
    assert len(known) == MAX_EVENTS
    assert known.of("long") is not None
    # Of the short ones the latest ten are left.
    assert [one for one in range(MAX_CASES) if known.of(str(one))] == list(range(MAX_CASES - 10, MAX_CASES))


def test_a_complaint_that_grows_counts_once_and_the_newest_stays_however_long() -> None:
    known, told = FoldedCases(), a_received_case()
    for events in range(1, 20):
        known.keep("a", _of(told, events))
    assert len(known) == 19
    known.keep("b", _of(told, MAX_EVENTS * 2))
    assert (known.of("a"), len(known)) == (None, MAX_EVENTS * 2)
