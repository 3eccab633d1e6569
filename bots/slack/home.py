"""The app's home: yours by what is due next, those without an owner, those overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import lists
from bots.slack.blocks import Block, button, divider, header, section
from bots.slack.desk import Desk
from complaints.people import Actor
from complaints.record import Case


class Home:
    """The listener of the opened home."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self.desk = desk
        self.client = client

    async def opened(self, event: Mapping[str, Any]) -> None:
        """`app_home_opened`: draw it as things stand; drawing it twice changes nothing."""
        if event.get("tab") != "home":
            return
        actor = await self.desk.actor(str(event["user"]))
        blocks = await self._blocks(actor) if actor.roles else [section(self.desk.voice.say("home.no_role"))]
        await self.client.views_publish(user_id=actor.id, view={"type": "home", "blocks": blocks})

    async def _blocks(self, actor: Actor) -> list[Block]:
        now = self.desk.store.now()
        mine, _ = await lists.cases(self.desk, actor, owner=actor.id)
        everybody, _ = await lists.cases(self.desk, actor)
        late, _ = await lists.cases(self.desk, actor, overdue=True)
        unassigned = [case for case in everybody if case.owner is None]
        parts = (("mine", mine), ("unassigned", unassigned), ("overdue", late))
        blocks: list[Block] = [header(self.desk.voice.say("home.title"))]
        draw = 0
        for name, found in parts:
            blocks += [divider(), section(f"*{self.desk.voice.say(f'home.{name}')}*")]
            blocks += self._rows(found, draw, now)
            draw += len(found)
        return blocks

    def _rows(self, found: Sequence[Case], draw: int, now: Any) -> list[Block]:
        voice = self.desk.voice
        if not found:
            return [section(voice.say("home.none"))]
        return [
            section(
                lists.row(case, voice, now),
                # The draw keeps block ids apart where one complaint stands in two lists.
                block_id=f"actions:{case.work_version}.{draw + at}",
                accessory=button(voice.say("verb.open"), "case.open", case.ref),
            )
            for at, case in enumerate(found)
        ]
