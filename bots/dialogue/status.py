"""The reply to /status, with the one date that was promised (7.3), and linking codes.

A code from staff connects a complaint that they logged to a chat (docs/surfaces.md, "Telegram"; 4.3).
"""

from __future__ import annotations

from bots.dialogue import incident
from bots.dialogue.buttons import REPLY
from bots.dialogue.read_back import promised_date
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.identifiers import parse_reference
from complaints.vocabulary import UNDECIDED, Flag, State, Target, Verb
from store.values import CodeState, PlannedAct

MOST_OPEN, MOST_CLOSED = 8, 3


def reply_status(turn: Turn, argument: str) -> None:
    """Report on all complaints of the person, or on the one named. Other people's complaints are "unknown"."""
    cases = [case for case in turn.conversation.cases if case.merged_into is None]
    if argument.strip():
        case = turn.case(parse_reference(argument))
        if case is None:
            turn.reply("status.unknown")
            return
        cases = [case]
    listed = [case for case in cases if case.is_open][:MOST_OPEN]
    listed += [case for case in cases if not case.is_open][: MOST_CLOSED if not argument.strip() else 1]
    if not listed:
        turn.reply("status.none")
        return
    turn.reply("status", lines="\n\n".join(status_line(turn, case) for case in listed))
    for case in listed:
        _reply_decision(turn, case)


def _reply_decision(turn: Turn, case: Case) -> None:
    """People who want no contact get the decision only here, when they ask."""
    letter = turn.conversation.load_decision_letter(case.ref) if Flag.NO_CONTACT in case.flags else ""
    if letter:
        turn.reply("status.result", ref=case.ref, text=letter, buttons=REPLY, step="decision")


def status_line(turn: Turn, case: Case) -> str:
    """One complaint: reference, state, what comes next and by when."""
    name: str = State.CLOSED if case.withdrawn_at is not None else case.state
    if name == State.ESCALATED and not case.reviews_decision:
        name = "raised"
    state = turn.text(f"state.{name}")
    summary = turn.text(
        "status.line", ref=case.ref, received=turn.event_day(case.received_at, case), state=state
    )
    lines = (summary, _next_step(turn, case), incident.incident_line(turn, case))
    return "\n".join(line for line in lines if line)


def _next_step(turn: Turn, case: Case) -> str:
    ended = case.withdrawn_at or (case.closed_at if case.state is State.CLOSED else None)
    if ended is not None:
        return turn.text("status.closed", date=turn.event_day(ended, case), ref=case.ref)
    if case.form_open:
        return turn.text("status.form")
    if case.asked_until is not None:
        return turn.text("status.waiting", date=turn.due_day(case.asked_until, case))
    if case.state in UNDECIDED:
        promised = promised_date(case)
        text_id = "status.decide" if promised > turn.now else "status.decide_late"
        return turn.text(text_id, date=turn.due_day(promised, case))
    due_dates = [remedy.due for remedy in case.owed_remedies if remedy.done_at is None]
    if due_dates:
        missed = [promised for promised in due_dates if promised <= turn.now]
        text_id = "status.remedy_late" if missed else "status.remedy"
        return turn.text(text_id, date=turn.due_day(max(missed or due_dates), case))
    lapse = case.target(Target.LAPSE)
    if case.reply is None and lapse is not None and lapse.met_at is None and lapse.promised_due > turn.now:
        return turn.text("status.reply", date=turn.due_day(lapse.promised_due, case))
    return ""


def use_code(turn: Turn, code: str, *, may_be_words: bool = False) -> bool:
    """Try the code, at most once per message; True when the turn has a reply to it.

    `may_be_words`: eight digits can also be an answer, such as a meter number. Then only a code that opens a
    complaint counts as one. A miss still counts as a failed attempt.
    """
    lookup = turn.conversation.code(code)
    case = lookup.case
    if lookup.state is CodeState.FOUND and case is not None:
        turn.plan(PlannedAct(Verb.BIND, case.ref))
        if turn.conversation.language is None and case.language in turn.texts.languages:
            # Staff spoke with the complainant; the phone's language is only a hint.
            turn.chosen_language = case.language
            turn.state["hinted"] = False
        turn.go_to(IDLE)
        turn.reply("bind.found", ref=case.ref, line=status_line(turn, case))
        return True
    if lookup.state is CodeState.YOURS and case is not None:
        turn.reply("bind.yours", ref=case.ref, line=status_line(turn, case))
        return True
    if not may_be_words:
        turn.reply(f"bind.{lookup.state}")
    return not may_be_words
