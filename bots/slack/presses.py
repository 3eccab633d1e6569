"""Buttons and menus: an act that needs no form is done at once, any other opens its form."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import refusals
from bots.slack.client import error_of
from bots.slack.code_view import code_view
from bots.slack.desk import Desk
from bots.slack.entering import admit
from bots.slack.late import is_late, offer_again
from bots.slack.modals import View, bare, from_home, with_matters, with_row
from bots.slack.open_view import page_of, redrawn
from bots.slack.opening import explained_view, opened_view, view_for
from bots.slack.posting import NETWORK
from bots.slack.press import Press, read_meta, read_press
from bots.slack.telling import owe_home, tell, unexpected
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import ComplaintError, NotAllowed
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.database.errors import DatabaseUnavailable
from store.outbox.rows import insert_obligation

#: The press itself is the act.
AT_ONCE: Mapping[str, Verb] = {"take": Verb.ASSIGN, "receipt": Verb.RECEIPT}


class Presses:
    """The listeners of buttons and menus; `own_team` is our workspace."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team

    async def pressed(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`case.<verb>` and `case.more`: acknowledged once what it does is committed."""
        press = read_press(body)
        chosen = body["actions"][0]["action_id"] == "case.more"
        text: str | None = None
        try:
            if chosen:
                await self._owe_redrawing(press)
            actor = await self._admit(body, press)
            if press.form in AT_ONCE:
                await self._at_once(press, actor)
                await ack()
                await self._refresh(press, actor)
            elif press.form == "bind":
                view = await code_view(self.desk, press, actor)
                await ack()
                await self._show(press, view)
            else:
                view = await view_for(
                    self.desk, press.form, press.ref, actor, drawn=press.drawn, suggested=press.suggested
                )
                if press.in_home:
                    view = from_home(view)
                await ack()
                await self._show(press, view)
        except ComplaintError as refused:
            text = await self._why(refused, press)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"press {press.form} on {press.ref}", failure)
            text = await self._instead(press, failure)
        try:
            if text is not None:
                await self._tell(ack, press, text)
            if chosen:
                await self._redraw_opened(press)
        except (SlackApiError, *NETWORK) as failure:
            unexpected(f"answer to {press.form} on {press.ref}", failure)

    async def _tell(self, ack: AsyncAck, press: Press, text: str) -> None:
        """What is owed is committed before the acknowledgement; a view is changed after it."""
        if press.whispered:
            await tell(self.desk, self.client, press, text)
            await ack()
        else:
            await ack()
            await tell(self.desk, self.client, press, text)

    async def _instead(self, press: Press, failure: Exception) -> str | None:
        """What is said where the act or its view failed; nothing where a button says it."""
        if not is_late(failure):
            return self.desk.voice.say("refused.unexpected")
        if press.in_modal:
            # The button stands there still, and its next press has a fresh trigger.
            return self.desk.voice.say("late.press_again")
        value = ":".join((press.ref, *(press.suggested or ())))
        await offer_again(self.desk, press, f"case.{press.form}", value)
        return None

    async def _admit(self, body: Mapping[str, Any], press: Press) -> Actor:
        return await admit(self.desk, body, self.own_team, press.by, what=press.form, ref=press.ref)

    async def _at_once(self, press: Press, actor: Actor) -> None:
        facts = {"owner": actor.id} if press.form == "take" else {}
        if press.form == "receipt" and press.channel == self.desk.places.executive:
            facts = {"of": "executive"}
        # To have seen something is true whatever happened since; to take it is not.
        version = press.drawn if press.form == "take" else None
        verb = AT_ONCE[press.form]
        await self.desk.store.awrite(act, press.ref, verb, actor, facts, {}, version=version, key=press.key)

    async def _why(self, refused: ComplaintError, press: Press) -> str:
        return refusals.words(refused, self.desk.voice, await self._case(press.ref, refused))

    async def _case(self, ref: str, refused: ComplaintError) -> Case | None:
        """The case, for the words of a refusal; what is not open to somebody says nothing of it."""
        if isinstance(refused, NotAllowed):
            return None
        try:
            return await self.desk.store.aread(load_case, ref)
        except ComplaintError:
            return None

    async def _show(self, press: Press, view: View) -> None:
        if not press.in_modal:
            await self.client.views_open(trigger_id=press.trigger, view=view)
            return
        try:
            await self.client.views_push(trigger_id=press.trigger, view=view)
        except SlackApiError as refused:
            if error_of(refused) != "push_limit_reached" or press.view is None:
                raise
            await self.client.views_update(view_id=press.view["id"], view=view)

    async def _refresh(self, press: Press, actor: Actor) -> None:
        """What an act was done from shows it at once; a card is drawn by its own duty."""
        if press.in_home:
            await owe_home(self.desk, press.key, actor.id)
        if press.in_modal and press.view is not None and press.view.get("callback_id") == "open":
            page = read_meta(press.view).page
            await self._drawn(press.view, press.ref, actor, page)

    async def _drawn(
        self,
        view: Mapping[str, Any],
        ref: str,
        actor: Actor,
        page: int,
        shown: Callable[..., Awaitable[View]] = opened_view,
    ) -> None:
        """Draw what is open anew; where the view changed meanwhile, from the record as it then stands."""
        try:
            drawn = await shown(self.desk, ref, actor, page=page)
            await self.client.views_update(view_id=view["id"], hash=view.get("hash"), view=drawn)
        except SlackApiError as failure:
            if error_of(failure) != "hash_conflict":
                raise
            drawn = await shown(self.desk, ref, actor, page=page)
            await self.client.views_update(view_id=view["id"], view=drawn)

    async def _owe_redrawing(self, press: Press) -> None:
        """Slack keeps a menu's old choice, and sends nothing for the same again, until it is redrawn."""
        if press.view is None:
            facts = {"ref": press.ref}
            owed = NewObligation(
                f"redraw:{press.key}", "redraw", self.desk.store.now(), SendPriority.DIALOGUE, facts
            )
            await self.desk.store.awrite(insert_obligation, owed, None, None, {})

    async def _redraw_opened(self, press: Press) -> None:
        """The same for the menu of an opened complaint, which stands beneath what was opened from it."""
        if press.in_modal and press.view is not None and press.view.get("callback_id") == "open":
            view = {**bare(press.view), "blocks": redrawn(press.view)}
            await self.client.views_update(view_id=press.view["id"], view=view)

    async def more(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`more`: one row more in a form."""
        await ack()
        view = body["view"]
        try:
            changed = with_row(view, str(body["actions"][0]["value"]), self.desk.voice)
            await self.client.views_update(view_id=view["id"], hash=view.get("hash"), view=changed)
        except SlackApiError as failure:
            # hash_conflict: another row came in between; the person sees it and presses again.
            unexpected("more rows", failure)

    async def matters(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`matters`: the proposed matters into the rows of the form."""
        await ack()
        view = body["view"]
        try:
            taken = [(str(text), str(category)) for text, category in json.loads(body["actions"][0]["value"])]
            changed = with_matters(view, taken, self.desk.voice)
            await self.client.views_update(view_id=view["id"], hash=view.get("hash"), view=changed)
        except SlackApiError as failure:
            # hash_conflict: another press came in between; the person sees it and presses again.
            unexpected("the proposed matters", failure)

    async def turned(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`open.previous`, `open.next`, and the same of `due`: another page of what is open."""
        await ack()
        what = str(body["actions"][0]["action_id"]).partition(".")[0]
        ref, page = page_of(str(body["actions"][0]["value"]))
        press = Press(what, ref, str(body["user"]["id"]), str(body["trigger_id"]), view=body["view"])
        try:
            actor = await self._admit(body, press)
            await self._drawn(
                body["view"], ref, actor, page, explained_view if what == "due" else opened_view
            )
        except ComplaintError as refused:
            await tell(self.desk, self.client, press, await self._why(refused, press))
        except SlackApiError as failure:
            unexpected(f"page {page} of {ref}", failure)
        except DatabaseUnavailable as failure:
            unexpected(f"page {page} of {ref}", failure)
            await tell(self.desk, self.client, press, self.desk.voice.say("refused.unexpected"))

    async def file(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`case.file`: the file goes to the presser's own direct messages; acknowledged once that is owed."""
        ref, seq = page_of(str(body["actions"][0]["value"]))
        press = Press("file", ref, str(body["user"]["id"]), str(body["trigger_id"]), view=body.get("view"))
        try:
            actor = await self._admit(body, press)
            owed = NewObligation(
                f"slack_file:{press.key}", "slack_file", self.desk.store.now(), SendPriority.DIALOGUE,
                {"ref": ref, "file": seq, "to": actor.id},
            )  # fmt: skip
            await self.desk.store.awrite(insert_obligation, owed, None, None, {})
            text = self.desk.voice.say("file.on_its_way")
        except ComplaintError as refused:
            text = await self._why(refused, press)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"file of {ref}", failure)
            text = self.desk.voice.say("refused.unexpected")
        try:
            await self._tell(ack, press, text)
        except (SlackApiError, *NETWORK) as failure:
            unexpected(f"answer about a file of {ref}", failure)
