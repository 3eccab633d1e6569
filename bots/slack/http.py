"""HTTP instead of Socket Mode: the address that Slack calls, with the signature checked by bolt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import Response

from bots.http_body import body_of
from bots.slack.telling import unexpected

PATH = "/slack/events"
#: Seconds since 1970 have ten digits until the year 2286.
MOST_DIGITS = 12


def handler(app: AsyncApp) -> Callable[[Request], Awaitable[Response]]:
    """What answers at PATH; the app must have been built with a signing secret.

    200 only where a listener acknowledged, which it does after the commit: whatever else happens, Slack tells the
    person or sends the event again.
    """

    async def called(request: Request) -> Response:
        if not _may_be_signed(request):
            return Response(status_code=401)
        body = await body_of(request)
        if isinstance(body, Response):
            return body
        try:
            asked = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError, RecursionError):
            # Not what Slack sends: it cannot even be read, so there is nothing to check the signature of.
            return Response(status_code=400)
        try:
            answer = await app.async_dispatch(asked)
        except Exception as failure:  # noqa: BLE001 - logged by its kind; Slack must not take it for done
            unexpected("a call of Slack", failure)
            return Response(status_code=503)
        return to_starlette_response(answer)

    return called


def _may_be_signed(request: Request) -> bool:
    """False where bolt could not even read when and how it was signed: it would break over it, as if by our fault."""
    stamp = request.headers.get("x-slack-request-timestamp", "0")
    signature = request.headers.get("x-slack-signature", "")
    dated = stamp.isascii() and stamp.isdecimal() and len(stamp) <= MOST_DIGITS
    return dated and signature.isascii()
