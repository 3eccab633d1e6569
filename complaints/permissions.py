"""Which people may deal with a complaint: roles, conflicts, levels (docs/surfaces.md, "Who may"; 4.5, 4.9, C).

The roles of each verb are in its row of `actions/registry.py`; `actions/authorisation.py` applies both.
"""

from __future__ import annotations

from collections.abc import Mapping

from complaints.actors import Actor
from complaints.case import Case
from complaints.vocabulary import Role

HANDLERS: frozenset[Role] = frozenset({Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT})
MANAGERS: frozenset[Role] = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})

#: Who may see the words of a complaint (each opening is recorded as a read, 4.7).
READERS: frozenset[Role] = HANDLERS | {Role.AUDITOR}


def is_excluded(case: Case, member: str) -> bool:
    """True for the person complained about, their manager, and anybody with a conflict of interest (4.5, C).

    They neither act on the complaint nor see it.
    """
    return member in case.denied


def may_manage(case: Case, actor: Actor) -> bool:
    """True when this person may act as a manager here. If a manager is complained about, only the top may (C)."""
    return bool(actor.roles & (MANAGERS - {Role.MANAGER} if case.fairness.leads else MANAGERS))


def judged_below(case: Case, member: str) -> bool:
    """True when this person decided, approved or investigated at a lower level."""
    return any(member in people for level, people in case.acted_at.items() if level < case.level)


def may_read(case: Case, actor: Actor) -> bool:
    """True when this person may open the words: a reading role, not excluded, and cleared if restricted."""
    if is_excluded(case, actor.id) or not actor.roles & READERS:
        return False
    if not case.restricted:
        return True
    return actor.id == case.owner or may_manage(case, actor) or actor.has(Role.AUDITOR)


def level_roles(case: Case, level: int) -> frozenset[Role]:
    """The roles that decide at this level."""
    return frozenset(Role(name) for name in case.rules.levels.get(level, ()))


def eligible_reviewers(case: Case, level: int, members: Mapping[str, frozenset[Role]]) -> tuple[str, ...]:
    """Which of these could decide at `level`: a role of the level, not excluded, no part in a lower level."""
    deciding = level_roles(case, level)
    lower = {member for acted, people in case.acted_at.items() if acted < level for member in people}
    return tuple(
        member
        for member, roles in sorted(members.items())
        if roles & deciding and member not in lower and not is_excluded(case, member)
    )
