"""The webhook's endpoint: 200 after the commit, 503 while the store is away or silent, the secret before all."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bots.http_body import body_of
from bots.telegram.intake import Intake

PATH = "/telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
#: A store that is silent for so many seconds is as good as away: Telegram brings the update again.
ANSWERS_WITHIN = 5.0
#: So many updates may wait for a silent store, whoever else calls hears 503 at once.
MOST_WAITING = 128

log = structlog.get_logger(__name__)


def webhook(intake: Intake, secret: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/telegram`; raises ValueError without a secret, which would let anybody write."""
    if not secret:
        raise ValueError("a webhook needs a secret: set AMENDS_TELEGRAM_WEBHOOK_SECRET")

    taking = set[asyncio.Task[None]]()

    async def is_taken(raw: dict[str, Any]) -> bool:
        """False where nobody knows yet; then it goes on behind its chat's earlier ones, and its key tells a repeat.

        It is never broken off: a thread that writes cannot be, and a later word must not overtake it.
        """
        if len(taking) >= MOST_WAITING:
            log.warning("update_not_taken", error="too many wait for the store")
            return False
        task = asyncio.create_task(intake.take(raw))
        taking.add(task)
        task.add_done_callback(over)
        done, _ = await asyncio.wait({task}, timeout=ANSWERS_WITHIN)
        if not done:
            log.warning("update_not_taken", error="the store is silent")
        return bool(done) and not task.cancelled() and task.exception() is None

    def over(task: asyncio.Task[None]) -> None:
        taking.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:
            # Whatever it was, Telegram brings the update again.
            log.error("update_not_taken", error=type(wrong).__name__)

    async def endpoint(request: Request) -> Response:
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return Response(status_code=401)
        body = await body_of(request)
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
