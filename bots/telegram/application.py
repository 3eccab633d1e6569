"""The `Application` of python-telegram-bot, used for routing and sending; polling has its own module."""

import logging
import warnings
from collections.abc import Callable
from typing import Any

import httpx
from telegram.error import NetworkError, TimedOut
from telegram.ext import Application
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning

from bots.loopback import is_loopback

App = Application[Any, Any, Any, Any, Any, Any]
#: Called with an API method, or the kind of an obligation, and the result.
OnResult = Callable[[str, str], None]

# Polling needs the raw answer of getUpdates: the library parses it whole, and one bad update would fail all.
warnings.filterwarnings("ignore", message=r"Please use 'Bot\.getUpdates'")
# Our code accepts durations and Retry-After both as numbers and as timedelta.
warnings.filterwarnings(
    "ignore", message=r"In a future major version attribute", category=PTBDeprecationWarning
)
# It logs answers that it cannot parse in full, and an answer may contain a complainant's words.
logging.getLogger("telegram.request").setLevel(logging.CRITICAL)


def build_application(token: str, base_url: str, *, on_result: OnResult | None = None) -> App:
    """An Application without an Updater; `on_result` is called with the result of each API call.

    Both `/bot` and `/file/bot` are set from one address: otherwise files would come from the public server.
    """
    root = base_url.rstrip("/")
    return (
        Application.builder()
        .application_class(_StatelessApplication)
        .token(token)
        .base_url(f"{root}/bot")
        .base_file_url(f"{root}/file/bot")
        .request(_request(root, on_result, connections=64))
        .get_updates_request(_request(root, on_result, connections=2))
        .updater(None)
        .job_queue(None)
        .concurrent_updates(False)
        .build()
    )


class _StatelessApplication(Application[Any, Any, Any, Any, Any, Any]):
    def _mark_for_persistence_update(self, **_: Any) -> None:
        # The library would collect the ids of all users in memory, for a persistence that we do not use.
        return


class CountedRequest(HTTPXRequest):
    """The library's HTTP client; reports the method and the result of each call."""

    on_result: OnResult | None = None

    async def do_request(self, url: str, method: str, *args: Any, **named: Any) -> tuple[int, bytes]:
        """One call; the library's errors are raised unchanged."""
        result = "given up"
        try:
            status, body = await super().do_request(url, method, *args, **named)
            result = _result(status)
            return status, body
        except TimedOut as error:
            result = "unreachable" if isinstance(error.__cause__, httpx.ConnectTimeout) else "timeout"
            raise
        except NetworkError:
            result = "unreachable"
            raise
        finally:
            if self.on_result is not None:
                self.on_result("file" if "/file/" in url else url.rpartition("/")[2], result)


def _result(status: int) -> str:
    if status == 429:
        return "429"
    if status >= 500:
        return "5xx"
    return "ok" if status < 400 else "refused"


def _request(root: str, on_result: OnResult | None, *, connections: int) -> HTTPXRequest:
    # A server on this machine must not be called through a proxy from the environment.
    httpx_options = {"trust_env": False} if is_loopback(root) else {}
    request = CountedRequest(connection_pool_size=connections, httpx_kwargs=httpx_options)
    request.on_result = on_result
    return request
