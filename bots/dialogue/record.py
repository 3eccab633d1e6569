"""The acts that record what the complainant sends: no word and no file is lost (7.2)."""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from bots.dialogue.buttons import Rows
from bots.dialogue.inputs import FileInput, TextInput, Transcript, Translation
from bots.dialogue.turn import DESCRIPTION, SignsInWords, Turn
from bots.texts.phrases import AUDIBLE, recording_name
from complaints.actions.intake import FORWARDED, RETURNED, TRANSCRIPT, TRANSLATION, message_facts
from complaints.actions.registry import MESSAGE_VERBS
from complaints.case import Case, Facts
from complaints.identifiers import Number, is_code
from complaints.times import format_time
from complaints.vocabulary import UNDECIDED, Flag, Target, Verb
from store.values import PlannedAct, ReceivedFile
from triage.facts.finder import find_numbers as numbers_in_story
from triage.facts.references import is_card, is_iban
from triage.matching import LANGUAGES

#: By kind of number in a story, the kind that staff search for.
_NUMBER_KINDS = {
    **dict.fromkeys(("order", "invoice", "booking"), "order"),
    **dict.fromkeys(("account", "customer", "meter", "policy", "contract", "reference"), "customer"),
}
#: Five figures and letters or more, at least four of them figures: shorter ones are house numbers and years.
_BARE_CODE = re.compile(
    r"(?<![\w.,+-])(?=(?:[A-Za-z/-]*\d){4})[A-Za-z0-9][A-Za-z0-9/-]{3,22}[A-Za-z0-9](?![\w-]|[.,]\d)"
)
PLACE = "where_and_when"
#: Coordinates or a link to a map only: they say where, but not what went wrong.
_ONLY_A_PLACE = re.compile(
    r"(?:geo:)?-?\d{1,3}[.,]\d{2,15}\s?[,; ]\s?-?\d{1,3}[.,]\d{2,15}"
    r"|https?://(?:maps\.|goo\.gl/maps|(?:www\.)?google\.[a-z.]{2,6}/maps|(?:www\.)?openstreetmap\.org)\S{1,500}"
)


@dataclass(frozen=True)
class ReceivedMessage:
    """One message to be recorded: text, files, or both."""

    text: str
    source: str
    files: tuple[ReceivedFile, ...] = ()
    reply_to: str | None = None
    is_place: bool = False
    is_forwarded: bool = False

    @property
    def has_words(self) -> bool:
        return bool(self.text.strip())

    @property
    def may_be_evidence(self) -> bool:
        """True when a file can show what went wrong. A sticker shows a mood, as an emoji does."""
        return any(file.kind != "sticker" for file in self.files)


def to_message(incoming: TextInput | FileInput) -> ReceivedMessage:
    if isinstance(incoming, FileInput):
        return ReceivedMessage(
            incoming.caption,
            incoming.source,
            (incoming.file,),
            incoming.reply_to,
            is_forwarded=incoming.is_forwarded,
        )
    is_place = incoming.is_place or bool(_ONLY_A_PLACE.fullmatch(incoming.text.strip()))
    return ReceivedMessage(
        incoming.text, incoming.source, (), incoming.reply_to, is_place, incoming.is_forwarded
    )


def receive(turn: Turn, message: ReceivedMessage, *, kind: str | None = None) -> str:
    """Receive a new complaint with this message (7.2); returns its reference."""
    ref = turn.conversation.next_ref
    signs = turn.signs_in(message.text, ref)
    field = PLACE if message.is_place else FORWARDED if message.is_forwarded else DESCRIPTION
    words = {field: message.text} if message.has_words else {}
    facts, numbers = _facts(message, field, signs, kind), find_numbers(turn, ref, message.text)
    if "written_in" in turn.state:
        # The language of the first words, if the desk does not speak it.
        facts["written_in"] = turn.state.pop("written_in")
    if kind == "human":
        # Who begins with a wish for a person gets a date for the answer, like every question.
        facts["needs_reply"] = True
    turn.plan(PlannedAct(Verb.RECEIVE, ref, facts, words, message.files, numbers))
    _note_danger(turn, ref, signs)
    return ref


def add_message(
    turn: Turn,
    ref: str,
    field: str,
    message: ReceivedMessage,
    *,
    kind: str | None = None,
    extra: Facts | None = None,
) -> None:
    """Add a message to a complaint. All messages of one field form one text.

    It counts as an answer while staff wait for the complainant, unless `kind` or an `aside` fact says
    otherwise. `extra` are further facts, such as the code of the answer.
    """
    signs = turn.signs_in(message.text, ref)
    case = turn.case(ref)
    if message.is_forwarded and message.has_words:
        field = turn.next_field(FORWARDED, ref)
    extra_facts = dict(extra or {})
    is_answer = is_waiting_for_complainant(case) and kind is None and not extra_facts.get("aside")
    verb = Verb.ANSWER if is_answer else Verb.ADD
    facts = {**_facts(message, field.split(".")[0], signs, kind), **extra_facts}
    words = {field: message.text} if message.has_words else {}
    numbers = find_numbers(turn, ref, message.text, is_place_answer=field.split(".")[0] == PLACE)
    turn.plan(PlannedAct(verb, ref, facts, words, message.files, numbers))
    _note_danger(turn, ref, signs)


def record_transcript(turn: Turn, transcript: Transcript) -> None:
    """Record what a machine made of a recording: no answer, no new message, but the safety rules read it."""
    case = turn.case(transcript.ref)
    ref = case.ref if case is not None else transcript.ref
    signs = turn.signs_in(transcript.text, ref)
    facts = message_facts(
        field=TRANSCRIPT,
        has_words=True,
        signs=signs.signs,
        subjects=signs.subjects,
        kind=TRANSCRIPT,
    )
    turn.plan(PlannedAct(Verb.ADD, ref, facts, {f"{TRANSCRIPT}.{transcript.file}": transcript.text}))
    _note_danger(turn, ref, signs)


def record_translation(turn: Turn, translation: Translation) -> None:
    """Record what a machine made of these words, for staff; the original is what counts.

    The safety rules read it only where they do not know the language of the original.
    """
    case = turn.case(translation.ref)
    if case is not None and case.ref != translation.ref:
        # Merged since: the events of the complaint that continues have other numbers.
        return
    signs = SignsInWords()
    if translation.language not in LANGUAGES:
        all_signs = turn.signs_in("\n".join(translation.words.values()), translation.ref)
        # The words of the translation do not show in which language the person is to be answered.
        signs = replace(all_signs, signs=tuple(replace(sign, language="") for sign in all_signs.signs))
    facts = message_facts(
        field=TRANSLATION, has_words=True, signs=signs.signs, subjects=signs.subjects, kind=TRANSLATION
    )
    words = {f"{TRANSLATION}.{field}": text for field, text in translation.words.items()}
    turn.plan(PlannedAct(Verb.ADD, translation.ref, {**facts, "translates": translation.seq}, words))
    _note_danger(turn, translation.ref, signs)


def confirm_recording(turn: Turn, file: ReceivedFile) -> None:
    """Say that a person listens to a recording, or watches it; once in a burst of messages."""
    until = turn.state.get("listen_until")
    turn.state["listen_until"] = format_time(turn.burst_end())
    what = recording_name(file.kind, file.seconds, turn.text)
    if what and (until is None or turn.is_past(until)):
        turn.reply("media.watch" if "video" in file.kind else "media.listen", what=what)


def add_to_album(turn: Turn, message: ReceivedMessage) -> bool:
    """Record a further file of an album where its first file is; False for any other message."""
    album, group = turn.state.get("album"), message.files[0].group if message.files else None
    case = turn.case(album["ref"]) if album is not None and group == album["group"] else None
    if album is None or case is None or not turn.allows(case, Verb.ADD):
        return False
    add_message(turn, case.ref, turn.latest_field(album["field"], case.ref), message)
    for burst in turn.state.get("bursts", [])[-1:]:
        if burst["ref"] == case.ref and burst["asked"]:
            # "New complaint" takes the whole album along.
            burst["files"] += [asdict(file) | {"name": None} for file in message.files]
    return True


def remember_album(turn: Turn, message: ReceivedMessage) -> None:
    """Remember where the first file of an album was recorded: Telegram sends the others as messages of their own."""
    group = message.files[0].group if message.files else None
    act = next((act for act in reversed(turn.acts) if act.files), None)
    if group is not None and act is not None:
        turn.state["album"] = {"group": group, "ref": act.ref, "field": act.facts["field"]}


def reply_added(turn: Turn, ref: str, *, asks: bool = False, buttons: Rows = ()) -> None:
    """Say that a person reads an addition, and by when; with buttons, ask whether it is about another matter.

    A person answers a question, and all that comes after the decision (intake.check_words).
    """
    case, template, time = turn.case(ref), "added", ""
    look = case.target(Target.LOOK) if case is not None else None
    if asks or (case is not None and case.state not in UNDECIDED):
        template = "added.answer"
    elif case is not None and look is not None and look.met_at is None and look.promised_due > turn.now:
        template, time = "added.by", turn.due_time(look.promised_due, case)
    turn.reply(template, ref=ref, buttons=buttons, step="belongs" if buttons else None, time=time)
    if buttons:
        turn.add_below(turn.text("ask.belongs"))


def record_edit(turn: Turn, ref: str, field: str, replaces: int, text: str, source: str) -> None:
    """Record the new version of an edited message; the first version is kept (docs/design.md, "texts")."""
    signs = turn.signs_in(text, ref)
    facts = message_facts(
        field="edit",
        has_words=bool(text.strip()),
        signs=signs.signs,
        subjects=signs.subjects,
        source=source,
        replaces=replaces,
    )
    turn.plan(PlannedAct(Verb.ADD, ref, facts, {field: text}, numbers=find_numbers(turn, ref, text)))
    _note_danger(turn, ref, signs)


def record_choice(
    turn: Turn, ref: str, field: str, label: str, facts: Facts, *, kind: str | None = None
) -> None:
    """Record an answer given by a button: the label is its text, the code is one of the facts."""
    choice_facts = {**message_facts(field=field.split(".")[0], has_words=True, kind=kind), **facts}
    turn.plan(PlannedAct(Verb.ADD, ref, choice_facts, {field: label}))


def record_reachable_again(turn: Turn) -> None:
    """Record on each complaint marked as unreachable that the complainant can be reached again (7.3).

    Complaints that get an addition in this turn need no act of their own, and a merged complaint's
    obligations have moved to the one that continues.
    """
    refs_with_addition = {act.ref for act in turn.acts if act.verb in MESSAGE_VERBS}
    for case in turn.conversation.cases:
        ended = case.merged_into is not None or case.erased_at is not None
        if Flag.UNREACHABLE in case.flags and case.ref not in refs_with_addition and not ended:
            facts = message_facts(field=RETURNED, has_words=False, kind=RETURNED)
            turn.plan(PlannedAct(Verb.ADD, case.ref, facts))


def is_waiting_for_complainant(case: Case | None) -> bool:
    return case is not None and case.is_open and Flag.WAITING_COMPLAINANT in case.flags


def _facts(message: ReceivedMessage, field: str, signs: SignsInWords, kind: str | None) -> dict[str, Any]:
    return message_facts(
        field=field,
        has_words=message.has_words,
        media=len(message.files),
        audible=sum(file.kind in AUDIBLE for file in message.files),
        signs=signs.signs,
        subjects=signs.subjects,
        source=message.source,
        kind=kind,
    )


def find_numbers(turn: Turn, ref: str, text: str, *, is_place_answer: bool = False) -> tuple[Number, ...]:
    """The numbers that the dialogue reads in a text, in every language: what it reads back, staff find.

    An answer to "which order or account is it about?" may be the bare number.
    """
    if not any(character.isdigit() for character in text):
        return ()
    numbers = [
        Number(_NUMBER_KINDS[fact.kind], fact.value)
        for fact in numbers_in_story(text, received=turn.received_on(ref))
        if not is_iban(fact.value)
    ]
    if is_place_answer:
        codes = _BARE_CODE.findall(text)
        numbers += [Number("order", code) for code in codes if is_code(code) and not is_card(code)]
    return tuple(dict.fromkeys(numbers))


def _note_danger(turn: Turn, ref: str, signs: SignsInWords) -> None:
    is_worth_an_answer = signs.danger is not None or signs.look is not None
    # A danger in a later message of the same turn replaces a likely one.
    if is_worth_an_answer and (turn.danger is None or (signs.danger and not turn.danger[1].danger)):
        turn.danger = (ref, signs)
