"""A minimal bot and Slack app, so that the page can be tested without the product."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from simulator import Simulator

Json = dict[str, Any]
Answer = Callable[[Json], Awaitable[Json | None]]


async def _no_answer(_payload: Json) -> None:
    return None


class ScriptedBot:
    """Polls Telegram and listens to Slack: `updates` and `payloads` collect what it receives.

    `on_update` and `answer` may be replaced; what `answer` returns goes into the acknowledgement.
    """

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.updates: list[Json] = []
        self.payloads: list[Json] = []
        self.answer: Answer = _no_answer
        self.on_update: Answer = _no_answer
        self._http = httpx.AsyncClient(timeout=30)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        listening = asyncio.Event()
        self._tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._listen(listening))]
        await asyncio.wait_for(listening.wait(), 5)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._http.aclose()

    async def telegram(self, method: str, **arguments: Any) -> Any:
        answer = await self._http.post(
            f"{self.sim.telegram_url}/bot{self.sim.bot_token}/{method}", json=arguments
        )
        body = answer.json()
        assert body["ok"], body
        return body["result"]

    async def slack(self, method: str, **arguments: Any) -> Json:
        token = self.sim.slack_app_token if method == "apps.connections.open" else self.sim.slack_bot_token
        answer = await self._http.post(
            f"{self.sim.slack_url}{method}", json=arguments, headers={"Authorization": f"Bearer {token}"}
        )
        body: Json = answer.json()
        assert body["ok"], body
        return body

    async def send(self, chat: int, text: str, *rows: list[str]) -> Json:
        """Send a message with inline buttons; the data of a button is its label."""
        keyboard = [[{"text": label, "callback_data": label} for label in row] for row in rows]
        sent: Json = await self.telegram(
            "sendMessage", chat_id=chat, text=text, reply_markup={"inline_keyboard": keyboard}
        )
        return sent

    async def _poll(self) -> None:
        offset = 0
        while True:
            # Telegram that is down answers with an error page; poll again, as the product does.
            with contextlib.suppress(httpx.HTTPError, AssertionError, json.JSONDecodeError):
                for update in await self.telegram("getUpdates", offset=offset, timeout=5):
                    offset = update["update_id"] + 1
                    self.updates.append(update)
                    await self.on_update(update)
                continue
            await asyncio.sleep(0.1)

    async def _listen(self, listening: asyncio.Event) -> None:
        url = (await self.slack("apps.connections.open"))["url"]
        # Slack that is down closes the connection; no test here needs it to reconnect.
        async with connect(url) as socket:
            with contextlib.suppress(ConnectionClosed):
                await self._answer(socket, listening)

    async def _answer(self, socket: ClientConnection, listening: asyncio.Event) -> None:
        async for frame in socket:
            envelope = json.loads(frame)
            if envelope["type"] == "hello":
                listening.set()
            if "envelope_id" not in envelope:
                continue
            self.payloads.append(envelope["payload"])
            answer = await self.answer(envelope["payload"])
            await socket.send(
                json.dumps(
                    {"envelope_id": envelope["envelope_id"], **({"payload": answer} if answer else {})}
                )
            )
