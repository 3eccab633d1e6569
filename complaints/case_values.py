"""The parts of a case: safety signs, proposal, assessment, issues, remedies, decisions, due times and fairness."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from complaints.vocabulary import ContactKind, Finding, Role, Target

#: The model's name in a proposal that came from the safety rules alone.
RULES_ALONE = "rules"
#: A possible danger whose question has no answer pages after this time, as a certain one does at once.
SILENCE_BEFORE_PAGE = timedelta(minutes=2)


@dataclass(frozen=True)
class Talk:
    """A member of staff talks with the complainant now; each line that is typed in this thread is sent."""

    member: str
    role: Role
    thread: str
    since: datetime
    last_line_at: datetime
    #: The first message of the complainant that the member has not answered.
    waits_since: datetime | None = None


@dataclass(frozen=True)
class Alarm:
    """A danger to people, certain or possible, from its first sign until a person closes it (5.3, 7.3)."""

    at: datetime
    #: It became certain: by a sign, or by an answer to "Is anybody in danger?" that is no clear "no".
    certain_at: datetime | None = None
    #: A person confirmed that they have seen it.
    seen_at: datetime | None = None
    seen_by: str | None = None
    #: The complainant denied the danger, or said that it is over.
    calm_at: datetime | None = None
    #: When the complainant wrote of it, where we read it much later.
    written_at: datetime | None = None
    #: A person closed it with a reason, or a newer alarm took its place.
    ended_at: datetime | None = None

    @property
    def read_after(self) -> timedelta:
        """How long the message about it had waited when we read it; zero where that was not long."""
        return self.at - (self.written_at or self.at)

    @property
    def talks_until(self) -> datetime | None:
        """Until when the bot stayed in the conversation; None while it does."""
        return min((at for at in (self.calm_at, self.ended_at) if at is not None), default=None)

    @property
    def pages_from(self) -> datetime | None:
        """From when people are paged; None where the complainant clearly denied it: then they are asked to look."""
        if self.certain_at is not None:
            return self.certain_at
        return self.at + SILENCE_BEFORE_PAGE if self.calm_at is None else None

    @property
    def kind(self) -> str:
        """`page` if it paged people, or does unless a person acts within the two minutes; otherwise `look`."""
        acts = (self.calm_at, self.seen_at, self.ended_at)
        is_quick = any(at is not None and at < self.at + SILENCE_BEFORE_PAGE for at in acts)
        return "look" if is_quick and self.certain_at is None else "page"


@dataclass(frozen=True)
class RecordedSign:
    """A safety rule that fired on the complainant's words; it can only raise severity and safety (7.5).

    `rule` is kind and name (`minor.minor_affected`): these rules use the kind, people see the name.
    """

    rule: str
    severity: int
    safety: int
    danger: bool
    at: datetime
    seq: int = 0
    #: Likely, not certain: the complainant is asked, and without a clear "no" people are paged.
    look: bool = False
    #: The language of the message, "" if its words did not decide: that of the answers about this danger.
    language: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """The sign as the facts of an event hold it."""
        facts = {"rule": self.rule, "severity": self.severity, "safety": self.safety, "danger": self.danger}
        extra = {"look": self.look, "language": self.language if self.danger or self.look else ""}
        return facts | {name: value for name, value in extra.items() if value}

    @property
    def kind(self) -> str:
        return self.rule.split(".")[0]


def clearest_signs(signs: Sequence[RecordedSign]) -> list[RecordedSign]:
    """The signs of present danger; without one, those of a possible danger."""
    return [sign for sign in signs if sign.danger] or [sign for sign in signs if sign.look]


@dataclass(frozen=True)
class ProposedCriterion:
    """The proposed value of a criterion, the code of the reason for it, and the figures behind the reason.

    `probability` is that of `category`, or that of a grave case, which exceeded `limit` (0 to 1).
    """

    field: str
    value: int | str | bool
    reason: str
    category: str | None = None
    probability: float | None = None
    limit: float | None = None


class Certainty(StrEnum):
    """How sure a proposal is of its category."""

    SURE = "sure"
    #: Below the threshold of the model, but more probable than all other categories together.
    PROBABLY = "probably"
    #: The second category is at least half as probable as the first.
    BETWEEN = "between"
    UNCLEAR = "unclear"


def certainty(probability: float, other_probability: float, *, abstained: bool) -> Certainty:
    """How sure a proposal is, from the probabilities (0 to 1) of its first two categories."""
    if not abstained:
        return Certainty.SURE
    if other_probability * 2 >= probability:
        return Certainty.BETWEEN
    return Certainty.PROBABLY if probability > 0.5 else Certainty.UNCLEAR


@dataclass(frozen=True)
class Proposed:
    """The model's last proposal, without the complainant's words (those are sealed).

    `severity` and `safety` are the highest of all proposals before a person assessed (7.5).
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
    #: The second category, if the model is not sure between the two.
    other: str | None = None
    other_probability: float = 0.0
    #: What kind of message it seems to be; doubt means complaint (3).
    intent: ContactKind = ContactKind.COMPLAINT
    intent_probability: float = 0.0
    #: The category of each matter, the main one first.
    issues: tuple[str, ...] = ()
    criteria: tuple[ProposedCriterion, ...] = ()
    #: The last day that the complaint is about.
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
    #: The day on which a period before the legal time began, such as that for objections.
    period_from: date | None = None
    #: Codes of the organisation's own: what the complaint is about, and where it arose.
    product: str | None = None
    branch: str | None = None


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
    `answer` is the complainant's yes or no to "is it right?". `late` is how often it was recorded as late, and
    `late_at` when it last was.
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
        """Promised without conditions, or an offer that was accepted."""
        return not self.needs_acceptance or self.accepted_at is not None

    @property
    def offered(self) -> bool:
        """An offer without an answer yet."""
        return self.needs_acceptance and self.accepted_at is None and self.ended_at is None


@dataclass(frozen=True)
class Decision:
    """What was decided at one level; immutable once communicated (7.8).

    `checked`: it was drawn, so that a second person reads it before it is sent.
    """

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
    #: The numbers of the files that are sent after the letter.
    attachments: tuple[int, ...] = ()
    checked: bool = False


@dataclass(frozen=True)
class FileReview:
    """A closed complaint drawn for review by a person who took no part in it (4.5, Annex C)."""

    reviewer: str
    drawn_at: datetime
    due: datetime
    seq: int
    reviewed_at: datetime | None = None


@dataclass(frozen=True)
class ExtensionAsked:
    """A later date that a handler asks for; a manager moves it by agreeing (docs/permissions.md)."""

    by: str
    target: Target
    of: int
    until: datetime
    seq: int


@dataclass(frozen=True)
class FailedLetter:
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
    missed: tuple[FailedLetter, ...] = ()
    until: datetime | None = None
    ended_by: int = 0
    returns: int = 0


@dataclass(frozen=True)
class TargetSet:
    """A due time in one version. `of` is the remedy's number where the target belongs to one, or 0."""

    target: Target
    version: int
    of: int
    start: datetime
    internal_due: datetime
    promised_due: datetime
    basis: str
    span: str
    #: When this version was set: the complainant cannot know it before.
    set_at: datetime
    met_at: datetime | None = None
    #: How many rulebooks the complaint had before the one that this was computed under.
    under: int = 0


@dataclass(frozen=True)
class EvidenceItem:
    """One piece of evidence (7.6). `row` is where its words are in event `seq`: `items.0`, `received.0`."""

    n: int
    seq: int
    row: str
    kind: str
    dated: date | None = None
    issue: int | None = None


@dataclass(frozen=True)
class Statement:
    """A statement that we asked a person for; `inside` is True for a person of the organisation (7.6).

    `dropped`: it did not come, and staff gave a reason why it is no longer needed.
    """

    n: int
    seq: int
    row: str
    asked_at: datetime
    due_on: date
    inside: bool
    received_on: date | None = None
    dropped: bool = False

    @property
    def is_open(self) -> bool:
        return self.received_on is None and not self.dropped


@dataclass(frozen=True)
class IssueFinding:
    """What the investigation found on one issue; `basis` has the numbers of the evidence (7.6)."""

    issue: int
    seq: int
    row: str
    finding: str
    basis: tuple[int, ...]


@dataclass(frozen=True)
class ContactLimit:
    """A limit on contact about one complaint (4.5): what it names, who asked, who agreed or renewed, until when.

    `reply_days` is the number of days between two replies to repeated messages after the closing.
    """

    seq: int
    limits: tuple[str, ...]
    reply_days: int | None
    until: date
    asked_at: datetime
    asked_by: str
    agreed_by: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def people(self) -> frozenset[str]:
        """Who has a part in it: they decide no appeal against it."""
        return frozenset({self.asked_by, *self.agreed_by})


@dataclass(frozen=True)
class Conduct:
    """What was done about unreasonable conduct; the right to complain is never limited (4.5, 4.3)."""

    warned_at: datetime | None = None
    pending: ContactLimit | None = None
    limit: ContactLimit | None = None
    appeal_at: datetime | None = None
    appealed: bool = False


#: Nothing was done about the complainant's conduct.
NO_CONDUCT = Conduct()


class NotYet(StrEnum):
    """Why the person complained about is not informed at once."""

    EVIDENCE = "evidence"
    COMPLAINANT_SAFETY = "complainant_safety"
    CRIME = "crime"


#: Colleagues below a person with such a role cannot judge freely, so the complaint goes to top management.
LEADING: frozenset[str] = frozenset({"manager", "top_management"})


@dataclass(frozen=True)
class Fairness:
    """What the staff complained about were given (Annex C). `roles` are their roles when they were named.

    They are informed at once and fully unless a manager records why not yet (`not_yet`, until `review_by`),
    heard before a decision, offered support, and informed of the outcome. Disciplinary action is a different
    procedure with its own files.
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
        """True when a manager is complained about: top management deals with the complaint."""
        return bool(self.roles & LEADING)

    @property
    def allows_decision(self) -> bool:
        """True when a decision is possible: after information and a hearing, or with a recorded reason to wait."""
        return self.not_yet is not None or (self.informed_at is not None and self.heard_at is not None)


#: The complaint is not about a member of staff.
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
    """The members who could still decide a complaint, at `level` or a later one (4.5).

    They have a role of that level, are not excluded and did not act at a lower level. If a manager is complained
    about, there must also be a member of top management without a conflict.
    """
    candidates = {member: roles for member, roles in members.items() if member not in denied}
    if leads and not any("top_management" in roles for roles in candidates.values()):
        return ()
    eligible = set()
    for decided_level, deciding in levels.items():
        if decided_level >= level:
            below = {
                person for lower, people in acted_at.items() if lower < decided_level for person in people
            }
            eligible |= {
                member
                for member, roles in candidates.items()
                if roles & set(deciding) and member not in below
            }
    return tuple(sorted(eligible))


@dataclass(frozen=True)
class OutsideDecision:
    """A final decision of an outside body; it ranks above ours, which stay in the record unchanged (7.9).

    `overturned` is None where it is not known. `refused`: the complainant does not accept it.
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
