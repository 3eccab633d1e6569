"""The buttons of an incident's card, and the incident's form from a complaint's card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import refusals
from bots.slack.desk import Desk
from bots.slack.entering import admit, remember
from bots.slack.incident_views import case_view, edit_view, end_view, join_view, languages_of, update_view
from bots.slack.late import is_late, offer_again
from bots.slack.modals import View
from bots.slack.posting import NETWORK
from bots.slack.press import Press
from bots.slack.telling import tell, unexpected
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed
from complaints.incidents import Incident, IncidentAct, may
from complaints.vocabulary import Verb
from store.cases.incident_updates import count_recipients
from store.incidents.incidents import list_open_incidents, load_incident
from store.rulebooks import load_current_rulebooks

ACTS: Mapping[str, IncidentAct] = {
    "update": IncidentAct.UPDATE,
    "edit": IncidentAct.CHANGE,
    "end": IncidentAct.END,
}


async def case_form(desk: Desk, case: Case) -> View:
    """What a complaint's card opens: a new incident, or one of those that are open."""
    incidents = await desk.store.aread(list_open_incidents)
    rules = await desk.store.aread(load_current_rulebooks)
    return case_view(case, incidents, rules.languages, desk.voice, now=desk.store.now())


async def checked(desk: Desk, incident: Incident, verb: str, by: Actor) -> None:
    """Refuse before anything is typed; the attempt stays on the record."""
    try:
        if verb in ACTS:
            may(incident, ACTS[verb], by)
        elif by.least(ACTIONS[Verb.LINK].roles) is None:
            raise NotAllowed("Joining needs a handling role: ask a handler.", code="not_allowed.role")
    except NotAllowed as refused:
        await remember(desk, None, f"incident_{verb}", by, refused)
        raise
    if not incident.is_open:
        raise AlreadyDone("This incident was ended before: nothing to do.", code="incident_ended")


class IncidentPresses:
    """The listener of `incident.<verb>`; `own_team` is our workspace."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team

    async def pressed(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Acknowledged once the form is known, or what the person is told instead is committed."""
        press = _read(body)
        text: str | None = None
        try:
            view = await self._view(body, press)
            await ack()
            await self.client.views_open(trigger_id=press.trigger, view=view)
        except ComplaintError as refused:
            text = refusals.words(refused, self.desk.voice)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"press {press.form} on incident {press.ref}", failure)
            if is_late(failure):
                await offer_again(self.desk, press, f"incident.{press.form}", press.ref)
            else:
                text = self.desk.voice.say("refused.unexpected")
        try:
            if text is not None:
                await tell(self.desk, self.client, press, text)
                await ack()
        except (SlackApiError, *NETWORK) as failure:
            unexpected(f"answer to {press.form} on incident {press.ref}", failure)

    async def _view(self, body: Mapping[str, Any], press: Press) -> View:
        desk, voice = self.desk, self.desk.voice
        by = await admit(desk, body, self.own_team, press.by, what=f"incident_{press.form}")
        incident = await desk.store.aread(load_incident, int(press.ref))
        await checked(desk, incident, press.form, by)
        match press.form:
            case "edit":
                rules = await desk.store.aread(load_current_rulebooks)
                return edit_view(incident, rules.languages, voice)
            case "join":
                return join_view(incident, voice)
            case "end":
                return end_view(incident, voice, now=desk.store.now())
            case "update":
                told = await desk.store.aread(count_recipients, incident.id, by)
                if not told.to:
                    raise BadFacts("Nobody can be told with all: write to each.", code="nobody_to_tell")
                return update_view(incident, told, languages_of(told, voice), voice)
        raise BadFacts(f"An incident has no button {press.form!r}.")


def _read(body: Mapping[str, Any]) -> Press:
    action = body["actions"][0]
    container = body.get("container", {})
    return Press(
        form=str(action["action_id"]).removeprefix("incident."),
        ref=str(action.get("value", "")),
        by=str(body["user"]["id"]),
        trigger=str(body["trigger_id"]),
        at=str(action.get("action_ts") or ""),
        channel=(body.get("channel") or {}).get("id") or container.get("channel_id"),
        thread=container.get("thread_ts"),
        view=body.get("view"),
    )
