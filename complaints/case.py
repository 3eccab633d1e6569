"""One complaint in the record: its events, and the case that is the fold of them (7.2, 7.3).

The facts of an event are codes, times and ids only. Words are separate (`Event.words`): the store seals them and
chains only a commitment, so erasing a person's words breaks no hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from complaints.case_values import (
    NO_CONDUCT,
    NOBODY_NAMED,
    Alarm,
    Assessment,
    Conduct,
    Decision,
    EvidenceItem,
    ExtensionAsked,
    Fairness,
    FileReview,
    Improvement,
    Issue,
    IssueFinding,
    OutsideDecision,
    Proposed,
    RecordedSign,
    RemedyOwed,
    Silence,
    Statement,
    Talk,
    TargetSet,
)
from complaints.hazards import DISCREET
from complaints.rulebook import Rulebook
from complaints.times import parse_time
from complaints.vocabulary import CloseCode, ContactKind, Flag, Role, State, Target, Verb

Facts = Mapping[str, Any]
Words = Mapping[str, str]


@dataclass(frozen=True)
class Event:
    """One act on one complaint. `facts` are JSON values; times are ISO 8601 in UTC ending in Z."""

    seq: int
    verb: Verb
    at: datetime
    by: str
    role: Role
    facts: Facts = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    #: Kept apart like the words: the rules that the complaint is under from here on, for `redate` alone.
    rules: Rulebook | None = None

    @property
    def told_at(self) -> datetime:
        """When a person communicated the decision, if staff record that later; otherwise the time of the event."""
        return parse_time(self.facts["told_at"]) if "told_at" in self.facts else self.at


def events_of(events: Iterable[Event], *verbs: Verb) -> tuple[Event, ...]:
    """The events of these verbs, in their order."""
    return tuple(event for event in events if event.verb in verbs)


def last_of(events: Sequence[Event], *verbs: Verb) -> Event | None:
    """The last event of these verbs, or None."""
    return next((event for event in reversed(events) if event.verb in verbs), None)


@dataclass(frozen=True)
class UnsentLetter:
    """A letter of staff that no channel has accepted yet; its sender may take it back until then.

    `before` and `after` are the case around an act that changes more than the contact, such as a decision or a
    closing: if its letter is taken back, what the act changed is as before.
    """

    event: Event
    before: Case | None = None
    after: Case | None = None

    @property
    def is_warning(self) -> bool:
        """A warning about contact: it answers nothing."""
        return self.event.verb is Verb.WARN_CONDUCT


@dataclass(frozen=True)
class Case:
    """A complaint as the fold of its events. People appear only as ids of the record."""

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
    #: `representative` where their authority was seen; None for the complainant.
    answer_to: str | None = None
    # the complainant's words
    words: int = 0
    media: int = 0
    only_in_media: bool = False
    media_heard: bool = False
    last_words_at: datetime | None = None
    form_open: bool = True
    form_ended_at: datetime | None = None
    confirmed_at: datetime | None = None
    signs: tuple[RecordedSign, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    bound: bool = False
    proposed: Proposed | None = None
    #: A member of staff talks with the complainant line by line, and the bot is silent.
    talk: Talk | None = None
    # who has it
    owner: str | None = None
    #: The owner, if this person may own complaints no more, for example has left. No event says so: it is set when
    #: the complaint is loaded, and no event depends on it.
    former_owner: str | None = None
    level: int = 1
    level_started_at: datetime | None = None
    subjects: frozenset[str] = frozenset()
    excluded_managers: frozenset[str] = frozenset()
    conflicted: frozenset[str] = frozenset()
    fairness: Fairness = NOBODY_NAMED
    no_reviewer_left: bool = False
    acted_at: Mapping[int, frozenset[str]] = field(default_factory=dict)
    #: Staff who worked on it, other than by routing it or guarding access: they see no survey answers.
    workers: frozenset[str] = frozenset()
    #: Staff who did anything with it or ever owned it: they do not review it once it is closed (4.5).
    participants: frozenset[str] = frozenset()
    review: FileReview | None = None
    released: bool = False
    # the incident that it belongs to, and whether it is also about another matter
    incident: int | None = None
    second_issue: bool = False
    # assessment, decisions and promises
    assessment: Assessment | None = None
    #: The highest of all assessments, and of what was proposed before them.
    highest_severity: int = 0
    highest_safety: int = 0
    issues: tuple[Issue, ...] = ()
    evidence: frozenset[str] = frozenset()
    evidence_items: tuple[EvidenceItem, ...] = ()
    statements: tuple[Statement, ...] = ()
    issue_findings: tuple[IssueFinding, ...] = ()
    drafted: Decision | None = None
    drafted_remedies: tuple[RemedyOwed, ...] = ()
    reclassification: tuple[ContactKind, str] | None = None
    extension: ExtensionAsked | None = None
    decisions: tuple[Decision, ...] = ()
    remedies: tuple[RemedyOwed, ...] = ()
    targets: tuple[TargetSet, ...] = ()
    # contact with the complainant
    acks: Mapping[int, datetime] = field(default_factory=dict)
    delivery_failed_at: datetime | None = None
    returns: int = 0
    silences: tuple[Silence, ...] = ()
    other_route: bool = False
    #: Letters that count as a contact, or as the decision, only once they are delivered.
    unsent: tuple[UnsentLetter, ...] = ()
    last_contact_at: datetime | None = None
    contacted: bool = False
    #: `work_version` at the last notice of the system: the same as now if staff did nothing since.
    noticed_at_version: int | None = None
    #: The day that a member of staff named for the next news.
    next_news_by: datetime | None = None
    reply: str | None = None
    reply_at: datetime | None = None
    #: How an acceptance within the scheme's fast track is confirmed (deadlines/periods.py); None: outside it.
    settled_early: str | None = None
    question_at: datetime | None = None
    question_answered_at: datetime | None = None
    #: Until when a limit on contact lets the answer to the open question wait.
    reply_held_until: datetime | None = None
    conduct: Conduct = NO_CONDUCT
    #: The last act that counts at once and whose letter can be taken back until it leaves, such as a closing.
    unsent_act: UnsentLetter | None = None
    #: Each request for a person in the chat, with when staff wrote first after it.
    person_waits: tuple[tuple[datetime, datetime | None], ...] = ()
    asked_at: datetime | None = None
    asked_until: datetime | None = None
    #: When we said that the complaint is incomplete, and when the complainant completed it.
    incomplete_at: datetime | None = None
    completed_at: datetime | None = None
    data_request_at: datetime | None = None
    #: The remedies asked for, by code, and the amount of money wanted, in minor units of its currency.
    remedies_requested: tuple[str, ...] = ()
    amount_requested: int | None = None
    currency_requested: str | None = None
    adult: bool = False
    #: The language of the first words, if the desk does not speak it.
    written_in: str | None = None
    authority_shown: bool = False
    recourse_at: datetime | None = None
    external_open: bool = False
    external_final_at: datetime | None = None
    #: Since when an outside body waits for our answer whether we take part.
    body_asked_at: datetime | None = None
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
    #: A survey answer that people must look at; until staff act, or the complaint is taken up again.
    survey_concern_at: datetime | None = None
    flags: frozenset[Flag] = frozenset()
    executive_receipt_at: datetime | None = None
    #: The last day of the legal hold; None while there is no hold, or one without an end.
    hold_until: date | None = None
    erased_at: datetime | None = None
    #: Earlier rules, the first ones first.
    rules_before: tuple[Rulebook, ...] = ()

    @property
    def first_rules(self) -> Rulebook:
        return self.rules_before[0] if self.rules_before else self.rules

    def rules_for(self, target: TargetSet) -> Rulebook:
        """The rules under which a version of a target was computed."""
        return (*self.rules_before, self.rules)[target.under]

    @property
    def is_open(self) -> bool:
        """True until closed; a refused decision keeps it open (7.9)."""
        return self.state is not State.CLOSED

    @property
    def is_history(self) -> bool:
        """Imported and already over: no letter leaves and no clock runs, unless it is reopened."""
        return self.imported and self.reopened == 0

    @property
    def asks_for_money(self) -> bool:
        wanted = {"money_back", "compensation"} & set(self.remedies_requested)
        return bool(wanted) or self.amount_requested is not None

    @property
    def has_chat(self) -> bool:
        """Letters can go to a chat: the complaint came from it, or was bound to it later."""
        return self.channel == "telegram" or self.bound

    @property
    def waits_for_person(self) -> bool:
        """They asked for a person, whose answer is still to come, and no member of staff has written since (7.3).

        A closing ends the wait: what is asked for afterwards is a new request, with a date of its own.
        """
        return self.question_at is not None and any(met_at is None for _, met_at in self.person_waits)

    @property
    def is_unowned(self) -> bool:
        """Without an owner, or with one who has left (4.9)."""
        return self.owner in (None, self.former_owner)

    @property
    def alarm(self) -> Alarm | None:
        """The danger that no person has closed yet, certain or possible."""
        return self.alarms[-1] if self.alarms and self.alarms[-1].ended_at is None else None

    @property
    def unseen_alarm(self) -> Alarm | None:
        """The open danger, while no person has confirmed that they have seen it."""
        return self.alarm if self.alarm is not None and self.alarm.seen_at is None else None

    @property
    def in_danger(self) -> bool:
        """The bot stays in the conversation about a danger: neither the complainant nor a person has ended it."""
        return self.alarm is not None and self.alarm.talks_until is None

    @property
    def is_discreet(self) -> bool:
        """Another person may read the complainant's screen: the bot writes nothing unprompted."""
        return any(sign.kind in DISCREET and (sign.danger or sign.look) for sign in self.signs)

    @property
    def is_offline(self) -> bool:
        """Without a chat, a person gives the news by phone, at the counter or by letter (7.3)."""
        return not self.has_chat

    @property
    def raised_late(self) -> bool:
        """Logged long after it first reached us, so it has a target `act_by` (docs/domain.md, section 4)."""
        return any(target.target is Target.ACT_BY for target in self.targets)

    @property
    def reachable(self) -> bool:
        """There is a chat, and the last delivery to it did not fail (7.3)."""
        return self.has_chat and Flag.UNREACHABLE not in self.flags

    @property
    def denied(self) -> frozenset[str]:
        """People who neither act on it nor see it: subjects, their managers, those in conflict (4.5, C)."""
        return self.subjects | self.excluded_managers | self.conflicted

    @property
    def decision(self) -> Decision | None:
        """The decision of the present level, if taken; a decision from before a reopening does not count."""
        return next(
            (
                decision
                for decision in reversed(self.decisions)
                if decision.level == self.level and decision.seq > self.reopened_seq
            ),
            None,
        )

    @property
    def unsent_decision(self) -> UnsentLetter | None:
        """The letter with the decision, while no channel has accepted it."""
        if Flag.WITHDRAWN in self.flags:
            return None
        return next((letter for letter in self.unsent if letter.before is not None), None)

    @property
    def as_delivered(self) -> Case:
        """The case without a decision that no channel has accepted yet: no target is met by it."""
        letter = self.unsent_decision
        if letter is None:
            return self
        unsent = tuple(other for other in self.unsent if other is not letter)
        return changed(without_act(self, letter), unsent=unsent)

    @property
    def reviews_decision(self) -> bool:
        """The present level reviews a decision of a lower level; those who took part in that are kept away (7.9).

        False after an escalation without a decision: that excludes no person.
        """
        return any(decision.level < self.level for decision in self.decisions)

    @property
    def severity(self) -> int:
        """The severity in force: the assessor's, or before an assessment the higher of model and safety rules.

        A rule that fires after the assessment raises it again until the next assessment (7.5).
        """
        judged = self.assessment or self.proposed
        return max([judged.severity if judged else 2, *(sign.severity for sign in self.fresh_signs)])

    @property
    def safety(self) -> int:
        """The safety in force, by the same rule as the severity."""
        judged = self.assessment or self.proposed
        return max([judged.safety if judged else 0, *(sign.safety for sign in self.fresh_signs)])

    @property
    def certain_signs(self) -> tuple[RecordedSign, ...]:
        """The signs that raise severity and safety (7.5). A likely sign only asks for a look.

        About 2 % of ordinary complaints have a likely sign, so a person looks first and then assesses freely.
        """
        return tuple(sign for sign in self.signs if not sign.look)

    @property
    def fresh_signs(self) -> tuple[RecordedSign, ...]:
        """Certain signs that fired after the last assessment, or all before the first one."""
        seq = self.assessment.seq if self.assessment is not None else 0
        return tuple(sign for sign in self.certain_signs if sign.seq > seq)

    @property
    def overruled_signs(self) -> tuple[RecordedSign, ...]:
        """Signs whose severity or safety the last assessment lowered (7.5)."""
        assessed = self.assessment
        if assessed is None:
            return ()
        return tuple(
            sign
            for sign in self.certain_signs
            if sign.seq <= assessed.seq
            and (sign.severity > assessed.severity or sign.safety > assessed.safety)
        )

    @property
    def category(self) -> str | None:
        """The assessed category, or before an assessment the proposed one, or None."""
        if self.assessment is not None:
            return self.assessment.category
        return self.proposed.category if self.proposed else None

    @property
    def restricted(self) -> bool:
        return Flag.RESTRICTED in self.flags

    @property
    def owed_remedies(self) -> tuple[RemedyOwed, ...]:
        """The remedies that we owe: an offer counts after it was accepted."""
        return tuple(remedy for remedy in self.remedies if remedy.owed)

    @property
    def awaits_approval(self) -> bool:
        """A draft, a reclassification, a later date or a limit on contact waits for a second person."""
        proposals = (self.drafted, self.reclassification, self.extension, self.conduct.pending)
        return any(proposal is not None for proposal in proposals)

    @property
    def written_language(self) -> str:
        """The language that the complainant writes, also one that the desk lacks."""
        return self.written_in or self.language

    @property
    def open_review(self) -> FileReview | None:
        """The review that was drawn and is not done."""
        return self.review if self.review is not None and self.review.reviewed_at is None else None

    @property
    def open_offer(self) -> bool:
        """An offer waits for the complainant's answer."""
        return self.is_open and any(remedy.offered for remedy in self.remedies)

    @property
    def accepted(self) -> bool:
        """They said yes to our decision; that does not cover a later decision of an outside body."""
        return self.reply == "accept" and not any(
            decision.overturned and self.reply_at is not None and decision.at > self.reply_at
            for decision in self.outside
        )

    @property
    def everything_verified(self) -> bool:
        """Every remedy that we owe is done and verified (Annex D)."""
        return all(remedy.verified_at is not None for remedy in self.owed_remedies)

    def target(self, name: Target, of: int = 0) -> TargetSet | None:
        """The latest version of a target."""
        versions = [target for target in self.targets if target.target is name and target.of == of]
        return max(versions, key=lambda target: target.version) if versions else None

    def version_of(self, name: Target, of: int, version: int) -> TargetSet | None:
        wanted = (name, of, version)
        return next(
            (target for target in self.targets if (target.target, target.of, target.version) == wanted), None
        )

    def current_targets(self) -> tuple[TargetSet, ...]:
        """The latest version of each target, met or not."""
        latest: dict[tuple[Target, int], TargetSet] = {}
        for target in self.targets:
            key = (target.target, target.of)
            if key not in latest or latest[key].version < target.version:
                latest[key] = target
        return tuple(latest.values())


if TYPE_CHECKING:
    changed = replace
else:

    def changed(value, /, **to):
        """A copy of a frozen value with some fields changed.

        Every message and every obligation folds a case from its events, and `dataclasses.replace` would run the
        constructor over its sixty fields each time. This copy is several times cheaper.
        """
        copy = object.__new__(type(value))
        copy.__dict__.update(value.__dict__)
        copy.__dict__.update(to)
        return copy


#: An act that is taken back was still done: by this person, at this time.
_STAYS_DONE = frozenset({"version", "work_version", "participants", "acted_at", "workers", "alarms"})


def without_act(case: Case, letter: UnsentLetter) -> Case:
    """The case as if the act of this letter had not been done; what has changed since stays."""
    before, after = letter.before, letter.after
    if before is None or after is None:
        return case
    restored = {
        name: value
        for name, value in vars(before).items()
        if name not in _STAYS_DONE
        and value is not (done := getattr(after, name))
        and getattr(case, name) == done
    }
    since = {(row.target, row.of, row.version): row for row in case.targets if row not in after.targets}
    rows = {(row.target, row.of, row.version): row for row in before.targets}
    flags = (case.flags - (after.flags - before.flags)) | (before.flags - after.flags)
    return changed(case, **{**restored, "flags": flags, "targets": tuple((rows | since).values())})
