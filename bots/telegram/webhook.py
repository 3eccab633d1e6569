"""The webhook endpoint: 200 after the commit, 503 while the store does not answer, 401 without the secret."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bots.http_body import read_body
from bots.telegram.intake import Intake

PATH = "/telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
#: If the store is silent for this many seconds, answer 503: Telegram sends the update again.
TIMEOUT_SECONDS = 5.0
#: At most this many updates wait for a silent store; further calls get 503 at once.
MAX_WAITING_UPDATES = 128

log = structlog.get_logger(__name__)


def create_endpoint(intake: Intake, secret: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/telegram`; raises ValueError without a secret, which would let anybody send updates."""
    if not secret:
        raise ValueError("a webhook needs a secret: set AMENDS_TELEGRAM_WEBHOOK_SECRET")

    waiting = set[asyncio.Task[None]]()

    async def is_taken(raw: dict[str, Any]) -> bool:
        """True once the update is stored; False while that is unknown.

        An update is never cancelled: its writing thread cannot be, and later updates of the chat must not
        overtake it. It continues, and its key makes the repeat from Telegram harmless.
        """
        if len(waiting) >= MAX_WAITING_UPDATES:
            log.warning("update_not_taken", error="too many wait for the store")
            return False
        task = asyncio.create_task(intake.take(raw))
        waiting.add(task)
        task.add_done_callback(on_done)
        done, _ = await asyncio.wait({task}, timeout=TIMEOUT_SECONDS)
        if not done:
            log.warning("update_not_taken", error="the store is silent")
        return bool(done) and not task.cancelled() and task.exception() is None

    def on_done(task: asyncio.Task[None]) -> None:
        waiting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Telegram sends the update again.
            log.error("update_not_taken", error=type(error).__name__)

    async def endpoint(request: Request) -> Response:
        received_secret = request.headers.get(HEADER, "")
        if not hmac.compare_digest(received_secret.encode(), secret.encode()):
            return Response(status_code=401)
        body = await read_body(request)
        if isinstance(body, Response):
            return body
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            return Response(status_code=400)
        if not isinstance(raw, dict):
            return Response(status_code=400)
        return Response(status_code=200 if await is_taken(raw) else 503)

    return endpoint
