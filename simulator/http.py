"""HTTP for both platforms: reading arguments, answers with faults, the server, and requests to the product."""

import asyncio
import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulator.state.world import Changes, Fault


@dataclass(frozen=True)
class Upload:
    """A file part of a multipart body."""

    field: str
    name: str
    mime: str
    data: bytes


class BadBody(Exception):
    """The body does not match its content type."""


async def read_arguments(request: Request) -> tuple[dict[str, Any], list[Upload]]:
    """Query and body (JSON, form or multipart) as a single mapping, and the uploaded files. Raises BadBody."""
    query: dict[str, Any] = dict(parse_qsl(request.url.query, keep_blank_values=True))
    body = await request.body()
    if not body:
        return query, []
    kind, options = _header(request.headers.get("content-type", ""))
    if kind == "application/json":
        try:
            parsed = json.loads(body)
        except ValueError as broken:
            raise BadBody("can't parse JSON object") from broken
        if not isinstance(parsed, dict):
            raise BadBody("the JSON body is not an object")
        return query | parsed, []
    if kind == "multipart/form-data":
        fields, uploads = _multipart(body, options.get("boundary", ""))
        return query | fields, uploads
    if kind in ("application/x-www-form-urlencoded", ""):
        return query | dict(parse_qsl(body.decode(), keep_blank_values=True)), []
    raise BadBody(f"unsupported content type {kind}")


def _header(value: str) -> tuple[str, dict[str, str]]:
    message = Message()
    message["content-type"] = value or "application/x-www-form-urlencoded"
    params = message.get_params(header="content-type") or []
    return message.get_content_type(), {key: text for key, text in params[1:] if isinstance(text, str)}


def _multipart(body: bytes, boundary: str) -> tuple[dict[str, str], list[Upload]]:
    if not boundary:
        raise BadBody("multipart body without boundary")
    fields: dict[str, str] = {}
    uploads: list[Upload] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            break
        head, separator, data = part.partition(b"\r\n\r\n")
        if not separator:
            raise BadBody("multipart part without a blank line")
        headers = Message()
        for line in head.decode("utf-8", "replace").strip().split("\r\n"):
            key, _, value = line.partition(":")
            headers[key.strip()] = value.strip()
        name = str(headers.get_param("name", "", header="content-disposition"))
        file_name = headers.get_param("filename", None, header="content-disposition")
        if file_name is None:
            fields[name] = data.decode()
        else:
            mime = headers.get_content_type() if "content-type" in headers else "application/octet-stream"
            uploads.append(Upload(field=name, name=_text(file_name), mime=mime, data=data))
    return fields, uploads


def _text(value: str | tuple[str | None, str | None, str]) -> str:
    return value if isinstance(value, str) else value[2]


# Open connections by the caller's address: a request needs its own to close it without an answer.
OPEN_CONNECTIONS: dict[Any, asyncio.Transport] = {}


class RecordedConnection(H11Protocol):
    """uvicorn's connection, registered in OPEN_CONNECTIONS."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        OPEN_CONNECTIONS[transport.get_extra_info("peername")[:2]] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        OPEN_CONNECTIONS.pop(self.transport.get_extra_info("peername", (None, None))[:2], None)
        super().connection_lost(exc)


async def cut_connection(request: Request) -> Response:
    client = request.client
    transport = OPEN_CONNECTIONS.get((client.host, client.port)) if client else None
    if transport is not None:
        transport.abort()
        # Let the protocol notice first, or it writes to the closed connection.
        await asyncio.sleep(0)
    return Response(status_code=444)


async def answer_with_fault(
    request: Request, response: Response, fault: Fault, changes: Changes, html_502: str
) -> Response:
    """The answer to a call with an injected fault."""
    match fault.how:
        case "cut_after_accept" | "cut_before":
            return await cut_connection(request)
        case "timeout_after_accept":
            # Wait for the caller's timeout, or until the simulator stops.
            while not changes.closed and not await request.is_disconnected():
                await changes.wait_for_newer(changes.version, 0.05)
            return await cut_connection(request)
        case "html_502":
            return Response(html_502, 502, media_type="text/html")
        case "bad_json":
            return Response('{"ok": tru', 200, media_type="application/json")
        case "answer" | "lost" | "twice":
            return response


class Server(uvicorn.Server):
    """uvicorn inside the product's event loop: it starts and stops quickly and handles no signals."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=RecordedConnection,
                ws="websockets-sansio",
                log_level="critical",
                access_log=False,
                lifespan="on",
                timeout_keep_alive=120,
                ws_ping_interval=None,
            )
        )
        self.listening = listening
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: the product does."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then set `ready`."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait for `stop`; renew the date header every second."""
        counter = 0
        while not self.stopping.is_set():
            await self.on_tick(counter)
            counter += 10
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close at once: the end of the lifespan has already ended the open long polls."""
        for server in self.servers:
            server.close()
        self.listening.close()
        await self.lifespan.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=0.1)
        for connection in list(self.server_state.connections):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()
        await asyncio.sleep(0)
        unfinished = list(self.server_state.tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def start(self) -> None:
        """Start listening; return when connections are accepted."""
        self.task = asyncio.create_task(self.serve(sockets=[self.listening]))
        waiting = asyncio.create_task(self.ready.wait())
        await asyncio.wait({self.task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.task.done():
            self.task.result()
            raise RuntimeError("The simulator's server ended before it listened.")

    async def stop(self) -> None:
        self.stopping.set()
        if self.task is not None:
            await self.task


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 means a free port. Raises OSError if the port is in use."""
    # Without IPPROTO_TCP, asyncio does not turn off Nagle's algorithm, which delays each answer by 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.setblocking(False)
    return listening


class Unreachable(Exception):
    """The product did not answer; the message gives the reason."""


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    mime: str
    body: bytes


async def post_request(url: str, body: bytes, headers: dict[str, str], *, max_wait: float) -> HttpAnswer:
    """POST to the product and read the whole answer within `max_wait` seconds. Raises Unreachable."""
    try:
        return await asyncio.wait_for(
            asyncio.to_thread(_post_blocking, url, body, headers, max_wait), max_wait
        )
    except TimeoutError as error:
        raise Unreachable("Read timeout expired") from error
    except (OSError, http.client.HTTPException) as broken:
        raise Unreachable(f"Connection failed: {type(broken).__name__}") from broken


def _post_blocking(url: str, body: bytes, headers: dict[str, str], timeout: float) -> HttpAnswer:
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return HttpAnswer(answer.status, answer.getheader("Content-Type", ""), answer.read())
    finally:
        connection.close()
