"""Ask whether a complaint belongs to a known incident. Each person is asked once and keeps their own complaint.

`state["incidents"]` holds which incident was asked about for which complaint, and which were denied.
"""

from collections.abc import Callable
from typing import Any

from bots.dialogue.buttons import INCIDENT
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.incidents import SAME_INCIDENT, Incident, incident_to_offer
from complaints.vocabulary import Verb
from store.values import PlannedAct

STEP = "incident"
YES, YES_AND_MORE, NO = "yes", "yes_more", "no"
#: How many complaints the state remembers, for presses on old buttons.
_REMEMBERED = 5

Continuation = Callable[[Turn, str], None]


def ask_once(turn: Turn, ref: str, story: str) -> bool:
    """Ask about the open incident that fits the story; False when there is nothing to ask."""
    case = turn.case(ref)
    memory = _memory(turn)
    if ref in memory["asked"] or (case is not None and case.incident is not None):
        return False
    incidents = turn.conversation.incidents()
    offered = incident_to_offer(incidents, story, not_these=memory["not"]) if incidents else None
    # Remember the complaint even without a question: later additions must not trigger one.
    turn.state["incidents"] = {**memory, "asked": _with_newest(memory["asked"], ref, offered)}
    if offered is None:
        return False
    turn.go_to(STEP, ref)
    ask(turn, ref)
    return True


def ask(turn: Turn, ref: str) -> None:
    """Put the question, also again after a danger reply interrupted it."""
    incident = _incident_in_question(turn, ref)
    if incident is not None:
        turn.reply("incident.ask", ref=ref, buttons=INCIDENT, step=STEP, line=incident.line_in(turn.language))


def record_answer(turn: Turn, case: Case, choice: str, continue_form: Continuation) -> None:
    """Yes joins the incident and ends the form; "yes, and more" joins and continues; no only continues."""
    is_current = turn.step == STEP and turn.ref == case.ref
    incident = _incident_in_question(turn, case.ref)
    if choice == NO:
        memory = _memory(turn)
        number = memory["asked"].get(case.ref, 0)
        turn.state["incidents"] = {**memory, "not": sorted({*memory["not"], number} - {0})[-_REMEMBERED:]}
    elif case.incident is None and incident is not None:
        _join(turn, case, incident, more=choice == YES_AND_MORE)
        if choice == YES:
            return
    elif is_current and case.incident is None:
        turn.reply("incident.over", ref=case.ref)
    if is_current and case.form_open:
        continue_form(turn, case.ref)


def _join(turn: Turn, case: Case, incident: Incident, *, more: bool) -> None:
    facts: dict[str, Any] = {"relation": SAME_INCIDENT, "incident": incident.id}
    if more:
        turn.plan(PlannedAct(Verb.LINK, case.ref, {**facts, "second_issue": True}))
        turn.reply("incident.and_more", ref=case.ref)
        return
    turn.plan(PlannedAct(Verb.LINK, case.ref, facts))
    if case.form_open:
        turn.plan(PlannedAct(Verb.END_FORM, case.ref, {"because": STEP}))
    if turn.ref == case.ref:
        turn.go_to(IDLE)
    turn.reply("incident.joined", ref=case.ref, line=incident.line_in(turn.language))


def incident_line(turn: Turn, case: Case) -> str:
    """The news about a complaint's incident, for /status; empty when there is none."""
    if case.incident is None:
        return ""
    incident = _incident_by_id(turn, case.incident)
    line = incident.line_in(turn.language) if incident is not None else ""
    return turn.text("status.incident", line=line) if line else ""


def _incident_in_question(turn: Turn, ref: str) -> Incident | None:
    number = _memory(turn)["asked"].get(ref)
    return _incident_by_id(turn, number) if number else None


def _incident_by_id(turn: Turn, number: int) -> Incident | None:
    return next((incident for incident in turn.conversation.incidents() if incident.id == number), None)


def _memory(turn: Turn) -> dict[str, Any]:
    return {"asked": {}, "not": [], **turn.state.get("incidents", {})}


def _with_newest(asked_about: dict[str, int], ref: str, offered: Incident | None) -> dict[str, int]:
    entries = list({**asked_about, ref: offered.id if offered is not None else 0}.items())
    return dict(entries[-_REMEMBERED:])
