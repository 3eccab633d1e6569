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
from simulator.page import desk, phone
from simulator.page.desk import member_line, workspace_state
from simulator.page.phone import bot_state, chat_state, customer_line, iso_time
from simulator.slack.people import SlackImpossible as ImpossibleInSlack
from simulator.slack.socket import Link
from simulator.state.world import World
from simulator.telegram.people import TelegramImpossible as ImpossibleInTelegram

Json = dict[str, Any]
LIMIT_MAX = 500


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
        Route("/page/customers", action(phone.add), methods=["POST"]),
        Route("/page/customers/{id:int}/{act}", action(phone.act), methods=["POST"]),
        Route("/page/staff/{id}/{act}", action(desk.act), methods=["POST"]),
    ]


def snapshot(world: World, wanted: dict[str, str]) -> Json:
    """The answer to `GET /page/state`; `wanted` is its query: customer, staff, channel, thread, limit."""
    person_id = wanted.get("customer", "")
    person = world.telegram.people.get(int(person_id)) if person_id.isdigit() else None
    member = world.slack.members.get(wanted.get("staff", ""))
    limit_text = wanted.get("limit", "")
    limit = min(int(limit_text), LIMIT_MAX) if limit_text.isdigit() and int(limit_text) > 0 else 60
    return {
        "version": world.changes.version,
        "bot": bot_state(world, person),
        "clock": _clock(world),
        "trouble": {"telegram_down": world.trouble.telegram_down, "slack_down": world.trouble.slack_down},
        "lines": {
            "updates_waiting": len(world.telegram.updates),
            "slack_connections": world.slack.open_connections,
        },
        "customers": [customer_line(world, p) for p in world.telegram.people.values()],
        "chat": chat_state(world, person, limit) if person else None,
        "staff": [member_line(world, m) for m in world.slack.members.values() if not m.deleted],
        "workspace": workspace_state(
            world, member, channel=wanted.get("channel"), thread=wanted.get("thread"), limit=limit
        )
        if member
        else None,
    }


def _clock(world: World) -> Json:
    due = world.clock.next_due()
    return {
        "now": iso_time(world.now()),
        "movable": not world.real_time,
        "zone": getattr(world.clock, "zone", None),
        "next_due": {"label": due[0], "at": iso_time(due[1])} if due else None,
    }


async def _events(world: World) -> AsyncIterator[str]:
    version = -1
    while not world.changes.closed:
        if await world.changes.wait_for_newer(version, 15):
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
    body = await request.json()
    if body.get("to") == "next_due":
        await world.clock.to_next_due()
    else:
        seconds = float(body.get("advance_seconds", 0))
        if seconds <= 0:
            raise ValueError("The clock moves forward only: give advance_seconds above 0.")
        await world.clock.advance(timedelta(seconds=seconds))
    world.mark_changed()
    return _clock(world)


async def _switch(link: Link, request: Request) -> Json:
    body, trouble = await request.json(), link.world.trouble
    trouble.telegram_down = bool(body.get("telegram_down", trouble.telegram_down))
    trouble.slack_down = bool(body.get("slack_down", trouble.slack_down))
    return {}


def _file(world: World, file_id: str) -> Response:
    stored = world.telegram.files.get(file_id)
    if stored is not None:
        return Response(stored.data, media_type=stored.mime)
    file = world.slack.files.get(file_id)
    if file is not None and file.data is not None:
        return Response(file.data, media_type=file.mime)
    return JSONResponse({"ok": False, "error": "That file is gone."}, 404)
