"""One step of the dialogue: from what was heard to what is recorded and said (docs/design.md, rule 9)."""

from __future__ import annotations

from datetime import datetime

from bots.dialogue import (
    after_decision,
    button_handlers,
    commands,
    danger,
    flood,
    form,
    my_data,
    new_message,
    typed_labels,
)
from bots.dialogue.inputs import (
    Blocked,
    ButtonInput,
    CommandInput,
    EditInput,
    Elapsed,
    FileInput,
    GroupSeen,
    IncomingMessage,
    TextInput,
    Unblocked,
    Unreadable,
    command_of,
)
from bots.dialogue.new_message import qualifies
from bots.dialogue.question_table import ORDER
from bots.dialogue.record import ReceivedMessage, add, came_back, edit, message_of
from bots.dialogue.turn import FORM, IDLE, Turn
from bots.texts import Texts
from store.values import Conversation, DialogueTurn

_TURKISH = frozenset("ğışĞİŞ")


def step(conversation: Conversation, heard: IncomingMessage, *, now: datetime, texts: Texts) -> DialogueTurn:
    """What follows from one thing heard; pure, and never raises for anything a person can send."""
    talk = Turn.begin(conversation, now, texts)
    if not isinstance(heard, Elapsed):
        flood.count(talk)
    _hear(talk, heard)
    if talk.blocked is False:
        # Whoever writes can be written to again (7.3).
        came_back(talk)
    danger.speak(talk)
    if not isinstance(heard, Elapsed):
        flood.hold_back(talk)
    return talk.turn()


def _hear(talk: Turn, heard: IncomingMessage) -> None:
    match heard:
        case TextInput() | FileInput():
            _message(talk, heard)
        case EditInput():
            _edited(talk, heard)
        case ButtonInput():
            button_handlers.press(talk, heard)
        case CommandInput():
            _command(talk, heard)
        case Elapsed(what=what):
            if what.startswith("burst:"):
                form.burst_over(talk, what)
            elif what.startswith(flood.WAKE):
                flood.calm(talk)
        case Blocked():
            talk.blocked = True
        case Unblocked():
            talk.blocked = False
        case Unreadable():
            talk.say("unreadable")
        case GroupSeen(link=link):
            _group(talk, link)


def _command(talk: Turn, heard: CommandInput) -> None:
    """A command; a story that only begins like one is a story."""
    talk.blocked = False
    if heard.name not in commands.COMMANDS and qualifies(heard.argument):
        _message(talk, TextInput(f"/{heard.name} {heard.argument}", heard.source, heard.at))
    else:
        commands.command(talk, heard)


def _message(talk: Turn, heard: TextInput | FileInput) -> None:
    talk.blocked = False
    if isinstance(heard, TextInput):
        pressed = typed_labels.typed(talk, heard.text)
        if pressed is not None:
            button_handlers.press(talk, pressed)
            return
    _guess_language(talk, heard)
    message = message_of(heard)
    if not message.has_words and not message.files:
        talk.say("unreadable")
        return
    _place(talk, message)
    if isinstance(heard, FileInput) and heard.too_large:
        talk.say("file.too_large")


def _guess_language(talk: Turn, heard: TextInput | FileInput) -> None:
    """Letters that only Turkish has tell more than the language of the telephone, until one was chosen."""
    text = heard.text if isinstance(heard, TextInput) else heard.caption
    unknown = talk.state.get("hinted") and not talk.conversation.cases
    if unknown and "tr" in talk.texts.languages and _TURKISH & set(text):
        talk.chosen = "tr"
        talk.state["hinted"] = False


def _place(talk: Turn, message: ReceivedMessage) -> None:
    """Where the words belong: the question that stands, the form that is open, or outside both."""
    step, ref = talk.step, talk.ref
    case = talk.case(ref)
    if step == danger.STEP and case is not None:
        add(talk, case.ref, new_message.ADDITION, message)
    elif step in FORM and case is not None and case.form_open:
        _in_form(talk, case.ref, message)
    elif step in ("fresh", "human"):
        new_message.first_words(talk, message, kind="human" if step == "human" else None)
    elif case is not None and step == "question":
        after_decision.asked(talk, case.ref, message)
    elif case is not None and step == "look_again":
        after_decision.look_again(talk, case.ref, message)
    elif case is not None and step == "reason":
        after_decision.reason(talk, case.ref, message)
    elif case is not None and step == after_decision.WHY:
        after_decision.why(talk, case.ref, message)
    elif case is not None and step == my_data.CORRECT:
        my_data.corrected(talk, case.ref, message)
    elif case is not None and step == "add":
        new_message.addition(talk, case.ref, message)
    elif case is not None and step == after_decision.FREE and message.has_words:
        after_decision.told(talk, case.ref, message)
    else:
        if step in FORM:
            talk.go(IDLE)
        new_message.heard(talk, message)


def _in_form(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    step = talk.step
    if step == "story":
        form.story_goes_on(talk, ref, message)
    elif step in ORDER and not message.files and not talk.reads_danger(message.text):
        form.answered(talk, ref, message)
    else:
        # A file, or a cry for help, is an addition and the question stands; words after the read-back are
        # part of the story.
        add(talk, ref, form.field_now(talk) if step == "check" else new_message.ADDITION, message)
        if step == "check":
            form.read_back(talk, ref)


def _edited(talk: Turn, heard: EditInput) -> None:
    known = talk.conversation.sources(heard.source)
    if known is None:
        if heard.text.startswith("/"):
            # A command that was mistyped and mended.
            _command(talk, command_of(heard.text, heard.source, heard.at))
        else:
            _message(talk, TextInput(heard.text, heard.source, heard.at))
        return
    ref, field, seq = known
    case = talk.case(ref)
    if case is None:
        _message(talk, TextInput(heard.text, heard.source, heard.at))
        return
    if f"\n\n{heard.text}\n\n" in f"\n\n{talk.told(ref).get(field, '')}\n\n":
        # Telegram also tells of edits that change no word (a link's preview was loaded).
        return
    edit(talk, ref, field, seq, heard.text, heard.source)
    if case.form_open and talk.ref == ref:
        if talk.step == "check":
            form.read_back(talk, ref)
        elif form.confirms(talk):
            # What is shown for a Yes may stand otherwise now.
            form.ask(talk, talk.step, ref)
        return
    talk.say("edit.noted", ref=ref)


def _group(talk: Turn, link: str) -> None:
    """One line and the way to the private chat, at most once an hour: a group is no place for a complaint."""
    until = talk.state.get("group_until")
    if until is not None and not talk.is_past(until):
        return
    talk.state["group_until"] = talk.remember_until(talk.in_an_hour())
    talk.say("group", link=link)
