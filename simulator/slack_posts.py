"""Posting, changing and removing messages, with what Slack refuses in them."""

import json
import re
from typing import Any

from simulator.block_kit import completed, message_problems
from simulator.slack_state import BOT_USER, Channel, Post, SlackRefusal
from simulator.world import World

Json = dict[str, Any]
LONGEST = 40_000


def blocks_of(value: Any) -> list[Json] | None:
    """Blocks given as a list or as JSON text, completed; None when not given. Raises invalid_blocks."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value or "[]")
        except ValueError as broken:
            raise SlackRefusal("invalid_blocks_format") from broken
    if not isinstance(value, list):
        raise SlackRefusal("invalid_blocks_format")
    problems = message_problems(value)
    if problems:
        raise SlackRefusal("invalid_blocks", messages=problems)
    return completed(value)


def metadata_of(value: Any) -> Json | None:
    """Message metadata; Slack silently drops what breaks its rules."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as broken:
            raise SlackRefusal("invalid_metadata_format") from broken
    if not isinstance(value, dict) or not isinstance(value.get("event_payload"), dict):
        return None
    kind = value.get("event_type")
    if not isinstance(kind, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", kind):
        return None
    return {"event_type": kind, "event_payload": value["event_payload"]}


def words(arguments: Json, blocks: list[Json] | None) -> str:
    """The message's text. Raises no_text and msg_too_long."""
    text = arguments.get("text") or ""
    if not isinstance(text, str):
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] text must be a string"])
    if not text.strip() and not blocks and not arguments.get("attachments"):
        raise SlackRefusal("no_text")
    if len(text) > LONGEST:
        raise SlackRefusal("msg_too_long")
    return text


def channel_for(world: World, given: Any, *, to_post: bool = False) -> Channel:
    """The conversation of an id; a member's id means the direct conversation. Raises as Slack does."""
    slack = world.slack
    if to_post and given in slack.members:
        return slack.direct(str(given))
    channel = slack.channels.get(str(given))
    # A private channel without the app in it does not exist for the app.
    if channel is None or (channel.private and not channel.bot_in):
        raise SlackRefusal("channel_not_found")
    if to_post and not channel.bot_in:
        raise SlackRefusal("not_in_channel")
    if to_post and channel.archived:
        raise SlackRefusal("is_archived")
    return channel


def pace(world: World, channel: Channel) -> None:
    """Raises ratelimited when the channel was written to too fast."""
    wait = world.slack_pacing.refuse(channel.id)
    if wait:
        raise SlackRefusal("ratelimited", retry_after=wait)


def add(
    world: World,
    channel: Channel,
    author: str,
    text: str,
    *,
    blocks: list[Json] | None = None,
    thread_ts: str | None = None,
    metadata: Json | None = None,
    only_for: str | None = None,
    files: list[str] | None = None,
) -> Post:
    """A new message. A thread's ts that stands for a reply counts for its head, as in Slack."""
    if thread_ts is not None:
        head = next((p for p in channel.posts if p.ts == thread_ts and p.only_for is None), None)
        if head is None and only_for is None:
            raise SlackRefusal("thread_not_found" if author == BOT_USER else "message_not_found")
        if head is not None:
            thread_ts = head.thread_ts or head.ts
            head.thread_ts = thread_ts
    post = Post(
        ts=world.slack.stamp(world.now()),
        channel=channel.id,
        author=author,
        text=text,
        blocks=blocks or [],
        at=world.now(),
        thread_ts=thread_ts,
        metadata=metadata,
        only_for=only_for,
        files=files or [],
    )
    channel.posts.append(post)
    world.changed()
    return post


def own_post(world: World, channel: Channel, ts: Any, refusal: str) -> Post:
    """A standing post of the app. Raises message_not_found, or `refusal` for other people's."""
    post = channel.post(str(ts))
    if post is None:
        raise SlackRefusal("message_not_found")
    if not post.by_bot:
        raise SlackRefusal(refusal)
    return post


def change(world: World, post: Post, *, text: str, blocks: list[Json] | None, metadata: Json | None) -> None:
    """chat.update: blocks and metadata that are not given stay."""
    post.text = text
    if blocks is not None:
        post.blocks = blocks
    if metadata is not None:
        post.metadata = metadata
    post.edited = world.slack.stamp(world.now())
    post.notices.clear()
    world.changed()


def remove(world: World, channel: Channel, post: Post) -> None:
    """chat.delete: a thread's head leaves a tombstone while replies stand."""
    post.deleted = True
    if not channel.replies(post.ts):
        channel.posts.remove(post)
    world.changed()
