"""The one place where a Slack client is made, so that none forgets an address, a proxy or a time limit."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.loopback import is_loopback

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


def make_client(token: str | None, base_url: str, *, proxy: str | None = None) -> AsyncWebClient:
    """A client that repeats nothing by itself: a line cut after Slack acted would post twice.

    What is tried again, and when, is the obligation's affair.
    """
    client = AsyncWebClient(token, base_url=base_url, timeout=TIMEOUT, retry_handlers=[])
    # The constructor took the environment's; assigned afterwards it stays as chosen.
    client.proxy = proxy_for(client.base_url, proxy)
    return client
