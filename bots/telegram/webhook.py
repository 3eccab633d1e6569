"""The webhook's endpoint: 200 after the commit, 503 while the store is away, the secret before all."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bots.bodies import body_of
from bots.telegram.intake import Intake

HEADER = "X-Telegram-Bot-Api-Secret-Token"

log = structlog.get_logger(__name__)


def webhook(intake: Intake, secret: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/telegram`; raises ValueError without a secret, which would let anybody write."""
    if not secret:
        raise ValueError("a webhook needs a secret: set AMENDS_TELEGRAM_WEBHOOK_SECRET")

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
        try:
            await intake.take(raw)
        except Exception as wrong:  # noqa: BLE001  # whatever it was, Telegram must bring the update again
            log.error("update_not_taken", error=type(wrong).__name__)
            return Response(status_code=503)
        return Response(status_code=200)

    return endpoint
