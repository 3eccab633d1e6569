"""What the record holds of one complaint: its events, and the case that they add up to (7.2, 7.3).

Events carry codes, times and ids only. Words are beside them (`Event.words`): the store seals these and
leaves a commitment in the chained entry, so that erasing a person's words breaks nothing.

Changed copies of frozen values, cheap enough for a fold over every event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from complaints.case_values import (
    NOBODY_NAMED,
    Assessment,
    Decision,
    ExtensionAsked,
    Fairness,
    Improvement,
    Issue,
    OutsideDecision,
    Proposed,
    RecordedSign,
    RemedyOwed,
    Silence,
    TargetSet,
)
from complaints.rulebook import Rulebook
from complaints.vocabulary import ANSWERS, WORK, CloseCode, ContactKind, Flag, Role, State, Target, Verb

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
    #: Beside the event as the words are: the rules that the complaint is under from here on, of `redate` alone.
    rules: Rulebook | None = None

    @property
    def raises_work(self) -> bool:
        """True when what staff act upon changed: an act of staff, or an answer of the complainant."""
        if self.role is Role.COMPLAINANT:
            return self.verb in ANSWERS
        return self.verb in WORK and self.role not in (Role.SYSTEM, Role.MODEL)


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
    kind: ContactKind = ContactKind.COMPLAINT
    is_simulation: bool = False
    imported: bool = False
    answer_by: str | None = None
    # what was said
    words: int = 0
    media: int = 0
    told_only_in_media: bool = False
    media_heard: bool = False
    last_words_at: datetime | None = None
    form_open: bool = True
    form_ended_at: datetime | None = None
    confirmed_at: datetime | None = None
    signs: tuple[RecordedSign, ...] = ()
    danger_at: datetime | None = None
    danger_receipt_at: datetime | None = None
    bound: bool = False
    proposed: Proposed | None = None
    # who has it
    owner: str | None = None
    level: int = 1
    level_started_at: datetime | None = None
    subjects: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()
    conflicted: frozenset[str] = frozenset()
    fairness: Fairness = NOBODY_NAMED
    nobody_left: bool = False
    acted_at: Mapping[int, frozenset[str]] = field(default_factory=dict)
    released: bool = False
    # the incident that it belongs to, and whether there is a matter of its own beside it
    incident: int | None = None
    second_issue: bool = False
    # what was judged, decided and promised
    assessment: Assessment | None = None
    issues: tuple[Issue, ...] = ()
    evidence: frozenset[str] = frozenset()
    drafted: Decision | None = None
    drafted_remedies: tuple[RemedyOwed, ...] = ()
    reclassification: tuple[ContactKind, str] | None = None
    extension: ExtensionAsked | None = None
    decisions: tuple[Decision, ...] = ()
    remedies: tuple[RemedyOwed, ...] = ()
    targets: tuple[TargetSet, ...] = ()
    # how it was told and answered
    acks: Mapping[int, datetime] = field(default_factory=dict)
    delivery_failed_at: datetime | None = None
    returns: int = 0
    silences: tuple[Silence, ...] = ()
    other_route: bool = False
    last_contact_at: datetime | None = None
    contacted: bool = False
    #: By when a person of staff said that they hear from us again.
    next_news_by: datetime | None = None
    reply: str | None = None
    reply_at: datetime | None = None
    #: How an acceptance within the scheme's fast track is confirmed (deadlines/fast_track.py); None: outside it.
    settled_early: str | None = None
    question_at: datetime | None = None
    question_answered_at: datetime | None = None
    asked_at: datetime | None = None
    asked_until: datetime | None = None
    data_request_at: datetime | None = None
    adult: bool = False
    authority_shown: bool = False
    recourse_at: datetime | None = None
    external_open: bool = False
    external_final_at: datetime | None = None
    outside: tuple[OutsideDecision, ...] = ()
    outside_refused: int = 0
    improvements: tuple[Improvement, ...] = ()
    privacy_answered_at: datetime | None = None
    # other complaints that it belongs to
    about: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    merged_into: str | None = None
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
    #: Those that it was under before, the first first.
    rules_before: tuple[Rulebook, ...] = ()

    @property
    def first_rules(self) -> Rulebook:
        """The rules under which it was received."""
        return self.rules_before[0] if self.rules_before else self.rules

    def rules_for(self, one: TargetSet) -> Rulebook:
        """The rules by which a version of a target was counted."""
        return (*self.rules_before, self.rules)[one.under]

    @property
    def is_open(self) -> bool:
        """True until closed; a refused decision keeps it open (7.9)."""
        return self.state is not State.CLOSED

    @property
    def is_history(self) -> bool:
        """Brought in from before this desk: nobody is written to and no clock runs, unless it is reopened."""
        return self.imported and self.reopened == 0

    @property
    def has_chat(self) -> bool:
        """A chat can be written to: told over it, or bound to it later."""
        return self.channel == "telegram" or self.bound

    @property
    def told_by_people(self) -> bool:
        """No chat takes what we owe: a person tells it by phone, at the counter or by letter (7.3)."""
        return not self.has_chat

    @property
    def raised_late(self) -> bool:
        """Written down long after it first reached us: its `act_by` says so (docs/domain.md, section 4)."""
        return any(one.target is Target.ACT_BY for one in self.targets)

    @property
    def reachable(self) -> bool:
        """A chat that took what we sent last (7.3)."""
        return self.has_chat and Flag.UNREACHABLE not in self.flags

    @property
    def denied(self) -> frozenset[str]:
        """Who neither acts on it nor sees it: the people named, their managers, those in conflict (4.5, C)."""
        return self.subjects | self.lines | self.conflicted

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
    def fresh_signs(self) -> tuple[RecordedSign, ...]:
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
    def awaits_approval(self) -> bool:
        """A drafted decision, a reclassification or a later date that a second person has to agree to."""
        return any(one is not None for one in (self.drafted, self.reclassification, self.extension))

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

    def version_of(self, name: Target, of: int, version: int) -> TargetSet | None:
        """A target as one version set it."""
        wanted = (name, of, version)
        return next((one for one in self.targets if (one.target, one.of, one.version) == wanted), None)

    def current_targets(self) -> tuple[TargetSet, ...]:
        """The latest version of each target, met or not."""
        latest: dict[tuple[Target, int], TargetSet] = {}
        for one in self.targets:
            key = (one.target, one.of)
            if key not in latest or latest[key].version < one.version:
                latest[key] = one
        return tuple(latest.values())


if TYPE_CHECKING:
    changed = replace
else:

    def changed(value, /, **to):
        """A copy of a frozen value with some fields changed.

        `dataclasses.replace` runs the constructor over all sixty fields of a case; a case is folded from its
        events for every message and every duty, and this makes that several times cheaper.
        """
        copy = object.__new__(type(value))
        copy.__dict__.update(value.__dict__)
        copy.__dict__.update(to)
        return copy
