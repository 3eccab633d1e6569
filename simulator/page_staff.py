"""What the page's workspace does."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.requests import Request

from simulator import slack_people as people
from simulator.http_body import arguments
from simulator.slack_link import Link
from simulator.slack_state import Member

Json = dict[str, Any]


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
            raise people.Impossible("The app's home is empty.")
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
