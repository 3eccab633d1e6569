"""The only place where a Slack client is made, so that its address, proxy and time limit are always set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.http_body import is_loopback
from bots.slack.client.errors import is_flood, retry_after, status_of
from bots.slack.client.rate_limit import current_task

#: Time limit of a call in seconds; shorter than the lease of an obligation.
TIMEOUT = 15

#: Called after each call with the method and its outcome.
CallObserver = Callable[[str, str], None]


class SlackClient(AsyncWebClient):
    """Slack's client: calls made for an obligation keep the rate limits, and all calls are counted."""

    on_result: CallObserver | None = None
    answered_calls = 0
    """Calls that Slack accepted since the start."""

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        """One call. Raises SlackApiError, a network error, or RateLimitWait before anything is sent."""
        task, channel = current_task(), _channel(options)
        if task is not None:
            await task.limiter.wait(api_method, channel, task.priority, task.patience)
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
