"""The people and programs that act: staff with roles, the complainant, the system, the model, the operator."""

from __future__ import annotations

from dataclasses import dataclass

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
        """True when the actor holds any of these roles."""
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
