"""One process from its start to SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

import structlog

from amends.heap import leave_heap, one_heap
from amends.keys import keyring
from amends.parts import PARTS
from amends.parts.web import WebPart, not_now
from amends.service import Service
from amends.settings import Settings, not_counted
from amends.wiring import Desk, require_secrets, web_without_store
from bots.slack.http import PATH as SLACK
from bots.telegram.webhook import PATH as TELEGRAM
from store.alone import alone
from store.engines import database_url
from store.errors import DatabaseAway
from store.keyring import Keyring
from store.migrating import begin
from store.open import Store, open_store

#: SIGTERM drains and stops within ten seconds; what is not done by then is a row and waits.
DRAIN_SECONDS = 6.0
CLOSE_SECONDS = 2.0
#: A database server that is away at the start is asked again so often, for ever.
KNOCK_SECONDS = 2.0
#: A thread that reckons (a proposal, a card) holds Python's lock for so long before another has its turn. A prompt
#: goes through several threads: with the interpreter's own 5 ms it would wait for each of them that long.
TURN_SECONDS = 0.0005

T = TypeVar("T")

log = structlog.get_logger(__name__)


def stops() -> list[signal.Signals]:
    """What ends the process in good order: a terminal that goes, too, unless it was started to outlive it (nohup)."""
    heard = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heard.append(signal.SIGHUP)
    return heard


async def run_desk(settings: Settings, parts: tuple[str, ...] = PARTS) -> None:
    """Start, work, stop. Raises what ended a part, so that whoever watches the process starts it anew.

    An empty database gets its tables here; one of another release is refused (`amends db upgrade`). A database
    server that does not answer is waited for; a file that cannot be opened is not, for it will not mend itself.
    """
    sys.setswitchinterval(TURN_SECONDS)
    one_heap()
    for unknown in settings.unknown:
        log.warning("unknown_variable", what=unknown)
    for left_out in not_counted(settings):
        # Else only `amends check` says that every date counts these days as worked.
        log.warning("not_a_day_off", what=left_out)
    require_secrets(settings, parts)
    with alone(settings.secrets.database_url):
        await _run(settings, parts)


async def _run(settings: Settings, parts: tuple[str, ...]) -> None:
    keys, service = keyring(settings), Service()
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stops():
        loop.add_signal_handler(number, asked.set)
    alive = asyncio.create_task(service.keep_alive())
    try:
        store = await _until(asked, _opened(settings, keys, service, parts))
        if store is not None:
            try:
                await _work(Desk(settings, store, parts=parts), asked, service)
            finally:
                _close(store)
    finally:
        alive.cancel()


async def _opened(settings: Settings, keys: Keyring, service: Service, parts: tuple[str, ...]) -> Store:
    url = settings.secrets.database_url
    waits = database_url(url).get_backend_name() != "sqlite"
    web: WebPart | None = None
    try:
        while True:
            try:
                return await asyncio.to_thread(_open, url, keys)
            except DatabaseAway as away:
                if not waits:
                    raise
                if web is None and "web" in parts:
                    # Whoever restarts processes that do not answer must hear that this one lives.
                    web = web_without_store(settings)
                    await web.begin({TELEGRAM: not_now, SLACK: not_now})
                log.error("database_away", why=str(away), remedy="start it, or correct AMENDS_DATABASE_URL")
                service.waits_for("the database")
            await asyncio.sleep(KNOCK_SECONDS)
    finally:
        if web is not None:
            await web.end()


def _open(url: str, keys: Keyring) -> Store:
    begin(url)
    return open_store(url, keys)


def _close(store: Store) -> None:
    """Close it; where a database hangs with our question in hand, end all the same.

    A thread that waits for it cannot be ended, and the interpreter would wait for the thread. Nothing is lost:
    what was acknowledged is committed, and the rest is asked or done again.
    """
    closing = Thread(target=store.close, name="closing", daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
    leave_heap()
    if closing.is_alive():
        log.warning("stopped_without_the_database")
        logging.shutdown()
        os._exit(0)


async def _until(asked: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives; None when we are asked to stop before it ends."""
    stopping, working = asyncio.create_task(asked.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (stopping, working):
            task.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)


async def _work(desk: Desk, asked: asyncio.Event, service: Service) -> None:
    try:
        # Asked to stop in the middle of a start: the same way out.
        await _until(asked, _start(desk, service))
    finally:
        service.stopping()
        try:
            await asyncio.wait_for(desk.stop(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("stopped_before_all_was_done")


async def _start(desk: Desk, service: Service) -> None:
    """Start, then stay until a part ends by itself, which it does only by failing."""
    while True:
        try:
            await desk.start()
            break
        except DatabaseAway as away:
            # It answered a moment ago: what was begun is begun again.
            log.error("database_away", why=str(away), remedy="start it, or correct AMENDS_DATABASE_URL")
            service.waits_for("the database")
            await asyncio.sleep(KNOCK_SECONDS)
    service.ready()
    await desk.failed()
