"""A stand-in for both platforms in a process of its own, that counts: small, so that it takes no time of the desk's.

`python -m benchmarks.standin PORT [--limits]` serves Telegram (long polling, messages) and as much of Slack as a
desk needs to start and to post. With `--limits` it answers 429 where Telegram would: above 30 messages in any
second, or above one a second in a chat. `/control/updates` lets people write at a steady pace whether they are
answered or not; `/control/seen` tells what came back and when.
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
A_SECOND, OF_THE_BOT, OF_A_CHAT = 1.0, 30, 1


@dataclass
class Seen:
    """Everything that happened, by the clock of this process."""

    port: int
    limits: bool
    updates: list[Json] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: count[int] = field(default_factory=lambda: count(1))
    #: When a chat wrote and was not answered yet; the seconds until it was.
    waiting: dict[int, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)
    #: Of each accepted message: when, to whom, its text.
    sent: list[tuple[float, int, str]] = field(default_factory=list)
    #: Refused because of all chats, or of one.
    refused: dict[str, int] = field(default_factory=lambda: {"bot": 0, "chat": 0})
    posts: int = 0
    recent: deque[float] = field(default_factory=deque)
    last: dict[int, float] = field(default_factory=dict)
    writing: asyncio.Task[None] | None = None

    # Telegram

    async def telegram(self, request: web.Request) -> web.Response:
        """The methods that a desk calls; the others are granted."""
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
        self.updates = [one for one in self.updates if one["update_id"] >= offset]
        end = time.monotonic() + patience
        while not self.updates and (left := end - time.monotonic()) > 0:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), left)
            except TimeoutError:
                break
        return self.updates[:100]

    def _send(self, chat: int, text: str) -> web.Response:
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - A_SECOND:
            self.recent.popleft()
        over = "bot" if len(self.recent) >= OF_THE_BOT else ""
        if now - self.last.get(chat, -A_SECOND) < A_SECOND / OF_A_CHAT:
            over = "chat"
        if self.limits and over:
            self.refused[over] += 1
            told = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1"}
            return web.json_response({**told, "parameters": {"retry_after": 1}}, status=429)
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

    # what the benchmark asks for

    async def begin(self, request: web.Request) -> web.Response:
        """So many updates, so many a second, each of another chat; returns at once."""
        asked = await request.json()
        self.writing = asyncio.create_task(self._write(**asked))
        return web.json_response({})

    async def _write(self, *, chat: int, number: int, each_second: float, text: str) -> None:
        began = time.monotonic()
        for one in range(number):
            await asyncio.sleep(max(0.0, began + one / each_second - time.monotonic()))
            self._write_one(chat + one, text)

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
        """What came back; `?forget=1` begins the count anew."""
        told = {
            "answered": self.answered,
            "waiting": len(self.waiting),
            "sent": self.sent,
            "refused": self.refused,
            "posts": self.posts,
            "now": time.monotonic(),
        }
        answer = web.json_response(told)
        if request.query.get("forget"):
            self.answered, self.sent, self.refused, self.posts = [], [], {"bot": 0, "chat": 0}, 0
            self.waiting.clear()
        return answer

    # Slack

    async def slack(self, request: web.Request) -> web.Response:
        """Enough to start with and to post to."""
        match request.match_info["method"]:
            case "auth.test":
                return web.json_response({"ok": True, "team_id": "T0000001", "user_id": "U0BOT"})
            case "apps.connections.open":
                return web.json_response({"ok": True, "url": f"ws://127.0.0.1:{self.port}/line"})
            case "conversations.open":
                return web.json_response({"ok": True, "channel": {"id": "D0000001"}})
            case "conversations.history":
                return web.json_response({"ok": True, "messages": []})
            case "chat.postMessage":
                self.posts += 1
                return web.json_response({"ok": True, "ts": f"1.{next(self.numbers):06}"})
            case _:
                return web.json_response({"ok": True})

    async def line(self, request: web.Request) -> web.WebSocketResponse:
        """Socket Mode, on which nothing comes."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        async for said in socket:
            if said.type is WSMsgType.ERROR:
                break
        return socket


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


async def _body(request: web.Request) -> Json:
    if request.content_type == "application/json":
        read: Json = await request.json()
        return read
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def app(seen: Seen) -> web.Application:
    """The routes."""
    made = web.Application()
    made.add_routes(
        [
            web.route("*", "/bot{token}/{method}", seen.telegram),
            web.route("*", "/api/{method}", seen.slack),
            web.get("/line", seen.line),
            web.post("/control/updates", seen.begin),
            web.get("/control/seen", seen.seen),
        ]
    )
    return made


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.standin", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--limits", action="store_true")
    asked = parser.parse_args()
    serving = app(Seen(asked.port, asked.limits))
    print(json.dumps({"port": asked.port}), flush=True)
    web.run_app(serving, host="127.0.0.1", port=asked.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
