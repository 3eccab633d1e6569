"""Short private answers to a person in Slack, and the plain words for what nobody expected."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client import error_of
from bots.slack.desk import Desk
from bots.slack.late import is_late, say_directly
from bots.slack.modals import notice_view, with_notice
from bots.slack.press import Press
from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.errors import DatabaseUnavailable
from store.outbox.rows import insert_obligation

log = logging.getLogger("amends.slack")


async def tell(desk: Desk, client: AsyncWebClient, press: Press, text: str) -> None:
    """Answer a press: in a message privately beneath it, in a modal on top of it, in the home in a view."""
    if press.whispered and press.channel is not None:
        try:
            await owe_whisper(desk, press.key, press.by, press.channel, text, thread=press.thread)
        except DatabaseUnavailable:
            # Nothing can be owed now, and silence would look as if it had been done.
            await client.chat_postEphemeral(
                channel=press.channel, user=press.by, text=text, thread_ts=press.thread
            )
    elif press.in_modal and press.view is not None:
        changed = with_notice(press.view, text)
        await client.views_update(view_id=press.view["id"], view=changed)
    else:
        view = notice_view(desk.voice.say("modal.notice"), text, desk.voice, ref=press.ref)
        try:
            await client.views_open(trigger_id=press.trigger, view=view)
        except SlackApiError as failure:
            if not is_late(failure):
                raise
            await say_directly(desk, press, text)


async def owe_home(desk: Desk, key: str, member: str) -> None:
    """This person's home is drawn anew, for an act was done from it."""
    owed = NewObligation(f"home:{key}", "home", desk.store.now(), SendPriority.DIALOGUE, {"member": member})
    await desk.store.awrite(insert_obligation, owed, None, None, {})


async def owe_whisper(
    desk: Desk, key: str, member: str, channel: str, text: str, *, thread: str | None = None
) -> None:
    """An ephemeral message, as a duty of its own: only views answer a trigger directly."""
    payload: dict[str, Any] = {"channel": channel, "user": member, "text": text, "thread": thread}
    owed = NewObligation(f"tell:{key}", "tell", desk.store.now(), SendPriority.DIALOGUE)
    await desk.store.awrite(insert_obligation, owed, None, None, payload)


def unexpected(what: str, failure: BaseException) -> None:
    """Log what nobody expected: the kind and the place, never a message, for it may hold words of people."""
    frames = traceback.extract_tb(failure.__traceback__)
    place = " < ".join(f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in reversed(frames[-4:]))
    said = error_of(failure) if isinstance(failure, SlackApiError) else ""
    log.error("%s failed: %s %s at %s", what, type(failure).__name__, said, place)
