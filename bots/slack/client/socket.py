"""Socket Mode: the connection to Slack, and the watch that notices when Slack stops answering."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bots.slack.client.client import proxy_for

#: So many seconds without an answer mean a dead connection, even if it is still open (docs/design.md, "Slack").
SILENCE_LIMIT = 120.0
_CHECK_EVERY = 5.0
#: The client's own measure: so many pings in a row were not answered.
PINGS_MISSED = 4

#: Called with the frames about the connection itself: `hello` and `disconnect`.
FrameObserver = Callable[[Mapping[str, Any]], None]


class SlackUnresponsive(Exception):
    """Slack answers no pings: the process must be restarted, because a handler cannot be repaired from inside."""


async def connect(
    app: AsyncApp, app_token: str, *, ping_interval: float = 10, on_frame: FrameObserver | None = None
) -> AsyncSocketModeHandler:
    """Open the connection. Raises SlackApiError if the token or the app's settings are wrong."""
    handler = AsyncSocketModeHandler(app, app_token, web_client=app.client, ping_interval=ping_interval)

    async def observe(_: Any, message: dict[str, Any], _raw: str | None) -> None:
        if on_frame is not None and message.get("type") in ("hello", "disconnect"):
            on_frame(message)

    handler.client.message_listeners.append(observe)
    # The client took the environment's proxy without looking at NO_PROXY.
    handler.client.proxy = proxy_for(app.client.base_url, app.client.proxy)
    await handler.client.connect()  # type: ignore[no-untyped-call]
    return handler


async def watch(
    handler: AsyncSocketModeHandler,
    *,
    silence_limit: float = SILENCE_LIMIT,
    on_recovery: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run until Slack was silent for `silence_limit` seconds, then raise SlackUnresponsive; cancel it to stop.

    `on_recovery` is called when a broken connection is healthy again.
    """
    healthy_at, is_broken = time.monotonic(), False
    while True:
        await asyncio.sleep(min(_CHECK_EVERY, silence_limit / 4))
        is_broken, was_broken = not await is_healthy(handler), is_broken
        if not is_broken:
            healthy_at = time.monotonic()
            if was_broken and on_recovery is not None:
                await on_recovery()
        elif time.monotonic() - healthy_at > silence_limit:
            raise SlackUnresponsive(f"Slack has not answered for {silence_limit:.0f} s: restart the process.")


async def is_healthy(handler: AsyncSocketModeHandler) -> bool:
    """Connected, and the last ping was answered in time."""
    return bool(await handler.client.is_connected())


def is_up(handler: AsyncSocketModeHandler) -> bool:
    """The same for callers that are not async: the client's own check is a coroutine."""
    client, age = handler.client, last_pong_age(handler)
    session = client.current_session
    is_open = session is not None and not session.closed and not client.stale
    return is_open and (age is None or age < client.ping_interval * PINGS_MISSED)


def last_pong_age(handler: AsyncSocketModeHandler) -> float | None:
    """Seconds since Slack last answered a ping; None before the first answer."""
    answered_at: float | None = handler.client.last_ping_pong_time
    return None if answered_at is None else max(0.0, time.time() - answered_at)


async def close(handler: AsyncSocketModeHandler) -> None:
    """Close the connection and its session."""
    await handler.client.close()  # type: ignore[no-untyped-call]
