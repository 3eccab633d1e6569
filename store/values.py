"""What goes into the store and comes out of it: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from complaints.owing import Lane
from complaints.record import Case, Event
from complaints.vocabulary import Role, Verb


@dataclass(frozen=True)
class Chat:
    """A contact point that a message came from. `language` is the platform's hint, not yet a choice."""

    channel: str
    address: str
    language: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class HeardFile:
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
class Act:
    """One verb that the dialogue wants done by the person of the chat. `ref` is the conversation's `next_ref`
    for `receive`."""

    verb: Verb
    ref: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    files: tuple[HeardFile, ...] = ()


@dataclass(frozen=True)
class Say:
    """Something to say in the chat: a template with its fields (sealed at rest) and buttons as choices.

    `key` makes a repeat impossible; `due` in the future means it is first asked of the dialogue then (see
    Wake). `answers` is the callback id to answer, `replaces` the platform message to edit instead.
    """

    key: str
    template: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    buttons: tuple[tuple[str, ...], ...] = ()
    ref: str | None = None
    lane: Lane = Lane.DIALOGUE
    step: str = ""


@dataclass(frozen=True)
class Wake:
    """Ask the dialogue again at `due` with `Elapsed(what)`: a talk that moved on says nothing."""

    key: str
    what: str
    due: datetime


@dataclass(frozen=True)
class Turn:
    """What one heard message leads to: the new state (codes and ids only, no words), acts, things to say."""

    state: Mapping[str, Any]
    acts: tuple[Act, ...] = ()
    says: tuple[Say, ...] = ()
    wakes: tuple[Wake, ...] = ()
    language: str | None = None
    blocked: bool | None = None


@dataclass(frozen=True)
class Conversation:
    """Where a talk stands, loaded and locked in the transaction that hears the message.

    `cases` are the person's complaints, the newest first, at most 20. `texts` gives the words already told to
    a case (field -> newest text) for the read-back. `staff` maps members to their names and aliases.
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


Step = Callable[[Conversation], Turn]


@dataclass(frozen=True)
class Heard:
    """What became of a heard message: `repeat` means its key was known and nothing changed."""

    repeat: bool
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
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
    lane: Lane
    attempts: int
    uncertain: bool


class MessageState(StrEnum):
    """How far a message of ours got; Telegram's 200 means accepted by Telegram, not read."""

    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


@dataclass(frozen=True)
class Member:
    """A member of staff with the roles held now."""

    id: str
    name: str
    aliases: tuple[str, ...]
    roles: frozenset[Role]
    line: str | None = None
    absent_until: datetime | None = None


@dataclass(frozen=True)
class SlackPost:
    """Where a case stands in Slack. `purpose` is card, restricted or executive; `shown` the drawn version."""

    ref: str
    channel: str
    purpose: str
    ts: str | None
    shown: int
    draws: int


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
class FileSeen:
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
class Opened:
    """Everything of a case that a reader sees; making it left a row in `reads`."""

    case: Case
    texts: tuple[Text, ...]
    files: tuple[FileSeen, ...]
    events: tuple[Event, ...]
    messages: tuple[Mapping[str, Any], ...]
    proposal: Mapping[str, Any] | None
    draft_words: Mapping[str, str]
    complainant_name: str | None


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
class Raw:
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
