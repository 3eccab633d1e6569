"""HTTP instead of Socket Mode: the address that Slack calls; bolt checks the signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import Response

from bots.http_body import read_body
from bots.slack.client.errors import log_unexpected

PATH = "/slack/events"

#: Seconds since 1970 have ten digits until the year 2286.
MAX_TIMESTAMP_DIGITS = 12


def handler(app: AsyncApp) -> Callable[[Request], Awaitable[Response]]:
    """What answers at PATH; the app must have been built with a signing secret.

    It answers 200 only if a listener acknowledged, which happens after the commit. In any other case Slack shows an
    error to the person, or sends the event again.
    """

    async def called(request: Request) -> Response:
        if not _may_be_signed(request):
            return Response(status_code=401)
        body = await read_body(request)
        if isinstance(body, Response):
            return body
        try:
            bolt_request = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError, RecursionError):
            # Slack sends no such body; it cannot be read, so there is no signature to check.
            return Response(status_code=400)
        try:
            answer = await app.async_dispatch(bolt_request)
        except Exception as failure:  # noqa: BLE001 - logged by its type; Slack must not count it as done
            log_unexpected("a call of Slack", failure)
            return Response(status_code=503)
        return to_starlette_response(answer)

    return called


def _may_be_signed(request: Request) -> bool:
    """False if bolt could not read the timestamp or the signature: it would fail, and we would answer 503."""
    stamp = request.headers.get("x-slack-request-timestamp", "0")
    signature = request.headers.get("x-slack-signature", "")
    has_timestamp = stamp.isascii() and stamp.isdecimal() and len(stamp) <= MAX_TIMESTAMP_DIGITS
    return has_timestamp and signature.isascii()
