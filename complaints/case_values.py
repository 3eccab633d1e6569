"""The particulars of a case: signs, proposal, assessment, issues, remedies, decisions, dates.

Fairness to staff complained about (Annex C): who they are, and what they are owed, with dates.

They are told at once and fully unless a manager records why not yet, heard before anything is decided, offered
support, and told of the outcome. Nothing here is disciplinary: that is another procedure with other files.

What came from outside bodies and what it leaves behind: their decisions, and improvements owed (7.9, 8.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from complaints.vocabulary import ContactKind, Finding, Target

#: What stands for the model's name in a proposal that the rules made alone.
RULES_ALONE = "rules"


@dataclass(frozen=True)
class RecordedSign:
    """A safety rule that fired on the complainant's words; it can only raise (7.5).

    `rule` is kind and name (`minor.minor_affected`): the rules here know kinds, people see the name.
    """

    rule: str
    severity: int
    safety: int
    danger: bool
    at: datetime
    seq: int = 0

    @property
    def kind(self) -> str:
        """What it is a sign of."""
        return self.rule.split(".")[0]


@dataclass(frozen=True)
class ProposedCriterion:
    """A default of one of the other criteria, and the code of the reason for it."""

    field: str
    value: int | str | bool
    reason: str


@dataclass(frozen=True)
class Proposed:
    """What the model proposed last, without the words behind it (those are sealed).

    `severity` and `safety` are the highest that any proposal came to before a person assessed (7.5).
    """

    at: datetime
    words: int
    category: str
    probability: float
    severity: int
    safety: int
    abstained: bool
    restricted: bool
    model: str | None
    #: The next category, where there is one: "not sure between the two".
    other: str | None = None
    other_probability: float = 0.0
    #: What the message seems to be; doubt means complaint (3).
    intent: ContactKind = ContactKind.COMPLAINT
    intent_probability: float = 0.0
    #: The category of each matter, the main one first.
    issues: tuple[str, ...] = ()
    criteria: tuple[ProposedCriterion, ...] = ()
    #: The last day that the story tells of.
    happened_by: date | None = None


@dataclass(frozen=True)
class Assessment:
    """The initial assessment by a person who has read (7.5)."""

    at: datetime
    by: str
    category: str
    severity: int
    safety: int
    complexity: int
    reach: int
    recurrence: int
    immediate_needed: bool
    immediate_possible: bool
    compensation_likely: bool
    seq: int = 0


@dataclass(frozen=True)
class Issue:
    """One matter of the complaint with its own finding (7.8)."""

    n: int
    category: str
    finding: Finding | None = None


@dataclass(frozen=True)
class RemedyOwed:
    """One thing promised (7.7). `due` is when it must be done; the words of the promise are sealed.

    An offer (`needs_acceptance`) is owed from `accepted_at` on; `ended_at` is when it was refused or lapsed.
    `answer` is what the complainant said to "is it right?": yes or no. `late` times it was recorded as late, last
    at `late_at`.
    """

    n: int
    type: str
    level: int
    due: datetime
    amount: str | None = None
    currency: str | None = None
    promised_by: date | None = None
    needs_acceptance: bool = False
    separate_verifier: bool = False
    external: bool = False
    done_at: datetime | None = None
    done_by: str | None = None
    verified_at: datetime | None = None
    verified_by: str | None = None
    promised_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    answer: str | None = None
    late: int = 0
    late_at: datetime | None = None

    @property
    def owed(self) -> bool:
        """Promised outright, or an offer that was accepted."""
        return not self.needs_acceptance or self.accepted_at is not None

    @property
    def offered(self) -> bool:
        """An offer without an answer yet."""
        return self.needs_acceptance and self.accepted_at is None and self.ended_at is None


@dataclass(frozen=True)
class Decision:
    """What was decided at one level; immutable once communicated (7.8)."""

    level: int
    by: str
    at: datetime
    short: bool
    findings: tuple[Finding, ...]
    cause_class: str
    others_affected: str
    needs_approval: bool = False
    approved_by: str | None = None
    communicated_at: datetime | None = None
    seq: int = 0


@dataclass(frozen=True)
class ExtensionAsked:
    """A later date that a handler asks for; a manager moves it by agreeing (docs/surfaces.md, "Who may")."""

    by: str
    target: Target
    of: int
    until: datetime
    seq: int


@dataclass(frozen=True)
class Missed:
    """A letter or notice that no chat took: the duty as it was owed."""

    key: str
    kind: str
    due: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Silence:
    """A time in which nothing reached the complainant, and what failed in it.

    `until` is None while it lasts; `ended_by` is the event that ended it, the return with the number `returns`.
    """

    since: datetime
    missed: tuple[Missed, ...] = ()
    until: datetime | None = None
    ended_by: int = 0
    returns: int = 0


@dataclass(frozen=True)
class TargetSet:
    """A due time in one version. `of` is the remedy's number where the target belongs to one, else 0."""

    target: Target
    version: int
    of: int
    start: datetime
    internal_due: datetime
    promised_due: datetime
    basis: str
    span: str
    #: When this version was set: the complainant cannot have heard of it before.
    set_at: datetime
    met_at: datetime | None = None
    #: How many rulebooks the complaint had before the one that counted this.
    under: int = 0


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


@dataclass(frozen=True)
class OutsideDecision:
    """A final decision of an outside body; it stands above ours, which stay in the record as they were.

    `overturned`: None where nobody said. `refused`: the complainant does not accept it.
    """

    seq: int
    at: datetime
    by: str
    level: int
    overturned: bool | None
    refused: bool = False


@dataclass(frozen=True)
class Improvement:
    """A corrective action that a complaint has opened (4.10); `due` is when it should have been taken."""

    seq: int
    opened_at: datetime
    due: datetime
    cause_class: str | None
