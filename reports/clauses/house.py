"""What evidence needs beside the complaints: rules and texts in force, who held which role, the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from complaints.rulebook import Rulebook
from complaints.vocabulary import Role
from reports.integrity import Proof


@dataclass(frozen=True)
class RolePeriod:
    """A role that somebody held from `since` until `until` (None: still)."""

    member: str
    role: Role
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class House:
    """The organisation at `now`. `texts`: by language, what complainants are told, by id.

    `settings` are the names of the settings' keys; `versions` the texts' fingerprints by (language, id).
    """

    now: datetime
    rules: Rulebook
    periods: tuple[RolePeriod, ...] = ()
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
    proof: Proof | None = None

    def roles_at(self, member: str, at: datetime, role: Role) -> frozenset[Role]:
        """What this person held then; where no periods are known, the role in which they acted."""
        if not self.periods:
            return frozenset({role})
        return frozenset(
            one.role
            for one in self.periods
            if one.member == member and one.since <= at and (one.until is None or at < one.until)
        )

    def holders(self, role: Role) -> frozenset[str]:
        """Who holds this role now."""
        return frozenset(one.member for one in self.periods if one.role is role and one.until is None)
