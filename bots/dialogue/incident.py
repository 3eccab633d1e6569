"""Is it this? One cause may bring many people: each is asked once and keeps an own complaint all the same.

`state["incidents"]` remembers what was asked about which complaint, and which incidents it was not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bots.dialogue.buttons import THIS
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.incidents import SAME_INCIDENT, Incident, offered_for
from complaints.vocabulary import Verb
from store.values import PlannedAct

STEP = "incident"
YES, YES_AND_MORE, NO = "yes", "yes_more", "no"
#: Complaints of which an old button may still be pressed.
_REMEMBERED = 5

GoOn = Callable[[Turn, str], None]


def asked(talk: Turn, ref: str, story: str) -> bool:
    """Ask whether the story just told is a known incident; False where nothing is asked: go on."""
    case = talk.case(ref)
    known = _known(talk)
    if ref in known["asked"] or (case is not None and case.incident is not None):
        return False
    open_ones = talk.conversation.incidents()
    offered = offered_for(open_ones, story, not_these=known["not"]) if open_ones else None
    # Asked or not, the story was looked at: what is added later asks nothing more.
    talk.state["incidents"] = {**known, "asked": _newest(known["asked"], ref, offered)}
    if offered is None:
        return False
    talk.go(STEP, ref)
    ask(talk, ref)
    return True


def ask(talk: Turn, ref: str) -> None:
    """Put the question; also again, after a danger broke in."""
    incident = _asked_about(talk, ref)
    if incident is not None:
        talk.say("incident.ask", ref=ref, buttons=THIS, step=STEP, line=incident.line_in(talk.language))


def answered(talk: Turn, case: Case, choice: str, go_on: GoOn) -> None:
    """Yes: joined, and nothing more is asked. Yes, and more: joined, the questions go on. No: they go on."""
    stands = talk.step == STEP and talk.ref == case.ref
    incident = _asked_about(talk, case.ref)
    if choice == NO:
        known = _known(talk)
        number = known["asked"].get(case.ref, 0)
        talk.state["incidents"] = {**known, "not": sorted({*known["not"], number} - {0})[-_REMEMBERED:]}
    elif case.incident is None and incident is not None:
        _join(talk, case, incident, more=choice == YES_AND_MORE)
        if choice == YES:
            return
    elif stands and case.incident is None:
        talk.say("incident.over", ref=case.ref)
    if stands and case.form_open:
        go_on(talk, case.ref)


def _join(talk: Turn, case: Case, incident: Incident, *, more: bool) -> None:
    facts: dict[str, Any] = {"relation": SAME_INCIDENT, "incident": incident.id}
    if more:
        talk.act(PlannedAct(Verb.LINK, case.ref, {**facts, "second_issue": True}))
        talk.say("incident.and_more", ref=case.ref)
        return
    talk.act(PlannedAct(Verb.LINK, case.ref, facts))
    if case.form_open:
        talk.act(PlannedAct(Verb.END_FORM, case.ref, {"because": STEP}))
    if talk.ref == case.ref:
        talk.go(IDLE)
    talk.say("incident.joined", ref=case.ref, line=incident.line_in(talk.language))


def line_of(talk: Turn, case: Case) -> str:
    """What is known of the incident that a complaint belongs to, for /status; empty where nothing is."""
    if case.incident is None:
        return ""
    incident = next((one for one in talk.conversation.incidents() if one.id == case.incident), None)
    line = incident.line_in(talk.language) if incident is not None else ""
    return talk.line("status.incident", line=line) if line else ""


def _asked_about(talk: Turn, ref: str) -> Incident | None:
    number = _known(talk)["asked"].get(ref)
    return next((one for one in talk.conversation.incidents() if one.id == number), None) if number else None


def _known(talk: Turn) -> dict[str, Any]:
    return {"asked": {}, "not": [], **talk.state.get("incidents", {})}


def _newest(known: dict[str, int], ref: str, offered: Incident | None) -> dict[str, int]:
    kept = list({**known, ref: offered.id if offered is not None else 0}.items())
    return dict(kept[-_REMEMBERED:])
