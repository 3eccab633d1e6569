"""The routes of `AMENDS_LISTEN`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]
Ready = Callable[[], Awaitable[Mapping[str, bool]]]


def web_app(
    *, ready: Ready, page: str, metrics: CollectorRegistry, hooks: Mapping[str, Handler]
) -> Starlette:
    """`hooks` are the platforms' own routes (`/telegram`, `/slack/events`), there only where configured."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(_: Request) -> Response:
        parts = await ready()
        return JSONResponse(dict(parts), status_code=200 if all(parts.values()) else 503)

    async def figures(_: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    async def how_to_complain(_: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", figures),
        Route("/", how_to_complain),
        *(Route(path, handler, methods=["POST"]) for path, handler in hooks.items()),
    ]
    return Starlette(routes=routes)
