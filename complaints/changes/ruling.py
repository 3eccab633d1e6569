"""What changes when a complaint goes on under other rules."""

from __future__ import annotations

from complaints.copying import changed
from complaints.record import Case, Event


def redated(case: Case, event: Event) -> Case:
    """The new rules; what was counted by the old ones keeps them for its explanation.

    Raises ValueError for an event that comes without its rules: whoever reads it from the store adds them.
    """
    if event.rules is None:
        raise ValueError(f"event {event.seq} of {case.ref} changes the rules and comes without them")
    return changed(case, rules=event.rules, rules_before=(*case.rules_before, case.rules))
