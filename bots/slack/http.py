"""HTTP instead of Socket Mode: the address that Slack calls, with the signature checked by bolt."""

from __future__ import annotations

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/slack/events"


def routes(app: AsyncApp) -> list[Route]:
    """The one route; the app must have been built with a signing secret."""
    handler = AsyncSlackRequestHandler(app)

    async def called(request: Request) -> Response:
        return await handler.handle(request)

    return [Route(PATH, called, methods=["POST"])]
