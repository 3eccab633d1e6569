"""The one place where a Slack client is made, so that none forgets an address, a proxy or a time limit."""

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
from bots.slack.pace import turn_of_this_task

#: An unanswered call is given up after so many seconds; the lease of an obligation is longer.
TIMEOUT = 15


def proxy_for(url: str, configured: str | None = None) -> str | None:
    """The proxy towards this address: none on this machine, else the setting, else the environment's.

    slack_sdk takes the environment's proxy and ignores NO_PROXY; here both are obeyed.
    """
    host = urlsplit(url).hostname or ""
    if is_loopback(url):
        return None
    if configured:
        return configured
    known = getproxies()
    found = known.get(urlsplit(url).scheme) or known.get("https")
    return None if not found or proxy_bypass(host) else found


def error_of(failure: SlackApiError) -> str:
    """Slack's own word for what is wrong; empty where the answer was none of Slack's (a page, plain text)."""
    said = getattr(failure.response, "data", failure.response)
    return str(said.get("error") or "") if isinstance(said, Mapping) else ""


def status_of(failure: SlackApiError) -> int | None:
    """The HTTP status of the answer, where there was one."""
    said = failure.response
    found = getattr(said, "status_code", getattr(said, "status", None))
    return found if isinstance(found, int) else None


#: Told of each call: the method and what became of it.
Told = Callable[[str, str], None]


class Client(AsyncWebClient):
    """Slack's client, whose calls wait for their turn where they are made for a duty, and are counted."""

    told: Told | None = None
    answered = 0
    """Calls that Slack took, so far."""

    async def api_call(self, api_method: str, **said: Any) -> AsyncSlackResponse:
        """One call; raises SlackApiError, a network error, or Wait before anything was asked."""
        turn, channel = turn_of_this_task(), _channel(said)
        if turn is not None:
            await turn.pacer.turn(api_method, channel, turn.lane, turn.patience)
        outcome = "given up"
        try:
            answer = await super().api_call(api_method, **said)
            outcome = "ok"
            self.answered += 1
            return answer
        except SlackApiError as refused:
            outcome = _refusal(refused)
            if outcome == "429" and turn is not None:
                await turn.pacer.refused(api_method, channel, retry_after(refused))
            raise
        except TimeoutError:
            outcome = "timeout"
            raise
        except (aiohttp.ClientError, OSError):
            outcome = "unreachable"
            raise
        finally:
            if self.told is not None:
                self.told(api_method, outcome)


def _channel(said: Mapping[str, Any]) -> str | None:
    for each in (said.get("json"), said.get("params"), said.get("data")):
        if isinstance(each, Mapping) and each.get("channel"):
            return str(each["channel"])
    return None


def _refusal(refused: SlackApiError) -> str:
    status = status_of(refused) or 200
    if is_flood(refused):
        return "429"
    return "5xx" if status >= 500 else "refused"


def is_flood(refused: SlackApiError) -> bool:
    """True where Slack asks for a pause."""
    return status_of(refused) == 429 or error_of(refused) in ("ratelimited", "rate_limited")


def retry_after(refused: SlackApiError) -> float:
    """For how many seconds; half a minute where it does not say."""
    said = getattr(refused.response, "headers", None) or {}
    after = {str(name).lower(): value for name, value in said.items()}.get("retry-after", 30)
    return float(after[0] if isinstance(after, list) else after)


def make_client(token: str | None, base_url: str, *, proxy: str | None = None) -> Client:
    """A client that repeats nothing by itself: a line cut after Slack acted would post twice.

    What is tried again, and when, is the obligation's affair.
    """
    client = Client(token, base_url=base_url, timeout=TIMEOUT, retry_handlers=[])
    # The constructor took the environment's; assigned afterwards it stays as chosen.
    client.proxy = proxy_for(client.base_url, proxy)
    return client
