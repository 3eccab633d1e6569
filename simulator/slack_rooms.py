"""Web API methods about conversations and people."""

from typing import Any

from simulator import slack_objects, slack_posts
from simulator.http_body import Upload
from simulator.slack_link import Link
from simulator.slack_state import APP, BOT, BOT_USER, TEAM, Channel, Member, Post, SlackRefusal

Json = dict[str, Any]


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
    return {"channel": _conversation(slack_posts.channel_for(link.world, a.get("channel")))}


async def conversations_members(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.members; the app itself is one."""
    channel = slack_posts.channel_for(link.world, a.get("channel"))
    members = sorted(channel.members) + ([BOT_USER] if channel.bot_in else [])
    page, cursor = _page(members, a, 100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


async def conversations_join(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.join, public channels only."""
    channel = slack_posts.channel_for(link.world, a.get("channel"))
    if channel.private:
        raise SlackRefusal("method_not_supported_for_channel_type")
    channel.bot_in = True
    link.world.changed()
    return {"channel": _conversation(channel)}


async def conversations_open(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """conversations.open for one member."""
    if a.get("channel"):
        return {"channel": {"id": slack_posts.channel_for(link.world, a["channel"]).id}}
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
    channel = slack_posts.channel_for(link.world, a.get("channel"))
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
        "messages": [
            slack_objects.message(link.world, p, metadata=metadata) | _thread(link, p) for p in page
        ],
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
