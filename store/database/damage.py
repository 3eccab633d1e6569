"""Damaged rows: within `collecting_damage` they are named and the rest is read; outside they raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Replaces words that do not open.
UNREADABLE = "[unreadable]"
#: The places in order, and the same as a set: a damaged store may have many.
_collected: ContextVar[tuple[list[str], set[str]] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting_damage() -> Iterator[list[str]]:
    """Collect the places (table, row, field) that cannot be read, each once, in the list that this yields.

    Only for reading: what is written from a partly read record would lose words. Within another
    `collecting_damage` the inner one collects.
    """
    damaged: list[str] = []
    token = _collected.set((damaged, set()))
    try:
        yield damaged
    finally:
        _collected.reset(token)


def note_damage(place: str) -> bool:
    """Note a place that cannot be read; False if no caller collects, so that the caller must raise."""
    collected = _collected.get()
    if collected is None:
        return False
    damaged, places = collected
    if place not in places:
        places.add(place)
        damaged.append(place)
    return True


def damaged_ref(place: str) -> str:
    """The reference, person or other row that a place belongs to."""
    return place.split("|")[1].split("/")[0]


def describe_damage(place: str) -> str:
    """A place in words for operators, such as `A7K-M3Q-9T: description of event 3 cannot be read`."""
    table, row, field = place.split("|")
    ref, _, number = row.partition("/")
    part = f" {number.split('/')[0]}" if number else ""
    return f"{ref}: {table.replace('_', ' ')}{part}, {field.replace('_', ' ')}, cannot be read"


#: What an operator does about it.
DAMAGE_REMEDY = (
    "Restore the row from a backup (docs/custody.md, Damage); `amends db verify` names every damaged row."
)
