"""Answers to a press through its `response_url`: at once, outside the queue, five times within 30 minutes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack.client.block_kit import Block
from bots.slack.client.client import NETWORK, channel_members, log_unexpected, proxy_for

#: Time limit of an answer in seconds: after it the person gets a direct message.
ANSWER_TIMEOUT = 5
#: Who is in a channel is asked again after so many seconds: 50 refusals at once are one call.
MEMBERS_KEPT = 60.0

_members: WeakKeyDictionary[AsyncWebClient, dict[str, tuple[float, frozenset[str]]]] = WeakKeyDictionary()


async def answer_privately(
    url: str, text: str, *, blocks: Sequence[Block] = (), thread: str | None = None, proxy: str | None = None
) -> bool:
    """Show this only to the person who pressed; False if Slack did not take it."""
    body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": False, "text": text}
    body |= {"blocks": list(blocks)} if blocks else {}
    body |= {"thread_ts": thread} if thread else {}
    hook = AsyncWebhookClient(url, timeout=ANSWER_TIMEOUT, proxy=proxy_for(url, proxy), retry_handlers=[])
    try:
        return (await hook.send_dict(body)).status_code == 200
    except NETWORK as failure:
        log_unexpected("answer to a press", failure)
        return False


async def sees_channel(client: AsyncWebClient, channel: str, member_id: str) -> bool:
    """Is this person in the channel? A public one shows its buttons to others too, but no private answer.

    True if Slack does not answer: a second message would be no improvement.
    """
    if channel.startswith("D"):
        return True
    asked_at, members = _members.setdefault(client, {}).get(channel, (0.0, frozenset[str]()))
    if member_id not in members and (not members or time.monotonic() - asked_at > MEMBERS_KEPT):
        try:
            members = frozenset(await channel_members(client, channel))
        except (SlackApiError, *NETWORK) as failure:
            log_unexpected("members of a channel", failure)
            return True
        _members[client][channel] = (time.monotonic(), members)
    return member_id in members
