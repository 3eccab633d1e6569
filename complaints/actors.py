"""The people and programs that act, and which of them may see, manage or judge a complaint (4.5, 4.9, C).

docs/permissions.md, explains roles, conflicts and levels. The roles of each verb are in its row
(`actions/registry.py`); `actions/authorisation.py` applies both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from complaints.case import Case
from complaints.vocabulary import Role

SYSTEM_ID = "system"
MODEL_ID = "model"
OPERATOR_ID = "operator"

#: From least to most: the event records the least role that allows the act.
ORDER: tuple[Role, ...] = (
    Role.SYSTEM,
    Role.MODEL,
    Role.COMPLAINANT,
    Role.INTAKE,
    Role.ON_CALL,
    Role.AUDITOR,
    Role.HANDLER,
    Role.MANAGER,
    Role.TOP_MANAGEMENT,
)

HANDLERS: frozenset[Role] = frozenset({Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT})
MANAGERS: frozenset[Role] = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})

#: Who may see the words of a complaint (each opening is recorded as a read, 4.7).
READERS: frozenset[Role] = HANDLERS | {Role.AUDITOR}


@dataclass(frozen=True)
class Actor:
    """A person or program that acts now, with its present roles (roles are looked up for every act).

    `stands_in_for` are the absent people whose deputy this is.
    """

    id: str
    roles: frozenset[Role]
    stands_in_for: frozenset[str] = frozenset()

    @property
    def is_staff(self) -> bool:
        """True for people of the organisation, so not for the system, the model and the complainant."""
        return not self.roles & {Role.SYSTEM, Role.MODEL, Role.COMPLAINANT}

    def least(self, allowed: frozenset[Role]) -> Role | None:
        """The least role of this actor among those allowed, or None."""
        return next((role for role in ORDER if role in self.roles and role in allowed), None)

    def has(self, *roles: Role) -> bool:
        return bool(self.roles & set(roles))


SYSTEM = Actor(SYSTEM_ID, frozenset({Role.SYSTEM}))
MODEL = Actor(MODEL_ID, frozenset({Role.MODEL}))
#: The person at the command line: not a member of staff, and recorded as the operator.
OPERATOR = Actor(OPERATOR_ID, frozenset({Role.SYSTEM}))


def complainant(person: str) -> Actor:
    """The person who complains; `person` is the record's id of a person, never a name."""
    return Actor(person, frozenset({Role.COMPLAINANT}))


def staff(member: str, *roles: Role | str) -> Actor:
    """A member of staff by the record's id (the Slack id) with the roles held now."""
    return Actor(member, frozenset(Role(role) for role in roles))


def is_excluded(case: Case, member: str) -> bool:
    """True for the person complained about, their manager, and anybody with a conflict of interest (4.5, C).

    They neither act on the complaint nor see it.
    """
    return member in case.denied


def may_manage(case: Case, actor: Actor) -> bool:
    """True when this person may act as a manager here. If a manager is complained about, only the top may (C)."""
    return bool(actor.roles & (MANAGERS - {Role.MANAGER} if case.fairness.leads else MANAGERS))


def worked_on(case: Case, member: str) -> bool:
    """True for the owner and for everybody who worked on the complaint: they see no survey answers."""
    return member == case.owner or member in case.workers


def judged_below(case: Case, member: str) -> bool:
    return any(member in people for level, people in case.acted_at.items() if level < case.level)


def may_own(case: Case, member: str) -> bool:
    """True for a person who may be given the complaint: not excluded, and no judge of it at a lower level."""
    return not is_excluded(case, member) and not judged_below(case, member)


def may_read(case: Case, actor: Actor) -> bool:
    """True when this person may open the words: a reading role, not excluded, and cleared if restricted."""
    if is_excluded(case, actor.id):
        return False
    if case.alarm is not None and actor.has(Role.ON_CALL):
        # Who is paged must know what happened.
        return True
    if not actor.roles & READERS:
        return False
    if not case.restricted:
        return True
    return actor.id == case.owner or may_manage(case, actor) or actor.has(Role.AUDITOR)


def level_roles(case: Case, level: int) -> frozenset[Role]:
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
