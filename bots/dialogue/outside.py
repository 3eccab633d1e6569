"""Messages outside a form: a new complaint, or an addition to one that stands (surfaces.md, Telegram).

Where it is unclear nothing waits for an answer: the words go to the newest open complaint at once, and the
question is asked once a burst; "New complaint" opens a record with the same words.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from bots.dialogue import binding, greetings, questions
from bots.dialogue.buttons import INSIST, Rows
from bots.dialogue.recording import Message, add, is_waiting, receive
from bots.dialogue.restoring import insisted, restore, restored_by, was_set_aside
from bots.dialogue.talk import IDLE, Talk
from complaints.intake import said
from complaints.record import Case
from complaints.references import find_reference
from complaints.vocabulary import Verb
from store.values import Act, HeardFile

ADDITION = "addition"
_CODE = re.compile(r"\d{8}", re.ASCII)
#: Bursts whose question may still be answered; older ones were added and stay so.
MOST_BURSTS = 5
MOST_OFFERED = 3


def heard(talk: Talk, message: Message) -> None:
    """A message that answers no question of ours."""
    lone_code = is_code(message.text) and not message.files
    if lone_code and binding.use(talk, message.text, may_be_words=bool(talk.open_cases)):
        return
    belongs = _belongs_to(talk, message)
    if belongs is not None and insisted(talk, belongs, message):
        restore(talk, belongs, message)
    elif belongs is not None:
        _added(talk, belongs, message)
    elif not talk.open_cases:
        if not restored_by(talk, message):
            first_words(talk, message)
    elif not message.files and greetings.is_greeting(message.text):
        talk.say("greeting.open", ref=talk.open_cases[0].ref)
    elif _dangerous_news(talk, message):
        begin(talk, message)
    else:
        _unclear(talk, message)


def first_words(talk: Talk, message: Message, *, kind: str | None = None) -> None:
    """Words with no complaint to belong to: they open one, or are answered by what to do."""
    if message.may_show_it or greetings.qualifies(message.text) or talk.reads_danger(message.text):
        begin(talk, message, kind=kind)
    elif greetings.is_greeting(message.text):
        greet(talk)
    elif is_code(message.text):
        binding.use(talk, message.text)
    else:
        talk.say("hint")


def is_code(text: str) -> bool:
    """True for the shape of a code that binds a chat to a complaint logged by staff."""
    return bool(_CODE.fullmatch(text.strip()))


def begin(talk: Talk, message: Message, *, kind: str | None = None) -> None:
    """Open a record and answer at once."""
    questions.start(talk, receive(talk, message, kind=kind))


def greet(talk: Talk) -> None:
    """Who speaks, that people decide, and the number to call first in danger."""
    talk.say("start", org=talk.here.organisation, number=talk.here.emergency_number)
    if talk.rulebooks.are_several:
        talk.say("start.country", country=talk.texts.country(talk.language, talk.rules.country))


def _belongs_to(talk: Talk, message: Message) -> Case | None:
    """The complaint that the message itself points to, or whose staff wait for it."""
    quoted = talk.conversation.sources(message.reply_to) if message.reply_to else None
    answered = talk.conversation.posted(message.reply_to) if message.reply_to and quoted is None else None
    named = find_reference(message.text) if message.text else None
    case = talk.case(quoted[0] if quoted else answered or named)
    if case is not None:
        return case
    waiting = _waiting(talk)
    return waiting[0] if len(waiting) == 1 else None


def _waiting(talk: Talk) -> list[Case]:
    """Complaints for which staff wait for an answer, the newest first."""
    return [one for one in talk.open_cases if is_waiting(one)]


def _added(talk: Talk, case: Case, message: Message) -> None:
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


def _dangerous_news(talk: Talk, message: Message) -> bool:
    """A fresh danger is a matter of its own, unless the newest complaint is already about one."""
    newest = talk.open_cases[0]
    return talk.reads_danger(message.text) and newest.danger_at is None


def _unclear(talk: Talk, message: Message) -> None:
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


def _offers(talk: Talk, ref: str, waiting: list[Case]) -> Rows:
    others = [one.ref for one in (*waiting, *talk.open_cases) if one.ref != ref]
    offered = list(dict.fromkeys(others))[: MOST_OFFERED - 1]
    return (("new",), *((f"add:{one}",) for one in (ref, *offered)))


def _burst(talk: Talk) -> dict[str, Any] | None:
    """The burst that this message still belongs to."""
    bursts = talk.state.get("bursts", [])
    return bursts[-1] if bursts and not talk.is_past(bursts[-1]["until"]) else None


def _open_burst(talk: Talk, ref: str, *, asked: bool) -> dict[str, Any]:
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


def belongs(talk: Talk, choice: str, ref: str | None, turn: int | None) -> None:
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
            talk.act(Act(Verb.ANSWER, ref, answers))
        talk.say("added", ref=ref)


def _as_new(talk: Talk, message: Message) -> None:
    if message.has_words or message.may_show_it:
        begin(talk, message)
    else:
        talk.go("fresh")
        talk.say("ask.fresh")


def _again(talk: Talk, burst: dict[str, Any]) -> Message:
    """The messages of a burst as one, from the record: the state holds none of their words."""
    files = tuple(HeardFile(**one) for one in burst["files"])
    told = talk.told(burst["ref"]) if talk.case(burst["ref"]) is not None else {}
    return Message(told.get(burst["field"], ""), f"belongs:{burst['turn']}", files)


def addition(talk: Talk, ref: str, message: Message) -> None:
    """What was announced by /add."""
    add(talk, ref, ADDITION, message)
    talk.go(IDLE)
    talk.say("added", ref=ref)
    _open_burst(talk, ref, asked=False)
