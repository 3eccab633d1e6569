"""Complaints folded before: a duty loads its case several times, and only what came since is folded anew.

The head of a chain names every event before it, so that a case under its head never changes. What was altered in
the tables behind our back shows in `verify`, which reads every event itself.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from complaints.record import Case, Event

#: More than are in hand at one time. An event takes some kilobytes, so that a few long complaints count as many.
MOST, MOST_EVENTS = 512, 1024


@dataclass(frozen=True)
class Folded:
    """A complaint as it was at this head, under these rules; its events hold no words."""

    head: str
    rulebook_id: str
    case: Case
    events: tuple[Event, ...]


class FoldedCases:
    """The latest ones, by reference, for all threads of a store."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Folded] = OrderedDict()
        self._events = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """How many events are remembered, of all complaints together."""
        return self._events

    def of(self, ref: str) -> Folded | None:
        """What is known of this complaint, however old."""
        with self._lock:
            return self._known.get(ref)

    def keep(self, ref: str, one: Folded) -> None:
        """Remember it. It may be of a transaction that is rolled back yet: whoever goes on from it looks first
        whether the next event names its head."""
        with self._lock:
            before = self._known.pop(ref, None)
            self._known[ref] = one
            self._events += len(one.events) - (len(before.events) if before is not None else 0)
            # The newest stays, however long it is.
            while len(self._known) > 1 and (len(self._known) > MOST or self._events > MOST_EVENTS):
                self._events -= len(self._known.popitem(last=False)[1].events)
