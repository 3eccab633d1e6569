"""Posting, changing and removing messages, with what Slack refuses in them.

Web API methods about conversations and people.
"""

from __future__ import annotations

import json
import re
from typing import Any

from simulator.http import Upload
from simulator.slack import payloads
from simulator.slack.block_kit import completed, message_problems
from simulator.slack.socket import Link
from simulator.slack.state import APP, BOT, BOT_USER, TEAM, Channel, Member, Post, SlackRefusal
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


def truth(value: Any) -> bool:
    """A flag of a form or of JSON."""
    return value is True or str(value).lower() in ("true", "1")


async def conversations_list(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.list: public ones, and private ones with the app in them."""
    types = str(a.get("types") or "public_channel").split(",")
    found = [
        c for c in link.world.slack.channels.values() if _kind(c) in types and (c.bot_in or not c.private)
    ]
    return {"channels": [_conversation(c) for c in found], "response_metadata": {"next_cursor": ""}}


async def conversations_info(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.info."""
    return {"channel": _conversation(channel_for(link.world, a.get("channel")))}


async def conversations_members(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.members; the app itself is one."""
    channel = channel_for(link.world, a.get("channel"))
    members = sorted(channel.members) + ([BOT_USER] if channel.bot_in else [])
    page, cursor = _page(members, a, 100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


async def conversations_join(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.join, public channels only."""
    channel = channel_for(link.world, a.get("channel"))
    if channel.private:
        raise SlackRefusal("method_not_supported_for_channel_type")
    channel.bot_in = True
    link.world.changed()
    return {"channel": _conversation(channel)}


async def conversations_open(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.open for one member."""
    if a.get("channel"):
        return {"channel": {"id": channel_for(link.world, a["channel"]).id}}
    users = a.get("users") or ""
    members = users.split(",") if isinstance(users, str) else list(users)
    if len(members) != 1 or members[0] not in link.world.slack.members:
        raise SlackRefusal("user_not_found" if members != [""] else "users_list_not_supplied")
    channel = link.world.slack.direct(members[0])
    shown = _conversation(channel) if truth(a.get("return_im")) else {"id": channel.id}
    return {"no_op": False, "already_open": False, "channel": shown}


async def history(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.history, newest first."""
    channel = _readable(link, a)
    posts = [p for p in channel.posts if p.only_for is None and p.thread_ts in (None, p.ts)]
    return _messages(link, list(reversed(posts)), a, 100)


async def replies(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.replies, the head first."""
    channel = _readable(link, a)
    head = next((p for p in channel.posts if p.ts == a.get("ts") and p.only_for is None), None)
    if head is None:
        raise SlackRefusal("thread_not_found")
    return _messages(link, [head, *channel.replies(head.ts)], a, 1000)


def _readable(link: Link, a: Json) -> Channel:
    channel = channel_for(link.world, a.get("channel"))
    if not channel.bot_in:
        raise SlackRefusal("not_in_channel")
    return channel


def _messages(link: Link, posts: list[Post], a: Json, default: int) -> Json:
    oldest, latest = float(a.get("oldest") or 0), float(a.get("latest") or 1e12)
    if truth(a.get("inclusive")):
        kept = [p for p in posts if oldest <= float(p.ts) <= latest]
    else:
        kept = [p for p in posts if oldest < float(p.ts) < latest]
    page, cursor = _page(kept, a, default)
    metadata = truth(a.get("include_all_metadata"))
    answer: Json = {
        "messages": [payloads.message(link.world, p, metadata=metadata) | _thread(link, p) for p in page],
        "has_more": bool(cursor),
        "pin_count": 0,
    }
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _thread(link: Link, post: Post) -> Json:
    replies = link.world.slack.channels[post.channel].replies(post.ts)
    return {"reply_count": len(replies), "latest_reply": replies[-1].ts} if replies else {}


def _page(found: list[Any], a: Json, default: int) -> tuple[list[Any], str]:
    try:
        limit = int(a.get("limit") or default)
        start = int(str(a.get("cursor") or "c0")[1:])
    except ValueError as broken:
        raise SlackRefusal("invalid_cursor" if a.get("cursor") else "invalid_limit") from broken
    if not 1 <= limit <= 1000:
        raise SlackRefusal("invalid_limit")
    end = start + limit
    return found[start:end], f"c{end}" if end < len(found) else ""


def _kind(channel: Channel) -> str:
    if channel.direct:
        return "im"
    return "private_channel" if channel.private else "public_channel"


def _conversation(channel: Channel) -> Json:
    common: Json = {
        "id": channel.id,
        "created": 1700000000,
        "is_archived": channel.archived,
        "is_im": bool(channel.direct),
        "is_mpim": False,
        "is_private": channel.private,
        "is_org_shared": False,
        "context_team_id": TEAM,
    }
    if channel.direct:
        return common | {"user": channel.direct, "is_user_deleted": False, "priority": 0}
    empty = {"value": "", "creator": "", "last_set": 0}
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": channel.bot_in,
        "topic": empty,
        "purpose": empty,
        "num_members": len(channel.members) + channel.bot_in,
        "creator": "U0000000",
        "unlinked": 0,
        "shared_team_ids": [TEAM],
    }


async def users_info(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """users.info."""
    if a.get("user") == BOT_USER:
        return {"user": _person(Member(BOT_USER, "Amends")) | {"is_bot": True}}
    member = link.world.slack.members.get(str(a.get("user")))
    if member is None:
        raise SlackRefusal("user_not_found")
    return {"user": _person(member)}


async def users_list(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """users.list; the app is one of them."""
    everyone = [_person(m) for m in link.world.slack.members.values()]
    page, cursor = _page([*everyone, _person(Member(BOT_USER, "Amends")) | {"is_bot": True}], a, 1000)
    return {"members": page, "cache_ts": 1700000000, "response_metadata": {"next_cursor": cursor}}


def _person(member: Member) -> Json:
    names = {"real_name": member.name, "real_name_normalized": member.name}
    return {
        "id": member.id,
        "team_id": TEAM,
        "name": member.handle,
        "deleted": member.deleted,
        "real_name": member.name,
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "profile": {
            "display_name": member.name,
            "display_name_normalized": member.name,
            "team": TEAM,
            **names,
        },
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": member.guest,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": 1700000000,
    }


async def usergroup_users(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """usergroups.users.list, on paid plans."""
    slack = link.world.slack
    if not slack.paid_plan:
        raise SlackRefusal("plan_upgrade_required")
    if a.get("usergroup") not in slack.groups:
        raise SlackRefusal("no_such_subteam")
    return {"users": slack.groups[str(a["usergroup"])]}


async def bots_info(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """bots.info."""
    if a.get("bot") not in (None, BOT):
        raise SlackRefusal("bot_not_found")
    return {
        "bot": {
            "id": BOT,
            "deleted": False,
            "name": "Amends",
            "updated": 1700000000,
            "app_id": APP,
            "user_id": BOT_USER,
            "icons": {"image_36": "", "image_48": "", "image_72": ""},
        }
    }
