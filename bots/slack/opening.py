"""From a press to the view it opens: rights first, then what the form needs from the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bots.slack import refusals
from bots.slack.desk import Desk
from bots.slack.due_view import due_view
from bots.slack.entering import remember
from bots.slack.fillings import NEEDED, READING, filling, words_by_verb
from bots.slack.incident_presses import case_form
from bots.slack.modals import View, modal, with_notice
from bots.slack.offers import FITS, verbs_for
from bots.slack.open_view import open_view
from bots.slack.suggesting import suggested
from complaints.actions.authorisation import require_permission, require_state
from complaints.actions.decision import fairness_owed, required_evidence
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import ComplaintError, NotAllowed, OutOfOrder
from complaints.forms import FORM_VERBS
from complaints.vocabulary import Role, Verb
from store.cases.read import load_case, load_history, open_case, read_dates
from store.people.staff import list_members
from store.record.texts import load_event_words
from store.record.worklists import count_open_by_owner


def verb_of(form: str, case: Case) -> Verb:
    """The verb whose rights and place in the lifecycle decide whether a form may be opened."""
    if form == "assess" and case.assessment is not None:
        return Verb.REASSESS
    return FORM_VERBS[form]


def may_open(form: str, case: Case, by: Actor) -> None:
    """Refuse a form that this person may not use, or that does not fit, before anything is typed."""
    verb = verb_of(form, case)
    require_permission(case, verb, by)
    if form == "assign" and not by.has(Role.MANAGER, Role.TOP_MANAGEMENT):
        raise NotAllowed(
            f"Only a manager gives {case.ref} to somebody else: take it.", code="not_allowed.assign"
        )
    if form != "given":
        # What is heard or told by voice is one of several acts, each with its own place in the lifecycle.
        require_state(case, verb)
    if form == "decide" and case.assessment is not None and required_evidence(case) - case.evidence:
        raise OutOfOrder(f"{case.ref} lacks evidence.", code="evidence_missing")
    if form in ("decide", "resolve") and case.assessment is not None and fairness_owed(case):
        raise OutOfOrder(f"{case.ref}: the person complained about was not heard.", code="subject_not_heard")
    if not FITS[form](case):
        raise OutOfOrder(f"'{form}' does not fit {case.ref} now.", code=f"out_of_order.{case.state.value}")


def next_act(case: Case, by: Actor) -> str:
    """The first of the acts that carry it on and that this person may do; opening it where there is none."""
    for name in verbs_for(case).buttons:
        if name == "open":
            continue
        try:
            may_open(name, case, by)
        except ComplaintError:
            continue
        return name
    return "open"


async def view_for(
    desk: Desk,
    form: str,
    ref: str,
    by: Actor,
    *,
    drawn: int | None = None,
    suggested: tuple[str, str] | None = None,
) -> View:
    """The view that a press opens; opening words is recorded as a read.

    `drawn` is the work_version of what was pressed: where it moved on, the view says what happened since.
    `suggested` is the link that was offered: relation and other reference.
    Raises ComplaintError.
    """
    if form == "open":
        view = await opened_view(desk, ref, by)
        case = await desk.store.aread(load_case, ref)
    elif form == "due":
        return await explained_view(desk, ref, by)
    else:
        case = await desk.store.aread(load_case, ref)
        try:
            may_open(form, case, by)
        except NotAllowed as refused:
            await remember(desk, ref, form, by, refused)
            raise
        view = await _form_view(desk, form, case, by, suggested)
    if drawn is not None and drawn < case.work_version:
        verbs = refusals.since(await desk.store.aread(load_history, ref), drawn)
        view = with_notice(
            view, desk.voice.say("modal.changed", since=refusals.since_words(verbs, desk.voice))
        )
    return view


async def opened_view(desk: Desk, ref: str, by: Actor, *, page: int = 0, draw: int = 0) -> View:
    """The opened complaint; a read on the record."""
    opened = await desk.store.awrite(open_case, ref, by, "open")
    return open_view(opened, desk.voice, now=desk.store.now(), page=page, draw=draw)


async def explained_view(desk: Desk, ref: str, by: Actor, *, page: int = 0) -> View:
    """Its dates, explained, for whoever may open it; no words, so no read."""
    case, events = await desk.store.awrite(read_dates, ref, by)
    return due_view(case, events, desk.voice, now=desk.store.now(), page=page)


async def _form_view(
    desk: Desk, form: str, case: Case, by: Actor, suggested: tuple[str, str] | None = None
) -> View:
    now = desk.store.now()
    if form == "incident":
        return await case_form(desk, case)
    opened = await desk.store.awrite(open_case, case.ref, by, form) if form in READING else None
    events = await history(desk, case.ref, NEEDED.get(form, ()))
    letter = waiting_letter(desk, case, events, now) if form == "approve" else ""
    suggestion = await _suggestion(desk, case) if form == "assign" and case.owner is None else None
    filled = filling(
        form,
        case,
        events,
        desk.voice,
        now=now,
        opened=opened,
        letter=letter,
        suggestion=suggestion,
        suggested=suggested,
    )
    return modal(form, case, desk.voice, filled)


async def _suggestion(desk: Desk, case: Case) -> tuple[str, int] | None:
    members, loads = await desk.store.aread(list_members), await desk.store.aread(count_open_by_owner)
    return suggested(case, members, loads, desk.store.now())


async def history(desk: Desk, ref: str, with_words: tuple[Verb, ...]) -> list[Event]:
    """The events, with the words of these verbs."""
    events = list(await desk.store.aread(load_history, ref))
    for at, event in enumerate(events):
        if event.verb in with_words:
            events[at] = replace(event, words=await desk.store.aread(load_event_words, ref, event.seq))
    return events


async def issues_told(desk: Desk, case: Case) -> tuple[str, ...]:
    """The issues in the words of the assessment, for the letter of the decision."""
    words = words_by_verb(await history(desk, case.ref, NEEDED["decide"]), *NEEDED["decide"])
    return tuple(words.get(f"issues.{one.n}.text", "") for one in case.issues)


def waiting_letter(desk: Desk, case: Case, events: list[Event], now: datetime) -> str:
    """The letter that an approver is asked to agree to: as it was previewed, else written again."""
    wanted = Verb.RESPOND if case.drafted is not None else Verb.EXTEND
    if case.reclassification is not None:
        wanted = Verb.RECLASSIFY
    event = next((one for one in reversed(events) if one.verb is wanted), None)
    if event is None:
        return ""
    words: Mapping[str, str] = event.words
    if wanted is not Verb.RESPOND:
        return words.get("reason", "")
    return words.get("letter") or desk.preview("decide", case, event.facts, words, now=now)
