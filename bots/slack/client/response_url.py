"""Answers to a press through its `response_url`: at once, outside the queue, five times within 30 minutes."""

import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.loopback import is_loopback
from bots.slack.client.block_kit import Block
from bots.slack.client.client import NETWORK, SlackClient, channel_members, log_unexpected, proxy_for

#: Time limit in seconds. After it the person gets a direct message, and a card is drawn by its own obligation.
TIMEOUT = 5
#: Who is in a channel is asked again after so many seconds: 50 refusals at once are one call.
MEMBERS_KEPT = 60.0

_members: WeakKeyDictionary[AsyncWebClient, dict[str, tuple[float, frozenset[str]]]] = WeakKeyDictionary()


async def answer_privately(
    client: AsyncWebClient, url: str, text: str, *, blocks: Sequence[Block] = (), thread: str | None = None
) -> bool:
    """Show this only to the person who pressed; False if Slack did not take it."""
    body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": False, "text": text}
    body |= {"blocks": list(blocks)} if blocks else {}
    body |= {"thread_ts": thread} if thread else {}
    return await _send(client, url, body)


async def replace_original(client: AsyncWebClient, url: str, text: str, blocks: Sequence[Any]) -> bool:
    """Replace the message whose button was pressed; True if Slack took it."""
    return await _send(client, url, {"replace_original": True, "text": text, "blocks": blocks})


async def _send(client: AsyncWebClient, url: str, body: dict[str, Any]) -> bool:
    if isinstance(client, SlackClient) and body.get("blocks"):
        body = {**body, "blocks": (await client.certain("message", body["blocks"]))[0]}
    hook = AsyncWebhookClient(url, timeout=TIMEOUT, retry_handlers=[])
    # The constructor takes the environment's proxy; what is assigned afterwards is kept.
    hook.proxy = client.proxy if is_loopback(client.base_url) == is_loopback(url) else proxy_for(url)
    outcome = "unreachable"
    try:
        answer = await hook.send_dict(body)
        outcome = "ok" if answer.status_code == 200 else "refused"
    except NETWORK as failure:
        outcome = "timeout" if isinstance(failure, TimeoutError) else outcome
        log_unexpected("answer to a press", failure)
    if isinstance(client, SlackClient) and client.on_result is not None:
        client.on_result("response_url", outcome)
    return outcome == "ok"


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
