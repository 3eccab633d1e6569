"""A Telegram that counts: what it was asked to say, to whom, in which order, how often, and when the line was cut.

It keeps updates until they are confirmed, as the real one does, and takes faults by name: each is a function that
answers instead of it, before or after the message was accepted.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from aiohttp import web

Json = dict[str, Any]
#: What a message says of itself when it may have come before; found by its brackets, whatever the language.
MARK_ENDS = ")\n\n"
BATCH = 100
#: What is added to the number of a chat that moved; we go on counting it under its first one.
MOVED = 10_000_000


@dataclass(frozen=True)
class Accepted:
    """One message that we took. `life` is the process that sent it, by its own address; `at` the loop's time."""

    chat: int
    text: str
    at: float
    life: int

    @property
    def marked(self) -> bool:
        """It says that it may have come before."""
        return self.text.startswith("(") and MARK_ENDS in self.text

    @property
    def words(self) -> str:
        """Without that mark."""
        return self.text.partition(MARK_ENDS)[2] if self.marked else self.text


Answer = Callable[["Telegram", str, Json, web.Request], Awaitable[web.StreamResponse | None]]


class Telegram:
    """One bot's side of the Bot API."""

    def __init__(self) -> None:
        self.accepted: list[Accepted] = []
        self.calls: Counter[str] = Counter()
        #: Answers instead of us, by method ("sendMessage"), or "*" for every method.
        self.instead: dict[str, Answer] = {}
        self._queue: deque[Json] = deque()
        self._numbers, self._messages = count(1), count(1)
        self._news = asyncio.Event()
        self._polling: asyncio.Event | None = None

    # the people

    def says(self, chat: int, text: str) -> int:
        """Somebody writes; the number of the update."""
        number = next(self._numbers)
        self.brings(
            {
                "update_id": number,
                "message": {
                    "message_id": number,
                    "date": 1_790_000_000,
                    "chat": {"id": chat, "type": "private"},
                    "from": {"id": chat, "is_bot": False, "first_name": "P", "language_code": "en"},
                    "text": text,
                },
            }
        )
        return number

    def brings(self, update: Json) -> None:
        """An update as it is, well-formed or not."""
        self._queue.append(update)
        self._news.set()

    def next_number(self) -> int:
        """For an update that a test makes by itself."""
        return next(self._numbers)

    @property
    def waiting(self) -> int:
        """How many updates are not confirmed."""
        return len(self._queue)

    # what came of it

    def by_chat(self) -> dict[int, list[Accepted]]:
        """All messages, by chat, in order."""
        found: dict[int, list[Accepted]] = defaultdict(list)
        for one in self.accepted:
            found[one.chat].append(one)
        return found

    def doubled(self) -> list[tuple[Accepted, Accepted]]:
        """Each message that came again, with its first coming."""
        first: dict[tuple[int, str], Accepted] = {}
        again = []
        for one in self.accepted:
            before = first.setdefault((one.chat, one.words), one)
            if before is not one:
                again.append((before, one))
        return again

    # the API

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        method = request.match_info["method"]
        try:
            body = await read(request)
        except ConnectionResetError:
            # Whoever asked died in the middle of the question.
            return web.Response(status=400)
        self.calls[method] += 1
        instead = self.instead.get(method) or self.instead.get("*")
        if instead is not None:
            answered = await instead(self, method, body, request)
            if answered is not None:
                return answered
        return await self.answer(method, body, int(request.match_info.get("life", 0)))

    async def answer(self, method: str, body: Json, life: int = 0) -> web.StreamResponse:
        """As on a good day."""
        match method:
            case "getMe":
                return ok({"id": 1, "is_bot": True, "first_name": "Desk", "username": "desk_bot"})
            case "getUpdates":
                return await self._updates(body)
            case "sendMessage" | "sendDocument":
                return ok(self.accept(body, life))
            case _:
                return ok(True)

    def accept(self, body: Json, life: int = 0) -> Json:
        """Take a message; what Telegram says of it."""
        chat = int(body["chat_id"]) % MOVED
        text = str(body.get("text", body.get("caption", "")))
        now = asyncio.get_running_loop().time()
        self.accepted.append(Accepted(chat, text, now, life))
        return {"message_id": next(self._messages), "date": 1, "chat": {"id": chat, "type": "private"}}

    async def _updates(self, body: Json) -> web.StreamResponse:
        offset = int(body.get("offset") or 0)
        while self._queue and self._queue[0]["update_id"] < offset:
            self._queue.popleft()
        # A second line with the same token ends the first, as the real one does.
        if self._polling is not None:
            self._polling.set()
        mine = self._polling = asyncio.Event()
        self._news.clear()
        if not self._queue and float(body.get("timeout") or 0) > 0:
            waits = [asyncio.ensure_future(one.wait()) for one in (self._news, mine)]
            await asyncio.wait(waits, timeout=float(body["timeout"]), return_when=asyncio.FIRST_COMPLETED)
            for one in waits:
                one.cancel()
        if mine.is_set():
            return refused(409, "Conflict: terminated by other getUpdates request")
        self._polling = None
        return ok([self._queue[at] for at in range(min(BATCH, len(self._queue)))])


async def read(request: web.Request) -> Json:
    """The fields of a call, however they came."""
    if request.content_type == "application/json":
        given: Json = await request.json()
        return given
    return {**request.query, **await request.post()}


def ok(result: Any) -> web.Response:
    """Telegram's yes."""
    return web.json_response({"ok": True, "result": result})


def refused(status: int, why: str, **parameters: Any) -> web.Response:
    """Telegram's no."""
    body: Json = {"ok": False, "error_code": status, "description": why}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=status)


def always(response: Callable[[], web.Response]) -> Answer:
    """This answer, and nothing accepted."""

    async def answer(_: Telegram, __: str, ___: Json, ____: web.Request) -> web.StreamResponse:
        return response()

    return answer


async def takes_and_is_silent(telegram: Telegram, _: str, body: Json, __: web.Request) -> web.StreamResponse:
    """Accepted, and no word of it for longer than anybody waits."""
    telegram.accept(body)
    await asyncio.sleep(12)
    return ok(True)


async def takes_and_cuts(
    telegram: Telegram, _: str, body: Json, request: web.Request
) -> web.StreamResponse | None:
    """Accepted, and the line is cut before the answer."""
    telegram.accept(body)
    if request.transport is not None:
        request.transport.abort()
    return ok(True)


async def moved(_: Telegram, __: str, body: Json, ___: web.Request) -> web.StreamResponse | None:
    """Every chat has another number now."""
    chat = int(body["chat_id"])
    if chat >= MOVED:
        return None
    return refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=chat + MOVED)


#: Faults of sending, by the name that tables give them.
SENDING: dict[str, Answer] = {
    "429, Retry-After 2": always(lambda: refused(429, "Too Many Requests: retry after 2", retry_after=2)),
    "500": always(lambda: refused(500, "Internal Server Error")),
    "502 as a page": always(
        lambda: web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
    ),
    "no JSON": always(lambda: web.Response(text='{"ok": tru', content_type="application/json")),
    "accepted, then cut": takes_and_cuts,
    "accepted, then silent": takes_and_is_silent,
    "moved to another number": moved,
}
BLOCKED = always(lambda: refused(403, "Forbidden: bot was blocked by the user"))
#: Faults of asking for updates.
ASKING: dict[str, Answer] = {
    "409 on getUpdates": always(lambda: refused(409, "Conflict: terminated by other getUpdates request")),
    "getUpdates without JSON": SENDING["no JSON"],
    "getUpdates 500": SENDING["500"],
}
