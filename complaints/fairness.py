"""Fairness to staff complained about (Annex C): who they are, and what they are owed, with dates.

They are told at once and fully unless a manager records why not yet, heard before anything is decided, offered
support, and told of the outcome. Nothing here is disciplinary: that is another procedure with other files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class NotYet(StrEnum):
    """Why the person complained about is not told at once."""

    EVIDENCE = "evidence"
    COMPLAINANT_SAFETY = "complainant_safety"
    CRIME = "crime"


#: Whoever holds one of these has colleagues below who cannot judge freely: such a complaint goes to the top.
LEADING: frozenset[str] = frozenset({"manager", "top_management"})


@dataclass(frozen=True)
class Fairness:
    """What the people complained about were given. `roles` are those they held when they were named.

    `not_yet` is a manager's reason for not telling them before `review_by`.
    """

    roles: frozenset[str] = frozenset()
    named_at: datetime | None = None
    informed_at: datetime | None = None
    heard_at: datetime | None = None
    supported_at: datetime | None = None
    outcome_at: datetime | None = None
    not_yet: str | None = None
    review_by: date | None = None

    @property
    def leads(self) -> bool:
        """True when a manager is complained about: top management deals with it, others of it."""
        return bool(self.roles & LEADING)

    @property
    def given(self) -> bool:
        """Told and heard, or a manager has said why not yet: something may be decided."""
        return self.not_yet is not None or (self.informed_at is not None and self.heard_at is not None)


#: Nobody of staff is complained about.
NOBODY_NAMED = Fairness()


def independent(
    members: Mapping[str, frozenset[str]],
    *,
    levels: Mapping[int, tuple[str, ...]],
    level: int,
    acted_at: Mapping[int, Iterable[str]],
    denied: frozenset[str],
    leads: bool,
) -> tuple[str, ...]:
    """Who of these could still decide a complaint, at `level` or a later one (4.5).

    Somebody with a role of that level, neither denied nor part of a lower one. Where a manager is complained
    about nobody can without somebody of top management who is free of it.
    """
    free = {one: roles for one, roles in members.items() if one not in denied}
    if leads and not any("top_management" in roles for roles in free.values()):
        return ()
    found = set()
    for at, deciding in levels.items():
        if at >= level:
            below = {person for lower, people in acted_at.items() if lower < at for person in people}
            found |= {one for one, roles in free.items() if roles & set(deciding) and one not in below}
    return tuple(sorted(found))
