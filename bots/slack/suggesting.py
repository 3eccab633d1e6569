"""Whom an ownerless complaint could go to: who may take it and has the fewest; a suggestion, never an act (4.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bots.slack.whom import present
from complaints.permissions import is_excluded, judged_below, level_roles
from complaints.record import Case
from complaints.vocabulary import Role
from store.values import Member


def suggested(
    case: Case, members: Sequence[Member], loads: Mapping[str, int], now: datetime
) -> tuple[str, int] | None:
    """The member with the fewest open complaints among those who may decide it here, and how many these are.

    At level 1 people who handle come before managers; nobody is suggested who is away, named in it or acted on a
    lower level.
    """
    roles = level_roles(case, case.level)
    able = [
        one
        for one in present(members, now)
        if one.roles & roles and not is_excluded(case, one.id) and not judged_below(case, one.id)
    ]
    if case.level == 1:
        able = [one for one in able if Role.HANDLER in one.roles] or able
    if not able:
        return None
    first = min(able, key=lambda one: (loads.get(one.id, 0), one.id))
    return first.id, loads.get(first.id, 0)
