"""Greetings and thanks, which open no complaint; doubt does (docs/design.md, "When a complaint exists").

What was taken for something else than a complaint, and is one after all: insisting restores it (clause 3).

Messages outside a form: a new complaint, or an addition to one that stands (docs/surfaces.md, "Telegram").

Where it is unclear nothing waits for an answer: the words go to the newest open complaint at once, and the
question is asked once a burst; "New complaint" opens a record with the same words.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bots.dialogue import codes, form
from bots.dialogue.buttons import INSIST, Rows
from bots.dialogue.record import ReceivedMessage, add, is_waiting, receive
from bots.dialogue.turn import IDLE, Turn
from complaints.actions.intake import said
from complaints.case import Case
from complaints.deadlines.working_time import due
from complaints.references import find_reference
from complaints.vocabulary import CloseCode, Verb
from store.values import PlannedAct, ReceivedFile
from triage.intent import cues

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_WITHOUT_SPACES = re.compile(r"[぀-ヿ㐀-鿿가-힯฀-๿]")

_SAID = {
    "en": """
    hi, hi there, hello, hello there, hey, hey there, good morning, good afternoon, good evening,
    good day, good night, how are you, hello how are you, hi how are you, is anyone there,
    anyone there, are you there, hello is anyone there, greetings, thanks, thank you,
    thank you very much, thanks a lot, many thanks, thank you so much, ok, okay, ok thanks,
    ok thank you, okay thanks, okay thank you, great thanks, cheers, all right, alright, fine,
    fine thanks, got it, understood, bye, goodbye, good bye
    """,
    "tr": """
    selam, selamlar, merhaba, merhabalar, selamün aleyküm, selamun aleyküm, günaydın, iyi günler,
    iyi akşamlar, iyi geceler, tünaydın, nasılsınız, merhaba nasılsınız, merhaba iyi günler,
    iyi günler merhaba, kimse var mı, orada mısınız, iyi çalışmalar, kolay gelsin, teşekkürler,
    teşekkür ederim, çok teşekkürler, çok teşekkür ederim, sağ olun, sağolun, çok sağ olun, tamam,
    tamam teşekkürler, tamam teşekkür ederim, peki, anladım, oldu, hoşça kalın, hoşçakalın,
    görüşürüz, iyi günler dilerim
    """,
}
#: By language, as they are said in lower case.
GREETINGS: dict[str, frozenset[str]] = {
    language: frozenset(" ".join(one.split()) for one in said.split(",")) for language, said in _SAID.items()
}


def words_in(text: str) -> list[str]:
    """The words of a text; scripts without spaces count by the letter."""
    return _WORD.findall(text) + _WITHOUT_SPACES.findall(text)


def is_greeting(text: str) -> bool:
    """True when there is nothing but a greeting or thanks, in any language that we know some of."""
    plain = " ".join(word.casefold() for word in _WORD.findall(text.replace("İ", "i").replace("I", "i")))
    turkish = " ".join(_WORD.findall(text.replace("İ", "i").replace("I", "ı").lower()))
    return any(plain in known or turkish in known for known in GREETINGS.values())


def qualifies(text: str) -> bool:
    """Two words or more that are not a greeting (docs/design.md): a plain rule, never the model."""
    return len(words_in(text)) >= 2 and not is_greeting(text)


#: So long after that letter words of complaint are about it, where no other complaint is open.
ABOUT_IT = timedelta(days=30)
INSISTED = "reopen_reason"


def was_set_aside(case: Case) -> bool:
    """True when it was closed as no complaint."""
    return case.close_code is CloseCode.NOT_COMPLAINT and not case.is_open


def set_aside(talk: Turn) -> Case | None:
    """The newest one that was closed as no complaint and can still be restored by its person."""
    return next((one for one in talk.conversation.cases if was_set_aside(one) and _in_time(talk, one)), None)


def _in_time(talk: Turn, case: Case) -> bool:
    window = due(case.closed_at or case.received_at, case.rules.targets.reopen_window, case.rules.calendar).at
    return talk.now <= window


def insisted(talk: Turn, case: Case | None, message: ReceivedMessage) -> bool:
    """True when these words complain about a matter that was set aside: doubt means complaint."""
    if case is None or not was_set_aside(case) or not _in_time(talk, case) or not message.has_words:
        return False
    return "insists" in cues(message.text)


def restored_by(talk: Turn, message: ReceivedMessage) -> bool:
    """Words that point to nothing: do they insist on what was set aside last? Then it is restored."""
    case = set_aside(talk)
    recent = case is not None and talk.now <= (case.closed_at or case.received_at) + ABOUT_IT
    if case is None or not recent or not insisted(talk, case, message):
        return False
    restore(talk, case, message)
    return True


def restore(talk: Turn, case: Case, message: ReceivedMessage) -> None:
    """Take it up as a complaint, with what was written now as the reason."""
    add(talk, case.ref, talk.new_version(INSISTED, case.ref), message)
    _reopen(talk, case, message.text)


def insist(talk: Turn, case: Case) -> None:
    """The button: it is a complaint."""
    if case.is_open:
        talk.say("reopen.open", ref=case.ref)
    elif not was_set_aside(case):
        talk.say("reply.closed", ref=case.ref)
    elif not _in_time(talk, case):
        talk.say("reopen.late", ref=case.ref)
    else:
        _reopen(talk, case, talk.texts.label(talk.language, "insist"))


def _reopen(talk: Turn, case: Case, reason: str) -> None:
    talk.act(PlannedAct(Verb.REOPEN, case.ref, {"insisted": True}, {"reason": reason}))
    talk.go(IDLE)
    talk.say("insist.restored", ref=case.ref)


ADDITION = "addition"
_CODE = re.compile(r"\d{8}", re.ASCII)
#: Bursts whose question may still be answered; older ones were added and stay so.
MOST_BURSTS = 5
MOST_OFFERED = 3


def heard(talk: Turn, message: ReceivedMessage) -> None:
    """A message that answers no question of ours."""
    lone_code = is_code(message.text) and not message.files
    if lone_code and codes.use(talk, message.text, may_be_words=bool(talk.open_cases)):
        return
    belongs = _belongs_to(talk, message)
    if belongs is not None and insisted(talk, belongs, message):
        restore(talk, belongs, message)
    elif belongs is not None:
        _added(talk, belongs, message)
    elif not talk.open_cases:
        if not restored_by(talk, message):
            first_words(talk, message)
    elif not message.files and is_greeting(message.text):
        talk.say("greeting.open", ref=talk.open_cases[0].ref)
    elif _dangerous_news(talk, message):
        begin(talk, message)
    else:
        _unclear(talk, message)


def first_words(talk: Turn, message: ReceivedMessage, *, kind: str | None = None) -> None:
    """Words with no complaint to belong to: they open one, or are answered by what to do."""
    if message.may_show_it or qualifies(message.text) or talk.reads_danger(message.text):
        begin(talk, message, kind=kind)
    elif is_greeting(message.text):
        greet(talk)
    elif is_code(message.text):
        codes.use(talk, message.text)
    else:
        talk.say("hint")


def is_code(text: str) -> bool:
    """True for the shape of a code that binds a chat to a complaint logged by staff."""
    return bool(_CODE.fullmatch(text.strip()))


def begin(talk: Turn, message: ReceivedMessage, *, kind: str | None = None) -> None:
    """Open a record and answer at once."""
    form.start(talk, receive(talk, message, kind=kind))


def greet(talk: Turn) -> None:
    """Who speaks, that people decide, and the number to call first in danger."""
    talk.say("start", org=talk.here.organisation, number=talk.here.emergency_number)
    if talk.rulebooks.are_several:
        talk.say("start.country", country=talk.texts.country(talk.language, talk.rules.country))


def _belongs_to(talk: Turn, message: ReceivedMessage) -> Case | None:
    """The complaint that the message itself points to, or whose staff wait for it."""
    quoted = talk.conversation.sources(message.reply_to) if message.reply_to else None
    answered = talk.conversation.posted(message.reply_to) if message.reply_to and quoted is None else None
    named = find_reference(message.text) if message.text else None
    case = talk.case(quoted[0] if quoted else answered or named)
    if case is not None:
        return case
    waiting = _waiting(talk)
    return waiting[0] if len(waiting) == 1 else None


def _waiting(talk: Turn) -> list[Case]:
    """Complaints for which staff wait for an answer, the newest first."""
    return [one for one in talk.open_cases if is_waiting(one)]


def _added(talk: Turn, case: Case, message: ReceivedMessage) -> None:
    add(talk, case.ref, ADDITION, message)
    burst = _burst(talk)
    if burst is None or burst["ref"] != case.ref:
        if was_set_aside(case):
            talk.say("added.not_complaint", ref=case.ref, buttons=INSIST)
        else:
            talk.say("added", ref=case.ref)
        _open_burst(talk, case.ref, asked=False)
    else:
        burst["until"] = talk.remember_until(talk.burst_ends())


def _dangerous_news(talk: Turn, message: ReceivedMessage) -> bool:
    """A fresh danger is a matter of its own, unless the newest complaint is already about one."""
    newest = talk.open_cases[0]
    return talk.reads_danger(message.text) and newest.danger_at is None


def _unclear(talk: Turn, message: ReceivedMessage) -> None:
    burst = _burst(talk)
    waiting = _waiting(talk)
    ref = burst["ref"] if burst is not None else (waiting or talk.open_cases)[0].ref
    if burst is None:
        burst = _open_burst(talk, ref, asked=True)
        # Several answers are waited for: which one this is, only the person knows.
        asks = "ask.answers_which" if waiting else "ask.belongs"
        talk.say(asks, ref=ref, buttons=_offers(talk, ref, waiting), step="belongs")
    add(talk, ref, burst["field"], message, extra={"aside": True} if waiting else None)
    burst["until"] = talk.remember_until(talk.burst_ends())
    burst["files"] += [asdict(one) | {"name": None} for one in message.files]


def _offers(talk: Turn, ref: str, waiting: list[Case]) -> Rows:
    others = [one.ref for one in (*waiting, *talk.open_cases) if one.ref != ref]
    offered = list(dict.fromkeys(others))[: MOST_OFFERED - 1]
    return (("new",), *((f"add:{one}",) for one in (ref, *offered)))


def _burst(talk: Turn) -> dict[str, Any] | None:
    """The burst that this message still belongs to."""
    bursts = talk.state.get("bursts", [])
    return bursts[-1] if bursts and not talk.is_past(bursts[-1]["until"]) else None


def _open_burst(talk: Turn, ref: str, *, asked: bool) -> dict[str, Any]:
    burst: dict[str, Any] = {
        "turn": talk.state["turn"],
        "ref": ref,
        "until": talk.remember_until(talk.burst_ends()),
        "field": talk.new_version(ADDITION, ref),
        "files": [],
        "asked": asked,
    }
    talk.state["bursts"] = [*talk.state.get("bursts", []), burst][-MOST_BURSTS:]
    return burst


def belongs(talk: Turn, choice: str, ref: str | None, turn: int | None) -> None:
    """The answer to "is it about something else?"; `turn` None means the last one asked.

    A second press finds the question answered: it is told again where the words are, or nothing.
    """
    asked = [one for one in talk.state.get("bursts", []) if one["asked"]]
    burst = next((one for one in reversed(asked) if turn in (None, one["turn"])), None)
    if burst is not None:
        burst["asked"] = False
        burst["until"] = talk.remember_until(talk.now)
    if choice == "new":
        if burst is not None:
            _as_new(talk, _again(talk, burst))
    elif ref is not None and talk.case(ref) is not None:
        if burst is not None and ref != burst["ref"]:
            add(talk, ref, talk.new_version(ADDITION, ref), _again(talk, burst))
        elif burst is not None and is_waiting(talk.case(ref)):
            # The words are there already; that they answer what staff asked is said only now.
            answers = said(field=ADDITION, has_words=False, source=f"belongs:{burst['turn']}")
            talk.act(PlannedAct(Verb.ANSWER, ref, answers))
        talk.say("added", ref=ref)


def _as_new(talk: Turn, message: ReceivedMessage) -> None:
    if message.has_words or message.may_show_it:
        begin(talk, message)
    else:
        talk.go("fresh")
        talk.say("ask.fresh")


def _again(talk: Turn, burst: dict[str, Any]) -> ReceivedMessage:
    """The messages of a burst as one, from the record: the state holds none of their words."""
    files = tuple(ReceivedFile(**one) for one in burst["files"])
    told = talk.told(burst["ref"]) if talk.case(burst["ref"]) is not None else {}
    return ReceivedMessage(told.get(burst["field"], ""), f"belongs:{burst['turn']}", files)


def addition(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """What was announced by /add."""
    add(talk, ref, ADDITION, message)
    talk.go(IDLE)
    talk.say("added", ref=ref)
    _open_burst(talk, ref, asked=False)
