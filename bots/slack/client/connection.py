"""How payloads reach the app: over a Socket Mode connection that is watched, or over HTTP at the address PATH."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import Response

from bots.http_body import read_body
from bots.slack.client.client import log_unexpected, proxy_for
from bots.slack.payloads import wrong_field

log = structlog.get_logger(__name__)

PATH = "/slack/events"

#: Seconds since 1970 have ten digits until the year 2286.
MAX_TIMESTAMP_DIGITS = 12
#: Seconds without an answer after which an open connection counts as dead (docs/subsystems/card.md, "Slack").
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
    await handler.client.close()  # type: ignore[no-untyped-call]


def http_handler(app: AsyncApp) -> Callable[[Request], Awaitable[Response]]:
    """What answers at PATH; the app must have been built with a signing secret.

    It answers 200 only if a listener acknowledged, which happens after the commit. In any other case Slack shows an
    error to the person, or sends the event again.
    """

    # bolt checks the signature only after it has read the payload, which fails if a field has another type.
    verifier = SignatureVerifier(app._signing_secret)  # noqa: SLF001  # bolt has no public name for it

    async def called(request: Request) -> Response:
        if not _may_be_signed(request):
            return Response(status_code=401)
        body = await read_body(request)
        if isinstance(body, Response):
            return body
        payload = _payload(body)
        if (wrong := wrong_field(payload)) is not None:
            # Nothing that a listener could read. Slack would repeat it and count it as our failure.
            if payload is None:
                return Response(status_code=400)
            if not verifier.is_valid_request(body, dict(request.headers)):
                return Response(status_code=401)
            log.warning("slack_call_not_understood", field=wrong)
            return Response(status_code=200)
        try:
            bolt_request = to_async_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return Response(status_code=400)
        try:
            answer = await app.async_dispatch(bolt_request)
        except Exception as failure:  # noqa: BLE001 - logged by its type; Slack must not count it as done
            log_unexpected("a call of Slack", failure)
            return Response(status_code=503)
        if answer.status == 404:
            log.warning("slack_call_not_understood", field="type")
            # A form of another release stays open with what was typed: 200 would close it.
            return Response(status_code=404 if (payload or {}).get("type") == "view_submission" else 200)
        return to_starlette_response(answer)

    return called


def _payload(body: bytes) -> Mapping[str, Any] | None:
    """The JSON object of a call, or the fields of a form; None if it is neither."""
    try:
        text = body.decode()
        if not text.lstrip().startswith(("{", "[")):
            fields = dict(parse_qsl(text))
            if "payload" not in fields:
                return fields or None
            text = fields["payload"]
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, Mapping) else None


def _may_be_signed(request: Request) -> bool:
    """False if bolt could not read the timestamp or the signature: it would fail, and we would answer 503."""
    stamp = request.headers.get("x-slack-request-timestamp", "0")
    signature = request.headers.get("x-slack-signature", "")
    has_timestamp = stamp.isascii() and stamp.isdecimal() and len(stamp) <= MAX_TIMESTAMP_DIGITS
    return has_timestamp and signature.isascii()
