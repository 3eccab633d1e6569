"""Notify the processes that share a PostgreSQL database of new work, by NOTIFY on a connection of its own.

NOTIFY inside the writing transactions would queue all commits behind one lock. A separate connection sends at
most one in 20 ms. A lost notification costs nothing: every worker also polls once a second.
"""

import threading
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.engine import URL

from store.database.engine import CONNECTION_TIMEOUTS

#: Least time between two notifications of one process.
NOTIFY_INTERVAL_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0
#: How often the listening thread checks whether it should end.
_STOP_CHECK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Notifier:
    """Two daemon threads, each with a connection: one sends, one listens. Each starts when it is first needed."""

    def __init__(self, url: URL, callback: Callable[[], None]) -> None:
        address = url.set(drivername="postgresql").update_query_dict(
            {name: str(value) for name, value in CONNECTION_TIMEOUTS.items()}
        )
        self._address = address.render_as_string(hide_password=False)
        self._callback = callback
        self._pending, self._stopping = threading.Event(), threading.Event()
        self._started: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._own_pid: int | None = None

    def notify(self) -> None:
        """Notify the other processes soon: an obligation was inserted or freed. Returns at once."""
        self._pending.set()
        self._start("store-tell", self._send)

    def listen(self) -> None:
        """Call `callback` for every notification of another process."""
        self._start("store-listen", self._receive)

    def close(self) -> None:
        self._stopping.set()
        self._pending.set()
        for thread in self._started.values():
            thread.join()

    def _start(self, name: str, run: Callable[[psycopg.Connection], None]) -> None:
        with self._lock:
            if name not in self._started and not self._stopping.is_set():
                thread = threading.Thread(target=self._reconnect, args=(run,), name=name, daemon=True)
                self._started[name] = thread
                thread.start()

    def _reconnect(self, run: Callable[[psycopg.Connection], None]) -> None:
        """Run with a connection, and open a new one whenever it is lost, until `close`."""
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True) as connection:
                    run(connection)
            except psycopg.OperationalError as error:
                log.warning("notify_connection_lost", why=type(error).__name__)
                self._stopping.wait(_RECONNECT_SECONDS)

    def _send(self, connection: psycopg.Connection) -> None:
        self._own_pid = connection.info.backend_pid
        while not self._stopping.is_set():
            self._pending.wait()
            self._pending.clear()
            if self._stopping.is_set():
                return
            connection.execute("NOTIFY amends_owed")
            self._stopping.wait(NOTIFY_INTERVAL_SECONDS)

    def _receive(self, connection: psycopg.Connection) -> None:
        connection.execute("LISTEN amends_owed")
        while not self._stopping.is_set():
            for notification in connection.notifies(timeout=_STOP_CHECK_SECONDS, stop_after=1):
                if notification.pid != self._own_pid:
                    self._callback()
