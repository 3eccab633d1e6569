"""A fake Telegram Bot API that records each accepted message with its chat, its time and the process that sent it.

It keeps updates until they are confirmed, as Telegram does. A fault is a function that answers a method in its place.
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
#: End of the note in brackets on a message that may be a repeat; the same in every language.
MARK_ENDS = ")\n\n"
BATCH = 100
#: Added to the id of a chat that moved; its messages are still counted under the old id.
MOVED = 10_000_000


@dataclass(frozen=True)
class Accepted:
    """An accepted message. `life` numbers the process that sent it; `at` is the event loop's time in seconds."""

    chat: int
    text: str
    at: float
    life: int

    @property
    def marked(self) -> bool:
        """True if the text says that the message may be a repeat."""
        return self.text.startswith("(") and MARK_ENDS in self.text

    @property
    def words(self) -> str:
        """The text without that note."""
        return self.text.partition(MARK_ENDS)[2] if self.marked else self.text


Answer = Callable[["Telegram", str, Json, web.Request], Awaitable[web.StreamResponse | None]]


class Telegram:
    """The Bot API of one bot."""

    def __init__(self) -> None:
        self.accepted: list[Accepted] = []
        self.calls: Counter[str] = Counter()
        #: Replacement answers, by method ("sendMessage"), or "*" for every method.
        self.instead: dict[str, Answer] = {}
        self._queue: deque[Json] = deque()
        self._numbers, self._messages = count(1), count(1)
        self._updates_added = asyncio.Event()
        self._polling: asyncio.Event | None = None

    # Messages of people.

    def add_message(self, chat: int, text: str) -> int:
        """Queue a text message of a chat and return the update id."""
        number = next(self._numbers)
        self.add_update(
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

    def add_update(self, update: Json) -> None:
        """Queue an update as it is, even a malformed one."""
        self._queue.append(update)
        self._updates_added.set()

    def next_number(self) -> int:
        """Return an update id for an update that a test builds."""
        return next(self._numbers)

    @property
    def waiting(self) -> int:
        """The number of unconfirmed updates."""
        return len(self._queue)

    # What the bot sent.

    def by_chat(self) -> dict[int, list[Accepted]]:
        """Return all accepted messages by chat, in order."""
        messages: dict[int, list[Accepted]] = defaultdict(list)
        for message in self.accepted:
            messages[message.chat].append(message)
        return messages

    def doubled(self) -> list[tuple[Accepted, Accepted]]:
        """Return each repeated message as (first, repeat)."""
        first: dict[tuple[int, str], Accepted] = {}
        repeats = []
        for message in self.accepted:
            original = first.setdefault((message.chat, message.words), message)
            if original is not message:
                repeats.append((original, message))
        return repeats

    # The API.

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a call of the Bot API."""
        method = request.match_info["method"]
        try:
            body = await read(request)
        except ConnectionResetError:
            # The process was killed while it sent the request.
            return web.Response(status=400)
        self.calls[method] += 1
        instead = self.instead.get(method) or self.instead.get("*")
        if instead is not None:
            response = await instead(self, method, body, request)
            if response is not None:
                return response
        return await self.answer(method, body, int(request.match_info.get("life", 0)))

    async def answer(self, method: str, body: Json, life: int = 0) -> web.StreamResponse:
        """Answer a call without a fault."""
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
        """Record a message and return Telegram's result."""
        chat = int(body["chat_id"]) % MOVED
        text = str(body.get("text", body.get("caption", "")))
        now = asyncio.get_running_loop().time()
        self.accepted.append(Accepted(chat, text, now, life))
        return {"message_id": next(self._messages), "date": 1, "chat": {"id": chat, "type": "private"}}

    async def _updates(self, body: Json) -> web.StreamResponse:
        offset = int(body.get("offset") or 0)
        while self._queue and self._queue[0]["update_id"] < offset:
            self._queue.popleft()
        # A second poll with the same token ends the first, as in Telegram.
        if self._polling is not None:
            self._polling.set()
        own_poll = self._polling = asyncio.Event()
        self._updates_added.clear()
        if not self._queue and float(body.get("timeout") or 0) > 0:
            waits = [asyncio.ensure_future(event.wait()) for event in (self._updates_added, own_poll)]
            await asyncio.wait(waits, timeout=float(body["timeout"]), return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        if own_poll.is_set():
            return refused(409, "Conflict: terminated by other getUpdates request")
        self._polling = None
        return ok([self._queue[index] for index in range(min(BATCH, len(self._queue)))])


async def read(request: web.Request) -> Json:
    """Return the fields of a call, from JSON, a form or the query."""
    if request.content_type == "application/json":
        fields: Json = await request.json()
        return fields
    return {**request.query, **await request.post()}


def ok(result: Any) -> web.Response:
    """A successful answer."""
    return web.json_response({"ok": True, "result": result})


def refused(status: int, why: str, **parameters: Any) -> web.Response:
    """An error answer."""
    body: Json = {"ok": False, "error_code": status, "description": why}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=status)


def always(response: Callable[[], web.Response]) -> Answer:
    """Give this answer to each call and accept nothing."""

    async def answer(_: Telegram, __: str, ___: Json, ____: web.Request) -> web.StreamResponse:
        return response()

    return answer


async def accept_without_answer(
    telegram: Telegram, _: str, body: Json, __: web.Request
) -> web.StreamResponse:
    """Accept the message but answer only after every timeout."""
    telegram.accept(body)
    await asyncio.sleep(12)
    return ok(True)


async def accept_and_disconnect(
    telegram: Telegram, _: str, body: Json, request: web.Request
) -> web.StreamResponse | None:
    """Accept the message but break the connection before the answer."""
    telegram.accept(body)
    if request.transport is not None:
        request.transport.abort()
    return ok(True)


async def move_chat(_: Telegram, __: str, body: Json, ___: web.Request) -> web.StreamResponse | None:
    """Answer that the chat has moved to another id."""
    chat = int(body["chat_id"])
    if chat >= MOVED:
        return None
    return refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=chat + MOVED)


#: Faults of sending, by their name in tables.
SENDING: dict[str, Answer] = {
    "429, Retry-After 2": always(lambda: refused(429, "Too Many Requests: retry after 2", retry_after=2)),
    "500": always(lambda: refused(500, "Internal Server Error")),
    "502 as a page": always(
        lambda: web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
    ),
    "no JSON": always(lambda: web.Response(text='{"ok": tru', content_type="application/json")),
    "accepted, then cut": accept_and_disconnect,
    "accepted, then silent": accept_without_answer,
    "moved to another number": move_chat,
}
BLOCKED = always(lambda: refused(403, "Forbidden: bot was blocked by the user"))
#: Faults of polling for updates.
POLLING: dict[str, Answer] = {
    "409 on getUpdates": always(lambda: refused(409, "Conflict: terminated by other getUpdates request")),
    "getUpdates without JSON": SENDING["no JSON"],
    "getUpdates 500": SENDING["500"],
}
