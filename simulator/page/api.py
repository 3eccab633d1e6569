"""The page's JSON API, as docs/simulator.md describes it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulator.http import BadBody
from simulator.page import customers, desk
from simulator.page.desk import member_line, workspace
from simulator.page.phone import bot, chat, customer, instant
from simulator.slack.people import SlackImpossible as ImpossibleInSlack
from simulator.slack.socket import Link
from simulator.telegram.people import TelegramImpossible as ImpossibleInTelegram
from simulator.world import World

Json = dict[str, Any]
MOST = 500


def routes(link: Link) -> list[Route | Mount]:
    """The page itself, its state, events and actions."""
    world = link.world
    page = files("simulator") / "page"

    async def index(request: Request) -> Response:
        return Response((page / "index.html").read_bytes(), media_type="text/html")

    async def state(request: Request) -> Response:
        return JSONResponse(snapshot(world, dict(request.query_params)))

    async def events(request: Request) -> Response:
        return StreamingResponse(
            _events(world), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def clock(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(_clock(world))
        return await _answered(world, _move(world, request))

    async def trouble(request: Request) -> Response:
        return await _answered(world, _switch(link, request))

    async def file(request: Request) -> Response:
        return _file(world, request.path_params["file"])

    def action(
        perform: Callable[[Link, Request], Awaitable[Json]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await _answered(world, perform(link, request))

        return endpoint

    return [
        Route("/", index),
        Mount("/static", StaticFiles(directory=str(page), check_dir=False)),
        Route("/page/state", state),
        Route("/page/events", events),
        Route("/page/clock", clock, methods=["GET", "POST"]),
        Route("/page/trouble", trouble, methods=["POST"]),
        Route("/page/files/{file}", file),
        Route("/page/customers", action(customers.add), methods=["POST"]),
        Route("/page/customers/{id:int}/{act}", action(customers.act), methods=["POST"]),
        Route("/page/staff/{id}/{act}", action(desk.act), methods=["POST"]),
    ]


def snapshot(world: World, wanted: dict[str, str]) -> Json:
    """What `GET /page/state` answers; `wanted` holds customer, staff, channel, thread, limit."""
    number = wanted.get("customer", "")
    person = world.telegram.people.get(int(number)) if number.isdigit() else None
    member = world.slack.members.get(wanted.get("staff", ""))
    asked = wanted.get("limit", "")
    limit = min(int(asked), MOST) if asked.isdigit() and int(asked) > 0 else 60
    return {
        "version": world.changes.version,
        "bot": bot(world, person),
        "clock": _clock(world),
        "trouble": {"telegram_down": world.trouble.telegram_down, "slack_down": world.trouble.slack_down},
        "lines": {
            "updates_waiting": len(world.telegram.updates),
            "slack_connections": world.slack.open_lines,
        },
        "customers": [customer(world, p) for p in world.telegram.people.values()],
        "chat": chat(world, person, limit) if person else None,
        "staff": [member_line(world, m) for m in world.slack.members.values() if not m.deleted],
        "workspace": workspace(
            world,
            member,
            channel=wanted.get("channel"),
            thread=wanted.get("thread"),
            limit=limit,
        )
        if member
        else None,
    }


def _clock(world: World) -> Json:
    due = world.clock.next_due()
    return {
        "now": instant(world.now()),
        "movable": not world.real_time,
        "zone": getattr(world.clock, "zone", None),
        "next_due": {"label": due[0], "at": instant(due[1])} if due else None,
    }


async def _events(world: World) -> AsyncIterator[str]:
    version = -1
    while not world.changes.closed:
        if await world.changes.beyond(version, 15):
            version = world.changes.version
            yield f"data: {json.dumps({'version': version})}\n\n"
        else:
            yield ": still here\n\n"


async def _answered(world: World, work: Awaitable[Json]) -> Response:
    try:
        more = await work
    except (ImpossibleInSlack, ImpossibleInTelegram, BadBody, ValueError) as reason:
        return JSONResponse({"ok": False, "error": str(reason)}, 409)
    except LookupError as missing:
        return JSONResponse({"ok": False, "error": f"Not there: {missing}"}, 404)
    return JSONResponse({"ok": True, "version": world.changes.version} | more)


async def _move(world: World, request: Request) -> Json:
    asked = await request.json()
    if asked.get("to") == "next_due":
        await world.clock.to_next_due()
    else:
        seconds = float(asked.get("advance_seconds", 0))
        if seconds <= 0:
            raise ValueError("The clock moves forward only: give advance_seconds above 0.")
        await world.clock.advance(timedelta(seconds=seconds))
    world.changed()
    return _clock(world)


async def _switch(link: Link, request: Request) -> Json:
    asked, trouble = await request.json(), link.world.trouble
    trouble.telegram_down = bool(asked.get("telegram_down", trouble.telegram_down))
    trouble.slack_down = bool(asked.get("slack_down", trouble.slack_down))
    return {}


def _file(world: World, number: str) -> Response:
    stored = world.telegram.files.get(number)
    if stored is not None:
        return Response(stored.data, media_type=stored.mime)
    file = world.slack.files.get(number)
    if file is not None and file.data is not None:
        return Response(file.data, media_type=file.mime)
    return JSONResponse({"ok": False, "error": "That file is gone."}, 404)
