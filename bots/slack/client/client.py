"""Slack's Web API: the only place where a client is made, and what a failed call means.

Its address, its proxy and the time limit of a call are set here.
"""

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.loopback import is_loopback
from bots.slack.client.block_kit import Block
from bots.slack.client.refused_blocks import (
    REFUSED_BLOCKS,
    REFUSED_VIEW,
    SURFACES,
    BlockSupport,
    blocks_of,
    drawn,
    kinds_in,
    plainer,
    with_blocks,
)
from bots.slack.client.slack_limits import current_task

log = logging.getLogger("amends.slack")

#: Time limit of a call in seconds; shorter than the lease of an obligation.
TIMEOUT = 15
#: Network errors below Slack's own answers.
NETWORK = (aiohttp.ClientError, TimeoutError, OSError)
#: Slack's error codes for a problem of its own at this moment.
_OUTAGE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
#: The message was deleted in Slack.
GONE = frozenset({"message_not_found", "thread_not_found"})
#: Error codes that another try will not change. A wrong token is not among them, because it is soon corrected.
PERMANENT: frozenset[str] = frozenset(
    {
        "as_user_not_supported", "cannot_dm_bot", "cant_delete_message", "cant_update_message",
        "channel_not_found", "ekm_access_denied", "file_not_found", "invalid_arguments",
        "invalid_blocks", "invalid_blocks_format", "is_archived", "messages_tab_disabled",
        "msg_too_long", "no_permission", "no_text", "not_in_channel", "restricted_action",
        "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible",
    }
)  # fmt: skip
#: Error codes for a trigger that is too old (about 3 seconds) or was used before.
_EXPIRED_TRIGGER = frozenset(
    {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"}
)

#: Called after each call with the method and its outcome.
CallObserver = Callable[[str, str], None]


class SlackClient(AsyncWebClient):
    """Slack's client: calls made for an obligation keep the rate limits, and all calls are counted."""

    on_result: CallObserver | None = None
    answered_calls = 0
    """Calls that Slack accepted since the start."""
    plain_notice = ""
    """What a view says first whose blocks Slack refused."""
    support: BlockSupport | None = None
    """What the workspace shows of Slack's newer blocks; without it they are drawn plain."""

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        """One call; blocks that Slack refuses are sent once more in a plainer form, so that nothing is lost.

        Raises SlackApiError, a network error, or RateLimitWait before anything is sent.
        """
        arguments, surface = options.get("json"), SURFACES.get(api_method)
        if surface is None or not isinstance(arguments, Mapping):
            return await self._call(api_method, **options)
        support, refused = self.support, frozenset[str]()
        kinds = (
            await support.kinds(surface, untried=True) if support and kinds_in(blocks_of(arguments)) else ()
        )
        sent = with_blocks(arguments, kinds)
        while True:
            try:
                answer = await self._call(api_method, **{**options, "json": sent})
                break
            except SlackApiError as failure:
                if error_of(failure) not in (REFUSED_VIEW if surface != "message" else REFUSED_BLOCKS):
                    raise
                newer = kinds_in(blocks_of(sent))
                plain = with_blocks(arguments, ()) if newer else plainer(sent, self.plain_notice)
                if plain is None:
                    raise
                if newer:
                    log.warning(
                        "Slack refused newer blocks of %s (%s); drawn plain", api_method, sorted(newer)
                    )
                else:
                    log_unexpected(f"blocks of {api_method}", failure)
                # A second refusal shows that another thing was wrong with the call.
                refused, sent = newer, plain
        if support is not None:
            await support.learn(surface, refused, accepted=False)
            await support.learn(surface, kinds_in(blocks_of(sent)), accepted=True)
        return answer

    async def certain(self, surface: str, blocks: Sequence[Block]) -> tuple[list[Block], bool]:
        """The blocks with only those newer kinds that were shown before; True if an untried one is left out."""
        if self.support is None or not kinds_in(blocks):
            return drawn(blocks, ()), False
        certain = await self.support.kinds(surface)
        untried = await self.support.kinds(surface, untried=True) - certain
        return drawn(blocks, certain), bool(kinds_in(blocks) & untried)

    async def _call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        task, channel = current_task(), _channel(options)
        if task is not None:
            await task.wait(api_method, channel)
        outcome = "given up"
        try:
            answer = await super().api_call(api_method, **options)
            outcome = "ok"
            self.answered_calls += 1
            return answer
        except SlackApiError as failure:
            outcome = _outcome(failure)
            if outcome == "429" and task is not None:
                await task.limiter.pause(api_method, channel, retry_after(failure))
            raise
        except TimeoutError:
            outcome = "timeout"
            raise
        except (aiohttp.ClientError, OSError):
            outcome = "unreachable"
            raise
        finally:
            if self.on_result is not None:
                self.on_result(api_method, outcome)


def make_client(token: str | None, base_url: str, *, proxy: str | None = None) -> SlackClient:
    """A client without retries of its own: if a connection breaks after Slack acted, a retry would post twice.

    When a call is tried again is decided by its obligation.
    """
    client = SlackClient(token, base_url=base_url, timeout=TIMEOUT, retry_handlers=[])
    # The constructor takes the environment's proxy; what is assigned afterwards is kept.
    client.proxy = proxy_for(client.base_url, proxy)
    return client


def proxy_for(url: str, configured: str | None = None) -> str | None:
    """The proxy towards this address: none on this machine, otherwise the setting, otherwise the environment's.

    slack_sdk takes the environment's proxy and ignores NO_PROXY; here both are obeyed.
    """
    if is_loopback(url):
        return None
    if configured:
        return configured
    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("https")
    return None if not proxy or proxy_bypass(parts.hostname or "") else proxy


def _channel(options: Mapping[str, Any]) -> str | None:
    for arguments in (options.get("json"), options.get("params"), options.get("data")):
        if isinstance(arguments, Mapping) and arguments.get("channel"):
            return str(arguments["channel"])
    return None


def _outcome(failure: SlackApiError) -> str:
    if is_flood(failure):
        return "429"
    return "5xx" if (status_of(failure) or 200) >= 500 else "refused"


async def channel_members(client: AsyncWebClient, channel: str) -> list[str]:
    """The ids of everybody in a channel. Raises SlackApiError."""
    members: list[str] = []
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = await client.conversations_members(channel=channel, limit=200, **more)
        members += [str(member_id) for member_id in answer["members"]]
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return members


def log_unexpected(what: str, failure: BaseException) -> None:
    """Log the type and the place of an unexpected failure; its message may hold people's words and is left out."""
    frames = reversed(traceback.extract_tb(failure.__traceback__)[-4:])
    place = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    code = error_of(failure) if isinstance(failure, SlackApiError) else ""
    log.error("%s failed: %s %s at %s", what, type(failure).__name__, code, place)


def error_of(failure: SlackApiError) -> str:
    """Slack's error code; empty if the answer did not come from Slack's API (a page, plain text)."""
    body = getattr(failure.response, "data", failure.response)
    return str(body.get("error") or "") if isinstance(body, Mapping) else ""


def reason_of(failure: SlackApiError) -> str:
    """Slack's error code, otherwise the status, for logs and outcomes."""
    return error_of(failure) or f"status {status_of(failure)}"


def status_of(failure: SlackApiError) -> int | None:
    """The HTTP status of the answer, if there was one."""
    response = failure.response
    status = getattr(response, "status_code", getattr(response, "status", None))
    return status if isinstance(status, int) else None


def is_trigger_expired(failure: Exception) -> bool:
    """True if the view could not open because the call came too late."""
    return isinstance(failure, SlackApiError) and error_of(failure) in _EXPIRED_TRIGGER


def is_flood(failure: SlackApiError) -> bool:
    return status_of(failure) == 429 or error_of(failure) in ("ratelimited", "rate_limited")


def is_refused(failure: SlackApiError) -> bool:
    """True if Slack certainly did nothing: it answered with an error of the call, or asked for a pause."""
    return is_flood(failure) or (bool(error_of(failure)) and not is_outage(failure))


def is_outage(failure: SlackApiError) -> bool:
    """True if Slack itself has a problem at this moment."""
    return error_of(failure) in _OUTAGE or (status_of(failure) or 200) >= 500


def retry_after(failure: SlackApiError) -> float:
    """Seconds of the pause that Slack asks for; 30 if it names none."""
    headers = getattr(failure.response, "headers", None) or {}
    seconds = {str(name).lower(): value for name, value in headers.items()}.get("retry-after", 30)
    return float(seconds[0] if isinstance(seconds, list) else seconds)


def is_history_closed(failure: SlackApiError) -> bool:
    """True if history cannot be read at all; then a duplicate post is better than a missing one."""
    return error_of(failure) in ("unknown_method", "missing_scope") or status_of(failure) == 404
