"""Delivery of payloads to the app: through Socket Mode connections, or as signed requests to its URL."""

import asyncio
import hashlib
import hmac
import json
import random
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator.http import Unreachable, post_request
from simulator.state.slack_state import APP
from simulator.state.world import World

Json = dict[str, Any]
CONNECTIONS_MAX = 10


@dataclass(eq=False)
class Connection:
    """An open WebSocket. Without `socket` it is a dead connection: payloads sent to it get lost."""

    socket: WebSocket | None
    #: Payloads sent here that are not acknowledged yet.
    pending: set[asyncio.Future[Json]] = field(default_factory=set)

    def fail_pending(self) -> None:
        """End the wait for acknowledgements: this connection is closed, so none will come."""
        for future in self.pending:
            if not future.done():
                future.set_exception(WebSocketDisconnect(1006))


@dataclass
class Link:
    """Delivers the workspace's payloads to the app.

    `tickets` are addresses from apps.connections.open that are not used yet; `waiting` holds the
    unacknowledged payloads by envelope id.
    """

    world: World
    tickets: set[str] = field(default_factory=set)
    connections: list[Connection] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.world.trouble.listeners.append(self._on_outage)

    def _on_outage(self) -> None:
        if self.world.trouble.slack_down and self.connections:
            self._background(self.disconnect(send_frame=False))

    def _background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/socket", self._serve)]

    def open_url(self) -> str:
        """The address that apps.connections.open answers; valid for a single connection."""
        ticket = secrets.token_hex(16)
        self.tickets.add(ticket)
        return f"{self.world.url.replace('http', 'ws', 1)}/socket?ticket={ticket}&app_id={APP}"

    async def _serve(self, socket: WebSocket) -> None:
        ticket = socket.query_params.get("ticket", "")
        if (
            ticket not in self.tickets
            or self.world.trouble.slack_down
            or len(self.connections) >= CONNECTIONS_MAX
        ):
            await socket.close(1008)
            return
        self.tickets.discard(ticket)
        await socket.accept()
        connection = Connection(socket)
        self.connections.append(connection)
        self._count()
        try:
            await socket.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self.connections),
                    "debug_info": {
                        "host": "applink-simulator",
                        "build_number": 1,
                        "approximate_connection_time": 18060,
                    },
                    "connection_info": {"app_id": APP},
                }
            )
            self.world.mark_changed()
            while True:
                self._acknowledged(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            if connection in self.connections:
                # The app closed it. After a disconnect by Slack the connection is already out of the list:
                # the app may still acknowledge its payloads on the next connection.
                self.connections.remove(connection)
                connection.fail_pending()
            self._count()

    def _count(self) -> None:
        self.world.slack.open_connections = len(self.connections)
        self.world.mark_changed()

    def _acknowledged(self, frame: str) -> None:
        try:
            answer = json.loads(frame)
        except ValueError:
            return
        future = self.waiting.pop(answer.get("envelope_id", ""), None) if isinstance(answer, dict) else None
        if future is not None and not future.done():
            future.set_result(answer.get("payload") or {})

    async def deliver(
        self, kind: str, payload: Json, *, accepts: bool = False, attempt: int = 0, reason: str = "timeout"
    ) -> Json | None:
        """Send `interactive`, `slash_commands` or `events_api`; the acknowledgement's payload, or None."""
        fault = self.world.trouble.take_fault(kind)
        if self.world.trouble.slack_down or (fault is not None and fault.how == "lost"):
            return None
        if fault is not None and fault.how == "twice":
            await self._send(kind, payload, accepts, attempt, reason)
        return await self._send(kind, payload, accepts, attempt, reason)

    async def _send(self, kind: str, payload: Json, accepts: bool, attempt: int, reason: str) -> Json | None:
        if self.world.slack.request_url:
            return await self._request(kind, payload, attempt, reason)
        if not self.connections:
            return None
        envelope_id = secrets.token_hex(16)
        envelope = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": accepts,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason if attempt else ""}
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.waiting[envelope_id] = future
        connection = random.choice(self.connections)
        connection.pending.add(future)
        try:
            if connection.socket is not None:
                await connection.socket.send_json(envelope)
            return await asyncio.wait_for(future, self.world.limits.ack_seconds)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return None
        finally:
            self.waiting.pop(envelope_id, None)
            connection.pending.discard(future)

    async def _request(self, kind: str, payload: Json, attempt: int, reason: str) -> Json | None:
        url = str(self.world.slack.request_url)
        if kind == "events_api":
            mime, body = "application/json", json.dumps(payload)
        else:
            mime = "application/x-www-form-urlencoded"
            body = urlencode(payload if kind == "slash_commands" else {"payload": json.dumps(payload)})
        headers = {"Content-Type": mime, **signature(self.world.slack.signing_secret, body, int(time.time()))}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": f"http_{reason}"}
        try:
            answer = await post_request(url, body.encode(), headers, max_wait=self.world.limits.ack_seconds)
        except Unreachable:
            return None
        if answer.status != 200:
            return None
        if not answer.body:
            return {}
        if "json" not in answer.mime:
            return {"text": answer.body.decode()}
        parsed = json.loads(answer.body)
        return parsed if isinstance(parsed, dict) else {}

    def event(self, payload: Json) -> None:
        """Send an event in the background, with Slack's retries until it is acknowledged."""
        self._background(self._event(payload))

    async def _event(self, payload: Json) -> None:
        waits = (0.0, *self.world.limits.redelivery_seconds)
        for attempt, wait in enumerate(waits):
            await asyncio.sleep(wait)
            if await self.deliver("events_api", payload, attempt=attempt) is not None:
                return

    async def disconnect(self, reason: str = "refresh_requested", *, send_frame: bool = True) -> None:
        """Close every connection; `send_frame` sends a disconnect frame first."""
        leaving, self.connections = self.connections, []
        for connection in leaving:
            try:
                if connection.socket is None:
                    continue
                if send_frame:
                    await connection.socket.send_json(
                        {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-simulator"}}
                    )
                await connection.socket.close(1000 if send_frame else 1012)
            except (RuntimeError, WebSocketDisconnect):
                continue
        self._count()

    def add_dead_socket(self) -> None:
        """Add a connection whose app died without closing it."""
        self.connections.append(Connection(None))
        self._count()

    def stop(self) -> None:
        for task in self.tasks:
            task.cancel()


def signature(secret: str, body: str, timestamp: int) -> dict[str, str]:
    """The headers of a signed request (v0)."""
    base = f"v0:{timestamp}:{body}".encode()
    signed = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={signed}"}
