"""Posting and redrawing messages: marked so that an uncertain post is found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.card import Drawn
from bots.slack.client import error_of, is_flood, retry_after, status_of
from bots.slack.desk import Desk
from bots.slack.pace import Wait
from store.outbox.outcomes import Failed, Outcome, RateLimited, Retry

#: The event_type of our metadata; Slack ignores one with other than letters, digits, _ and -.
EVENT_TYPE = "amends_post"
#: How far back an uncertain post is looked for.
_PAGES, _PER_PAGE = 5, 200

#: Answers of Slack that trying again will not change. A wrong token is not among them: it is soon mended.
PERMANENT: frozenset[str] = frozenset(
    {
        "as_user_not_supported", "cannot_dm_bot", "cant_delete_message", "cant_update_message",
        "channel_not_found", "ekm_access_denied", "file_not_found", "invalid_arguments",
        "invalid_blocks", "invalid_blocks_format", "is_archived", "messages_tab_disabled",
        "msg_too_long", "no_permission", "no_text", "not_in_channel", "restricted_action",
        "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible",
    }
)  # fmt: skip

#: A post that somebody deleted.
GONE = frozenset({"message_not_found", "thread_not_found"})
NETWORK = (aiohttp.ClientError, TimeoutError, OSError)
#: Slack's own words for that it cannot work at all at the moment.
OUTAGE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})


@dataclass(frozen=True)
class NobodyThere(Retry):
    """Slack is away: what waits for that may leave as soon as any call gets through."""


def outcome_of(failure: Exception) -> Outcome:
    """What a failed call to Slack means for the duty: again after its Retry-After, again later, or never."""
    if isinstance(failure, Wait):
        return RateLimited(failure.seconds)
    if isinstance(failure, SlackApiError):
        error, status = error_of(failure), status_of(failure)
        if is_flood(failure):
            return Retry("ratelimited", retry_after(failure))
        if error in PERMANENT:
            return Failed(error)
        if error and error not in OUTAGE and (status or 200) < 500:
            return Retry(error)
        return NobodyThere(error or f"status {status}")
    return NobodyThere(type(failure).__name__)


def cannot_look(failure: SlackApiError) -> bool:
    """True where history cannot be read at all: then a post that may be there twice beats none."""
    return error_of(failure) in ("unknown_method", "missing_scope") or status_of(failure) == 404


def is_marked(message: Mapping[str, Any]) -> bool:
    """Does this message carry our mark?"""
    return (message.get("metadata") or {}).get("event_type") == EVENT_TYPE


def is_ours(message: Mapping[str, Any]) -> bool:
    """Was this message written by an app? In a thread of ours that is us."""
    return bool(message.get("bot_id")) or is_marked(message)


class Poster:
    """Posts of one desk; the client waits for their turn."""

    def __init__(self, desk: Desk, client: AsyncWebClient) -> None:
        self.desk = desk
        self.client = client
        self._direct: dict[str, str] = {}

    async def post(self, channel: str, drawn: Drawn, key: str, *, thread: str | None = None) -> str:
        """Post with our mark; returns the ts. Raises SlackApiError, a network error, or Wait."""
        answer = await self.client.chat_postMessage(
            channel=channel,
            text=drawn.text,
            blocks=drawn.blocks or None,
            thread_ts=thread,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def find(self, channel: str, key: str, *, thread: str | None = None) -> str | None:
        """The ts of our post with this key, if an uncertain try did arrive."""
        try:
            return await self._found(channel, key, thread)
        except SlackApiError as refused:
            if not cannot_look(refused):
                raise
            return None

    async def arrived(self, channel: str, key: str) -> bool | None:
        """Is our post with this key there? None where this channel's history is not open to us."""
        try:
            return await self._found(channel, key, None) is not None
        except SlackApiError as refused:
            if not cannot_look(refused):
                raise
            return None

    async def _found(self, channel: str, key: str, thread: str | None) -> str | None:
        cursor: str | None = None
        for _ in range(_PAGES):
            common: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": _PER_PAGE}
            if cursor:
                common["cursor"] = cursor
            if thread is None:
                answer = await self.client.conversations_history(**common)
            else:
                answer = await self.client.conversations_replies(ts=thread, **common)
            for message in answer["messages"]:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if is_marked(message) and payload.get("key") == key:
                    return str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    async def redraw(self, channel: str, ts: str, drawn: Drawn) -> None:
        """Draw a post anew in place."""
        await self.client.chat_update(channel=channel, ts=ts, text=drawn.text, blocks=drawn.blocks)

    async def show(self, channel: str, ts: str | None, drawn: Drawn, key: str) -> str:
        """Draw the post with this ts anew; without one, or where somebody deleted it, post it. Returns the ts."""
        if ts is not None:
            try:
                await self.redraw(channel, ts, drawn)
            except SlackApiError as failure:
                if error_of(failure) not in GONE:
                    raise
            else:
                return ts
        return await self.post(channel, drawn, key)

    async def whisper(
        self,
        channel: str,
        member: str,
        text: str,
        thread: str | None,
        *,
        blocks: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """A message that only one person sees."""
        await self.client.chat_postEphemeral(
            channel=channel, user=member, text=text, thread_ts=thread, blocks=blocks
        )

    async def direct(self, member: str) -> str:
        """The id of the direct conversation with a member."""
        if member not in self._direct:
            answer = await self.client.conversations_open(users=member)
            self._direct[member] = str(answer["channel"]["id"])
        return self._direct[member]
