"""The buttons of an incident's card: each opens its form."""

from __future__ import annotations

from bots.slack.admission import refusals_recorded
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress
from bots.slack.responses import OpenView, Response
from bots.slack.router import Router
from bots.slack.views.incident import (
    incident_edit_view,
    incident_end_view,
    incident_join_view,
    incident_update_view,
    languages_of,
)
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.incidents import Incident, IncidentAct, required_role
from complaints.vocabulary import Verb
from store.cases.incident_updates import Audience, load_update_audience
from store.incidents.incidents import load_incident
from store.rulebooks import load_current_rulebooks

#: The right that each verb needs; `join` needs that of a link.
_ACTS = {"update": IncidentAct.UPDATE, "edit": IncidentAct.CHANGE, "end": IncidentAct.END}
router = Router()


@router.action("incident.edit")
async def open_edit(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """What staff say about the incident."""
    incident = await open_incident(slack, int(press.ref), "edit", actor)
    rules = await slack.store.aread(load_current_rulebooks)
    return OpenView(incident_edit_view(incident, rules.languages, slack.texts))


@router.action("incident.join")
async def open_join(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Add a complaint to the incident by its reference."""
    incident = await open_incident(slack, int(press.ref), "join", actor)
    return OpenView(incident_join_view(incident, slack.texts))


@router.action("incident.end")
async def open_end(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """When the incident was over."""
    incident = await open_incident(slack, int(press.ref), "end", actor)
    return OpenView(incident_end_view(incident, slack.texts, now=slack.store.now()))


@router.action("incident.update")
async def open_update(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """An update to everybody with a complaint in the incident."""
    incident = await open_incident(slack, int(press.ref), "update", actor)
    audience = await load_audience(slack, incident, actor)
    texts = slack.texts
    return OpenView(incident_update_view(incident, audience, languages_of(audience, texts), texts))


async def open_incident(slack: SlackContext, number: int, verb: str, actor: Actor) -> Incident:
    """The incident, if this person may do this to it and it has not ended.

    Raises NotAllowed, recorded as an attempt, and AlreadyDone.
    """
    incident = await slack.store.aread(load_incident, number)
    async with refusals_recorded(slack, None, f"incident_{verb}", actor):
        if verb in _ACTS:
            required_role(incident, _ACTS[verb], actor)
        elif actor.least(ACTIONS[Verb.LINK].roles) is None:
            raise NotAllowed("Joining needs a handling role: ask a handler.", code="not_allowed.role")
    if not incident.is_open:
        raise AlreadyDone("This incident was ended before: nothing to do.", code="incident_ended")
    return incident


async def load_audience(slack: SlackContext, incident: Incident, actor: Actor) -> Audience:
    """The complaints that an update reaches, and those left out. Raises BadFacts where it reaches none."""
    audience = await slack.store.aread(load_update_audience, incident.id, actor)
    if not audience.to:
        raise BadFacts("Nobody can be told with all: write to each.", code="nobody_to_tell")
    return audience
