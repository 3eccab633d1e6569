"""The Application of python-telegram-bot: routing and sending; polling is our own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from telegram import Update
from telegram.error import NetworkError, TimedOut
from telegram.ext import Application, ContextTypes, TypeHandler
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning

from bots.http_body import is_loopback

App = Application[Any, Any, Any, Any, Any, Any]
#: Told of each call: the method and what became of it.
Told = Callable[[str, str], None]
OnUpdate = Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]

# The public way to the raw answer of getUpdates; PTB would rather parse it, and one bad update ends that.
warnings.filterwarnings("ignore", message=r"Please use 'Bot\.getUpdates'")
# Both the number and the timedelta that will replace it are understood (durations, Retry-After).
warnings.filterwarnings(
    "ignore", message=r"In a future major version attribute", category=PTBDeprecationWarning
)
# It logs whole answers that it cannot read, and an answer may hold somebody's words.
logging.getLogger("telegram.request").setLevel(logging.CRITICAL)


def build_application(token: str, base_url: str, *, told: Told | None = None) -> App:
    """An Application without an Updater. One address gives both `/bot` and `/file/bot`, else files would be
    fetched from the public one. `told` hears of each call."""
    root = base_url.rstrip("/")
    return (
        Application.builder()
        .application_class(_Forgetful)
        .token(token)
        .base_url(f"{root}/bot")
        .base_file_url(f"{root}/file/bot")
        .request(_request(root, told, connections=64))
        .get_updates_request(_request(root, told, connections=2))
        .updater(None)
        .job_queue(None)
        .concurrent_updates(False)
        .build()
    )


class _Forgetful(Application[Any, Any, Any, Any, Any, Any]):
    """Nothing is kept between updates but the record."""

    def _mark_for_persistence_update(self, **_: Any) -> None:
        # The library would remember everybody who ever wrote, for a persistence that is not there.
        return


def route(app: App, on_update: OnUpdate) -> None:
    """Every kind of update, also those that we did not ask for: Telegram keeps what came before we asked, and what
    no handler takes would be put aside and told to staff."""
    app.add_handler(TypeHandler(Update, on_update))


class CountedRequest(HTTPXRequest):
    """HTTP as python-telegram-bot does it, with each call told by its method and outcome."""

    told: Told | None = None

    async def do_request(self, url: str, method: str, *args: Any, **named: Any) -> tuple[int, bytes]:
        """One call; what the library raises is raised."""
        outcome = "given up"
        try:
            status, body = await super().do_request(url, method, *args, **named)
            outcome = _outcome(status)
            return status, body
        except TimedOut as silent:
            outcome = "unreachable" if isinstance(silent.__cause__, httpx.ConnectTimeout) else "timeout"
            raise
        except NetworkError:
            outcome = "unreachable"
            raise
        finally:
            if self.told is not None:
                self.told("file" if "/file/" in url else url.rpartition("/")[2], outcome)


def _outcome(status: int) -> str:
    if status == 429:
        return "429"
    if status >= 500:
        return "5xx"
    return "ok" if status < 400 else "refused"


def _request(root: str, told: Told | None, *, connections: int) -> HTTPXRequest:
    # A proxy of the environment must not stand between us and a server on this machine.
    own = {"trust_env": False} if is_loopback(root) else {}
    made = CountedRequest(connection_pool_size=connections, httpx_kwargs=own)
    made.told = told
    return made
