"""The staff's part of the page: the workspace as a member sees it, and the member's actions."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request

from simulator.http import read_arguments
from simulator.page.phone import iso_time
from simulator.slack import people
from simulator.slack.file_uploads import upload_by_person
from simulator.slack.mrkdwn import annotated, readable, runs, runs_of_plain
from simulator.slack.people import message_values, plain_values
from simulator.slack.socket import Link
from simulator.state.slack_state import Channel, Post, SlackMember, View
from simulator.state.world import World

Json = dict[str, Any]


def member_line(world: World, member: SlackMember) -> Json:
    """An entry of the list of staff."""
    unread = sum(_unread(member, channel) for channel in world.slack.visible_channels(member.id))
    return {"id": member.id, "name": member.name, "role": member.role, "unread": unread}


def workspace_state(
    world: World, member: SlackMember, *, channel: str | None, thread: str | None, limit: int
) -> Json:
    """Everything that a member sees; `channel` and `thread` are the open ones."""
    slack = world.slack
    visible = slack.visible_channels(member.id)
    open_channel = next((c for c in visible if c.id == channel), None)
    return {
        "staff": member.id,
        "channels": [
            {
                "id": c.id,
                "name": c.name,
                "private": c.private,
                "unread": _unread(member, c),
                "last_at": _last_at(member, c),
            }
            for c in visible
            if not c.direct_with
        ],
        "direct": [
            {"id": c.id, "with": "Amends", "unread": _unread(member, c), "last_at": _last_at(member, c)}
            for c in visible
            if c.direct_with
        ],
        "open": _open_conversation(world, member, open_channel, thread, limit) if open_channel else None,
        "home": {"id": member.home.id, "blocks": _blocks(world, member.home.blocks)} if member.home else None,
        "views": [_view(world, view) for view in member.views],
        "notice": member.notice and {"text": member.notice[0], "at": iso_time(member.notice[1])},
        "commands": slack.commands,
        "shortcuts": [{"callback_id": key, "name": name} for key, name in slack.shortcuts.items()],
        "message_shortcuts": [
            {"callback_id": key, "name": name} for key, name in slack.message_shortcuts.items()
        ],
    }


def _displayed_posts(member: SlackMember, channel: Channel) -> list[Post]:
    return [p for p in channel.posts if p.visible_to in (None, member.id) and p.ts not in member.dismissed]


def _top_level(member: SlackMember, channel: Channel) -> list[Post]:
    return [p for p in _displayed_posts(member, channel) if p.thread_ts in (None, p.ts)]


def _unread(member: SlackMember, channel: Channel) -> int:
    read = member.read.get(channel.id, "0")
    count = 0
    for post in reversed(channel.posts):
        if float(post.ts) <= float(read):
            break
        if not post.deleted and post.author != member.id and post.visible_to in (None, member.id):
            count += post.thread_ts in (None, post.ts)
    return count


def _last_at(member: SlackMember, channel: Channel) -> str | None:
    for post in reversed(channel.posts):
        if post.visible_to in (None, member.id):
            return iso_time(post.posted_at)
    return None


def _open_conversation(
    world: World, member: SlackMember, channel: Channel, thread: str | None, limit: int
) -> Json:
    posts = _top_level(member, channel)
    read = member.read.get(channel.id, "0")
    content = {
        "channel": channel.id,
        "name": channel.name or "Amends",
        "more": len(posts) > limit,
        "messages": [_post(world, member, channel, p, read) for p in posts[-limit:]],
        "thread": None,
    }
    if thread and any(p.ts == thread for p in posts):
        inside = [p for p in _displayed_posts(member, channel) if thread in (p.ts, p.thread_ts)]
        content["thread"] = {
            "ts": thread,
            "messages": [_post(world, member, channel, p, read) for p in inside],
        }
    return content


def _post(world: World, member: SlackMember, channel: Channel, post: Post, read: str) -> Json:
    replies = channel.replies(post.ts) if post.thread_ts == post.ts else []
    author = world.slack.members.get(post.author)
    text = "This message was deleted." if post.deleted else post.text
    return {
        "ts": post.ts,
        "at": iso_time(post.posted_at),
        "from": {"id": post.author, "name": author.name if author else "Amends", "bot": post.by_bot},
        "text": readable(text),
        "runs": runs(text, name_lookup(world)),
        "blocks": [] if post.deleted or not post.by_bot else _blocks(world, post.blocks),
        "values": plain_values(message_values(member, post)) if post.by_bot else {},
        "edited": post.edited is not None,
        "deleted": post.deleted,
        "ephemeral": post.visible_to is not None,
        "replies": len(replies),
        "last_reply_at": iso_time(replies[-1].posted_at) if replies else None,
        "unread": float(post.ts) > float(read) and post.author != member.id,
        "reactions": [{"name": name, "users": users} for name, users in post.reactions.items()],
        "files": [_file(world, file_id) for file_id in post.files],
        "busy": sorted(post.busy.get(member.id, ())),
        "notice": post.notices.get(member.id),
    }


def _file(world: World, file_id: str) -> Json:
    file = world.slack.files[file_id]
    return {
        "id": file.id,
        "name": file.title or file.name,
        "mime": file.mime,
        "size": file.length,
        "url": f"/page/files/{file.id}",
    }


def _blocks(world: World, blocks: list[Json]) -> list[Json]:
    people = [{"id": m.id, "name": m.name} for m in world.slack.members.values() if not m.deleted]
    return [_with_people(block, people) for block in annotated(blocks, name_lookup(world))]


def _with_people(value: Any, people: list[Json]) -> Any:
    if isinstance(value, list):
        return [_with_people(item, people) for item in value]
    if not isinstance(value, dict):
        return value
    full = {key: _with_people(item, people) for key, item in value.items()}
    return full | {"people": people} if value.get("type") in ("users_select", "multi_users_select") else full


def _view(world: World, view: View) -> Json:
    content = view.content

    def plain_text(key: str) -> str | None:
        text = content.get(key)
        return "".join(run["text"] for run in runs_of_plain(text["text"])) if text else None

    return {
        "id": view.id,
        "hash": view.hash,
        "callback_id": content.get("callback_id", ""),
        "title": plain_text("title"),
        "submit": plain_text("submit"),
        "close": plain_text("close") or "Cancel",
        "blocks": _blocks(world, view.blocks),
        "values": plain_values(view.values),
        "errors": view.errors,
        "notice": view.notice,
        "busy": view.busy,
        "clear_on_close": content.get("clear_on_close", False),
    }


def name_lookup(world: World) -> Callable[[str], str]:
    """A function from ids to names of members and channels; an unknown id is returned unchanged."""
    slack = world.slack

    def display_name(file_id: str) -> str:
        if file_id in slack.members:
            return slack.members[file_id].name
        return slack.channels[file_id].name if file_id in slack.channels else file_id

    return display_name


async def act(link: Link, request: Request) -> Json:
    """Perform a member's action. It continues in the background while the app has not acknowledged it."""
    member = link.world.slack.members[request.path_params["id"]]
    body, uploads = await read_arguments(request)
    match request.path_params["act"]:
        case "upload":
            return {"files": [upload_by_person(link.world, file.name, file.data) for file in uploads]}
        case "press" | "select":
            await _start(link, _press(link, member, body))
        case "submit":
            return await _submit(link, member, body)
        case "close":
            await _start(
                link, people.close_view(link, member, body["view_id"], all_of_them=bool(body.get("all")))
            )
        case "shortcut":
            await _start(
                link,
                people.use_shortcut(
                    link, member, body["callback_id"], channel_id=body.get("channel"), ts=body.get("ts")
                ),
            )
        case "command":
            await _start(link, people.run_command(link, member, body["text"], body["channel"]))
        case "say":
            people.write(link, member, body["channel"], body["text"], body.get("thread_ts"))
        case "home":
            people.open_home(link, member)
        case "read":
            _read(link, member, body["channel"])
        case "dismiss":
            _dismiss(link, member, body.get("ts"))
        case other:
            raise LookupError(other)
    return {}


def _press(link: Link, member: SlackMember, body: Json) -> Coroutine[Any, Any, bool]:
    block_id, action_id, value = body["block_id"], body["action_id"], body.get("value")
    view_id = body.get("view_id")
    if body.get("home"):
        if member.home is None:
            raise people.SlackImpossible("The app's home is empty.")
        view_id = member.home.id
    if view_id:
        return people.act_in_view(link, member, view_id, block_id, action_id, value, body.get("values"))
    return people.act_on_post(link, member, body["channel"], body["ts"], block_id, action_id, value)


async def _start(link: Link, work: Coroutine[Any, Any, Any]) -> None:
    """Start work in the background. Raises refusals that come within 20 ms."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=0.02)
    if done:
        task.result()
        return
    link.tasks.add(task)
    task.add_done_callback(link.tasks.discard)


async def _submit(link: Link, member: SlackMember, body: Json) -> Json:
    view = people.find_open_view(member, body["view_id"])
    await _start(link, people.submit_view(link, member, body["view_id"], body.get("values") or {}))
    return {"sent": not view.errors, "errors": view.errors}


def _read(link: Link, member: SlackMember, channel_id: str) -> None:
    channel = people.visible_channel(link.world, member, channel_id)
    if channel.posts:
        member.read[channel_id] = channel.posts[-1].ts
    link.world.mark_changed()


def _dismiss(link: Link, member: SlackMember, ts: str | None) -> None:
    if ts:
        member.dismissed.add(ts)
    else:
        member.notice = None
    link.world.mark_changed()
