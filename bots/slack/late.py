"""A trigger that died before a view could open: the person is told, and given a button with a fresh one.

Slack's triggers live about three seconds, and a slow line may eat them. Nothing was recorded by then.
"""

from __future__ import annotations

from typing import Any

from slack_sdk.errors import SlackApiError

from bots.slack.blocks import actions, button, plain
from bots.slack.client import error_of
from bots.slack.desk import Desk
from bots.slack.press import Press
from complaints.obligations.kinds import NewObligation, SendPriority
from store.outbox.rows import insert_obligation

#: What Slack answers where a trigger is too old, or was used.
_DEAD = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"})


def is_late(failure: Exception) -> bool:
    """True where the view would have opened, had we been faster."""
    return isinstance(failure, SlackApiError) and error_of(failure) in _DEAD


async def offer_again(desk: Desk, press: Press, action: str, value: str) -> None:
    """Privately: what happened, and a button that does the same; where it was pressed, else as a direct message."""
    voice = desk.voice
    text = voice.say("late.told")
    row = actions(f"actions:{press.drawn or 0}.0", [button(voice.say("late.again"), action, value)])
    said: dict[str, Any] = {"text": text, "blocks": [{"type": "section", "text": plain(text, 3000)}, row]}
    if press.whispered:
        owed = NewObligation(f"tell:{press.key}", "tell", desk.store.now(), SendPriority.DIALOGUE)
        said |= {"channel": press.channel, "user": press.by, "thread": press.thread}
    else:
        owed = NewObligation(f"late:{press.key}", "message", desk.store.now(), SendPriority.DIALOGUE)
        said |= {"member": press.by}
    await desk.store.awrite(insert_obligation, owed, None, None, said)


async def say_directly(desk: Desk, press: Press, text: str) -> None:
    """The answer that found no view any more, as a direct message."""
    owed = NewObligation(f"late:{press.key}", "message", desk.store.now(), SendPriority.DIALOGUE)
    await desk.store.awrite(insert_obligation, owed, None, None, {"member": press.by, "text": text})
