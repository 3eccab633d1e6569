"""Taking a complaint back and taking it up again, each with a confirmation (7.9)."""

from __future__ import annotations

from bots.dialogue import mydata
from bots.dialogue.buttons import CANCEL, SURE
from bots.dialogue.recording import Message, add
from bots.dialogue.talk import IDLE, Talk
from complaints.record import Case
from complaints.vocabulary import CloseCode, State, Verb
from complaints.worktime import due
from store.values import Act

REASON = "reopen_reason"


def withdraw(talk: Talk, case: Case) -> None:
    """Ask whether it is meant; nothing happens before Yes."""
    if case.withdrawn_at is not None:
        talk.say("withdraw.before", ref=case.ref)
        return
    if not talk.possible(case, Verb.WITHDRAW):
        talk.say("closed_already", ref=case.ref)
        return
    talk.go("sure", case.ref, sure="withdraw")
    talk.say("withdraw.sure", ref=case.ref, buttons=SURE)


def reopen(talk: Talk, case: Case) -> None:
    """Ask what is new; the answer is recorded before the question whether it is meant."""
    if case.state is not State.CLOSED or case.closed_at is None:
        talk.say("reopen.open", ref=case.ref)
        return
    if case.close_code is CloseCode.MERGED:
        talk.say("reopen.merged", ref=case.ref)
        return
    if talk.now > due(case.closed_at, case.rules.targets.reopen_window, case.rules.calendar).at:
        talk.say("reopen.late", ref=case.ref)
        return
    talk.go("reason", case.ref)
    talk.say("reopen.reason", ref=case.ref, buttons=CANCEL)


def reason(talk: Talk, ref: str, message: Message) -> None:
    """What is new, or was not put right."""
    field = talk.new_version(REASON, ref)
    add(talk, ref, field, message)
    talk.go("sure", ref, sure="reopen", reason=field)
    talk.say("reopen.sure", ref=ref, buttons=SURE)


def sure(talk: Talk, case: Case, *, yes: bool) -> None:
    """Yes or No to what was asked last; an old button does nothing."""
    meant = talk.state.get("sure")
    if talk.step != "sure" or talk.ref != case.ref:
        return
    talk.go(IDLE)
    if not yes:
        talk.say("sure.no", ref=case.ref)
    elif meant == mydata.SURE_OF:
        mydata.asked_to_erase(talk, case)
    elif meant == "withdraw" and case.withdrawn_at is None and talk.possible(case, Verb.WITHDRAW):
        talk.act(Act(Verb.WITHDRAW, case.ref))
        talk.say("withdraw.done", ref=case.ref)
    elif meant == "reopen" and talk.possible(case, Verb.REOPEN):
        said = talk.told(case.ref).get(str(talk.state.get("reason")), "")
        words = {"reason": said or talk.line("reopen.no_words")}
        talk.act(Act(Verb.REOPEN, case.ref, {}, words))
        talk.say("reopen.done", ref=case.ref)
    else:
        talk.say("reply.moved", ref=case.ref)
