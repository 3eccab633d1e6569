"""What the complainant makes of a decision: accepts, disagrees, asks (7.9).

Was it done, and is it right? The complainant's word on a remedy that we say is done (7.7, Annex D).

Taking a complaint back and taking it up again, each with a confirmation (7.9).

Satisfaction with the handling (8.3): six questions, fairness and outcome first, all free to skip.
"""

from __future__ import annotations

from bots.dialogue import my_data, new_message
from bots.dialogue.buttons import CANCEL, SCALE, SKIP, SURE, SURVEY
from bots.dialogue.new_message import ADDITION
from bots.dialogue.record import ReceivedMessage, add, choose
from bots.dialogue.turn import IDLE, Turn
from complaints.actions.intake import REMEDY_REFUSED
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.deadlines.fast_track import ON_REQUEST, settled_early
from complaints.deadlines.working_time import due
from complaints.vocabulary import CloseCode, State, Verb
from store.values import PlannedAct

_QUESTION, _AGAIN = "question", "look_again"


def waiting(talk: Turn) -> Case | None:
    """The newest complaint whose decision was told and not answered."""
    return next((one for one in talk.conversation.cases if _answerable(one)), None)


def _answerable(case: Case) -> bool:
    told = case.decision is not None and case.decision.communicated_at is not None
    return case.state in (State.DECIDED, State.REMEDYING) and told and case.reply is None


def accept(talk: Turn, case: Case) -> None:
    """An explicit yes."""
    if case.reply == "accept":
        talk.say("reply.before", ref=case.ref)
    elif _answerable(case):
        talk.act(PlannedAct(Verb.ACCEPT, case.ref))
        talk.say("reply.accepted", ref=case.ref, next=_next(talk, case), outside=_outside(talk, case))
    else:
        _too_late(talk, case)


def _next(talk: Turn, case: Case) -> str:
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


def _outside(talk: Turn, case: Case) -> str:
    body = case.rules.recourse[0].body if case.rules.recourse else ""
    lines = [talk.line("reply.outside", body=body)] if body else []
    if settled_early(case, {}, talk.now) == ON_REQUEST:
        lines.append(talk.line("reply.in_writing"))
    return "".join(f"\n{line}" for line in lines)


def disagree(talk: Turn, case: Case) -> None:
    """A no: it stays open; we ask what should be looked at again, a letter tells of the next level."""
    if case.state is State.CLOSED:
        _too_late(talk, case)
    elif _answerable(case) or (case.reply == "accept" and talk.possible(case, Verb.DISAGREE)):
        talk.act(PlannedAct(Verb.DISAGREE, case.ref))
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


def question(talk: Turn, case: Case) -> None:
    """A question keeps the complaint from lapsing until it is answered; its words come next."""
    talk.go(_QUESTION, case.ref)
    talk.say("ask.question", ref=case.ref)


def asked(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """The question itself."""
    add(talk, ref, _QUESTION, message, kind="question")
    talk.go(IDLE)
    talk.say("question.noted", ref=ref)


def look_again(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """What should be looked at again."""
    add(talk, ref, _AGAIN, message)
    talk.go(IDLE)
    talk.say("again.noted", ref=ref)


def _too_late(talk: Turn, case: Case) -> None:
    """The press came before the decision was told, after an answer, or after the end."""
    if case.state is State.CLOSED:
        talk.say("reply.closed", ref=case.ref)
    elif case.decision is not None and case.decision.communicated_at is None:
        talk.say("reply.early", ref=case.ref)
    else:
        talk.say("reply.moved", ref=case.ref)


def human(talk: Turn, message: ReceivedMessage) -> None:
    """A person is asked for: with a complaint in hand its card shows it and a reply is owed."""
    cases = talk.open_cases
    if cases:
        case = cases[0]
        if case.question_at is None or message.has_words:
            add(talk, case.ref, "human", message, kind="question")
        talk.say("human.open", ref=case.ref)
    elif message.has_words:
        new_message.first_words(talk, message, kind="human")
    else:
        talk.go("human")
        talk.say("human.none", org=talk.here.organisation)


#: The step of the question is this with the remedy's number: `done3`.
STEP = "done"
CHECK, WHY = "remedy_check", "not_right"


def number_of(step: str) -> int | None:
    """The remedy that a question is about, or None for a step of another kind."""
    number = step.removeprefix(STEP)
    return int(number) if step.startswith(STEP) and number.isascii() and number.isdigit() else None


def remedies_waiting(talk: Turn) -> tuple[Case, RemedyOwed] | None:
    """The remedy that was told as done last and has no answer yet; on the short road I accept is one."""
    found = [
        (case, one)
        for case in talk.open_cases
        for one in case.owed_remedies
        if one.done_at is not None and one.done_at != one.promised_at and one.answer != "yes"
    ]
    return max(found, key=lambda pair: pair[1].done_at or pair[0].received_at, default=None)


def checked(talk: Turn, case: Case, n: int, *, yes: bool) -> None:
    """Yes is kept as proof for whoever checks; No opens the remedy again, and we ask what is not right."""
    one = next((found for found in case.remedies if found.n == n), None)
    label = talk.texts.label(talk.language, "yes" if yes else "no")
    if one is None or not case.is_open:
        talk.say("reply.closed" if not case.is_open else "reply.moved", ref=case.ref)
    elif one.done_at is None or (yes and one.answer == "yes"):
        # Pressed twice, on another device, or after a No.
        talk.say("remedy_check.before", ref=case.ref)
    else:
        kind = "remedy_right" if yes else REMEDY_REFUSED
        facts = {"remedy": n, "remedy_ok": yes, "aside": True}
        choose(talk, case.ref, talk.new_version(CHECK, case.ref), label, facts, kind=kind)
        if yes:
            talk.say("remedy_check.right", ref=case.ref)
        else:
            talk.go(WHY, case.ref)
            talk.say("ask.not_right", ref=case.ref, buttons=CANCEL)


def why(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """What is not right with it."""
    add(talk, ref, talk.new_version(WHY, ref), message)
    talk.go(IDLE)
    talk.say("remedy_check.noted", ref=ref)


REASON = "reopen_reason"


def withdraw(talk: Turn, case: Case) -> None:
    """Ask whether it is meant; nothing happens before Yes."""
    if case.withdrawn_at is not None:
        talk.say("withdraw.before", ref=case.ref)
        return
    if not talk.possible(case, Verb.WITHDRAW):
        talk.say("closed_already", ref=case.ref)
        return
    talk.go("sure", case.ref, sure="withdraw")
    talk.say("withdraw.sure", ref=case.ref, buttons=SURE)


def reopen(talk: Turn, case: Case) -> None:
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


def reason(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """What is new, or was not put right."""
    field = talk.new_version(REASON, ref)
    add(talk, ref, field, message)
    talk.go("sure", ref, sure="reopen", reason=field)
    talk.say("reopen.sure", ref=ref, buttons=SURE)


def sure(talk: Turn, case: Case, *, yes: bool) -> None:
    """Yes or No to what was asked last; an old button does nothing."""
    meant = talk.state.get("sure")
    if talk.step != "sure" or talk.ref != case.ref:
        return
    talk.go(IDLE)
    if not yes:
        talk.say("sure.no", ref=case.ref)
    elif meant == my_data.SURE_OF:
        my_data.asked_to_erase(talk, case)
    elif meant == "withdraw" and case.withdrawn_at is None and talk.possible(case, Verb.WITHDRAW):
        talk.act(PlannedAct(Verb.WITHDRAW, case.ref))
        talk.say("withdraw.done", ref=case.ref)
    elif meant == "reopen" and talk.possible(case, Verb.REOPEN):
        said = talk.told(case.ref).get(str(talk.state.get("reason")), "")
        words = {"reason": said or talk.line("reopen.no_words")}
        talk.act(PlannedAct(Verb.REOPEN, case.ref, {}, words))
        talk.say("reopen.done", ref=case.ref)
    else:
        talk.say("reply.moved", ref=case.ref)


FREE = "q6"


def survey_waiting(talk: Turn) -> Case | None:
    """The newest complaint whose survey was sent and not begun."""
    return next(
        (
            one
            for one in talk.conversation.cases
            if "sent" in one.surveys and not {"answered", "skipped"} & set(one.surveys)
        ),
        None,
    )


def scored(talk: Turn, ref: str, question: str, choice: str) -> None:
    """A score or Skip; the next question leaves at once. A second press on the same question changes it."""
    facts = (
        {"step": "skipped", "question": question}
        if choice == "skip"
        else {"step": "answered", "question": question, "score": int(choice)}
    )
    talk.act(PlannedAct(Verb.SURVEY, ref, facts))
    if question in talk.state.get("asked", {}).get(ref, []):
        return
    _next_question(talk, ref, question)


def _next_question(talk: Turn, ref: str, question: str) -> None:
    asked = dict(talk.state.get("asked", {}))
    asked[ref] = [*asked.get(ref, []), question]
    # One survey at a time is remembered: the state must not grow with the years.
    talk.state["asked"] = {ref: asked[ref]}
    at = SURVEY.index(question) + 1
    if at == len(SURVEY):
        talk.go(IDLE)
        talk.say("survey.thanks", ref=ref)
        return
    following = SURVEY[at]
    talk.go(following, ref)
    talk.say(f"survey.{following}", ref=ref, buttons=SKIP if following == FREE else SCALE)


def told(talk: Turn, ref: str, message: ReceivedMessage) -> None:
    """The free answer. It can hold a new complaint, so the safety rules read it like any other words."""
    talk.act(PlannedAct(Verb.SURVEY, ref, {"step": "answered", "question": FREE}, {FREE: message.text}))
    if message.files or talk.reads_danger(message.text):
        add(talk, ref, ADDITION, message)
    _next_question(talk, ref, FREE)
