"""Whom an ownerless complaint could go to: who may take it and has the fewest; a suggestion, never an act (4.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bots.slack.whom import as_actor, present
from complaints.case import Case
from complaints.permissions import is_excluded, judged_below, level_roles, may_read
from complaints.vocabulary import Role
from store.values import Member


def suggested(
    case: Case, members: Sequence[Member], loads: Mapping[str, int], now: datetime
) -> tuple[str, int] | None:
    """The member with the fewest open complaints among those who may decide it here, and how many these are.

    At level 1 people who handle come before managers; nobody is suggested who is away, named in it or acted on a
    lower level.
    """
    able = _able(case, members, now)
    if not able:
        return None
    first = min(able, key=lambda one: (loads.get(one.id, 0), one.id))
    return first.id, loads.get(first.id, 0)


def could_take(case: Case, members: Sequence[Member], now: datetime) -> tuple[str, ...]:
    """Who may be asked to take it themselves: of a restricted one only who may read it already (4.7)."""
    return tuple(one.id for one in _able(case, members, now) if may_read(case, as_actor(one)))


def shared_out(
    cases: Sequence[Case], members: Sequence[Member], loads: Mapping[str, int], now: datetime
) -> Mapping[str, str]:
    """Whom each of these ownerless complaints is proposed to, the fewest first, as if each took theirs.

    The same for everybody who asks with the same record: no replica keeps a turn of its own.
    """
    carried, found = dict(loads), {}
    for case in cases:
        able = could_take(case, members, now)
        if case.owner is None and able:
            first = min(able, key=lambda one: (carried.get(one, 0), one))
            carried[first] = carried.get(first, 0) + 1
            found[case.ref] = first
    return found


def _able(case: Case, members: Sequence[Member], now: datetime) -> list[Member]:
    roles = level_roles(case, case.level)
    able = [
        one
        for one in present(members, now)
        if one.roles & roles and not is_excluded(case, one.id) and not judged_below(case, one.id)
    ]
    return [one for one in able if Role.HANDLER in one.roles] or able if case.level == 1 else able
