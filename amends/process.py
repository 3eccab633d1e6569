"""What systemd is told (`Type=notify`): ready, alive, stopping; a datagram to the socket that it names.

The memory of a process that runs for months.

One process from its start to SIGTERM.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Mapping
from threading import Thread
from typing import Any, TypeVar

import structlog

from amends.keys import keyring
from amends.runtime.names import PARTS
from amends.runtime.web import WebPart, not_now
from amends.settings import Settings, not_counted
from amends.wiring import Application, require_secrets, web_without_store
from bots.slack.client.http import PATH as SLACK
from bots.telegram.webhook import PATH as TELEGRAM
from store.database.engine import database_url
from store.database.errors import DatabaseUnavailable
from store.database.keyring import Keyring
from store.database.leases import hold_database_file
from store.database.migrate import begin
from store.store import Store, open_store

log = structlog.get_logger(__name__)


class Service:
    """The line to whoever started this process; without NOTIFY_SOCKET nobody listens and nothing is sent."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        self._address = env.get("NOTIFY_SOCKET", "")
        meant_for_us = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watched = int(env.get("WATCHDOG_USEC", "0")) / 1e6 if meant_for_us else 0.0

    def ready(self) -> None:
        """Every part was started: what depends on us may start, too."""
        self._tell("READY=1\nSTATUS=Working")

    def stopping(self) -> None:
        """Finishing what was begun."""
        self._tell("STOPPING=1\nSTATUS=Finishing what was begun")

    def waits_for(self, what: str) -> None:
        """Why we are not ready yet, for `systemctl status`; a start that waits for ever must not time out."""
        self._tell(f"STATUS=Waiting for {what}\nEXTEND_TIMEOUT_USEC=60000000")

    async def keep_alive(self) -> None:
        """Say that the loop turns, twice in each span that the watchdog allows; until cancelled.

        A loop that is stuck says nothing, and systemd starts the process anew.
        """
        if not self._watched:
            return
        while True:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watched / 2)

    def _tell(self, what: str) -> None:
        if not self._address:
            return
        # A name in the abstract namespace is written with an @ where the kernel wants a zero byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.sendto(what.encode(), address)
        except OSError as wrong:
            log.warning("service_not_told", why=type(wrong).__name__)


#: `M_ARENA_MAX` of the GNU C library (malloc.h).
_HEAPS = -8


def one_heap() -> None:
    """All threads from now on take their memory from one heap.

    The GNU C library gives each thread one of its own. What one thread takes and another gives back, as rows and
    answers are, leaves holes there that are neither used nor returned: 5 MB in 100,000 messages, without end.
    Another C library has no such heaps, and whoever set MALLOC_ARENA_MAX has decided.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None and "MALLOC_ARENA_MAX" not in os.environ:
        tune(_HEAPS, 1)


def leave_heap() -> None:
    """What this process still holds goes with it.

    On its way out the interpreter would look through every object once more, which with a model in memory takes
    seconds on a busy machine: of the ten that a stop may last.
    """
    gc.disable()
    gc.freeze()


#: SIGTERM drains and stops within ten seconds; what is not done by then is a row and waits.
DRAIN_SECONDS = 6.0
CLOSE_SECONDS = 2.0
#: A database server that is away at the start is asked again so often, for ever.
KNOCK_SECONDS = 2.0
#: A thread that reckons (a proposal, a card) holds Python's lock for so long before another has its turn. A prompt
#: goes through several threads: with the interpreter's own 5 ms it would wait for each of them that long.
TURN_SECONDS = 0.0005

T = TypeVar("T")


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
    with hold_database_file(settings.secrets.database_url):
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
                await _work(Application(settings, store, parts=parts), asked, service)
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
            except DatabaseUnavailable as away:
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


async def _work(desk: Application, asked: asyncio.Event, service: Service) -> None:
    try:
        # Asked to stop in the middle of a start: the same way out.
        await _until(asked, _start(desk, service))
    finally:
        service.stopping()
        try:
            await asyncio.wait_for(desk.stop(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("stopped_before_all_was_done")


async def _start(desk: Application, service: Service) -> None:
    """Start, then stay until a part ends by itself, which it does only by failing."""
    while True:
        try:
            await desk.start()
            break
        except DatabaseUnavailable as away:
            # It answered a moment ago: what was begun is begun again.
            log.error("database_away", why=str(away), remedy="start it, or correct AMENDS_DATABASE_URL")
            service.waits_for("the database")
            await asyncio.sleep(KNOCK_SECONDS)
    service.ready()
    await desk.failed()
