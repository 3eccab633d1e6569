"""One's own data: a copy into the chat, a correction, an erasure asked for (docs/domain.md, section 6)."""

from __future__ import annotations

from datetime import timedelta

from bots.dialogue.buttons import CANCEL, DATA, SURE
from bots.dialogue.record import ReceivedMessage, add, choose
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.deadlines.targets import DATA_REQUEST_SPAN
from complaints.deadlines.working_time import due
from complaints.retention import RetentionPeriod

#: The kind of the duty that makes the copy and sends it.
DUTY = "mydata"
CORRECT, SURE_OF = "correct", "erase"
EVERY = timedelta(days=1)
CORRECTION, ERASURE = "data_correction", "data_erasure"


def offer(talk: Turn) -> None:
    """What can be had, what is kept, why, until when, and whom to complain to."""
    talk.say("mydata", org=talk.here.organisation, kept=_kept(talk), buttons=DATA)


def _kept(talk: Turn) -> str:
    """Why and until when, as the rules of the newest complaint (or those in force) have it."""
    rules = talk.conversation.cases[0].rules if talk.conversation.cases else talk.rules
    if rules.retention:
        keeping = RetentionPeriod.parse(rules.retention)
        id_ = "mydata.kept_from_receipt" if keeping.from_receipt else "mydata.kept"
        return talk.line(id_, span=talk.span(keeping.span))
    return talk.line("mydata.kept_open")


def export(talk: Turn) -> None:
    """A copy of everything, once a day: it is sent as a file here, where only this person reads."""
    until = talk.state.get("export_until")
    if until is not None and not talk.is_past(until):
        talk.say("mydata.once")
        return
    talk.state["export_until"] = talk.remember_until(talk.now + EVERY)
    talk.say("mydata.coming")
    talk.owe(DUTY, "mydata.file")


def correct(talk: Turn) -> None:
    """Ask what is wrong; the answer goes to a person."""
    case = _newest(talk)
    if case is None:
        talk.say("mydata.nothing")
        return
    talk.go(CORRECT, case.ref)
    talk.say("ask.correct", ref=case.ref, buttons=CANCEL)


def corrected(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """What is to be corrected."""
    add(talk, ref, talk.new_version(CORRECTION, ref), message, kind=CORRECTION, extra={"aside": True})
    talk.go(IDLE)
    talk.say("mydata.noted", ref=ref, date=_answered_by(talk, ref))


def erase(talk: Turn) -> None:
    """Ask whether it is meant, having said what cannot go yet; nothing is erased by a press."""
    case = _newest(talk)
    if case is None:
        talk.say("mydata.nothing")
        return
    talk.go("sure", case.ref, sure=SURE_OF)
    talk.say("erase.sure", ref=case.ref, kept=_kept(talk), buttons=SURE)


def asked_to_erase(talk: Turn, case: Case) -> None:
    """The request stands in the record; a person answers it within a month."""
    label = talk.texts.label(talk.language, "erase_data")
    choose(talk, case.ref, talk.new_version(ERASURE, case.ref), label, {"aside": True}, kind=ERASURE)
    talk.say("mydata.noted", ref=case.ref, date=_answered_by(talk, case.ref))


def _answered_by(talk: Turn, ref: str) -> str:
    return talk.day(due(talk.now, DATA_REQUEST_SPAN, talk.rules_of(ref).calendar).at, talk.case(ref))


def _newest(talk: Turn) -> Case | None:
    """The complaint that the request is kept with: an open one before a closed one."""
    return next(iter((*talk.open_cases, *talk.conversation.cases)), None)
