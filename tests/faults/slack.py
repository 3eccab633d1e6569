"""A Slack that counts: posts by the key in their metadata, redrawings, presses acknowledged, lines open."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.faults.telegram import read

Json = dict[str, Any]
TEAM = "T0000001"


@dataclass(frozen=True)
class Posted:
    """One message in a channel."""

    channel: str
    ts: str
    key: str | None
    body: Json


class Slack:
    """One workspace's side of the Web API and of Socket Mode."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.calls: Counter[str] = Counter()
        self.views: list[Json] = []
        self.acks: dict[str, Json] = {}
        self.lines: list[web.WebSocketResponse] = []
        #: Answers instead of us.
        self.instead: Callable[[str], web.StreamResponse | None] = lambda method: None
        self._numbers = count(1)

    def doubled(self) -> list[str]:
        """Keys of messages that were posted twice."""
        times = Counter((one.channel, one.key) for one in self.posted if one.key)
        return [str(key) for (_, key), how_often in times.items() if how_often > 1]

    def posts(self, channel: str) -> list[Posted]:
        """What stands in a channel."""
        return [one for one in self.posted if one.channel == channel]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call of the Web API."""
        method = request.match_info["method"]
        try:
            body = await read(request)
        except ConnectionResetError:
            return web.Response(status=400)
        self.calls[method] += 1
        answered = self.instead(method)
        if answered is not None:
            return answered
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
            case "views.open" | "views.push" | "views.update":
                self.views.append({"method": method, "view": _read(body.get("view"))})
                return _ok(view={"id": "V1", "hash": "1"})
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
                "ts": one.ts,
                "bot_id": "B1",
                "metadata": {"event_type": "amends_post", "event_payload": {"key": one.key}},
            }
            for one in reversed(self.posts(channel))
        ]

    async def line(self, request: web.Request) -> web.StreamResponse:
        """Socket Mode."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.lines.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self.lines)})
        async for said in socket:
            if said.type is WSMsgType.TEXT:
                heard = json.loads(said.data)
                self.acks[heard["envelope_id"]] = heard.get("payload") or {}
        self.lines.remove(socket)
        return socket

    async def closes_lines(self) -> None:
        """Every line goes, as Slack does it some times a day."""
        await asyncio.gather(*(one.close() for one in list(self.lines)))

    async def presses(self, member: str, action_id: str, ref: str, *, version: int = 0) -> bool:
        """A button of a card, pressed once; True when it was acknowledged in Slack's three seconds."""
        if not self.lines:
            return False
        number = next(self._numbers)
        payload = {
            "type": "block_actions",
            "user": {"id": member},
            "team": {"id": TEAM},
            "trigger_id": f"{number}.1",
            "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0000001"},
            "channel": {"id": "C0000001"},
            "actions": [
                {
                    "type": "button",
                    "action_id": action_id,
                    "block_id": f"actions:{version}.0",
                    "value": ref,
                    "action_ts": f"{number}.2",
                }
            ],
        }
        envelope = {"type": "interactive", "envelope_id": f"e{number}", "payload": payload}
        try:
            await self.lines[-1].send_str(json.dumps({**envelope, "accepts_response_payload": True}))
        except ConnectionError:
            return False
        for _ in range(30):
            if f"e{number}" in self.acks:
                return True
            await asyncio.sleep(0.1)
        return False


def ratelimited(seconds: int) -> web.Response:
    """Too much."""
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


def _ok(**fields: Any) -> web.Response:
    return web.json_response({"ok": True, **fields})


def _read(given: Any) -> Any:
    return json.loads(given) if isinstance(given, str) else given
