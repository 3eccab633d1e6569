"""A fake of both platforms in its own process, which counts; it is small, to use little processor time.

`python -m benchmarks.standin PORT [--limits]` serves Telegram (long polling, messages) and the part of Slack that a
desk needs to start and to post. With `--limits` it answers 429 as Telegram does: above 30 messages in any second, or
above one a second in a chat. `/control/updates` lets people write at a steady rate whether they are answered or not;
`/control/seen` returns what the desk sent and when.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]
SECOND, BOT_LIMIT, CHAT_LIMIT = 1.0, 30, 1


@dataclass
class PlatformCounts:
    """Both platforms and their counts; times are this process's monotonic seconds."""

    port: int
    limits: bool
    updates: list[Json] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: count[int] = field(default_factory=lambda: count(1))
    #: When each chat without an answer wrote; and for the others the seconds until the answer.
    waiting: dict[int, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)
    #: Each accepted message: time, chat, text.
    sent: list[tuple[float, int, str]] = field(default_factory=list)
    #: Messages refused for the limit of the bot, or of a chat.
    refused: dict[str, int] = field(default_factory=lambda: {"bot": 0, "chat": 0})
    posts: int = 0
    recent: deque[float] = field(default_factory=deque)
    last: dict[int, float] = field(default_factory=dict)
    writing: asyncio.Task[None] | None = None
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    #: Who is in every channel.
    members: list[str] = field(default_factory=list)
    #: When each press was sent; and the seconds until it was acknowledged, its card drawn, its person informed.
    pressed: list[float] = field(default_factory=list)
    press_times: dict[str, list[float]] = field(default_factory=dict)

    # Telegram.

    async def telegram(self, request: web.Request) -> web.Response:
        """The methods that a desk calls; any other method succeeds."""
        method, body = request.match_info["method"], await _body(request)
        match method:
            case "getMe":
                bot = {"id": 1, "is_bot": True, "first_name": "Desk", "username": "desk_bot"}
                return _ok(bot)
            case "getUpdates":
                return _ok(await self._poll(int(body.get("offset") or 0), float(body.get("timeout") or 0)))
            case "sendMessage" | "sendDocument":
                return self._send(int(body["chat_id"]), str(body.get("text", "")))
            case _:
                return _ok(True)

    async def _poll(self, offset: int, patience: float) -> list[Json]:
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        end = time.monotonic() + patience
        while not self.updates and (remaining := end - time.monotonic()) > 0:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), remaining)
            except TimeoutError:
                break
        return self.updates[:100]

    def _send(self, chat: int, text: str) -> web.Response:
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - SECOND:
            self.recent.popleft()
        limit = "bot" if len(self.recent) >= BOT_LIMIT else ""
        if now - self.last.get(chat, -SECOND) < SECOND / CHAT_LIMIT:
            limit = "chat"
        if self.limits and limit:
            self.refused[limit] += 1
            error = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1"}
            return web.json_response({**error, "parameters": {"retry_after": 1}}, status=429)
        self.recent.append(now)
        self.last[chat] = now
        self.sent.append((now, chat, text))
        if (since := self.waiting.pop(chat, None)) is not None:
            self.answered.append(now - since)
        return _ok(
            {
                "message_id": next(self.numbers),
                "date": 1,
                "chat": {"id": chat, "type": "private"},
                "text": text,
            }
        )

    # The benchmark's control requests.

    async def begin(self, request: web.Request) -> web.Response:
        """Start to write updates at a steady rate, each in a new chat; returns at once."""
        options = await request.json()
        self.writing = asyncio.create_task(self._write(**options))
        return web.json_response({})

    async def _write(self, *, chat: int, number: int, each_second: float, texts: list[str]) -> None:
        started = time.monotonic()
        for n in range(number):
            await asyncio.sleep(max(0.0, started + n / each_second - time.monotonic()))
            self._write_one(chat + n, texts[n % len(texts)])

    def _write_one(self, chat: int, text: str) -> None:
        self.waiting[chat] = time.monotonic()
        self.updates.append(
            {
                "update_id": next(self.numbers),
                "message": {
                    "message_id": next(self.numbers),
                    "date": 1,
                    "chat": {"id": chat, "type": "private"},
                    "from": {"id": chat, "is_bot": False, "first_name": f"P{chat}", "language_code": "en"},
                    "text": text,
                },
            }
        )
        self.news.set()

    async def seen(self, request: web.Request) -> web.Response:
        """The counts; `?forget=1` resets them."""
        counts = {
            "answered": self.answered,
            "waiting": len(self.waiting),
            "sent": self.sent,
            "refused": self.refused,
            "posts": self.posts,
            "presses": self.press_times,
            "connected": len(self.sockets),
            "now": time.monotonic(),
        }
        response = web.json_response(counts)
        if request.query.get("forget"):
            self.answered, self.sent, self.refused, self.posts = [], [], {"bot": 0, "chat": 0}, 0
            self.waiting.clear()
        return response

    # Slack.

    async def slack(self, request: web.Request) -> web.Response:
        """The methods that a desk needs to start and to post."""
        match request.match_info["method"]:
            case "auth.test":
                return web.json_response({"ok": True, "team_id": "T0000001", "user_id": "U0BOT"})
            case "apps.connections.open":
                return web.json_response({"ok": True, "url": f"ws://127.0.0.1:{self.port}/line"})
            case "conversations.open":
                return web.json_response({"ok": True, "channel": {"id": "D0000001"}})
            case "conversations.members":
                return web.json_response({"ok": True, "members": self.members})
            case "conversations.history":
                return web.json_response({"ok": True, "messages": []})
            case "chat.postMessage":
                self.posts += 1
                return web.json_response({"ok": True, "ts": f"1.{next(self.numbers):06}"})
            case _:
                return web.json_response({"ok": True})

    async def line(self, request: web.Request) -> web.WebSocketResponse:
        """Socket Mode; its only events are the presses."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._timed("acknowledged", int(json.loads(message.data)["envelope_id"]))
        self.sockets.remove(socket)
        return socket

    def _timed(self, what: str, press: int) -> None:
        self.press_times.setdefault(what, []).append(time.monotonic() - self.pressed[press])

    async def presses(self, request: web.Request) -> web.Response:
        """Send these presses (member, value, block, ts) at a steady rate, or all at once; returns after the last."""
        options = await request.json()
        self.press_times, self.members = {}, sorted({member for member, *_ in options["presses"]})
        started = time.monotonic()
        for number, press in enumerate(options["presses"]):
            if options["each_second"]:
                await asyncio.sleep(max(0.0, started + number / options["each_second"] - time.monotonic()))
            await self._press(*press)
        return web.json_response({})

    async def _press(self, member: str, value: str, block: str, ts: str) -> None:
        number, channel = len(self.pressed), "C0000001"
        action = {"type": "button", "action_id": "case.take", "block_id": block, "value": value}
        payload = {
            "type": "block_actions", "user": {"id": member, "team_id": "T0000001"}, "team": {"id": "T0000001"},
            "trigger_id": f"{number}.1", "channel": {"id": channel},
            "actions": [action | {"action_ts": f"{number}.2"}],
            "container": {"type": "message", "message_ts": ts, "channel_id": channel},
            "response_url": f"http://127.0.0.1:{self.port}/hooks/{number}",
        }  # fmt: skip
        self.pressed.append(time.monotonic())
        await self.sockets[-1].send_json(
            {"type": "interactive", "envelope_id": str(number), "payload": payload}
        )

    async def hook(self, request: web.Request) -> web.Response:
        """The answer to a press: the drawn card, or words to the person alone."""
        is_card = (await request.json()).get("replace_original")
        self._timed("drawn" if is_card else "informed", int(request.match_info["press"]))
        return web.Response(text="ok")


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


async def _body(request: web.Request) -> Json:
    if request.content_type == "application/json":
        body: Json = await request.json()
        return body
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def app(counts: PlatformCounts) -> web.Application:
    application = web.Application()
    application.add_routes(
        [
            web.route("*", "/bot{token}/{method}", counts.telegram),
            web.route("*", "/api/{method}", counts.slack),
            web.get("/line", counts.line),
            web.post("/hooks/{press}", counts.hook),
            web.post("/control/presses", counts.presses),
            web.post("/control/updates", counts.begin),
            web.get("/control/seen", counts.seen),
        ]
    )
    return application


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.standin", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--limits", action="store_true")
    options = parser.parse_args()
    application = app(PlatformCounts(options.port, options.limits))
    print(json.dumps({"port": options.port}), flush=True)
    web.run_app(application, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
