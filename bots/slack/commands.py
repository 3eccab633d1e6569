"""`/complaints help | list | mine | show REF`; what does not exist yet is said plainly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import lists, refusals
from bots.slack.blocks import escaped
from bots.slack.desk import Desk
from bots.slack.entering import admit
from bots.slack.modals import notice_view
from bots.slack.opening import view_for
from bots.slack.telling import unexpected
from complaints.errors import ComplaintError
from complaints.people import Actor
from complaints.references import parse_reference


class Commands:
    """The listener of the slash command."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team

    async def ran(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Answered privately in the acknowledgement."""
        voice = self.desk.voice
        word, _, rest = str(body.get("text") or "help").strip().partition(" ")
        try:
            actor = await admit(
                self.desk, body, self.own_team, str(body["user_id"]), what=f"command {word[:20]}"
            )
            text = await self._answer(word.lower(), rest.strip(), actor, str(body["trigger_id"]))
        except ComplaintError as refused:
            text = refusals.words(refused, voice)
        except SlackApiError as failure:
            unexpected(f"command {word[:20]}", failure)
            text = voice.say("refused.unexpected")
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected("command", failure)
            text = voice.say("refused.unexpected")
        # An empty answer: the command opened a view.
        await ack(text) if text else await ack()

    async def not_yet(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A shortcut of the manifest whose act comes with a later part: said plainly."""
        await ack()
        voice = self.desk.voice
        view = notice_view(voice.say("modal.notice"), voice.say("command.not_yet"), voice)
        await self.client.views_open(trigger_id=str(body["trigger_id"]), view=view)

    async def _answer(self, word: str, rest: str, actor: Actor, trigger: str) -> str:
        voice, now = self.desk.voice, self.desk.store.now()
        match word:
            case "help" | "":
                return voice.say("command.help")
            case "list":
                found, more = await lists.cases(self.desk, actor)
                return lists.listing(voice.say("list.title"), found, more=more, voice=voice, now=now)
            case "mine":
                found, more = await lists.cases(self.desk, actor, owner=actor.id)
                return lists.listing(voice.say("list.mine"), found, more=more, voice=voice, now=now)
            case "show" if not rest:
                return voice.say("command.show_what")
            case "show":
                view = await view_for(self.desk, "open", parse_reference(rest) or rest, actor)
                await self.client.views_open(trigger_id=trigger, view=view)
                return ""
            case _:
                return voice.say("command.unknown", word=escaped(word, 30))
