"""The staff's half of the page's state: the workspace as one member sees it.

What the page's workspace does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request

from simulator.http import arguments
from simulator.page.phone import instant
from simulator.slack import people
from simulator.slack.people import message_values, plain_values
from simulator.slack.socket import Link
from simulator.slack.state import Channel, Member, Post, View
from simulator.slack.text import annotated, readable, runs, runs_of_plain
from simulator.world import World

Json = dict[str, Any]


def member_line(world: World, member: Member) -> Json:
    """A line of the list of staff."""
    unread = sum(_unread(member, channel) for channel in world.slack.visible(member.id))
    return {"id": member.id, "name": member.name, "role": member.role, "unread": unread}


def workspace(world: World, member: Member, *, channel: str | None, thread: str | None, limit: int) -> Json:
    """Everything one member sees."""
    slack = world.slack
    visible = slack.visible(member.id)
    opened = next((c for c in visible if c.id == channel), None)
    return {
        "staff": member.id,
        "channels": [
            {
                "id": c.id,
                "name": c.name,
                "private": c.private,
                "unread": _unread(member, c),
                "last_at": _last(member, c),
            }
            for c in visible
            if not c.direct
        ],
        "direct": [
            {"id": c.id, "with": "Amends", "unread": _unread(member, c), "last_at": _last(member, c)}
            for c in visible
            if c.direct
        ],
        "open": _open(world, member, opened, thread, limit) if opened else None,
        "home": {"id": member.home.id, "blocks": _blocks(world, member.home.blocks)} if member.home else None,
        "views": [_view(world, view) for view in member.views],
        "notice": member.notice and {"text": member.notice[0], "at": instant(member.notice[1])},
        "commands": slack.commands,
        "shortcuts": [{"callback_id": key, "name": name} for key, name in slack.shortcuts.items()],
        "message_shortcuts": [
            {"callback_id": key, "name": name} for key, name in slack.message_shortcuts.items()
        ],
    }


def _shown(member: Member, channel: Channel) -> list[Post]:
    return [p for p in channel.posts if p.only_for in (None, member.id) and p.ts not in member.gone]


def _top_level(member: Member, channel: Channel) -> list[Post]:
    return [p for p in _shown(member, channel) if p.thread_ts in (None, p.ts)]


def _unread(member: Member, channel: Channel) -> int:
    read = member.read.get(channel.id, "0")
    count = 0
    for post in reversed(channel.posts):
        if float(post.ts) <= float(read):
            break
        if not post.deleted and post.author != member.id and post.only_for in (None, member.id):
            count += post.thread_ts in (None, post.ts)
    return count


def _last(member: Member, channel: Channel) -> str | None:
    for post in reversed(channel.posts):
        if post.only_for in (None, member.id):
            return instant(post.at)
    return None


def _open(world: World, member: Member, channel: Channel, thread: str | None, limit: int) -> Json:
    posts = _top_level(member, channel)
    read = member.read.get(channel.id, "0")
    shown = {
        "channel": channel.id,
        "name": channel.name or "Amends",
        "more": len(posts) > limit,
        "messages": [_post(world, member, channel, p, read) for p in posts[-limit:]],
        "thread": None,
    }
    if thread and any(p.ts == thread for p in posts):
        inside = [p for p in _shown(member, channel) if thread in (p.ts, p.thread_ts)]
        shown["thread"] = {"ts": thread, "messages": [_post(world, member, channel, p, read) for p in inside]}
    return shown


def _post(world: World, member: Member, channel: Channel, post: Post, read: str) -> Json:
    replies = channel.replies(post.ts) if post.thread_ts == post.ts else []
    author = world.slack.members.get(post.author)
    text = "This message was deleted." if post.deleted else post.text
    return {
        "ts": post.ts,
        "at": instant(post.at),
        "from": {"id": post.author, "name": author.name if author else "Amends", "bot": post.by_bot},
        "text": readable(text),
        "runs": runs(text, name_of(world)),
        "blocks": [] if post.deleted or not post.by_bot else _blocks(world, post.blocks),
        "values": plain_values(message_values(member, post)) if post.by_bot else {},
        "edited": post.edited is not None,
        "deleted": post.deleted,
        "ephemeral": post.only_for is not None,
        "replies": len(replies),
        "last_reply_at": instant(replies[-1].at) if replies else None,
        "unread": float(post.ts) > float(read) and post.author != member.id,
        "reactions": [{"name": name, "users": users} for name, users in post.reactions.items()],
        "files": [_file(world, number) for number in post.files],
        "busy": sorted(post.busy.get(member.id, ())),
        "notice": post.notices.get(member.id),
    }


def _file(world: World, number: str) -> Json:
    file = world.slack.files[number]
    return {
        "id": file.id,
        "name": file.title or file.name,
        "mime": file.mime,
        "size": file.length,
        "url": f"/page/files/{file.id}",
    }


def _blocks(world: World, blocks: list[Json]) -> list[Json]:
    people = [{"id": m.id, "name": m.name} for m in world.slack.members.values() if not m.deleted]
    return [_with_people(block, people) for block in annotated(blocks, name_of(world))]


def _with_people(value: Any, people: list[Json]) -> Any:
    if isinstance(value, list):
        return [_with_people(item, people) for item in value]
    if not isinstance(value, dict):
        return value
    full = {key: _with_people(item, people) for key, item in value.items()}
    return full | {"people": people} if value.get("type") in ("users_select", "multi_users_select") else full


def _view(world: World, view: View) -> Json:
    content = view.content

    def words(key: str) -> str | None:
        found = content.get(key)
        return "".join(run["text"] for run in runs_of_plain(found["text"])) if found else None

    return {
        "id": view.id,
        "hash": view.hash,
        "callback_id": content.get("callback_id", ""),
        "title": words("title"),
        "submit": words("submit"),
        "close": words("close") or "Cancel",
        "blocks": _blocks(world, view.blocks),
        "values": plain_values(view.values),
        "errors": view.errors,
        "notice": view.notice,
        "busy": view.busy,
        "clear_on_close": content.get("clear_on_close", False),
    }


def name_of(world: World) -> Callable[[str], str]:
    """Names of members and channels by id; the id itself of somebody unknown."""
    slack = world.slack

    def named(number: str) -> str:
        if number in slack.members:
            return slack.members[number].name
        return slack.channels[number].name if number in slack.channels else number

    return named


async def act(link: Link, request: Request) -> Json:
    """One act of one member of staff. What the app has to acknowledge goes on in the background."""
    member = link.world.slack.members[request.path_params["id"]]
    asked, _ = await arguments(request)
    match request.path_params["act"]:
        case "press" | "select":
            await _started(link, _press(link, member, asked))
        case "submit":
            return await _submit(link, member, asked)
        case "close":
            await _started(
                link, people.close(link, member, asked["view_id"], all_of_them=bool(asked.get("all")))
            )
        case "shortcut":
            await _started(
                link,
                people.use_shortcut(
                    link,
                    member,
                    asked["callback_id"],
                    channel_id=asked.get("channel"),
                    ts=asked.get("ts"),
                ),
            )
        case "command":
            await _started(link, people.run_command(link, member, asked["text"], asked["channel"]))
        case "say":
            people.say(link, member, asked["channel"], asked["text"], asked.get("thread_ts"))
        case "home":
            people.open_home(link, member)
        case "read":
            _read(link, member, asked["channel"])
        case "dismiss":
            _dismiss(link, member, asked.get("ts"))
        case other:
            raise LookupError(other)
    return {}


def _press(link: Link, member: Member, asked: Json) -> Coroutine[Any, Any, bool]:
    block_id, action_id, value = asked["block_id"], asked["action_id"], asked.get("value")
    view_id = asked.get("view_id")
    if asked.get("home"):
        if member.home is None:
            raise people.SlackImpossible("The app's home is empty.")
        view_id = member.home.id
    if view_id:
        return people.act_in_view(link, member, view_id, block_id, action_id, value, asked.get("values"))
    return people.act_on_post(link, member, asked["channel"], asked["ts"], block_id, action_id, value)


async def _started(link: Link, work: Coroutine[Any, Any, Any]) -> None:
    """Let work begin; refusals that come at once are raised, the rest goes on in the background."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=0.02)
    if done:
        task.result()
        return
    link.tasks.add(task)
    task.add_done_callback(link.tasks.discard)


async def _submit(link: Link, member: Member, asked: Json) -> Json:
    view = people.view_open(member, asked["view_id"])
    await _started(link, people.submit(link, member, asked["view_id"], asked.get("values") or {}))
    return {"sent": not view.errors, "errors": view.errors}


def _read(link: Link, member: Member, channel_id: str) -> None:
    channel = people.channel_seen(link.world, member, channel_id)
    if channel.posts:
        member.read[channel_id] = channel.posts[-1].ts
    link.world.changed()


def _dismiss(link: Link, member: Member, ts: str | None) -> None:
    if ts:
        member.gone.add(ts)
    else:
        member.notice = None
    link.world.changed()
