"""The frozen values that go into the store and come out of it; database rows never leave it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from complaints.case import Case, Event
from complaints.identifiers import Number
from complaints.incidents import Incident
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Rulebooks
from complaints.similarity import SimilarCase
from complaints.vocabulary import Role, Verb

#: A model run with this key prefix is the evaluation of a file, not a training.
FILE = "file:"


#: Called with the number of rows or pages done, and their total.
Progress = Callable[[int, int], None]


def no_progress(_done: int, _all: int) -> None:
    pass


@dataclass(frozen=True)
class Chat:
    """The contact point of a message; `language` is the platform's guess, not the person's choice.

    `topic`: the topic of the chat in which the person wrote last.
    """

    channel: str
    address: str
    language: str | None = None
    name: str | None = None
    topic: int | None = None


@dataclass(frozen=True)
class ReceivedFile:
    """A file that came with a message; an obligation downloads its bytes later."""

    platform_id: str
    platform_unique_id: str
    kind: str
    source: str
    mime: str | None = None
    size: int | None = None
    name: str | None = None
    seconds: int | None = None
    group: str | None = None


class FailureReason(StrEnum):
    """Why a person gives something up."""

    DONE_OTHERWISE = "done_otherwise"
    NOT_NEEDED = "not_needed"
    CANNOT = "cannot"
    TEST = "test"


@dataclass(frozen=True)
class PlannedAct:
    """An act that the dialogue wants to record for the person of the chat.

    For the verb `receive`, `ref` is the conversation's `next_ref`. By `numbers` staff find the complaint, as well as
    by those that `complaints.identifiers` finds in the words.
    """

    verb: Verb
    ref: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    files: tuple[ReceivedFile, ...] = ()
    numbers: tuple[Number, ...] = ()
    #: Its words may be in a language that staff do not read: a translator looks at them later.
    translate: bool = False


@dataclass(frozen=True)
class ReplyText:
    """A reply in the chat: a template with its fields (sealed in the database) and buttons.

    `key` prevents a second sending. `kind` is the obligation's kind: "say", or one that sends more than a text.
    """

    key: str
    template: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    buttons: tuple[tuple[str, ...], ...] = ()
    ref: str | None = None
    lane: SendPriority = SendPriority.DIALOGUE
    step: str = ""
    kind: str = "say"


@dataclass(frozen=True)
class WakeUp:
    """Call the dialogue again at `due` with `Elapsed(what)`; it stays silent if the conversation has moved on."""

    key: str
    what: str
    due: datetime


@dataclass(frozen=True)
class DialogueTurn:
    """The result of one incoming message: the new state (codes and ids, no words), acts, replies and wake-ups."""

    state: Mapping[str, Any]
    acts: tuple[PlannedAct, ...] = ()
    replies: tuple[ReplyText, ...] = ()
    wake_ups: tuple[WakeUp, ...] = ()
    language: str | None = None
    blocked: bool | None = None
    #: Whose rules a complaint received in this turn gets; None means the organisation's own country.
    jurisdiction: str | None = None
    #: A linking code to use: it connects the complaint that it opens, and any other counts as a failed attempt.
    code: str | None = None


class CodeState(StrEnum):
    """The result of checking a code: it opens a complaint, or why it does not."""

    FOUND = "found"
    YOURS = "yours"
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    LOCKED = "locked"


@dataclass(frozen=True)
class Code:
    """A checked code, with the complaint that it opens or has already opened for this person."""

    state: CodeState
    case: Case | None = None


@dataclass(frozen=True)
class Conversation:
    """A conversation as the dialogue sees it, loaded before the transaction that receives the message, or in it.

    `cases` are the person's complaints, the newest first, at most 20. `staff` maps members to names and aliases.
    The functions only read, and only when a step calls them. `texts` gives the newest words of a complaint by field.
    `sources` gives the text (reference, field, seq) that came from a message of the channel. `rules`
    gives the rules in force in every jurisdiction, `incidents` the open incidents, the newest first. `posted` gives
    the complaint that one of our messages was about, by the channel's id; `decided` the letter of a complaint's
    decision, or "". `load_events` gives the events of a complaint without their words, `load_files` its files.
    `count_reviewers` gives how many people could review a decision. `check_code` says what a linking code opens; to
    use it is planned (`DialogueTurn.code`).
    """

    chat: Chat
    person: str
    state: Mapping[str, Any]
    language: str | None
    cases: tuple[Case, ...]
    next_ref: str
    texts: Callable[[str], Mapping[str, str]]
    find_source: Callable[[str], tuple[str, str, int] | None]
    staff: Mapping[str, tuple[str, ...]]
    rules: Callable[[], Rulebooks]
    incidents: Callable[[], tuple[Incident, ...]] = tuple
    find_ref_of_message: Callable[[str], str | None] = lambda platform_id: None
    load_decision_letter: Callable[[str], str] = lambda ref: ""
    load_events: Callable[[str], Sequence[Event]] = lambda ref: ()
    load_files: Callable[[str], Sequence[ReceivedFile]] = lambda ref: ()
    count_reviewers: Callable[[Case], int] = lambda case: 1
    check_code: Callable[[str], Code] = lambda text: Code(CodeState.UNKNOWN)


Step = Callable[[Conversation], DialogueTurn]


@dataclass(frozen=True)
class ReceiptResult:
    """The result of receiving a message: `repeat` means that its key was recorded before and nothing changed."""

    repeat: bool
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedAct:
    """A recorded act: its event, and the case after it."""

    event: Event
    case: Case


@dataclass(frozen=True)
class Obligation:
    """A claimed obligation with its unsealed `payload`; `uncertain`: an earlier attempt may have been delivered."""

    id: int
    key: str
    kind: str
    due: datetime
    ref: str | None
    chat: Chat | None
    facts: Mapping[str, Any]
    payload: Mapping[str, Any]
    lane: SendPriority
    attempts: int
    uncertain: bool


@dataclass(frozen=True)
class PlatformCapacity:
    """Kinds of obligation that share worker slots, and by priority how many more can be claimed (`room`).

    More urgent obligations use up the room of the less urgent ones.
    """

    kinds: tuple[str, ...]
    free_slots: Mapping[SendPriority, int]


@dataclass(frozen=True)
class QueueLength:
    """The queue of one priority: obligations due, seconds that the oldest is late, retried ones, expired leases."""

    due: int = 0
    seconds_late: float = 0.0
    retried: int = 0
    expired: int = 0


class MessageState(StrEnum):
    """The state of an outgoing message; Telegram's 200 means that Telegram accepted it, not that it was read.

    `to_tell` waits for a member of staff to read it out or post it, `told` means that this is done. `by_chat` was
    sent to a chat that was bound before that.
    """

    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    TO_TELL = "to_tell"
    TOLD = "told"
    BY_CHAT = "by_chat"


class DeliveryStatus(StrEnum):
    """How far a notice got; the channel's answer means accepted, not read.

    `to_tell` waits for a member of staff to read it out or post it, `told` means that this is done.
    """

    DELIVERED = "delivered"
    SENT_AGAIN = "sent_again"
    UNCERTAIN = "uncertain"
    NOT_DELIVERED = "not_delivered"
    TRYING = "trying"
    WAITING = "waiting"
    GIVEN_UP = "given_up"
    ENDED = "ended"
    TO_TELL = "to_tell"
    TOLD = "told"


@dataclass(frozen=True)
class Delivery:
    """The delivery of one notice.

    `at` is when it got this status; for `waiting`, until when it waits. `first` is the time of an earlier attempt
    with an unknown result.
    """

    number: int
    kind: str
    status: DeliveryStatus
    at: datetime
    #: True for notices to the complainant; internal obligations are listed only if they failed.
    is_notice: bool
    reason: str | None = None
    uncertain_since: datetime | None = None


@dataclass(frozen=True)
class FailedObligation:
    """An obligation that failed and waits for a person; `at` is when it failed."""

    number: int
    ref: str | None
    kind: str
    at: datetime
    #: True if it is for the complainant.
    is_notice: bool


@dataclass(frozen=True)
class DeadLetter:
    """An incoming message that could not be handled, as it came."""

    id: int
    key: str
    raw: bytes
    why: str
    at: datetime


@dataclass(frozen=True)
class Absence:
    """A member is away from `since` to `until`, the start of the day of return; `deputy` counts for it alone."""

    since: datetime
    until: datetime
    deputy: str | None = None
    number: int = 0

    def runs(self, now: datetime) -> bool:
        return self.since <= now < self.until


def absence_at(absences: Sequence[Absence], now: datetime) -> Absence | None:
    """The absence that runs; of absences that overlap the one that began last."""
    running = (absence for absence in absences if absence.runs(now))
    return max(running, key=lambda absence: absence.since, default=None)


@dataclass(frozen=True)
class Member:
    """A member of staff with the present roles; `line` is the manager."""

    id: str
    name: str
    aliases: tuple[str, ...]
    roles: frozenset[Role]
    line: str | None = None
    deputy: str | None = None
    #: Running, planned and just over, the earliest first.
    absences: tuple[Absence, ...] = ()
    #: What they handle; empty: everything.
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def is_away(self, now: datetime) -> bool:
        return any(absence.runs(now) for absence in self.absences)


@dataclass(frozen=True)
class SlackPost:
    """A post about a case in Slack. `purpose` is card, restricted or executive; it shows `shown_version`.

    Without `ts` it is claimed since `claimed_at` and not yet posted. `is_new`: this very call has claimed it.
    """

    ref: str
    channel: str
    purpose: str
    ts: str | None
    shown_version: int
    draws: int
    claimed_at: datetime
    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Draft:
    """A filled form while its letter is previewed; kept sealed for 24 hours."""

    id: str
    ref: str
    by: str
    form: str
    facts: Mapping[str, Any]
    words: Mapping[str, str]
    letter: str
    work_version: int


@dataclass(frozen=True)
class Text:
    """The words of one field of one event; `replaces` is the seq of the version before."""

    field: str
    seq: int
    text: str
    at: datetime
    source: str | None
    replaces: int | None
    #: Of a translation the seq of the original.
    translates: int | None = None


@dataclass(frozen=True)
class FileEntry:
    """A file of a case as staff see it; `state` is announced, fetched, unscanned, infected,
    too_large or failed."""

    seq: int
    kind: str
    mime: str | None
    size: int | None
    name: str | None
    state: str
    source: str
    group: str | None
    at: datetime
    seconds: int | None = None


@dataclass(frozen=True)
class FileToFetch:
    """A file to download or to write down; `n` is its number within the complaint, `chat` where it came from."""

    ref: str
    n: int
    platform_id: str
    kind: str
    mime: str | None
    size: int | None
    name: str | None
    state: str
    seconds: int | None = None
    chat: Chat | None = None


@dataclass(frozen=True)
class WordsToTranslate:
    """The words of one event by field; `language` is that of the complaint, `chat` where they came from."""

    ref: str
    seq: int
    words: Mapping[str, str]
    language: str
    chat: Chat | None


@dataclass(frozen=True)
class MergedCase:
    """Texts and files of a complaint that was merged into another one."""

    ref: str
    texts: tuple[Text, ...]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True)
class EarlierRead:
    """A member of staff who read a complaint before losing access to it."""

    by: str
    at: datetime


@dataclass(frozen=True)
class OpenedCase:
    """Everything of a case that a reader sees; `open_case` has logged the read."""

    case: Case
    texts: tuple[Text, ...]
    files: tuple[FileEntry, ...]
    events: tuple[Event, ...]
    messages: tuple[Mapping[str, Any], ...]
    proposal: Mapping[str, Any] | None
    draft_words: Mapping[str, str]
    complainant_name: str | None
    #: Who gets letters that staff read out or post, and where; None with a chat.
    recipient: str | None = None
    support_needs: str | None = None
    merged: tuple[MergedCase, ...] = ()
    #: By reference, event and field; None where the translator gave none.
    translations: Mapping[tuple[str, int, str], str | None] = field(default_factory=dict)
    #: Members of staff who read the complaint before they lost access to it.
    earlier_reads: tuple[EarlierRead, ...] = ()
    #: Similar cases that this reader may know of.
    similar_cases: tuple[SimilarCase, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    #: The places whose words do not open: they are marked (store/database/errors.py).
    damaged: tuple[str, ...] = ()


class Damage(NamedTuple):
    """One damage: case (or other owner), event (0 for none), what is wrong; and the table, the row and the kind.

    `kind` is `edited`, `inserted` or `deleted`; empty where the chain of events is damaged.
    """

    ref: str
    seq: int
    why: str
    table: str = ""
    row: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Verification:
    """The result of `verify`: `problems` are its damages.

    `unsealed_tail` is the number of events after the last checkpoint, `erased` the number of erased complaints.
    What is skipped did not change since it was verified (`verified_at`), according to journal and log.
    `compared_with` names each log head kept outside that the record continues, with its size: only what these cover
    cannot have been removed as a whole.
    """

    entries: int
    cases: int
    unsealed_tail: int
    erased: int
    problems: tuple[Damage, ...] = ()
    skipped_owners: int = 0
    skipped_log_entries: int = 0
    verified_at: str | None = None
    compared_with: tuple[tuple[str, int], ...] = ()

    @property
    def first_bad(self) -> tuple[str, int, str] | None:
        """Reference, seq and reason of the first damage."""
        return self.problems[0][:3] if self.problems else None
