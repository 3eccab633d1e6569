"""Putting into the record what was heard: every word and file ends in an act (7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bots.dialogue.inputs import FileInput, TextInput
from bots.dialogue.signs import SignsInWords
from bots.dialogue.turn import Turn
from complaints.actions.intake import RETURNED, said
from complaints.case import Case, Facts
from complaints.vocabulary import Flag, Verb
from store.values import PlannedAct, ReceivedFile

#: Kinds of file that must be listened to or watched before an assessment.
AUDIBLE = frozenset({"voice", "audio", "video", "video_note"})
#: A picture of a mood out of a set: it tells no matter, as an emoji tells none.
_MOOD = "sticker"
DESCRIPTION = "description"


@dataclass(frozen=True)
class ReceivedMessage:
    """Words, a file, or both, as one message brought them."""

    text: str
    source: str
    files: tuple[ReceivedFile, ...] = ()
    reply_to: str | None = None

    @property
    def has_words(self) -> bool:
        """True when there is something to read."""
        return bool(self.text.strip())

    @property
    def may_show_it(self) -> bool:
        """True when a file may show or say what went wrong."""
        return any(one.kind != _MOOD for one in self.files)


def message_of(heard: TextInput | FileInput) -> ReceivedMessage:
    """A heard message of either sort."""
    if isinstance(heard, FileInput):
        return ReceivedMessage(heard.caption, heard.source, (heard.file,), heard.reply_to)
    return ReceivedMessage(heard.text, heard.source, (), heard.reply_to)


def receive(talk: Turn, message: ReceivedMessage, *, kind: str | None = None) -> str:
    """Open a record with this message; returns its reference."""
    ref = talk.conversation.next_ref
    reading = talk.reading(message.text, ref)
    facts = _facts(message, DESCRIPTION, reading, kind)
    words = {DESCRIPTION: message.text} if message.has_words else {}
    talk.act(PlannedAct(Verb.RECEIVE, ref, facts, words, message.files))
    _heed(talk, ref, reading)
    return ref


def add(
    talk: Turn,
    ref: str,
    field: str,
    message: ReceivedMessage,
    *,
    kind: str | None = None,
    extra: Facts | None = None,
) -> None:
    """Add a message to a complaint under a field; messages of one field are one text, edits included.

    What staff asked for is an answer. `extra` are facts besides: the codes of what was told.
    """
    reading = talk.reading(message.text, ref)
    case = talk.case(ref)
    more = dict(extra or {})
    asked = is_waiting(case) and kind is None and not more.get("aside")
    verb = Verb.ANSWER if asked else Verb.ADD
    words = {field: message.text} if message.has_words else {}
    talk.act(
        PlannedAct(verb, ref, {**_facts(message, _name(field), reading, kind), **more}, words, message.files)
    )
    _heed(talk, ref, reading)


def edit(talk: Turn, ref: str, field: str, replaces: int, text: str, source: str) -> None:
    """A new version of words told before; the first stands (docs/design.md, "texts")."""
    reading = talk.reading(text, ref)
    facts = said(
        field="edit",
        has_words=bool(text.strip()),
        signs=reading.signs,
        subjects=reading.subjects,
        source=source,
        replaces=replaces,
    )
    talk.act(PlannedAct(Verb.ADD, ref, facts, {field: text}))
    _heed(talk, ref, reading)


def choose(talk: Turn, ref: str, field: str, label: str, facts: Facts, *, kind: str | None = None) -> None:
    """An answer given by a button: its label is what the person said, its code is among the facts."""
    told = {**said(field=_name(field), has_words=True, kind=kind), **facts}
    talk.act(PlannedAct(Verb.ADD, ref, told, {field: label}))


def came_back(talk: Turn) -> None:
    """Nothing reached them for a while, and now it can: the record says so for each complaint (7.3).

    Those that this turn adds words to know it by them; what a merged one owed is owed by the one that goes on.
    """
    spoken = {one.ref for one in talk.acts if one.verb in (Verb.ADD, Verb.ANSWER)}
    for case in talk.conversation.cases:
        ended = case.merged_into is not None or case.erased_at is not None
        if Flag.UNREACHABLE in case.flags and case.ref not in spoken and not ended:
            talk.act(PlannedAct(Verb.ADD, case.ref, said(field=RETURNED, has_words=False, kind=RETURNED)))


def is_waiting(case: Case | None) -> bool:
    """True while staff wait for something that they asked for."""
    return case is not None and case.is_open and Flag.WAITING_COMPLAINANT in case.flags


def _name(field: str) -> str:
    """The field without the number of its version (`description.2`)."""
    return field.split(".")[0]


def _facts(message: ReceivedMessage, field: str, reading: SignsInWords, kind: str | None) -> dict[str, Any]:
    return said(
        field=field,
        has_words=message.has_words,
        media=len(message.files),
        audible=sum(one.kind in AUDIBLE for one in message.files),
        signs=reading.signs,
        subjects=reading.subjects,
        source=message.source,
        kind=kind,
    )


def _heed(talk: Turn, ref: str, reading: SignsInWords) -> None:
    if reading.danger is not None and talk.danger is None:
        talk.danger = (ref, reading.danger)
