"""Where each complaint stands, in plain words, with the one date that was promised (7.3)."""

from __future__ import annotations

from bots.dialogue import incident
from bots.dialogue.buttons import REPLY
from bots.dialogue.form import promised
from bots.dialogue.turn import Turn
from complaints.case import Case
from complaints.references import parse_reference
from complaints.vocabulary import Flag, State, Target

MOST_OPEN, MOST_CLOSED = 8, 3
_UNDECIDED = frozenset({State.RECEIVED, State.ASSESSED, State.INVESTIGATING, State.ESCALATED})


def say_status(talk: Turn, argument: str) -> None:
    """All of the person's complaints, or the one that was named; somebody else's is as good as none."""
    cases = [one for one in talk.conversation.cases if one.merged_into is None]
    if argument.strip():
        ref = parse_reference(argument)
        found = talk.case(ref)
        cases = [] if found is None else [found]
        if not cases:
            talk.say("status.unknown")
            return
    shown = [one for one in cases if one.is_open][:MOST_OPEN]
    shown += [one for one in cases if not one.is_open][: MOST_CLOSED if not argument.strip() else 1]
    if not shown:
        talk.say("status.none")
        return
    talk.say("status", lines="\n\n".join(line(talk, one) for one in shown))
    for one in shown:
        _result(talk, one)


def _result(talk: Turn, case: Case) -> None:
    """Who wants no contact is sent nothing; asked for here, the decision is told."""
    letter = talk.conversation.decided(case.ref) if Flag.NO_CONTACT in case.flags else ""
    if letter:
        talk.say("status.result", ref=case.ref, text=letter, buttons=REPLY, step="decision")


def line(talk: Turn, case: Case) -> str:
    """One complaint: reference, state, what comes next and by when."""
    state = talk.line(f"state.{State.CLOSED if case.withdrawn_at is not None else case.state}")
    said = talk.line("status.line", ref=case.ref, received=talk.day_when(case.received_at, case), state=state)
    following, known = _next(talk, case), incident.line_of(talk, case)
    return "\n".join(one for one in (said, following, known) if one)


def _next(talk: Turn, case: Case) -> str:
    ended = case.withdrawn_at or (case.closed_at if case.state is State.CLOSED else None)
    if ended is not None:
        return talk.line("status.closed", date=talk.day_when(ended, case), ref=case.ref)
    if case.form_open:
        return talk.line("status.form")
    if case.asked_until is not None:
        return talk.line("status.waiting", date=talk.day(case.asked_until, case))
    if case.state in _UNDECIDED:
        return talk.line("status.decide", date=talk.day(promised(case), case))
    undone = [one.due for one in case.owed_remedies if one.done_at is None]
    if undone:
        return talk.line("status.remedy", date=talk.day(max(undone), case))
    lapse = case.target(Target.LAPSE)
    if case.reply is None and lapse is not None and lapse.met_at is None:
        return talk.line("status.reply", date=talk.day(lapse.promised_due, case))
    return ""
