"""The forms of an incident: open one, join, leave, change and end it; and who may do what to it."""

from bots.slack.context import SlackContext
from bots.slack.listeners.forms import typed_reference
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, OpenView, Response
from bots.slack.router import Router
from bots.slack.views.form_inputs import statement_of, values_of
from bots.slack.views.incident import (
    LEAVE,
    NEW,
    incident_inputs,
    incident_view,
    minute_of,
    values_of_incident,
)
from complaints.actions.authorisation import authorise
from complaints.actors import Actor
from complaints.errors import AlreadyDone, Stale
from complaints.incidents import DECIDING, SAME_INCIDENT, Incident, IncidentAct, read, required_role
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.incident_acts import (
    open_incident_with,
)
from store.cases.read import load_case
from store.incidents import act_on_incident, list_open_incidents, load_incident
from store.rulebooks import load_current_rulebooks
from triage.facts.stated_amounts import require_amounts

#: From a complaint's card; all other forms are about an incident that exists.
FROM_CASE = "incident"
#: The right that each verb needs; `join` needs that of a link.
_ACTS = {
    "update": IncidentAct.UPDATE,
    "edit": IncidentAct.CHANGE,
    "end": IncidentAct.END,
    "decide": IncidentAct.DECIDE,
    "approve": IncidentAct.APPROVE,
}
router = Router()


@router.action("incident.edit", "incident.join", "incident.end")
async def open_form(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    incident = await open_incident_for(slack, int(press.ref), press.name, actor)
    initial = {"edit": values_of_incident(incident), "end": {"ended_at": minute_of(slack.store.now())}}
    languages = (await slack.store.aread(load_current_rulebooks)).languages
    blocks = incident_inputs(f"incident_{press.name}", languages, slack.texts, initial.get(press.name, {}))
    return OpenView(incident_view(incident, press.name, blocks, slack.texts))


@router.view(FROM_CASE)
async def open_join_or_leave(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Open an incident with this complaint, add the complaint to one, or take it out."""
    metadata = submission.metadata

    async def link(facts: dict[str, object]) -> Response:
        await slack.store.awrite(act, metadata.ref, Verb.LINK, actor, facts, {}, version=metadata.version)
        return CLOSE_FORMS

    case = await slack.store.aread(load_case, metadata.ref)
    rules = await slack.store.aread(load_current_rulebooks)
    incidents = await slack.store.aread(list_open_incidents)
    values = values_of(submission.view["state"]["values"])
    if values.get("which") == LEAVE:
        if case.incident is None:
            raise AlreadyDone(f"{metadata.ref} belongs to no incident: nothing to do.", code="already_so")
        return await link({"relation": SAME_INCIDENT, "incident": case.incident, "left": True})
    options = (NEW, LEAVE, *(str(incident.id) for incident in incidents))
    facts, words = read(FROM_CASE, values, rules.languages, options={"which": options})
    facts = require_amounts(facts | statement_of(submission.view), words, rules.own.country)
    which = facts.pop("which")
    if which == NEW:
        await slack.store.awrite(
            open_incident_with, metadata.ref, actor, facts, words,
            version=metadata.version, key=_key(submission),
        )  # fmt: skip
        return CLOSE_FORMS
    return await link({"relation": SAME_INCIDENT, "incident": int(which)})


@router.view("incident_join")
async def join(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    metadata = submission.metadata
    incident = await open_incident_for(slack, metadata.incident, "join", actor)
    entered, _ = read("incident_join", values_of(submission.view["state"]["values"]), ())
    ref = await typed_reference(entered["other_ref"], actor, slack, "incident_join")
    facts = {"relation": SAME_INCIDENT, "incident": incident.id}
    await slack.store.awrite(act, ref, Verb.LINK, actor, facts, {})
    return CLOSE_FORMS


@router.view("incident_edit", "incident_end")
async def change(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    metadata, verb = submission.metadata, submission.form.removeprefix("incident_")
    await open_incident_for(slack, metadata.incident, verb, actor)
    rules = await slack.store.aread(load_current_rulebooks)
    facts, words = read(submission.form, values_of(submission.view["state"]["values"]), rules.languages)
    facts = require_amounts(facts | statement_of(submission.view), words, rules.own.country)
    change_or_end = IncidentAct.END if verb == "end" else IncidentAct.CHANGE
    await slack.store.awrite(
        act_on_incident, metadata.incident, change_or_end, actor, facts, words,
        version=metadata.version, key=_key(submission),
    )  # fmt: skip
    return CLOSE_FORMS


async def open_incident_for(
    slack: SlackContext, number: int, verb: str, actor: Actor, version: int | None = None
) -> Incident:
    """The incident, if this person may do this to it, and if it has not ended or this is about its decision.

    `version` is the one that the form was drawn for. Raises NotAllowed, recorded as an attempt, AlreadyDone, and
    Stale if the incident changed since.
    """
    incident = await slack.store.aread(load_incident, number)
    async with slack.refusals_recorded(None, f"incident_{verb}", actor):
        if verb in _ACTS:
            required_role(incident, _ACTS[verb], actor)
        else:
            authorise(None, Verb.LINK, actor)
    if not incident.is_open and _ACTS.get(verb) not in DECIDING:
        raise AlreadyDone("This incident was ended before: nothing to do.", code="incident_ended")
    if version is not None and version != incident.version:
        raise Stale("This incident moved on: look again.")
    return incident


def _key(submission: FormSubmission) -> str | None:
    view_id = submission.view.get("id")
    return f"slack:{view_id}" if view_id else None
