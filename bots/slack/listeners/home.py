"""The app's home: opened, turned to another page, and failed obligations retried from it."""

from __future__ import annotations

import re

from bots.slack.admission import refusals_recorded
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, HomeOpened
from bots.slack.recipients import MANAGING
from bots.slack.responses import Acknowledged, PublishHome, Response
from bots.slack.router import Router
from bots.slack.views.home import home_view
from complaints.actors import Actor
from complaints.errors import NotAllowed
from store.outbox.deliveries import list_failed_obligations
from store.outbox.failed import retry_failed
from store.record.worklists import WorklistSection

router = Router()


@router.home
async def show_home(opened: HomeOpened, slack: SlackContext) -> Response:
    """Draw the home as the record is now; a person without a role reads that they have none."""
    if opened.tab != "home":
        return Acknowledged()
    return PublishHome(opened.member_id, await home_view(slack, opened.member_id))


@router.display_action(re.compile(r"^home\.page\.\d$"))
async def turn_page(press: ButtonPress, slack: SlackContext) -> Response:
    """A page of one list, or (`all:0`) all lists again."""
    section = None if press.ref == "all" else WorklistSection(press.ref)
    view = await home_view(slack, press.member_id, only=section, offset=int(press.detail))
    return PublishHome(press.member_id, view)


@router.action("outbox.retry")
async def retry_obligation(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Try a failed obligation again; only managers, and only what they may know of."""
    async with refusals_recorded(slack, None, press.attempt, actor):
        if not actor.has(*MANAGING):
            raise NotAllowed("Only a manager tries this again: ask one.", code="not_allowed.role")
    number = int(press.value)
    if number in {failed.number for failed in await slack.store.aread(list_failed_obligations, actor)}:
        await slack.store.awrite(retry_failed, number)
    return PublishHome(actor.id, await home_view(slack, actor.id))
