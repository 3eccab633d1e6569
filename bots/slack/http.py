"""HTTP instead of Socket Mode: the address that Slack calls, with the signature checked by bolt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import Response

PATH = "/slack/events"


def handler(app: AsyncApp) -> Callable[[Request], Awaitable[Response]]:
    """What answers at PATH; the app must have been built with a signing secret."""
    adapter = AsyncSlackRequestHandler(app)

    async def called(request: Request) -> Response:
        return await adapter.handle(request)

    return called
