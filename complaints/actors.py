"""Who acts: a member of staff with roles, the complainant, the system or the model."""

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
    """Somebody acting now, with the roles held at this moment (roles are looked up for every act).

    `stands_in_for` are the people who are away now and whose deputy this is.
    """

    id: str
    roles: frozenset[Role]
    stands_in_for: frozenset[str] = frozenset()

    @property
    def is_staff(self) -> bool:
        """True for people of the organisation; the system, the model and the complainant are none."""
        return not self.roles & {Role.SYSTEM, Role.MODEL, Role.COMPLAINANT}

    def least(self, allowed: frozenset[Role]) -> Role | None:
        """The least role of this actor among those allowed, or None."""
        return next((role for role in ORDER if role in self.roles and role in allowed), None)

    def has(self, *roles: Role) -> bool:
        """True when the actor holds any of these roles."""
        return bool(self.roles & set(roles))


SYSTEM = Actor(SYSTEM_ID, frozenset({Role.SYSTEM}))
MODEL = Actor(MODEL_ID, frozenset({Role.MODEL}))
#: Whoever runs the desk, at the command line: no member of staff, and named so in the record.
OPERATOR = Actor(OPERATOR_ID, frozenset({Role.SYSTEM}))


def complainant(person: str) -> Actor:
    """The person who complains; `person` is the record's id of a person, never a name."""
    return Actor(person, frozenset({Role.COMPLAINANT}))


def staff(member: str, *roles: Role | str) -> Actor:
    """A member of staff by the record's id (the Slack id) with the roles held now."""
    return Actor(member, frozenset(Role(role) for role in roles))
