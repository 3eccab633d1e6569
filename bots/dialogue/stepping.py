"""One step of the dialogue: from what was heard to what is recorded and said (design.md, rule 9)."""

from __future__ import annotations

from datetime import datetime

from bots.dialogue import (
    commands,
    danger,
    endings,
    flood,
    labels,
    mydata,
    outside,
    presses,
    questions,
    remedies,
    replies,
    survey,
)
from bots.dialogue.asked import ORDER
from bots.dialogue.greetings import qualifies
from bots.dialogue.heard import (
    Blocked,
    Command,
    Edited,
    Elapsed,
    FileHeard,
    GroupSeen,
    Heard,
    Press,
    Unblocked,
    Unreadable,
    Words,
    command_of,
)
from bots.dialogue.recording import Message, add, came_back, edit, message_of
from bots.dialogue.talk import FORM, IDLE, Talk
from bots.texts import Texts
from store.values import Conversation, Turn

_TURKISH = frozenset("ğışĞİŞ")


def step(conversation: Conversation, heard: Heard, *, now: datetime, texts: Texts) -> Turn:
    """What follows from one thing heard; pure, and never raises for anything a person can send."""
    talk = Talk.begin(conversation, now, texts)
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


def _hear(talk: Talk, heard: Heard) -> None:
    match heard:
        case Words() | FileHeard():
            _message(talk, heard)
        case Edited():
            _edited(talk, heard)
        case Press():
            presses.press(talk, heard)
        case Command():
            _command(talk, heard)
        case Elapsed(what=what):
            if what.startswith("burst:"):
                questions.burst_over(talk, what)
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


def _command(talk: Talk, heard: Command) -> None:
    """A command; a story that only begins like one is a story."""
    talk.blocked = False
    if heard.name not in commands.COMMANDS and qualifies(heard.argument):
        _message(talk, Words(f"/{heard.name} {heard.argument}", heard.source, heard.at))
    else:
        commands.command(talk, heard)


def _message(talk: Talk, heard: Words | FileHeard) -> None:
    talk.blocked = False
    if isinstance(heard, Words):
        pressed = labels.typed(talk, heard.text)
        if pressed is not None:
            presses.press(talk, pressed)
            return
    _guess_language(talk, heard)
    message = message_of(heard)
    if not message.has_words and not message.files:
        talk.say("unreadable")
        return
    _place(talk, message)
    if isinstance(heard, FileHeard) and heard.too_large:
        talk.say("file.too_large")


def _guess_language(talk: Talk, heard: Words | FileHeard) -> None:
    """Letters that only Turkish has tell more than the language of the telephone, until one was chosen."""
    text = heard.text if isinstance(heard, Words) else heard.caption
    unknown = talk.state.get("hinted") and not talk.conversation.cases
    if unknown and "tr" in talk.texts.languages and _TURKISH & set(text):
        talk.chosen = "tr"
        talk.state["hinted"] = False


def _place(talk: Talk, message: Message) -> None:
    """Where the words belong: the question that stands, the form that is open, or outside both."""
    step, ref = talk.step, talk.ref
    case = talk.case(ref)
    if step == danger.STEP and case is not None:
        add(talk, case.ref, outside.ADDITION, message)
    elif step in FORM and case is not None and case.form_open:
        _in_form(talk, case.ref, message)
    elif step in ("fresh", "human"):
        outside.first_words(talk, message, kind="human" if step == "human" else None)
    elif case is not None and step == "question":
        replies.asked(talk, case.ref, message)
    elif case is not None and step == "look_again":
        replies.look_again(talk, case.ref, message)
    elif case is not None and step == "reason":
        endings.reason(talk, case.ref, message)
    elif case is not None and step == remedies.WHY:
        remedies.why(talk, case.ref, message)
    elif case is not None and step == mydata.CORRECT:
        mydata.corrected(talk, case.ref, message)
    elif case is not None and step == "add":
        outside.addition(talk, case.ref, message)
    elif case is not None and step == survey.FREE and message.has_words:
        survey.told(talk, case.ref, message)
    else:
        if step in FORM:
            talk.go(IDLE)
        outside.heard(talk, message)


def _in_form(talk: Talk, ref: str, message: Message) -> None:
    step = talk.step
    if step == "story":
        questions.story_goes_on(talk, ref, message)
    elif step in ORDER and not message.files and not talk.reads_danger(message.text):
        questions.answered(talk, ref, message)
    else:
        # A file, or a cry for help, is an addition and the question stands; words after the read-back are
        # part of the story.
        add(talk, ref, questions.field_now(talk) if step == "check" else outside.ADDITION, message)
        if step == "check":
            questions.read_back(talk, ref)


def _edited(talk: Talk, heard: Edited) -> None:
    known = talk.conversation.sources(heard.source)
    if known is None:
        if heard.text.startswith("/"):
            # A command that was mistyped and mended.
            _command(talk, command_of(heard.text, heard.source, heard.at))
        else:
            _message(talk, Words(heard.text, heard.source, heard.at))
        return
    ref, field, seq = known
    case = talk.case(ref)
    if case is None:
        _message(talk, Words(heard.text, heard.source, heard.at))
        return
    if f"\n\n{heard.text}\n\n" in f"\n\n{talk.told(ref).get(field, '')}\n\n":
        # Telegram also tells of edits that change no word (a link's preview was loaded).
        return
    edit(talk, ref, field, seq, heard.text, heard.source)
    if case.form_open and talk.ref == ref:
        if talk.step == "check":
            questions.read_back(talk, ref)
        elif questions.confirms(talk):
            # What is shown for a Yes may stand otherwise now.
            questions.ask(talk, talk.step, ref)
        return
    talk.say("edit.noted", ref=ref)


def _group(talk: Talk, link: str) -> None:
    """One line and the way to the private chat, at most once an hour: a group is no place for a complaint."""
    until = talk.state.get("group_until")
    if until is not None and not talk.is_past(until):
        return
    talk.state["group_until"] = talk.remember_until(talk.in_an_hour())
    talk.say("group", link=link)
