"""The web server as a part of the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from amends.parts.metrics import CONTENT_TYPE
from amends.parts.server import server_for
from amends.settings import Problem, Settings, SettingsError

Hook = Callable[[Request], Awaitable[Response]]
#: Can this process do its work, and the figures that say why not.
Ready = Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
Figures = Callable[[], Awaitable[str]]
#: The public page of a country, by its two letters; None: of the organisation's own.
Page = Callable[[str | None], str]

log = structlog.get_logger(__name__)


class WebPart:
    """Serves health, the public page and the platforms' webhooks at AMENDS_LISTEN."""

    def __init__(self, settings: Settings, *, page: Page, ready: Ready, figures: Figures) -> None:
        self._settings, self._page, self._ready, self._figures = settings, page, ready, figures
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self, hooks: Mapping[str, Hook]) -> None:
        """Listen; raises SettingsError where the address is taken."""
        secrets = self._settings.secrets
        app = web_app(page=self._page, ready=self._ready, figures=self._figures, hooks=hooks)
        self._server = server_for(app, secrets.listen_host, secrets.listen_port)
        # The process ends by our own signal handlers: uvicorn's would end only the server.
        self._server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
        self._task = asyncio.create_task(self._serve(self._server), name="web")
        while not self._server.started:
            if self._task.done():
                raise SettingsError([Problem("AMENDS_LISTEN", "environment", _taken(secrets.listen))])
            await asyncio.sleep(0.01)

    async def _serve(self, server: uvicorn.Server) -> None:
        try:
            await server.serve()
        except SystemExit as ended:
            # uvicorn ends the process where it cannot listen; who started us decides that.
            log.warning("web_ended", code=ended.code)

    async def end(self) -> None:
        """Answer what was asked, then close."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.gather(self._task, return_exceptions=True)
            self._server = None


def _taken(listen: str) -> str:
    return f"{listen} cannot be listened at; is another program there, or the address not of this machine?"


async def not_now(_: Request) -> Response:
    """To a platform that calls while nothing can be kept: bring it again."""
    return Response(status_code=503)


def web_app(*, page: Page, ready: Ready, figures: Figures, hooks: Mapping[str, Hook]) -> Starlette:
    """The routes; `hooks` are there only where the platforms are configured to call."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(_: Request) -> Response:
        well, told = await ready()
        return JSONResponse({"ready": well, **told}, status_code=200 if well else 503)

    async def metrics(_: Request) -> Response:
        return Response(await figures(), media_type=CONTENT_TYPE)

    async def how_to_complain(asked: Request) -> Response:
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(
            page(asked.query_params.get("country")), headers={"Content-Security-Policy": policy}
        )

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/", how_to_complain),
            *(Route(path, hook, methods=["POST"]) for path, hook in hooks.items()),
        ]
    )
