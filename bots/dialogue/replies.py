"""What the complainant makes of a decision: accepts, disagrees, asks (7.9)."""

from __future__ import annotations

from bots.dialogue import outside
from bots.dialogue.recording import Message, add
from bots.dialogue.talk import IDLE, Talk
from complaints.early import ON_REQUEST, settled_early
from complaints.record import Case
from complaints.vocabulary import State, Verb
from store.values import Act

_QUESTION, _AGAIN = "question", "look_again"


def waiting(talk: Talk) -> Case | None:
    """The newest complaint whose decision was told and not answered."""
    return next((one for one in talk.conversation.cases if _answerable(one)), None)


def _answerable(case: Case) -> bool:
    told = case.decision is not None and case.decision.communicated_at is not None
    return case.state in (State.DECIDED, State.REMEDYING) and told and case.reply is None


def accept(talk: Talk, case: Case) -> None:
    """An explicit yes."""
    if case.reply == "accept":
        talk.say("reply.before", ref=case.ref)
    elif _answerable(case):
        talk.act(Act(Verb.ACCEPT, case.ref))
        talk.say("reply.accepted", ref=case.ref, next=_next(talk, case), outside=_outside(talk, case))
    else:
        _too_late(talk, case)


def _next(talk: Talk, case: Case) -> str:
    if case.decision is not None and case.decision.short:
        return talk.line("reply.next_closed")
    # With an acceptance an offer is owed as well.
    undone = [one for one in case.remedies if one.done_at is None]
    if not undone:
        return talk.line("reply.next_checked")
    lines = [
        talk.line("reply.remedy", remedy=talk.line(f"remedy.{one.type}"), date=talk.day(one.due, case))
        for one in undone
    ]
    return "\n".join(lines)


def _outside(talk: Talk, case: Case) -> str:
    body = case.rules.recourse[0].body if case.rules.recourse else ""
    lines = [talk.line("reply.outside", body=body)] if body else []
    if settled_early(case, {}, talk.now) == ON_REQUEST:
        lines.append(talk.line("reply.in_writing"))
    return "".join(f"\n{line}" for line in lines)


def disagree(talk: Talk, case: Case) -> None:
    """A no: it stays open; we ask what should be looked at again, a letter tells of the next level."""
    if case.state is State.CLOSED:
        _too_late(talk, case)
    elif _answerable(case) or (case.reply == "accept" and talk.possible(case, Verb.DISAGREE)):
        talk.act(Act(Verb.DISAGREE, case.ref))
        if case.level >= case.rules.top_level:
            # Nothing is left to look at again: the letter about the outside steps is the answer.
            talk.go(IDLE)
            return
        promised = [one for one in case.owed_remedies if one.done_at is None]
        meanwhile = f"\n{talk.line('reply.meanwhile')}" if promised else ""
        talk.go("look_again", case.ref)
        talk.say("reply.disagreed", ref=case.ref, meanwhile=meanwhile)
    else:
        _too_late(talk, case)


def question(talk: Talk, case: Case) -> None:
    """A question keeps the complaint from lapsing until it is answered; its words come next."""
    talk.go(_QUESTION, case.ref)
    talk.say("ask.question", ref=case.ref)


def asked(talk: Talk, ref: str, message: Message) -> None:
    """The question itself."""
    add(talk, ref, _QUESTION, message, kind="question")
    talk.go(IDLE)
    talk.say("question.noted", ref=ref)


def look_again(talk: Talk, ref: str, message: Message) -> None:
    """What should be looked at again."""
    add(talk, ref, _AGAIN, message)
    talk.go(IDLE)
    talk.say("again.noted", ref=ref)


def _too_late(talk: Talk, case: Case) -> None:
    """The press came before the decision was told, after an answer, or after the end."""
    if case.state is State.CLOSED:
        talk.say("reply.closed", ref=case.ref)
    elif case.decision is not None and case.decision.communicated_at is None:
        talk.say("reply.early", ref=case.ref)
    else:
        talk.say("reply.moved", ref=case.ref)


def human(talk: Talk, message: Message) -> None:
    """A person is asked for: with a complaint in hand its card shows it and a reply is owed."""
    cases = talk.open_cases
    if cases:
        case = cases[0]
        if case.question_at is None or message.has_words:
            add(talk, case.ref, "human", message, kind="question")
        talk.say("human.open", ref=case.ref)
    elif message.has_words:
        outside.first_words(talk, message, kind="human")
    else:
        talk.go("human")
        talk.say("human.none", org=talk.here.organisation)
