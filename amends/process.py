"""One process of the product: from its start until SIGTERM, its memory, and its reports to systemd."""

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
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import structlog

from amends.log_head import advance_head, head_file
from amends.runtime import PARTS
from amends.runtime.web import WebPart, unavailable_hook
from amends.settings import Settings, all_ignored_closures
from amends.wiring import Application, require_secrets, web_without_store
from bots.slack.client.connection import PATH as SLACK
from bots.telegram.webhook import PATH as TELEGRAM
from store.custody.secret_keys import require_keys
from store.database.engine import database_url
from store.database.errors import AlteredSchema, DatabaseUnavailable
from store.database.keyring import Keyring
from store.database.leases import hold_database_file
from store.database.migrate import ensure_tables
from store.store import Store, open_store
from triage.processes.child_process import end_children

#: A stop must take less than ten seconds. In seconds: for finishing running work, and for closing the database.
DRAIN_SECONDS, CLOSE_SECONDS = 6.0, 2.0
#: If the database is down at the start, retry this often, in seconds and without limit.
RECONNECT_SECONDS = 2.0
#: In seconds. A computing thread (a proposal, a card) keeps Python's lock this long before it must give it to another
#: thread. A message passes through several threads: with the interpreter's 5 ms it would wait that long for each.
SWITCH_INTERVAL_SECONDS = 0.0005

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


async def run_application(settings: Settings, parts: tuple[str, ...] = PARTS) -> None:
    """Run until a stop signal. Raises the error that ended a part, so that systemd restarts the process.

    An empty database gets its tables; tables of another release are refused (`amends db upgrade`). A database server
    that does not answer is retried without limit. A database file that cannot be opened ends the start: retrying
    would not help.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    use_one_heap()
    for variable in settings.unknown:
        log.warning("unknown_variable", what=variable)
    for event in all_ignored_closures(settings):
        # Every date counts these days as working days, and without this line only `amends check` would report it.
        log.warning("not_a_day_off", what=event)
    require_secrets(settings, parts)
    with hold_database_file(settings.secrets.database_url):
        await _run(settings, parts)


async def _run(settings: Settings, parts: tuple[str, ...]) -> None:
    keys, systemd = Keyring(settings.secrets.keys()), SystemdNotifier()
    stop_requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stop_requested.set)
    watchdog = asyncio.create_task(systemd.keep_alive())
    try:
        store = await _unless_stopped(stop_requested, _open_when_available(settings, keys, systemd, parts))
        if store is not None:
            try:
                await _work(Application(settings, store, parts=parts), stop_requested, systemd)
            finally:
                _close(store)
    finally:
        watchdog.cancel()


def stop_signals() -> list[signal.Signals]:
    """The signals that stop the process in good order.

    SIGHUP (the terminal was closed) is one of them, unless the process was started with nohup.
    """
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


async def _open_when_available(
    settings: Settings, keys: Keyring, systemd: SystemdNotifier, parts: tuple[str, ...]
) -> Store:
    url = settings.secrets.database_url
    is_server = database_url(url).get_backend_name() != "sqlite"
    web: WebPart | None = None
    try:
        while True:
            try:
                return await asyncio.to_thread(_open, url, keys, head_file(settings))
            except DatabaseUnavailable as unavailable:
                if not is_server or isinstance(unavailable, AlteredSchema):
                    raise
                if web is None and "web" in parts:
                    # An orchestrator that restarts processes without an answer must see that this one is alive.
                    web = web_without_store(settings)
                    await web.start({TELEGRAM: unavailable_hook, SLACK: unavailable_hook})
                _report_unavailable(unavailable, systemd)
            await asyncio.sleep(RECONNECT_SECONDS)
    finally:
        if web is not None:
            await web.stop()


def _report_unavailable(unavailable: DatabaseUnavailable, systemd: SystemdNotifier) -> None:
    log.error("database_away", why=str(unavailable), remedy="start it, or correct AMENDS_DATABASE_URL")
    systemd.waiting_for("the database")


def _open(url: str, keys: Keyring, head: Path) -> Store:
    """The store. Raises OlderDatabase if it lacks what the desk had."""
    ensure_tables(url)
    store = open_store(url, keys)
    try:
        store.read(require_keys)
        advance_head(store, head)
    except OSError as error:
        log.warning("log_head_not_written", why=type(error).__name__, remedy=f"let this account write {head}")
    except BaseException:
        store.close()
        raise
    return store


async def _work(application: Application, stop_requested: asyncio.Event, systemd: SystemdNotifier) -> None:
    try:
        # A stop that arrives during the start ends it the same way.
        await _unless_stopped(stop_requested, _start(application, systemd))
    finally:
        systemd.stopping()
        try:
            await asyncio.wait_for(application.stop(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("stopped_before_all_was_done")
        end_children()


async def _start(application: Application, systemd: SystemdNotifier) -> None:
    """Start, then wait until a part ends, which it does only by failing."""
    while True:
        try:
            await application.start()
            break
        except DatabaseUnavailable as unavailable:
            # It answered a moment ago and went away during the start: start again from the beginning.
            _report_unavailable(unavailable, systemd)
            await asyncio.sleep(RECONNECT_SECONDS)
    systemd.ready()
    await application.wait_for_failure()


async def _unless_stopped(stop_requested: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of the work; None if a stop is requested first, which cancels it."""
    stopping, working = asyncio.create_task(stop_requested.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (stopping, working):
            task.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)


def _close(store: Store) -> None:
    """Close the store; if the database hangs during a query, end the process without it.

    A thread that waits for the database cannot be ended, and the interpreter would wait for the thread. Nothing is
    lost: what was acknowledged is committed, and all other work is sent or done again.
    """
    closing = Thread(target=store.close, name="closing", daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
    skip_garbage_collection_at_exit()
    if closing.is_alive():
        log.warning("stopped_without_the_database")
        logging.shutdown()
        os._exit(0)


class SystemdNotifier:
    """Reports the process's state to systemd (`Type=notify`) by datagrams to the socket named in NOTIFY_SOCKET.

    Without NOTIFY_SOCKET nothing is sent.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        self._address = env.get("NOTIFY_SOCKET", "")
        is_for_this_process = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog_seconds = int(env.get("WATCHDOG_USEC", "0")) / 1e6 if is_for_this_process else 0.0

    def ready(self) -> None:
        """Every part was started: systemd may start the services that depend on this one."""
        self._send("READY=1\nSTATUS=Working")

    def stopping(self) -> None:
        """The process finishes running work and then ends."""
        self._send("STOPPING=1\nSTATUS=Finishing running work")

    def waiting_for(self, resource: str) -> None:
        """Show in `systemctl status` what the start waits for, and give it another 60 s before it times out."""
        self._send(f"STATUS=Waiting for {resource}\nEXTEND_TIMEOUT_USEC=60000000")

    async def keep_alive(self) -> None:
        """Feed systemd's watchdog twice in each of its intervals, until cancelled.

        If the event loop is stuck nothing is sent, and systemd restarts the process.
        """
        if not self._watchdog_seconds:
            return
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 2)

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # The environment writes an @ for the zero byte that starts a name in the abstract namespace.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify_socket:
                notify_socket.sendto(state.encode(), address)
        except OSError as wrong:
            log.warning("service_not_told", why=type(wrong).__name__)


#: `M_ARENA_MAX` of the GNU C library (malloc.h).
_ARENA_MAX = -8


def use_one_heap() -> None:
    """Make all threads allocate from one heap from now on.

    The GNU C library gives each thread its own heap. Rows and replies are allocated in one thread and freed in
    another, which leaves holes there that are neither reused nor returned: 5 MB in 100,000 messages, without limit.
    Other C libraries have no such heaps. If MALLOC_ARENA_MAX is set, the operator has decided, and nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_ARENA_MAX, 1)


def skip_garbage_collection_at_exit() -> None:
    """Let the process end without a last garbage collection.

    The interpreter would look at every object once more. With a model in memory that takes seconds on a busy machine,
    out of the ten that a stop may take.
    """
    gc.disable()
    gc.freeze()
