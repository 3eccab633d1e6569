"""A fake Slack that records calls, posts (by the key in their metadata) and open Socket Mode connections."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from aiohttp import web

from tests.faults.telegram import read

Json = dict[str, Any]
TEAM = "T0000001"


@dataclass(frozen=True)
class Posted:
    """A message in a channel."""

    channel: str
    ts: str
    key: str | None
    body: Json


class Slack:
    """The Web API and Socket Mode of one workspace."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.calls: Counter[str] = Counter()
        self.lines: list[web.WebSocketResponse] = []
        #: A replacement answer by method; None answers as usual.
        self.instead: Callable[[str], web.StreamResponse | None] = lambda method: None
        self._numbers = count(1)

    def doubled(self) -> list[str]:
        """Return the keys of messages that were posted more than once."""
        times = Counter((post.channel, post.key) for post in self.posted if post.key)
        return [str(key) for (_, key), number in times.items() if number > 1]

    def posts(self, channel: str) -> list[Posted]:
        """Return the messages of a channel."""
        return [post for post in self.posted if post.channel == channel]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a call of the Web API."""
        method = request.match_info["method"]
        try:
            body = await read(request)
        except ConnectionResetError:
            return web.Response(status=400)
        self.calls[method] += 1
        response = self.instead(method)
        if response is not None:
            return response
        match method:
            case "auth.test":
                return _ok(team_id=TEAM, user_id="U0BOT")
            case "apps.connections.open":
                return _ok(url=f"ws://{request.host}/line")
            case "chat.postMessage":
                return _ok(ts=self._post(body))
            case "conversations.open":
                return _ok(channel={"id": f"D{str(body['users'])[1:]}"})
            case "conversations.history" | "conversations.replies":
                return _ok(messages=self._history(str(body["channel"])))
            case _:
                return _ok()

    def _post(self, body: Json) -> str:
        ts = f"1.{next(self._numbers):06}"
        metadata = _read(body.get("metadata")) or {}
        key = (metadata.get("event_payload") or {}).get("key")
        self.posted.append(Posted(str(body["channel"]), ts, key, body))
        return ts

    def _history(self, channel: str) -> list[Json]:
        return [
            {
                "ts": post.ts,
                "bot_id": "B1",
                "metadata": {"event_type": "amends_post", "event_payload": {"key": post.key}},
            }
            for post in reversed(self.posts(channel))
        ]

    async def line(self, request: web.Request) -> web.StreamResponse:
        """Serve a Socket Mode connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.lines.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self.lines)})
        async for _ in socket:
            pass  # Nothing is sent, so there is nothing to acknowledge.
        self.lines.remove(socket)
        return socket

    async def closes_lines(self) -> None:
        """Close every Socket Mode connection, as Slack does several times a day."""
        await asyncio.gather(*(socket.close() for socket in list(self.lines)))


def ratelimited(seconds: int) -> web.Response:
    """Return Slack's answer to too many calls; `seconds` is the wait that it requires."""
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


def _ok(**fields: Any) -> web.Response:
    return web.json_response({"ok": True, **fields})


def _read(field: Any) -> Any:
    return json.loads(field) if isinstance(field, str) else field
