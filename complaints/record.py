"""What the record holds of one complaint: its events, and the case that they add up to (7.2, 7.3).

Events carry codes, times and ids only. Words are beside them (`Event.words`): the store seals these and
leaves a commitment in the chained entry, so that erasing a person's words breaks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from complaints.rulebook import Rulebook
from complaints.vocabulary import (
    ANSWERS,
    WORK,
    CloseCode,
    Finding,
    Flag,
    Kind,
    Role,
    State,
    Target,
    Verb,
)

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """One act on one complaint. `facts` are JSON values; instants are ISO 8601 UTC ending in Z."""

    seq: int
    verb: Verb
    at: datetime
    by: str
    role: Role
    facts: Facts = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def raises_work(self) -> bool:
        """True when what staff act upon changed: an act of staff, or an answer of the complainant."""
        if self.role is Role.COMPLAINANT:
            return self.verb in ANSWERS
        return self.verb in WORK and self.role not in (Role.SYSTEM, Role.MODEL)


@dataclass(frozen=True)
class Sign:
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
class Proposed:
    """What the model proposed last, without the words behind it (those are sealed)."""

    at: datetime
    words: int
    category: str
    probability: float
    severity: int
    safety: int
    abstained: bool
    restricted: bool
    model: str | None


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
    met_at: datetime | None = None


@dataclass(frozen=True)
class Case:
    """A complaint as its events add up; nothing here names a person but by the record's ids."""

    ref: str
    rules: Rulebook
    received_at: datetime
    logged_at: datetime
    channel: str
    complainant: str
    language: str
    state: State = State.RECEIVED
    version: int = 0
    work_version: int = 0
    kind: Kind = Kind.COMPLAINT
    is_simulation: bool = False
    # what was said
    words: int = 0
    media: int = 0
    told_only_in_media: bool = False
    media_heard: bool = False
    last_words_at: datetime | None = None
    form_open: bool = True
    form_ended_at: datetime | None = None
    confirmed_at: datetime | None = None
    signs: tuple[Sign, ...] = ()
    danger_at: datetime | None = None
    danger_receipt_at: datetime | None = None
    bound: bool = False
    proposed: Proposed | None = None
    # who has it
    owner: str | None = None
    level: int = 1
    level_started_at: datetime | None = None
    subjects: frozenset[str] = frozenset()
    conflicted: frozenset[str] = frozenset()
    acted_at: Mapping[int, frozenset[str]] = field(default_factory=dict)
    released: bool = False
    # what was judged, decided and promised
    assessment: Assessment | None = None
    issues: tuple[Issue, ...] = ()
    evidence: frozenset[str] = frozenset()
    drafted: Decision | None = None
    drafted_remedies: tuple[RemedyOwed, ...] = ()
    reclassification: tuple[Kind, str] | None = None
    decisions: tuple[Decision, ...] = ()
    remedies: tuple[RemedyOwed, ...] = ()
    targets: tuple[TargetSet, ...] = ()
    # how it was told and answered
    acks: Mapping[int, datetime] = field(default_factory=dict)
    delivery_failed_at: datetime | None = None
    returns: int = 0
    other_route: bool = False
    last_contact_at: datetime | None = None
    contacted: bool = False
    reply: str | None = None
    reply_at: datetime | None = None
    question_at: datetime | None = None
    question_answered_at: datetime | None = None
    asked_at: datetime | None = None
    asked_until: datetime | None = None
    recourse_at: datetime | None = None
    external_open: bool = False
    external_final_at: datetime | None = None
    # how it ended
    close_code: CloseCode | None = None
    closed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    reopened: int = 0
    reopened_seq: int = 0
    surveys: tuple[str, ...] = ()
    surveyed_at: datetime | None = None
    flags: frozenset[Flag] = frozenset()
    executive_receipt_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """True until closed; a refused decision keeps it open (7.9)."""
        return self.state is not State.CLOSED

    @property
    def has_chat(self) -> bool:
        """A chat can be written to: told over it, or bound to it later."""
        return self.channel == "telegram" or self.bound

    @property
    def reachable(self) -> bool:
        """A chat that took what we sent last (7.3)."""
        return self.has_chat and Flag.UNREACHABLE not in self.flags

    @property
    def decision(self) -> Decision | None:
        """The decision of the present level, if taken; one from before a reopening is history."""
        return next(
            (
                one
                for one in reversed(self.decisions)
                if one.level == self.level and one.seq > self.reopened_seq
            ),
            None,
        )

    @property
    def severity(self) -> int:
        """The severity that holds: the person's, else the higher of model and rules.

        A rule that fires after the assessment raises it again until a person has looked (7.5).
        """
        if self.assessment is not None:
            return max([self.assessment.severity, *(sign.severity for sign in self.fresh_signs)])
        proposed = self.proposed.severity if self.proposed else 2
        return max([proposed, *(sign.severity for sign in self.signs)])

    @property
    def safety(self) -> int:
        """The safety that holds, by the same rule as the severity."""
        if self.assessment is not None:
            return max([self.assessment.safety, *(sign.safety for sign in self.fresh_signs)])
        proposed = self.proposed.safety if self.proposed else 0
        return max([proposed, *(sign.safety for sign in self.signs)])

    @property
    def fresh_signs(self) -> tuple[Sign, ...]:
        """Signs that fired after the last assessment, or all before the first one."""
        seq = self.assessment.seq if self.assessment is not None else 0
        return tuple(sign for sign in self.signs if sign.seq > seq)

    @property
    def category(self) -> str | None:
        """The person's category, else the proposed one, else None."""
        if self.assessment is not None:
            return self.assessment.category
        return self.proposed.category if self.proposed else None

    @property
    def restricted(self) -> bool:
        """Worked in the restricted place (4.7, C)."""
        return Flag.RESTRICTED in self.flags

    @property
    def owed_remedies(self) -> tuple[RemedyOwed, ...]:
        """Remedies that stand promised: offers count once they were accepted."""
        return tuple(one for one in self.remedies if one.owed)

    @property
    def open_offer(self) -> bool:
        """An offer that waits for the complainant's answer."""
        return self.is_open and any(one.offered for one in self.remedies)

    @property
    def everything_verified(self) -> bool:
        """Nothing owed that is not done and checked (Annex D)."""
        return all(one.verified_at is not None for one in self.owed_remedies)

    def target(self, name: Target, of: int = 0) -> TargetSet | None:
        """The latest version of a target."""
        found = [one for one in self.targets if one.target is name and one.of == of]
        return max(found, key=lambda one: one.version) if found else None

    def current_targets(self) -> tuple[TargetSet, ...]:
        """The latest version of each target, met or not."""
        latest: dict[tuple[Target, int], TargetSet] = {}
        for one in self.targets:
            key = (one.target, one.of)
            if key not in latest or latest[key].version < one.version:
                latest[key] = one
        return tuple(latest.values())
