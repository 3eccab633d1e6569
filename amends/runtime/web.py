"""uvicorn as we run it: no log of its own, bounded callers, and nobody who holds a line without asking anything.

The web server as a part of the desk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from amends.runtime.metrics import CONTENT_TYPE
from amends.settings import Problem, Settings, SettingsError

#: Callers at once; the next hears 503 and comes again.
MOST_CALLERS = 512
#: Seconds for the head of a request, from the line's first moment or the answer before; as long as an idle line has.
HEAD_WITHIN = 15.0
_TICKS_A_SECOND = 10


class DeskServer(uvicorn.Server):
    """Closes lines on which no request has begun in time: uvicorn waits for a head that trickles for ever, and
    so many of them would leave no place for the platforms."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        #: For each line the answer that it had last, and since when no request is under way.
        self._asking_nothing: dict[Any, tuple[Any, float]] = {}

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's own tick, ten a second."""
        if counter % _TICKS_A_SECOND == 0:
            self._close_idle_lines(time.monotonic())
        return await super().on_tick(counter)

    def _close_idle_lines(self, now: float) -> None:
        waiting: dict[Any, tuple[Any, float]] = {}
        # A WebSocket would have no request; we serve none.
        for line in list(self.server_state.connections):
            cycle: Any = getattr(line, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                continue
            last, since = self._asking_nothing.get(line, (cycle, now))
            waiting[line] = (cycle, since if last is cycle else now)
            if now - waiting[line][1] > HEAD_WITHIN and (transport := getattr(line, "transport", None)):
                transport.close()
        self._asking_nothing = waiting


def server_for(app: Starlette, host: str, port: int) -> DeskServer:
    """The server of these routes; whoever starts it decides about signals."""
    return DeskServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=MOST_CALLERS,
            timeout_keep_alive=int(HEAD_WITHIN),
            timeout_graceful_shutdown=3,
        )
    )


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
