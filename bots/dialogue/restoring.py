"""What was taken for something else than a complaint, and is one after all: insisting restores it (clause 3)."""

from __future__ import annotations

from datetime import timedelta

from bots.dialogue.recording import Message, add
from bots.dialogue.talk import IDLE, Talk
from complaints.record import Case
from complaints.vocabulary import CloseCode, Verb
from complaints.worktime import due
from store.values import Act
from triage.cues import cues

#: So long after that letter words of complaint are about it, where no other complaint is open.
ABOUT_IT = timedelta(days=30)
INSISTED = "reopen_reason"


def was_set_aside(case: Case) -> bool:
    """True when it was closed as no complaint."""
    return case.close_code is CloseCode.NOT_COMPLAINT and not case.is_open


def set_aside(talk: Talk) -> Case | None:
    """The newest one that was closed as no complaint and can still be restored by its person."""
    return next((one for one in talk.conversation.cases if was_set_aside(one) and _in_time(talk, one)), None)


def _in_time(talk: Talk, case: Case) -> bool:
    window = due(case.closed_at or case.received_at, case.rules.targets.reopen_window, case.rules.calendar).at
    return talk.now <= window


def insisted(talk: Talk, case: Case | None, message: Message) -> bool:
    """True when these words complain about a matter that was set aside: doubt means complaint."""
    if case is None or not was_set_aside(case) or not _in_time(talk, case) or not message.has_words:
        return False
    return "insists" in cues(message.text)


def restored_by(talk: Talk, message: Message) -> bool:
    """Words that point to nothing: do they insist on what was set aside last? Then it is restored."""
    case = set_aside(talk)
    recent = case is not None and talk.now <= (case.closed_at or case.received_at) + ABOUT_IT
    if case is None or not recent or not insisted(talk, case, message):
        return False
    restore(talk, case, message)
    return True


def restore(talk: Talk, case: Case, message: Message) -> None:
    """Take it up as a complaint, with what was written now as the reason."""
    add(talk, case.ref, talk.new_version(INSISTED, case.ref), message)
    _reopen(talk, case, message.text)


def insist(talk: Talk, case: Case) -> None:
    """The button: it is a complaint."""
    if case.is_open:
        talk.say("reopen.open", ref=case.ref)
    elif not was_set_aside(case):
        talk.say("reply.closed", ref=case.ref)
    elif not _in_time(talk, case):
        talk.say("reopen.late", ref=case.ref)
    else:
        _reopen(talk, case, talk.texts.label(talk.language, "insist"))


def _reopen(talk: Talk, case: Case, reason: str) -> None:
    talk.act(Act(Verb.REOPEN, case.ref, {"insisted": True}, {"reason": reason}))
    talk.go(IDLE)
    talk.say("insist.restored", ref=case.ref)
