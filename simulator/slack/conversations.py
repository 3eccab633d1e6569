"""Messages of a conversation, with what Slack refuses in them; Web API methods about conversations and members."""

import json
import re
from typing import Any

from simulator.http import Upload
from simulator.slack import payloads
from simulator.slack.block_kit import completed, message_problems, refused_blocks
from simulator.slack.socket import Link
from simulator.state.slack_state import BOT, BOT_USER, TEAM, Channel, Post, SlackMember, SlackRefusal
from simulator.state.world import World

Json = dict[str, Any]
TEXT_MAX = 40_000


def parse_blocks(world: World, value: Any) -> list[Json] | None:
    """Blocks from a list or JSON text, with Slack's defaults; None for None. Raises invalid_blocks."""
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
    refuse_blocks(world, value, "message", "invalid_blocks")
    return completed(value)


def refuse_blocks(world: World, blocks: list[Json], surface: str, error: str) -> None:
    """Raises this error for blocks that the workspace does not show yet, which is no mistake of the app."""
    problems = refused_blocks(blocks, surface, world.slack.refused_blocks)
    if problems:
        raise SlackRefusal(error, extra={"response_metadata": {"messages": problems}})


def parse_metadata(value: Any) -> Json | None:
    """Message metadata, or None: Slack silently drops metadata that breaks its rules."""
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


def message_text(arguments: Json, blocks: list[Json] | None) -> str:
    """The text of a message to send. Raises no_text and msg_too_long."""
    text = arguments.get("text") or ""
    if not isinstance(text, str):
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] text must be a string"])
    if not text.strip() and not blocks and not arguments.get("attachments"):
        raise SlackRefusal("no_text")
    if len(text) > TEXT_MAX:
        raise SlackRefusal("msg_too_long")
    return text


def find_channel(world: World, channel_id: Any, *, to_post: bool = False) -> Channel:
    """The conversation with this id. Raises channel_not_found, not_in_channel and is_archived.

    `to_post` also accepts a member's id, for the direct conversation.
    """
    slack = world.slack
    if to_post and channel_id in slack.members:
        return slack.direct_channel(str(channel_id))
    channel = slack.channels.get(str(channel_id))
    # A private channel without the app in it does not exist for the app.
    if channel is None or (channel.private and not channel.bot_in):
        raise SlackRefusal("channel_not_found")
    if to_post and not channel.bot_in:
        raise SlackRefusal("not_in_channel")
    if to_post and channel.archived:
        raise SlackRefusal("is_archived")
    return channel


def enforce_rate_limit(world: World, channel: Channel) -> None:
    """Raises ratelimited if the app posts to this channel too fast."""
    wait = world.slack_rate_limiter.take_token(channel.id)
    if wait:
        raise SlackRefusal("ratelimited", retry_after=wait)


def add_post(
    world: World,
    channel: Channel,
    author: str,
    text: str,
    *,
    blocks: list[Json] | None = None,
    thread_ts: str | None = None,
    metadata: Json | None = None,
    visible_to: str | None = None,
    files: list[str] | None = None,
) -> Post:
    """Add a message. If `thread_ts` is a reply, the message joins the thread of that reply, as in Slack."""
    if thread_ts is not None:
        head = next((p for p in channel.posts if p.ts == thread_ts and p.visible_to is None), None)
        if head is None and visible_to is None:
            raise SlackRefusal("thread_not_found" if author == BOT_USER else "message_not_found")
        if head is not None:
            thread_ts = head.thread_ts or head.ts
            head.thread_ts = thread_ts
    post = Post(
        ts=world.slack.next_ts(world.now()),
        channel=channel.id,
        author=author,
        text=text,
        blocks=blocks or [],
        posted_at=world.now(),
        thread_ts=thread_ts,
        metadata=metadata,
        visible_to=visible_to,
        files=files or [],
    )
    channel.posts.append(post)
    world.mark_changed()
    return post


def own_post(world: World, channel: Channel, ts: Any, refusal: str) -> Post:
    """A message of the app. Raises message_not_found, or `refusal` for messages of other authors."""
    post = channel.find_post(str(ts))
    if post is None:
        raise SlackRefusal("message_not_found")
    if not post.by_bot:
        raise SlackRefusal(refusal)
    return post


def change_post(
    world: World, post: Post, *, text: str, blocks: list[Json] | None, metadata: Json | None
) -> None:
    """chat.update: without blocks or metadata, the old ones stay."""
    post.text = text
    if blocks is not None:
        post.blocks = blocks
    if metadata is not None:
        post.metadata = metadata
    post.edited = world.slack.next_ts(world.now())
    post.notices.clear()
    world.mark_changed()


def remove_post(world: World, channel: Channel, post: Post) -> None:
    """chat.delete: the first message of a thread leaves a tombstone as long as it has replies."""
    post.deleted = True
    if not channel.replies(post.ts):
        channel.posts.remove(post)
    world.mark_changed()


def is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "1")


async def conversations_list(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """conversations.list: public channels, and private channels with the app in them."""
    types = str(arguments.get("types") or "public_channel").split(",")
    items = [
        c for c in link.world.slack.channels.values() if _kind(c) in types and (c.bot_in or not c.private)
    ]
    return {"channels": [_conversation(c) for c in items], "response_metadata": {"next_cursor": ""}}


async def conversations_info(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    return {"channel": _conversation(find_channel(link.world, arguments.get("channel")))}


async def conversations_members(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """conversations.members, with the app itself."""
    channel = find_channel(link.world, arguments.get("channel"))
    members = sorted(channel.members) + ([BOT_USER] if channel.bot_in else [])
    page, cursor = _page(members, arguments, 100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


async def conversations_join(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """conversations.join, public channels only."""
    channel = find_channel(link.world, arguments.get("channel"))
    if channel.private:
        raise SlackRefusal("method_not_supported_for_channel_type")
    channel.bot_in = True
    link.world.mark_changed()
    return {"channel": _conversation(channel)}


async def conversations_open(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """conversations.open for a single member."""
    if arguments.get("channel"):
        return {"channel": {"id": find_channel(link.world, arguments["channel"]).id}}
    users = arguments.get("users") or ""
    members = users.split(",") if isinstance(users, str) else list(users)
    if len(members) != 1 or members[0] not in link.world.slack.members:
        raise SlackRefusal("user_not_found" if members != [""] else "users_list_not_supplied")
    channel = link.world.slack.direct_channel(members[0])
    answer = _conversation(channel) if is_true(arguments.get("return_im")) else {"id": channel.id}
    return {"no_op": False, "already_open": False, "channel": answer}


async def conversations_history(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """conversations.history, newest first."""
    channel = _readable(link, arguments)
    posts = [p for p in channel.posts if p.visible_to is None and p.thread_ts in (None, p.ts)]
    return _messages(link, list(reversed(posts)), arguments, 100)


async def conversations_replies(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """conversations.replies, the first message of the thread first."""
    channel = _readable(link, arguments)
    head = next((p for p in channel.posts if p.ts == arguments.get("ts") and p.visible_to is None), None)
    if head is None:
        raise SlackRefusal("thread_not_found")
    return _messages(link, [head, *channel.replies(head.ts)], arguments, 1000)


def _readable(link: Link, arguments: Json) -> Channel:
    channel = find_channel(link.world, arguments.get("channel"))
    if not channel.bot_in:
        raise SlackRefusal("not_in_channel")
    return channel


def _messages(link: Link, posts: list[Post], arguments: Json, default: int) -> Json:
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or 1e12)
    if is_true(arguments.get("inclusive")):
        kept = [p for p in posts if oldest <= float(p.ts) <= latest]
    else:
        kept = [p for p in posts if oldest < float(p.ts) < latest]
    page, cursor = _page(kept, arguments, default)
    metadata = is_true(arguments.get("include_all_metadata"))
    answer: Json = {
        "messages": [payloads.message(link.world, p, metadata=metadata) | _thread(link, p) for p in page],
        "has_more": bool(cursor),
        "pin_count": 0,
    }
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _thread(link: Link, post: Post) -> Json:
    posts = link.world.slack.channels[post.channel].replies(post.ts)
    return {"reply_count": len(posts), "latest_reply": posts[-1].ts} if posts else {}


def _page(items: list[Any], arguments: Json, default: int) -> tuple[list[Any], str]:
    try:
        limit = int(arguments.get("limit") or default)
        start = int(str(arguments.get("cursor") or "c0")[1:])
    except ValueError as broken:
        raise SlackRefusal("invalid_cursor" if arguments.get("cursor") else "invalid_limit") from broken
    if not 1 <= limit <= 1000:
        raise SlackRefusal("invalid_limit")
    end = start + limit
    return items[start:end], f"c{end}" if end < len(items) else ""


def _kind(channel: Channel) -> str:
    if channel.direct_with:
        return "im"
    return "private_channel" if channel.private else "public_channel"


def _conversation(channel: Channel) -> Json:
    common = payloads.FIXED["conversation"] | {
        "id": channel.id,
        "is_archived": channel.archived,
        "is_im": bool(channel.direct_with),
        "is_private": channel.private,
        "context_team_id": TEAM,
    }
    if channel.direct_with:
        return common | payloads.FIXED["direct"] | {"user": channel.direct_with}
    common |= payloads.FIXED["channel"]
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_member": channel.bot_in,
        "num_members": len(channel.members) + channel.bot_in,
        "shared_team_ids": [TEAM],
    }


async def users_info(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    if arguments.get("user") == BOT_USER:
        return {"user": _person(SlackMember(BOT_USER, "Amends")) | {"is_bot": True}}
    member = link.world.slack.members.get(str(arguments.get("user")))
    if member is None:
        raise SlackRefusal("user_not_found")
    return {"user": _person(member)}


async def users_list(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """users.list, with the app itself."""
    everyone = [_person(m) for m in link.world.slack.members.values()]
    page, cursor = _page(
        [*everyone, _person(SlackMember(BOT_USER, "Amends")) | {"is_bot": True}], arguments, 1000
    )
    return {"members": page, "cache_ts": 1700000000, "response_metadata": {"next_cursor": cursor}}


def _person(member: SlackMember) -> Json:
    names = {"real_name": member.name, "real_name_normalized": member.name}
    display_names = {"display_name": member.name, "display_name_normalized": member.name}
    return payloads.FIXED["user"] | {
        "id": member.id,
        "team_id": TEAM,
        "name": member.handle,
        "deleted": member.deleted,
        "real_name": member.name,
        "profile": {"team": TEAM, **display_names, **names},
        "is_restricted": member.guest,
    }


async def usergroups_users_list(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """usergroups.users.list, on paid plans."""
    slack = link.world.slack
    if not slack.paid_plan:
        raise SlackRefusal("plan_upgrade_required")
    if arguments.get("usergroup") not in slack.groups:
        raise SlackRefusal("no_such_subteam")
    return {"users": slack.groups[str(arguments["usergroup"])]}


async def bots_info(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    if arguments.get("bot") not in (None, BOT):
        raise SlackRefusal("bot_not_found")
    return {"bot": payloads.bot() | {"user_id": BOT_USER}}
