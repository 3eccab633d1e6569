"""The app's home: what waits for this person, each with its next act as a button; drawn anew when opened."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import lists
from bots.slack.blocks import MODAL_BLOCKS, Block, actions, button, divider, header, section
from bots.slack.delivered import stuck_blocks
from bots.slack.desk import Desk
from bots.slack.entering import admit, remember
from bots.slack.modals import notice_view
from bots.slack.opening import next_act
from bots.slack.posting import NETWORK
from bots.slack.telling import unexpected
from bots.slack.voice import Voice
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import NotAllowed
from complaints.vocabulary import Role
from store.database.errors import DatabaseUnavailable
from store.outbox.deliveries import list_failed_kinds
from store.outbox.failed import retry_failed
from store.record.worklists import MOST_COUNTED, Worklist, WorklistSection, load_worklist
from store.rulebooks import load_current_rulebook

log = logging.getLogger("amends.slack")

#: In the order in which somebody asks: what is mine, what is nobody's, what is late, what waits for a second one.
SECTIONS: tuple[WorklistSection, ...] = (
    WorklistSection.MINE,
    WorklistSection.UNASSIGNED,
    WorklistSection.OVERDUE,
    WorklistSection.WAITING,
    WorklistSection.UNCHECKED,
)
#: Rows of each list on the first page; five lists with their headings stay within 100 blocks.
FEW = 8
#: Rows of a page of one list alone.
MANY = 40
_MANAGING = (Role.MANAGER, Role.TOP_MANAGEMENT)

#: The act that a list is about, whatever else fits.
_ACTS: Mapping[WorklistSection, str] = {
    WorklistSection.WAITING: "approve",
    WorklistSection.UNCHECKED: "verify",
}


class Home:
    """The listeners of the home; it is drawn for one person, from the record, each time."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None = None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team

    async def opened(self, event: Mapping[str, Any]) -> None:
        """`app_home_opened`: draw it as things stand; drawing it twice changes nothing."""
        if event.get("tab") == "home":
            await self.draw(str(event["user"]))

    async def turned(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`home.page`: a page of one list, or (`all:0`) all lists again."""
        await ack()
        name, _, offset = str(body["actions"][0]["value"]).partition(":")
        try:
            await self.draw(
                str(body["user"]["id"]),
                only=None if name == "all" else WorklistSection(name),
                offset=int(offset),
            )
        except (SlackApiError, *NETWORK) as failure:
            unexpected("page of the home", failure)
        except DatabaseUnavailable as failure:
            await self._sorry(body, failure)

    async def draw(self, member: str, *, only: WorklistSection | None = None, offset: int = 0) -> None:
        """Publish this person's home. Raises SlackApiError."""
        actor = await self.desk.actor(member)
        voice, now = self.desk.voice, self.desk.store.now()
        if not actor.roles:
            blocks = [section(voice.say("home.no_role"))]
        elif only is None:
            pages = {one: await self._page(one, actor, 0, FEW) for one in SECTIONS}
            blocks = whole_home(pages, actor, voice, now)
            blocks += await self._stuck(actor)
        else:
            page = await self._page(only, actor, offset, MANY)
            blocks = one_list(only, page, actor, voice, now)
        view = {"type": "home", "blocks": blocks[:MODAL_BLOCKS]}
        await self.client.views_publish(user_id=actor.id, view=view)

    async def _stuck(self, actor: Actor) -> list[Block]:
        """What was given up, of what this manager may know; nobody else is shown it."""
        if not actor.has(*_MANAGING):
            return []
        found = await self.desk.store.aread(list_failed_kinds, actor, FEW)
        if not found:
            return []
        rules = await self.desk.store.aread(load_current_rulebook)
        title = section(f"*{self.desk.voice.say('stuck.title')}*")
        return [divider(), title, *stuck_blocks(found, self.desk.voice, rules.calendar.zone)]

    async def retried(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`outbox.retry`: a manager has what was given up tried again; the home shows what is left."""
        await ack()
        member, number = str(body["user"]["id"]), int(body["actions"][0]["value"])
        try:
            actor = await admit(self.desk, body, self.own_team, member, what="outbox.retry")
            if not actor.has(*_MANAGING):
                refused = NotAllowed("Only a manager tries this again: ask one.", code="not_allowed.role")
                await remember(self.desk, None, "outbox.retry", actor, refused)
                return
            known = await self.desk.store.aread(list_failed_kinds, actor)
            if number in {one.number for one in known}:
                await self.desk.store.awrite(retry_failed, number)
            await self.draw(actor.id)
        except NotAllowed as refused:
            log.info("outbox.retry refused: %s", refused.code)
        except (SlackApiError, *NETWORK) as failure:
            unexpected("retry from the home", failure)
        except DatabaseUnavailable as failure:
            await self._sorry(body, failure)

    async def _sorry(self, body: Mapping[str, Any], failure: DatabaseUnavailable) -> None:
        """The home cannot be drawn now; a view above it says so, else the press would look done."""
        unexpected("press in the home", failure)
        voice = self.desk.voice
        view = notice_view(voice.say("modal.notice"), voice.say("refused.unexpected"), voice)
        try:
            await self.client.views_open(trigger_id=str(body["trigger_id"]), view=view)
        except (SlackApiError, *NETWORK) as failed:
            unexpected("answer to a press in the home", failed)

    async def _page(self, one: WorklistSection, actor: Actor, offset: int, limit: int) -> Worklist:
        return await self.desk.store.aread(load_worklist, one, actor, offset=offset, limit=limit)


def whole_home(
    pages: Mapping[WorklistSection, Worklist], by: Actor, voice: Voice, now: datetime
) -> list[Block]:
    """All lists, a few rows of each; `more` leads to a list alone."""
    blocks: list[Block] = [header(voice.say("home.title"))]
    if by.has(*_MANAGING):
        blocks.append(actions("home", [button(voice.say("home.move"), "home.move", "move")]))
    draw = 0
    for one, page in pages.items():
        if not page.count and one in _ACTS:
            continue
        blocks += [divider(), section(f"*{heading(one, page.count, voice)}*")]
        blocks += _rows(one, page, by, voice, now, draw)
        draw += len(page.cases)
        if page.more:
            blocks.append(actions(f"more.{one.value}", [_turn(voice, "home.more", one.value, 0, page.more)]))
    return blocks


def one_list(one: WorklistSection, page: Worklist, by: Actor, voice: Voice, now: datetime) -> list[Block]:
    """One list alone, with a way back to all."""
    row = [_turn(voice, "home.all", "all", 0, 0)]
    if page.offset:
        row.append(_turn(voice, "home.before", one.value, max(0, page.offset - MANY), page.offset))
    if page.more:
        row.append(_turn(voice, "home.after", one.value, page.offset + MANY, page.more))
    for at, each in enumerate(row):
        # One action_id for all: Slack wants them apart within a block.
        each["action_id"] = f"home.page.{at}"
    return [
        header(heading(one, page.count, voice)),
        actions("home.turning", row),
        *_rows(one, page, by, voice, now, 0),
    ]


def _turn(voice: Voice, id_: str, name: str, offset: int, number: int) -> Block:
    return button(voice.say(id_, number=number), "home.page.0", f"{name}:{offset}")


def heading(one: WorklistSection, count: int, voice: Voice) -> str:
    """The list's name with how many it holds; beyond what is counted a plus."""
    number = f"{count}+" if count >= MOST_COUNTED else str(count)
    return f"{voice.say(f'home.{one.value}')} ({number})"


def _rows(
    one: WorklistSection, page: Worklist, by: Actor, voice: Voice, now: datetime, draw: int
) -> list[Block]:
    if not page.cases:
        return [section(voice.say("home.none"))]
    return [
        section(
            lists.row(case, voice, now),
            # The draw keeps block ids apart where one complaint stands in two lists.
            block_id=f"actions:{case.work_version}.{draw + at}",
            accessory=_act(one, case, by, voice),
        )
        for at, case in enumerate(page.cases)
    ]


def _act(one: WorklistSection, case: Case, by: Actor, voice: Voice) -> Block:
    name = _ACTS.get(one) or next_act(case, by)
    style = None if name == "open" else "primary"
    return button(voice.say(f"verb.{name}"), f"case.{name}", case.ref, style=style)
