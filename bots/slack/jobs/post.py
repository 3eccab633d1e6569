"""Posting and redrawing messages: each carries a key, so that a post of which we had no answer is found again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client.block_kit import SlackMessage, actions, button, section
from bots.slack.client.client import (
    GONE,
    PERMANENT,
    error_of,
    is_flood,
    is_history_closed,
    is_outage,
    is_refused,
    reason_of,
    retry_after,
)
from bots.slack.client.slack_limits import POSTS, RateLimitWait, slot_for
from bots.slack.context import SlackContext
from bots.slack.staff_texts import StaffTexts
from complaints.case import Case, Event
from store.outbox.complete import Completed, Failed, Outcome, RateLimited, Retry
from store.record.load import CaseFile, load_case_file
from store.slack_posts import find_known_slack_keys, forget_slack_key, record_slack_key
from store.values import Obligation

#: The event_type of our metadata; Slack ignores one with characters other than letters, digits, _ and -.
EVENT_TYPE = "amends_post"
#: How far back an uncertain post is searched for.
_PAGES, _PER_PAGE = 5, 200


@dataclass(frozen=True)
class SlackUnavailable(Retry):
    """Slack cannot be reached; the obligation may be tried again as soon as any call succeeds."""


@dataclass(frozen=True)
class Attempt:
    """How an attempt to post is recorded: when its slot has come and the call is made, never while it waits.

    `withdraw` follows when Slack refused it. So only a post of which we had no answer is searched for.
    """

    record: Callable[[], Awaitable[object]]
    withdraw: Callable[[], Awaitable[object]]


def failure_outcome(failure: Exception) -> Outcome:
    """What a failed call to Slack means for the obligation: retry after a pause, retry later, or failed."""
    if isinstance(failure, RateLimitWait):
        return RateLimited(failure.seconds)
    if isinstance(failure, SlackApiError):
        error = error_of(failure)
        if is_flood(failure):
            return Retry("ratelimited", retry_after(failure))
        if error in PERMANENT:
            return Failed(error)
        if error and not is_outage(failure):
            return Retry(error)
        return SlackUnavailable(reason_of(failure))
    return SlackUnavailable(type(failure).__name__)


class Poster:
    """Posts messages; the client keeps the rate limits. Holds the ids of direct conversations."""

    def __init__(self, slack: SlackContext, client: AsyncWebClient) -> None:
        self.slack = slack
        self.client = client
        self._conversations: dict[str, str] = {}

    async def post(
        self,
        channel: str,
        message: SlackMessage,
        key: str,
        *,
        thread: str | None = None,
        attempt: Attempt | None = None,
    ) -> str:
        """Post with this key and return the ts. Raises SlackApiError, a network error, or RateLimitWait."""
        async with slot_for(POSTS, channel):
            if attempt is not None:
                await attempt.record()
            try:
                answer = await self.client.chat_postMessage(
                    channel=channel,
                    text=message.text,
                    blocks=message.blocks or None,
                    thread_ts=thread,
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                    unfurl_links=False,
                    unfurl_media=False,
                )
            except SlackApiError as failure:
                if attempt is not None and is_refused(failure):
                    await attempt.withdraw()
                raise
        return str(answer["ts"])

    def attempt(self, key: str) -> Attempt:
        """An attempt that is recorded by this key; `was_tried` finds it."""
        write = self.slack.store.awrite
        return Attempt(partial(write, record_slack_key, key), partial(write, forget_slack_key, key))

    async def was_tried(self, key: str) -> bool:
        """Was a post with this key of its attempts tried, without an answer that refused it?"""
        return bool(await self.slack.store.aread(find_known_slack_keys, [key]))

    async def show(
        self,
        channel: str,
        ts: str | None,
        message: SlackMessage,
        key: str,
        *,
        attempt: Attempt | None = None,
    ) -> str:
        """Redraw the post with this ts; post it if there is none or it was deleted. Returns the ts."""
        if ts is not None:
            try:
                await self.client.chat_update(
                    channel=channel, ts=ts, text=message.text, blocks=message.blocks
                )
            except SlackApiError as failure:
                if error_of(failure) not in GONE:
                    raise
            else:
                return ts
        return await self.post(channel, message, key, attempt=None if ts is not None else attempt)

    async def conversation(self, member_id: str) -> str:
        if member_id not in self._conversations:
            answer = await self.client.conversations_open(users=member_id)
            self._conversations[member_id] = str(answer["channel"]["id"])
        return self._conversations[member_id]

    async def find(self, channel: str, key: str, *, thread: str | None = None) -> str | None:
        """The ts of our post with this key, if an uncertain attempt was delivered."""
        try:
            return await self._search(channel, key, thread)
        except SlackApiError as failure:
            if not is_history_closed(failure):
                raise
            return None

    async def has_file(self, channel: str, thread: str, name: str) -> bool:
        """Is a file of this name in the thread? False too if we may not read the history of this channel."""
        try:
            answer = await self.client.conversations_replies(channel=channel, ts=thread, limit=_PER_PAGE)
        except SlackApiError as failure:
            if not is_history_closed(failure):
                raise
            return False
        files = [file for message in answer["messages"] for file in message.get("files") or []]
        return any(name in (file.get("name"), file.get("title")) for file in files)

    async def is_delivered(self, channel: str, key: str) -> bool | None:
        """Is our post with this key there? None if we may not read the history of this channel."""
        try:
            return await self._search(channel, key, None) is not None
        except SlackApiError as failure:
            if not is_history_closed(failure):
                raise
            return None

    async def _search(self, channel: str, key: str, thread: str | None) -> str | None:
        cursor: str | None = None
        for _ in range(_PAGES):
            options: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": _PER_PAGE}
            if cursor:
                options["cursor"] = cursor
            if thread is None:
                answer = await self.client.conversations_history(**options)
            else:
                answer = await self.client.conversations_replies(ts=thread, **options)
            for message in answer["messages"]:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if _has_our_metadata(message) and payload.get("key") == key:
                    return str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None


async def post_once(poster: Poster, obligation: Obligation, member_id: str, message: SlackMessage) -> Outcome:
    """Post a direct message unless an earlier attempt was delivered.

    The attempt is recorded with the call, so that a second one first checks for it. If direct messages cannot be
    read and no failure is recorded, nothing is posted: a lost message of this kind is better than a duplicate.
    """
    await post_once_in(poster, obligation, await poster.conversation(member_id), message, member_id)
    return Completed()


async def post_once_in(
    poster: Poster, obligation: Obligation, channel: str, message: SlackMessage, reader: str
) -> None:
    """`post_once` in this channel; `reader` is part of the key of the attempt."""
    tried_key = f"once:{obligation.key}:{reader}"
    if await poster.was_tried(tried_key):
        is_delivered = await poster.is_delivered(channel, obligation.key)
        if is_delivered or (is_delivered is None and obligation.attempts == 0):
            return
    thread = obligation.payload.get("thread")
    await poster.post(channel, message, obligation.key, thread=thread, attempt=poster.attempt(tried_key))


async def load_event(slack: SlackContext, obligation: Obligation) -> tuple[CaseFile, Event]:
    """The complaint of an obligation, and the event that it is about."""
    file = await slack.store.aread(load_case_file, str(obligation.ref))
    return file, file.events[int(obligation.facts["seq"]) - 1]


def notice_message(case: Case, text: str, texts: StaffTexts, forms: Sequence[str]) -> SlackMessage:
    """A message about a complaint with buttons for these forms; the first is the primary one.

    It never holds the complainant's name or words.
    """
    row = [
        button(texts.text(f"verb.{form}"), f"case.{form}", case.ref, style=None if number else "primary")
        for number, form in enumerate(forms)
    ]
    return SlackMessage(text, [section(text), actions(f"actions:{case.work_version}.0", row)])


def is_own_message(message: Mapping[str, Any]) -> bool:
    """Was this message written by an app? In the thread of our post that is ours."""
    return bool(message.get("bot_id")) or _has_our_metadata(message)


def _has_our_metadata(message: Mapping[str, Any]) -> bool:
    return (message.get("metadata") or {}).get("event_type") == EVENT_TYPE
