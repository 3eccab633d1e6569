"""Logging a complaint in Slack: by shortcut, from a message or by command, and telling that we have it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.dialogue.signs import read as plain_rules
from bots.slack import refusals
from bots.slack.desk import Desk
from bots.slack.entering import admit, remember
from bots.slack.inputs import values_of
from bots.slack.late import is_late, offer_again
from bots.slack.log_form import FORM, TOLD, log_view, told_view
from bots.slack.markup import words
from bots.slack.modals import View, notice_view, with_notice
from bots.slack.press import Press, read_meta
from bots.slack.telling import unexpected
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, NotAllowed
from complaints.forms import read
from complaints.timestamps import format_time
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.log import log_complaint
from store.people.staff import list_members
from store.rulebooks import load_current_rulebooks

#: The button that opens the form after a trigger died.
AGAIN = "log.again"


class TakingDown:
    """The listeners of the two shortcuts and of the form."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team

    async def asked(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`log_complaint`, or `log_from_message` with its text and time filled in."""
        await ack()
        trigger, voice = str(body["trigger_id"]), self.desk.voice
        try:
            actor = await admit(self.desk, body, self.own_team, str(body["user"]["id"]), what=FORM)
            message = body.get("message") or {}
            view = await self.view(actor, trigger, text=await self._said(message), ts=message.get("ts"))
        except ComplaintError as refused:
            view = notice_view(voice.say("modal.notice"), refusals.words(refused, voice), voice)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected("log form", failure)
            view = notice_view(voice.say("modal.notice"), voice.say("refused.unexpected"), voice)
        try:
            await self.client.views_open(trigger_id=trigger, view=view)
        except SlackApiError as failure:
            unexpected("log form", failure)
            if is_late(failure):
                press = Press("log", "", str(body["user"]["id"]), trigger)
                await offer_again(self.desk, press, AGAIN, "log")

    async def again(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The button of one that came too late; the message that it stands in is ours and fills in nothing."""
        await self.asked(ack, {name: value for name, value in body.items() if name != "message"})

    async def view(self, actor: Actor, trigger: str, *, text: str = "", ts: str | None = None) -> View:
        """The form for somebody who may log; NotAllowed is recorded."""
        if actor.least(ACTIONS[Verb.RECEIVE].roles) is None:
            refused = NotAllowed("You may not log a complaint: ask a handler.", code="not_allowed.role")
            await remember(self.desk, None, FORM, actor, refused)
            raise refused
        rules = await self.desk.store.aread(load_current_rulebooks)
        at = self.desk.store.now() if ts is None else datetime.fromtimestamp(float(ts), UTC)
        return log_view(rules, self.desk.voice, key=f"slack:log:{trigger}", now=at, text=text)

    async def _said(self, message: Mapping[str, Any]) -> str:
        members = await self.desk.store.aread(list_members)
        return words(str(message.get("text") or ""), {one.id: one.name for one in members})

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The form: committed before it is acknowledged; then it shows what to tell."""
        await self._answered(ack, body, FORM, self._log)

    async def told(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """It was read out or posted: that is the acknowledgement (7.4)."""
        await self._answered(ack, body, TOLD, self._acknowledge)

    async def _answered(self, ack: AsyncAck, body: Mapping[str, Any], what: str, do: Any) -> None:
        view, voice = body["view"], self.desk.voice
        try:
            actor = await admit(self.desk, body, self.own_team, str(body["user"]["id"]), what=what)
            answer = await do(view, actor)
        except AlreadyDone as known:
            answer = _update(notice_view(voice.say("modal.notice"), refusals.words(known, voice), voice))
        except ComplaintError as refused:
            at_fields = (
                refusals.errors(refused, view["blocks"], voice) if isinstance(refused, BadFacts) else {}
            )
            answer = (
                {"response_action": "errors", "errors": dict(at_fields)}
                if at_fields
                else _update(with_notice(view, refusals.words(refused, voice)))
            )
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"submission of {what}", failure)
            answer = _update(with_notice(view, voice.say("refused.unexpected")))
        await ack(**answer)

    async def _log(self, view: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        desk = self.desk
        rules = await desk.store.aread(load_current_rulebooks)
        options = {"language": rules.languages, "jurisdiction": rules.codes}
        facts, words = read(FORM, values_of(view["state"]["values"]), options=options)
        key = str(json.loads(view["private_metadata"])["key"])
        case = await desk.store.awrite(log_complaint, key, facts, words, actor, plain_rules)
        told = await desk.do(
            lambda: desk.read_out(
                case, "logged", {}, events=(), words_of=lambda seq: {}, now=desk.store.now()
            )
        )
        return _update(told_view(case, told.text if told is not None else case.ref, desk.voice))

    async def _acknowledge(self, view: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        desk, meta = self.desk, read_meta(view)
        facts = {"what": "acknowledge", "given_at": format_time(desk.store.now()), "level": 1}
        words = {"by_whom": desk.voice.say("log.by_whom")}
        await desk.store.awrite(act, meta.ref, Verb.ACKNOWLEDGE, actor, facts, words)
        return {"response_action": "clear"}


def _update(view: View) -> dict[str, Any]:
    return {"response_action": "update", "view": view}
