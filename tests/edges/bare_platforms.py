"""Both platforms with the minimum that their specifications demand: required fields only, nothing optional.

The simulator supports more than the specifications require. Tests against this server prove that the product needs
nothing optional: no username, no listed commands, no look-up of users, no history, no echo of a posted message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.edges.product import free_port, until

Json = dict[str, Any]
TEAM = "T0000001"
PERSON = 7001


@dataclass
class Bare:
    """What the product sent, and the ways to send something to it."""

    port: int
    updates: list[Json] = field(default_factory=list)
    offset: int = 0
    messages: list[Json] = field(default_factory=list)
    called: list[tuple[str, Json]] = field(default_factory=list)
    lines: list[WebSocket] = field(default_factory=list)
    acks: dict[str, Json] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))
    #: Answers that replace the default ones, by Slack method.
    slack_says: dict[str, Json] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The product's variables for this server, with tokens of shapes that no platform issues."""
        return {
            "AMENDS_TELEGRAM_TOKEN": "1:t",
            "AMENDS_TELEGRAM_API_URL": self.url,
            "AMENDS_SLACK_BOT_TOKEN": "bot/token",
            "AMENDS_SLACK_APP_TOKEN": "app=token",
            "AMENDS_SLACK_API_URL": f"{self.url}/api/",
        }

    # Telegram

    def update(self, **content: Any) -> None:
        """Queue an update with its required fields and these."""
        self.updates.append({"update_id": next(self.numbers), **content})

    def says(self, text: str) -> None:
        """The person sends a message."""
        chat = {"id": PERSON, "type": "private"}
        writer = {"id": PERSON, "is_bot": False, "first_name": "P"}
        number = next(self.numbers)
        self.update(message={"message_id": number, "date": 1, "chat": chat, "from": writer, "text": text})

    async def receives(self, text: str) -> Json:
        """Wait for a message with this text and return the newest."""
        await until(
            lambda: any(text in message["text"] for message in self.messages), lambda: repr(self.messages)
        )
        return [message for message in self.messages if text in message["text"]][-1]

    async def presses(self, label: str) -> None:
        """The person presses a button, as soon as a message has one with this label."""
        await until(lambda: self._button(label) is not None, lambda: repr(self.messages))
        data = self._button(label)
        self.update(
            callback_query={
                "id": str(next(self.numbers)),
                "chat_instance": "c",
                "from": {"id": PERSON, "is_bot": False, "first_name": "P"},
                "data": data,
            }
        )

    def _button(self, label: str) -> str | None:
        for message in reversed(self.messages):
            for row in message["buttons"]:
                for button in row:
                    if button["text"] == label:
                        return str(button["callback_data"])
        return None

    async def telegram(self, request: Request) -> Response:
        """Four methods; any other gets Telegram's 404."""
        method, body = request.path_params["method"], await _body(request)
        self.called.append((f"telegram/{method}", body))
        match method:
            case "getMe":
                return JSONResponse({"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Desk"}})
            case "getUpdates":
                # Answered at once, even when empty: the tests do not wait for a long poll.
                self.updates = [
                    update for update in self.updates if update["update_id"] >= int(body.get("offset") or 0)
                ]
                return JSONResponse({"ok": True, "result": self.updates})
            case "sendMessage":
                number = next(self.numbers)
                markup = body.get("reply_markup") or {}
                self.messages.append(
                    {
                        "message_id": number,
                        "chat": int(body["chat_id"]),
                        "text": str(body["text"]),
                        "buttons": markup.get("inline_keyboard", []),
                    }
                )
                chat = {"id": int(body["chat_id"]), "type": "private"}
                return JSONResponse({"ok": True, "result": {"message_id": number, "date": 1, "chat": chat}})
            case _:
                failure = {"ok": False, "error_code": 404, "description": "Not Found"}
                return JSONResponse(failure, 404)

    # Slack

    async def slack(self, request: Request) -> Response:
        """The few methods that are needed, with few fields; any other is a 404 page."""
        method, body = request.path_params["method"], await _body(request)
        self.called.append((method, body))
        if method in self.slack_says:
            return JSONResponse(self.slack_says[method])
        match method:
            case "auth.test":
                return JSONResponse({"ok": True, "team_id": TEAM, "user_id": "U0BOT"})
            case "apps.connections.open":
                return JSONResponse({"ok": True, "url": f"ws://127.0.0.1:{self.port}/line"})
            case "chat.postMessage":
                return JSONResponse({"ok": True, "ts": f"1.{next(self.numbers):06}"})
            case "conversations.open":
                return JSONResponse({"ok": True, "channel": {"id": f"D{body['users'][1:]}"}})
            case "chat.update" | "chat.postEphemeral" | "views.open" | "views.push" | "views.update":
                return JSONResponse({"ok": True})
            case _:
                return PlainTextResponse("Not Found", 404)

    async def line(self, socket: WebSocket) -> None:
        """Socket Mode without a hello."""
        await socket.accept()
        self.lines.append(socket)
        try:
            while True:
                envelope = json.loads(await socket.receive_text())
                self.acks[envelope["envelope_id"]] = envelope.get("payload") or {}
        except WebSocketDisconnect:
            self.lines.remove(socket)

    async def sends(self, payload: Json, kind: str = "interactive") -> Json:
        """Send an envelope over the socket and return its acknowledgement."""
        await until(lambda: bool(self.lines))
        number = f"e{next(self.numbers)}"
        envelope = {"type": kind, "envelope_id": number, "payload": payload, "accepts_response_payload": True}
        await self.lines[-1].send_text(json.dumps(envelope))
        await until(lambda: number in self.acks)
        return self.acks[number]

    async def clicks(self, member: str, card: Json, action_id: str, value: str) -> Json:
        """A press on a card with the fields that Slack promises and no more."""
        row = next(block for block in card["blocks"] if str(block.get("block_id")).startswith("actions:"))
        number = next(self.numbers)
        return await self.sends(
            {
                "type": "block_actions",
                "user": {"id": member},
                "team": {"id": TEAM},
                "trigger_id": f"{number}.1",
                "container": {"type": "message", "message_ts": "1.1", "channel_id": card["channel"]},
                "channel": {"id": card["channel"]},
                "actions": [
                    {
                        "type": "button",
                        "action_id": action_id,
                        "block_id": row["block_id"],
                        "value": value,
                        "action_ts": f"{number}.2",
                    }
                ],
            }
        )

    async def submits(self, member: str, view: Json, values: Json) -> Json:
        """Submit a view with these values by block_id."""
        state = {block: {"value": value} for block, value in values.items()}
        return await self.sends(
            {
                "type": "view_submission",
                "user": {"id": member},
                "team": {"id": TEAM},
                "view": {**view, "id": "V1", "state": {"values": state}},
            }
        )

    def posts(self, method: str, channel: str | None = None) -> list[Json]:
        """The bodies of the calls of this method, in one channel or in all."""
        return [
            body for name, body in self.called if name == method and channel in (None, body.get("channel"))
        ]


async def _body(request: Request) -> Json:
    """A JSON body, or a form whose JSON parts are parsed."""
    if request.headers.get("content-type", "").startswith("application/json"):
        read: Json = json.loads(await request.body() or b"{}")
        return read
    sent = (await request.body()).decode() or request.url.query
    return {name: _read(value) for name, value in parse_qsl(sent)}


def _read(text: str) -> Any:
    if text[:1] in "[{":
        return json.loads(text)
    return text


@asynccontextmanager
async def bare(port: int = 0) -> AsyncIterator[Bare]:
    """Serve both platforms on one port."""
    platforms = Bare(port or free_port())
    routes: list[Any] = [
        Route("/bot{token:path}/{method}", platforms.telegram, methods=["GET", "POST"]),
        Route("/api/{method}", platforms.slack, methods=["GET", "POST"]),
        WebSocketRoute("/line", platforms.line),
    ]
    config = uvicorn.Config(
        Starlette(routes=routes), port=platforms.port, log_config=None, access_log=False, lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    install: Callable[[], Any] = nullcontext
    server.capture_signals = install  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield platforms
    finally:
        server.should_exit = True
        await serving
