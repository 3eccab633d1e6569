"""Socket Mode: the line to Slack, and the watch that says when it went deaf."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bots.slack.client import proxy_for

#: A line that has been silent for so long is deaf, whatever it says of itself (docs/design.md, "Slack").
DEAF_AFTER = 120.0
_LOOK_EVERY = 5.0

#: As the client counts: of so many pings in a row none was answered.
PINGS_MISSED = 4

log = logging.getLogger("amends.slack.socket")


class WentDeaf(Exception):
    """No answer to our pings: the process must start anew, for a handler cannot be mended from inside."""


#: Hears what Slack says of the line itself: `hello` and `disconnect` frames.
Heard = Callable[[Mapping[str, Any]], None]


async def connect(
    app: AsyncApp, app_token: str, *, ping_interval: float = 10, heard: Heard | None = None
) -> AsyncSocketModeHandler:
    """Open the line; raises SlackApiError where the token or the app's settings are wrong."""
    handler = AsyncSocketModeHandler(app, app_token, web_client=app.client, ping_interval=ping_interval)

    async def frame(_: Any, message: dict[str, Any], _raw: str | None) -> None:
        if heard is not None and message.get("type") in ("hello", "disconnect"):
            heard(message)

    handler.client.message_listeners.append(frame)
    # The client took the environment's proxy, which NO_PROXY does not keep it from.
    handler.client.proxy = proxy_for(app.client.base_url, app.client.proxy)
    await handler.client.connect()  # type: ignore[no-untyped-call]
    return handler


async def watch(
    handler: AsyncSocketModeHandler,
    *,
    deaf_after: float = DEAF_AFTER,
    recovered: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Runs until the line went deaf for so many seconds, then raises WentDeaf; cancel it to stop.

    `recovered` is called when a line that was away is well again.
    """
    well, was_away = time.monotonic(), False
    while True:
        await asyncio.sleep(min(_LOOK_EVERY, deaf_after / 4))
        was_away, before = not await is_well(handler), was_away
        if not was_away:
            well = time.monotonic()
            if before and recovered is not None:
                await recovered()
        elif time.monotonic() - well > deaf_after:
            raise WentDeaf(f"Slack has not answered for {deaf_after:.0f} s: start the process anew.")


async def is_well(handler: AsyncSocketModeHandler) -> bool:
    """Connected, and the last ping was answered in time."""
    return bool(await handler.client.is_connected())


def is_up(handler: AsyncSocketModeHandler) -> bool:
    """The same for whoever cannot wait for it: the client's own question is a coroutine."""
    client, age = handler.client, last_pong_age(handler)
    session = client.current_session
    stands = session is not None and not session.closed and not client.stale
    return stands and (age is None or age < client.ping_interval * PINGS_MISSED)


def last_pong_age(handler: AsyncSocketModeHandler) -> float | None:
    """Seconds since Slack last answered a ping; None before the first answer."""
    at: float | None = handler.client.last_ping_pong_time
    return None if at is None else max(0.0, time.time() - at)


async def close(handler: AsyncSocketModeHandler) -> None:
    """Close the line and what it holds."""
    await handler.client.close()  # type: ignore[no-untyped-call]
