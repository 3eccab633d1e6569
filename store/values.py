"""What became of a notice, and what is stuck, as values.

What goes into the store and comes out of it: frozen values, never rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from complaints.case import Case, Event
from complaints.incidents import Incident
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Rulebooks
from complaints.similarity import SimilarCase
from complaints.vocabulary import Role, Verb


class DeliveryStatus(StrEnum):
    """How far it got."""

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
    """One notice. `at` is when that became so (of `waiting`: until when), `first` when it was sent uncertainly."""

    number: int
    kind: str
    fate: DeliveryStatus
    at: datetime
    #: Meant for the complainant; else a duty of ours inside, which shows only once given up.
    is_notice: bool
    why: str | None = None
    first: datetime | None = None


@dataclass(frozen=True)
class FailedObligation:
    """Something given up, that waits for a person: of which complaint, what, since when."""

    number: int
    ref: str | None
    kind: str
    at: datetime

    #: Meant for the complainant.
    is_notice: bool


#: A run whose key begins with this name is the judging of a file: nothing was learnt then.
FILE = "file:"


@dataclass(frozen=True)
class Chat:
    """A contact point that a message came from. `language` is the platform's hint, not yet a choice."""

    channel: str
    address: str
    language: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class ReceivedFile:
    """A file as the channel announced it; its bytes are fetched later, as an obligation."""

    platform_id: str
    platform_unique_id: str
    kind: str
    source: str
    mime: str | None = None
    size: int | None = None
    name: str | None = None
    seconds: int | None = None
    group: str | None = None


@dataclass(frozen=True)
class PlannedAct:
    """One verb that the dialogue wants done by the person of the chat. `ref` is the conversation's `next_ref`
    for `receive`."""

    verb: Verb
    ref: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    files: tuple[ReceivedFile, ...] = ()


@dataclass(frozen=True)
class ReplyText:
    """Something to say in the chat: a template with its fields (sealed at rest) and buttons as choices.

    `key` makes a repeat impossible; `due` in the future means it is first asked of the dialogue then (see
    Wake). `answers` is the callback id to answer, `replaces` the platform message to edit instead. `kind` is
    the duty's: "say", or another that brings something else than a text.
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
    """Ask the dialogue again at `due` with `Elapsed(what)`: a talk that moved on says nothing."""

    key: str
    what: str
    due: datetime


@dataclass(frozen=True)
class DialogueTurn:
    """What one heard message leads to: the new state (codes and ids only, no words), acts, things to say."""

    state: Mapping[str, Any]
    acts: tuple[PlannedAct, ...] = ()
    says: tuple[ReplyText, ...] = ()
    wakes: tuple[WakeUp, ...] = ()
    language: str | None = None
    blocked: bool | None = None
    #: Under whose rules a complaint received in this turn comes; None: the organisation's own country.
    jurisdiction: str | None = None


class CodeState(StrEnum):
    """What a code that came from a chat is: it opens a complaint, or why not."""

    FOUND = "found"
    YOURS = "yours"
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    LOCKED = "locked"


@dataclass(frozen=True)
class Code:
    """A code and the complaint that it opens, or that it opened for this very person."""

    state: CodeState
    case: Case | None = None


def _no_code(text: str) -> Code:
    return Code(CodeState.UNKNOWN)


def _none_posted(platform_id: str) -> None:
    return None


def _no_letter(ref: str) -> str:
    return ""


@dataclass(frozen=True)
class Conversation:
    """Where a talk stands, loaded and locked in the transaction that hears the message.

    `cases` are the person's complaints, the newest first, at most 20. `texts` gives the words already told to
    a case (field -> newest text) for the read-back. `staff` maps members to their names and aliases. `rules`
    gives those in force, of every jurisdiction; a complaint carries its own.
    `incidents` gives the open incidents, the newest first; they are read when a step asks for them.
    `code` looks up a code that binds; a miss counts, so it is asked once a message and only for one.
    `posted` gives the complaint that a message of ours in this chat was about, by the channel's id of it;
    `decided` the letter of a complaint's decision, or nothing.
    """

    chat: Chat
    person: str
    state: Mapping[str, Any]
    language: str | None
    cases: tuple[Case, ...]
    next_ref: str
    texts: Callable[[str], Mapping[str, str]]
    sources: Callable[[str], tuple[str, str, int] | None]
    staff: Mapping[str, tuple[str, ...]]
    rules: Callable[[], Rulebooks]
    incidents: Callable[[], tuple[Incident, ...]] = tuple
    posted: Callable[[str], str | None] = _none_posted
    decided: Callable[[str], str] = _no_letter
    code: Callable[[str], Code] = _no_code


Step = Callable[[Conversation], DialogueTurn]


@dataclass(frozen=True)
class ReceiptResult:
    """What became of a heard message: `repeat` means its key was known and nothing changed."""

    repeat: bool
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedAct:
    """An act that stands in the record."""

    event: Event
    case: Case


@dataclass(frozen=True)
class Obligation:
    """A claimed duty. `payload`: its unsealed fields; `uncertain`: an earlier try may have arrived."""

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
    """Kinds of duty that share places, and how many more of each lane there is room for, all urgent ones counted."""

    kinds: tuple[str, ...]
    room: Mapping[SendPriority, int]


@dataclass(frozen=True)
class QueueLength:
    """One lane: how much is due, how many seconds the earliest is late, how many failed or lost their holder."""

    due: int = 0
    late: float = 0.0
    retried: int = 0
    expired: int = 0


class MessageState(StrEnum):
    """How far a message of ours got; Telegram's 200 means accepted by Telegram, not read.

    `to_tell` waits for somebody to tell or post it, `told` was, `by_chat` went to the chat bound meanwhile.
    """

    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    TO_TELL = "to_tell"
    TOLD = "told"
    BY_CHAT = "by_chat"


@dataclass(frozen=True)
class Member:
    """A member of staff with the roles held now."""

    id: str
    name: str
    aliases: tuple[str, ...]
    roles: frozenset[Role]
    line: str | None = None
    absent_until: datetime | None = None
    deputy: str | None = None
    absent_from: datetime | None = None

    def is_away(self, now: datetime) -> bool:
        """True until the day of return."""
        return self.absent_until is not None and now < self.absent_until


@dataclass(frozen=True)
class SlackPost:
    """Where a case stands in Slack. `purpose` is card, restricted or executive; `shown` the drawn version.

    Without `ts` somebody is about to post it since `claimed_at`, or tried; `mine`: whoever was given this just began.
    """

    ref: str
    channel: str
    purpose: str
    ts: str | None
    shown: int
    draws: int
    claimed_at: datetime
    mine: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Draft:
    """Typed facts of a previewed act; kept sealed for 24 hours."""

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
    """One thing said, in one version."""

    field: str
    seq: int
    text: str
    at: datetime
    source: str | None
    replaces: int | None


@dataclass(frozen=True)
class FileEntry:
    """A file of a case as staff may know it. `state` is announced, fetched, too_large or failed."""

    seq: int
    kind: str
    mime: str | None
    size: int | None
    name: str | None
    state: str
    source: str
    group: str | None
    at: datetime


@dataclass(frozen=True)
class MergedCase:
    """What was said and sent in a complaint that was merged into another."""

    ref: str
    texts: tuple[Text, ...]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True)
class EarlierRead:
    """Somebody who is kept from a complaint had opened it before."""

    by: str
    at: datetime


@dataclass(frozen=True)
class OpenedCase:
    """Everything of a case that a reader sees; making it left a row in `reads`."""

    case: Case
    texts: tuple[Text, ...]
    files: tuple[FileEntry, ...]
    events: tuple[Event, ...]
    messages: tuple[Mapping[str, Any], ...]
    proposal: Mapping[str, Any] | None
    draft_words: Mapping[str, str]
    complainant_name: str | None
    support_needs: str | None = None
    #: Complaints that were merged into this one, and who had opened it before being kept from it.
    merged: tuple[MergedCase, ...] = ()
    read_before: tuple[EarlierRead, ...] = ()
    #: Told in nearly the same words; only those that this reader may know of.
    likes: tuple[SimilarCase, ...] = ()
    #: What became of each notice of ours.
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class FileToFetch:
    """What a duty of kind `fetch` must download; `n` counts the files of the complaint."""

    ref: str
    n: int
    platform_id: str
    kind: str
    mime: str | None
    size: int | None
    name: str | None


@dataclass(frozen=True)
class DeadLetter:
    """A message that was set aside, as it came."""

    id: int
    key: str
    raw: bytes
    why: str
    at: datetime


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `first_bad` names reference, seq and what is wrong; None where all is whole.

    `unsealed_tail` counts events newer than the last checkpoint, `erased` complaints without their words.
    """

    entries: int
    cases: int
    first_bad: tuple[str, int, str] | None
    unsealed_tail: int
    erased: int
