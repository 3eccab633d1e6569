"""The web part of a process: health, metrics, the public page and the platforms' webhooks, served by uvicorn."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import count
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from amends.public_page import accepted_languages
from amends.runtime.metrics import CONTENT_TYPE
from amends.settings import Problem, Settings, SettingsError

#: At most this many connections at once; the next one gets 503 and the caller tries again.
MAX_CONNECTIONS = 512
#: At most this many connections of one peer without a running request. A proxy keeps fewer open for reuse.
MAX_IDLE_PER_PEER = 100
#: At most this many requests whose body has not arrived: of one peer, and of all. A platform sends head and body
#: within milliseconds. Without these limits 512 slow bodies would give each platform's call 503.
MAX_UNFINISHED_PER_PEER, MAX_UNFINISHED = 100, MAX_CONNECTIONS // 2
#: In seconds. A connection that has waited this long for its peer is ended: for the head of a request since it was
#: opened or last answered, for the body since the head, or for an answer to be read. A platform sends a call in
#: milliseconds, and Slack gives up after 3 s. uvicorn closes an idle connection after the same time.
PEER_TIMEOUT_SECONDS = 15.0
_TICKS_PER_SECOND = 10
#: Of every answer. HTTPS and its Strict-Transport-Security are the reverse proxy's.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class TimeoutServer(uvicorn.Server):
    """Ends connections that wait too long for their peer.

    uvicorn waits without limit for a request that arrives byte by byte and for an answer that is not read, and many
    of those would leave no connection for the platforms.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        #: For each connection that waits for its peer: its last request, and since when.
        self._waiting: dict[Any, tuple[Any, float]] = {}

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_PER_SECOND == 0:
            self._end_late_connections(time.monotonic())
        return await super().on_tick(counter)

    def _end_late_connections(self, now: float) -> None:
        waiting: dict[Any, tuple[Any, float]] = {}
        for connection in list(self.server_state.connections):
            if not isinstance(connection, PeerLimitedProtocol) or not connection.waits_for_peer:
                continue
            last, since = self._waiting.get(connection, (connection.cycle, now))
            waiting[connection] = (connection.cycle, since if last is connection.cycle else now)
            if now - waiting[connection][1] > PEER_TIMEOUT_SECONDS:
                connection.transport.abort()
        self._waiting = waiting


class PeerLimitedProtocol(H11Protocol):
    """Drops connections that wait for their peer, the oldest first, when there are too many.

    uvicorn's own limit answers 503 to everyone once it is reached, also to a platform's call. Dropped connections are
    aborted: a closed one would keep its place until the peer has read everything.
    """

    _numbers = count()

    @property
    def is_idle(self) -> bool:
        """No request, or only a part of its head."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def is_unfinished(self) -> bool:
        """A request whose body has not arrived."""
        return not self.is_idle and self.cycle.more_body

    @property
    def waits_for_peer(self) -> bool:
        return self.is_idle or self.is_unfinished or self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, and make room for it."""
        super().connection_made(transport)
        self.number = next(self._numbers)
        is_full = len(self.connections) >= MAX_CONNECTIONS
        self._make_room(
            [other for other in self._others() if other.is_idle], MAX_IDLE_PER_PEER, is_full=is_full
        )

    def handle_events(self) -> None:
        """Handle what arrived; if it is a new request without its body, make room for it."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and self.is_unfinished:
            self.number = next(self._numbers)
            others = [other for other in self._others() if other.is_unfinished]
            self._make_room(others, MAX_UNFINISHED_PER_PEER, is_full=len(others) >= MAX_UNFINISHED)

    def _others(self) -> Iterator["PeerLimitedProtocol"]:
        for other in self.connections:
            if (
                isinstance(other, PeerLimitedProtocol)
                and other is not self
                and not other.transport.is_closing()
            ):
                yield other

    def _make_room(
        self, others: Sequence["PeerLimitedProtocol"], max_per_peer: int, *, is_full: bool
    ) -> None:
        """Drop the oldest one of this peer if it has too many, otherwise of the peer with the most if it is full."""
        peers: dict[str, list[PeerLimitedProtocol]] = {}
        for other in others:
            peers.setdefault(_peer(other.transport), []).append(other)
        crowd = peers.get(_peer(self.transport), [])
        if len(crowd) < max_per_peer:
            crowd = max(peers.values(), key=len, default=[]) if is_full else []
        if crowd:
            min(crowd, key=_number).transport.abort()


def _peer(transport: asyncio.Transport) -> str:
    """The address of the caller without its port; behind a proxy it is the proxy's."""
    return str((transport.get_extra_info("peername") or ("",))[0])


def _number(connection: PeerLimitedProtocol) -> int:
    return connection.number


def create_server(app: Starlette, host: str, port: int) -> TimeoutServer:
    """The server of these routes, without a log of its own; the caller decides about signals."""
    return TimeoutServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=PeerLimitedProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            headers=list(_HEADERS.items()),
            lifespan="off",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=int(PEER_TIMEOUT_SECONDS),
            timeout_graceful_shutdown=3,
        )
    )


Hook = Callable[[Request], Awaitable[Response]]
#: Returns whether this process can work, and the figures behind that.
Readiness = Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
MetricsText = Callable[[], Awaitable[str]]
#: Renders the public page of a country (two letters, None: not chosen) for a reader of these languages, in order.
PublicPage = Callable[[str | None, Sequence[str]], str]

log = structlog.get_logger(__name__)


class WebPart:
    def __init__(
        self, settings: Settings, *, page: PublicPage, readiness: Readiness, metrics: MetricsText
    ) -> None:
        self._settings, self._page, self._readiness, self._metrics = settings, page, readiness, metrics
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, hooks: Mapping[str, Hook]) -> None:
        """Listen at the address. Raises SettingsError if it is taken."""
        secrets = self._settings.secrets
        app = web_app(page=self._page, readiness=self._readiness, metrics=self._metrics, hooks=hooks)
        self._server = create_server(app, secrets.listen_host, secrets.listen_port)
        # The process has its own signal handlers: uvicorn's would end only the server.
        self._server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
        self._task = asyncio.create_task(self._serve(self._server), name="web")
        while not self._server.started:
            if self._task.done():
                raise SettingsError([Problem("AMENDS_LISTEN", "environment", _address_taken(secrets.listen))])
            await asyncio.sleep(0.01)

    async def _serve(self, server: uvicorn.Server) -> None:
        try:
            await server.serve()
        except SystemExit as ended:
            # uvicorn ends the process if it cannot listen; `start` reports that instead.
            log.warning("web_ended", code=ended.code)

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.gather(self._task, return_exceptions=True)
            self._server = None


def _address_taken(listen: str) -> str:
    return (
        f"cannot listen at {listen}: another program uses the port, or the address is not one of this machine. "
        "Stop that program, or choose another address and port"
    )


async def unavailable_hook(_: Request) -> Response:
    """Answer 503, so that the platform sends the update again: without the database nothing can be stored."""
    return Response(status_code=503)


def web_app(
    *, page: PublicPage, readiness: Readiness, metrics: MetricsText, hooks: Mapping[str, Hook]
) -> Starlette:
    """The routes; `hooks` has the paths that the platforms are configured to call."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(_: Request) -> Response:
        is_ready, body = await readiness()
        return JSONResponse({"ready": is_ready, **body}, status_code=200 if is_ready else 503)

    async def metrics_page(_: Request) -> Response:
        return Response(await metrics(), media_type=CONTENT_TYPE)

    async def how_to_complain(request: Request) -> Response:
        chosen = [code for code in (request.query_params.get("lang"),) if code]
        languages = chosen + accepted_languages(request.headers.get("accept-language", ""))
        # In a thread: the page reads the published figures from the database.
        return HTMLResponse(await asyncio.to_thread(page, request.query_params.get("country"), languages))

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics_page),
            Route("/", how_to_complain),
            *(Route(path, hook, methods=["POST"]) for path, hook in hooks.items()),
        ]
    )
