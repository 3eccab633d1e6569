"""Submitted forms of incidents: recorded, or shown first where they reach everybody, then acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bots.slack import refusals
from bots.slack.desk import Desk
from bots.slack.entering import admit
from bots.slack.incident_presses import checked
from bots.slack.incident_views import (
    LEAVE,
    NEW,
    IncidentMeta,
    languages_of,
    preview_view,
    read_incident_meta,
)
from bots.slack.inputs import values_of
from bots.slack.modals import View, notice_view, with_notice
from bots.slack.press import read_meta
from bots.slack.submissions import leaves_at
from bots.slack.telling import unexpected
from complaints.actors import Actor
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, Stale
from complaints.incidents import SAME_INCIDENT, Incident, IncidentAct, read
from complaints.references import parse_reference
from complaints.vocabulary import Verb
from store.cases.act import act as store_act
from store.cases.incident_updates import (
    Audience,
    count_recipients,
    open_incident_with,
    read_incident_draft,
    save_incident_draft,
    schedule_incident_update,
)
from store.cases.read import load_case
from store.incidents.incidents import act_on_incident, list_open_incidents, load_incident
from store.rulebooks import load_current_rulebooks

CLEAR: Mapping[str, Any] = {"response_action": "clear"}
#: From a complaint's card; all others are about an incident that is there.
FROM_CASE = "incident"
PREVIEW = "incident_update_preview"


class IncidentSubmissions:
    """The listener of submitted views whose callback begins with `incident`."""

    def __init__(self, desk: Desk, own_team: str | None) -> None:
        self.desk = desk
        self.own_team = own_team

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Refusals are answered where they can be mended, acts committed before the answer."""
        view, voice = body["view"], self.desk.voice
        try:
            answer = await self._answer(body, view)
        except ComplaintError as refused:
            answer = self._refused(view, refused)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"submission of {view.get('callback_id')}", failure)
            answer = _update(with_notice(view, voice.say("refused.unexpected")))
        await ack(**answer)

    async def _answer(self, body: Mapping[str, Any], view: Mapping[str, Any]) -> Mapping[str, Any]:
        callback, by = str(view["callback_id"]), str(body["user"]["id"])
        actor = await admit(self.desk, body, self.own_team, by, what=callback)
        key = f"slack:{view['id']}" if view.get("id") else None
        if callback == FROM_CASE:
            await self._from_case(view, actor, key)
            return CLEAR
        meta = read_incident_meta(view)
        if callback == PREVIEW:
            await self._tell_all(meta, actor)
            return CLEAR
        incident = await self.desk.store.aread(load_incident, meta.incident)
        verb = callback.removeprefix("incident_")
        await checked(self.desk, incident, verb, actor)
        if verb == "update":
            return {"response_action": "push", "view": await self._preview(view, incident, actor)}
        if verb == "join":
            await self._join(view, incident, actor)
        else:
            await self._change(view, verb, meta, actor, key)
        return CLEAR

    async def _from_case(self, view: Mapping[str, Any], by: Actor, key: str | None) -> None:
        desk, meta = self.desk, read_meta(view)
        case = await desk.store.aread(load_case, meta.ref)
        rules = await desk.store.aread(load_current_rulebooks)
        incidents = await desk.store.aread(list_open_incidents)
        options = (NEW, LEAVE, *(str(one.id) for one in incidents))
        values = values_of(view["state"]["values"])
        if values.get("which") == LEAVE:
            if case.incident is None:
                raise AlreadyDone(f"{meta.ref} belongs to no incident: nothing to do.", code="already_so")
            leaves = {"relation": SAME_INCIDENT, "incident": case.incident, "left": True}
            await desk.store.awrite(store_act, meta.ref, Verb.LINK, by, leaves, {}, version=meta.version)
            return
        facts, words = read(FROM_CASE, values, rules.languages, options={"which": options})
        which = facts.pop("which")
        if which == NEW:
            await desk.store.awrite(
                open_incident_with, meta.ref, by, facts, words, version=meta.version, key=key
            )
            return
        joins = {"relation": SAME_INCIDENT, "incident": int(which)}
        await desk.store.awrite(store_act, meta.ref, Verb.LINK, by, joins, {}, version=meta.version)

    async def _join(self, view: Mapping[str, Any], incident: Incident, by: Actor) -> None:
        facts, _ = read("incident_join", values_of(view["state"]["values"]), ())
        ref = parse_reference(str(facts["other_ref"]))
        if ref is None:
            raise BadFacts("That is no reference.", field="other_ref", code="not_a_reference")
        joins = {"relation": SAME_INCIDENT, "incident": incident.id}
        await self.desk.store.awrite(store_act, ref, Verb.LINK, by, joins, {})

    async def _change(
        self, view: Mapping[str, Any], verb: str, meta: IncidentMeta, by: Actor, key: str | None
    ) -> None:
        desk = self.desk
        rules = await desk.store.aread(load_current_rulebooks)
        facts, words = read(f"incident_{verb}", values_of(view["state"]["values"]), rules.languages)
        act = IncidentAct.END if verb == "end" else IncidentAct.CHANGE
        await desk.store.awrite(
            act_on_incident,
            meta.incident,
            act,
            by,
            facts,
            words,
            version=meta.version,
            key=key,
        )

    async def _preview(self, view: Mapping[str, Any], incident: Incident, by: Actor) -> View:
        """The exact letters, nothing recorded; what was typed waits for a day."""
        desk, voice = self.desk, self.desk.voice
        meta = read_incident_meta(view)
        if meta.version != incident.version:
            raise Stale("This incident moved on: look again.")
        told = await desk.store.aread(count_recipients, incident.id, by)
        if not told.to:
            raise BadFacts("Nobody can be told with all: write to each.", code="nobody_to_tell")
        asked = [str(one["block_id"]).partition(".")[2] for one in view["blocks"] if one["type"] == "input"]
        _, words = read("incident_update", values_of(view["state"]["values"]), asked)
        samples = self._samples(told, words)
        draft = await desk.store.awrite(save_incident_draft, incident.id, by.id, incident.version, words)
        leaves = leaves_at(told.to[0], Verb.INFORM, desk.store.now())
        when = None if leaves is None else voice.clock(leaves, told.to[0].rules.calendar.zone)
        return preview_view(incident, told, samples, draft, voice, leaves_at=when)

    def _samples(self, told: Audience, words: Mapping[str, str]) -> dict[str, str]:
        """One letter of each language, exactly as its first reader gets it."""
        now, fallback = self.desk.store.now(), next(iter(words.values()))
        samples = {}
        for language in languages_of(told, self.desk.voice):
            case = next((one for one in told.to if one.language == language), None)
            if case is not None:
                text = {"text": words.get(f"text.{language}", fallback)}
                samples[language] = self.desk.preview("reply", case, {}, text, now=now)
        return samples

    async def _tell_all(self, meta: IncidentMeta, by: Actor) -> None:
        """The one act, with rights and version checked again."""
        desk = self.desk
        draft = await desk.store.aread(read_incident_draft, meta.draft or "")
        if draft is None or draft.by != by.id or draft.incident != meta.incident:
            raise AlreadyDone("This preview was sent or has expired.", code="already_done")
        await desk.store.awrite(
            schedule_incident_update,
            draft.incident,
            by,
            draft.words,
            version=draft.version,
            key=f"draft:{draft.id}",
        )

    def _refused(self, view: Mapping[str, Any], refused: ComplaintError) -> Mapping[str, Any]:
        voice = self.desk.voice
        if isinstance(refused, BadFacts):
            at_fields = refusals.errors(refused, view["blocks"], voice)
            if at_fields:
                return {"response_action": "errors", "errors": dict(at_fields)}
        text = refusals.words(refused, voice)
        if isinstance(refused, AlreadyDone):
            return _update(notice_view(voice.say("modal.notice"), text, voice))
        if isinstance(refused, Stale) and str(view["callback_id"]) == PREVIEW:
            text = f"{text} {voice.say('preview.go_back')}"
        return _update(with_notice(view, text))


def _update(view: View) -> dict[str, Any]:
    return {"response_action": "update", "view": view}
