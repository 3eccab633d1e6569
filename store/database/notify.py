"""Waking other processes on PostgreSQL: a NOTIFY without payload on a connection of its own, seldom.

Inside the writing transactions it would queue every commit behind one lock; at most one each 20 ms carries
the same news. A lost one costs nothing: every performer also looks once a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.engine import URL

from store.database.engine import ANSWERS_IN

APART_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0
_LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Notifier:
    """Two daemon threads, each with its connection: one tells, one listens; both start when first needed."""

    def __init__(self, url: URL, heard: Callable[[], None]) -> None:
        bounded = url.set(drivername="postgresql").update_query_dict(
            {name: str(value) for name, value in ANSWERS_IN.items()}
        )
        self._address = bounded.render_as_string(hide_password=False)
        self._heard = heard
        self._news, self._stopping = threading.Event(), threading.Event()
        self._started: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._told_by: int | None = None

    def tell(self) -> None:
        """A duty was inserted or freed here; returns at once."""
        self._news.set()
        self._start("store-tell", self._telling)

    def listen(self) -> None:
        """Call `heard` when another process tells."""
        self._start("store-listen", self._listening)

    def close(self) -> None:
        """End both threads."""
        self._stopping.set()
        self._news.set()
        for thread in self._started.values():
            thread.join()

    def _start(self, name: str, run: Callable[[psycopg.Connection], None]) -> None:
        with self._lock:
            if name not in self._started and not self._stopping.is_set():
                thread = threading.Thread(target=self._kept, args=(run,), name=name, daemon=True)
                self._started[name] = thread
                thread.start()

    def _kept(self, run: Callable[[psycopg.Connection], None]) -> None:
        """The connection is made anew for as long as the process lives."""
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True) as connection:
                    run(connection)
            except psycopg.OperationalError as gone:
                log.warning("notify_connection_lost", why=type(gone).__name__)
                self._stopping.wait(_RECONNECT_SECONDS)

    def _telling(self, connection: psycopg.Connection) -> None:
        self._told_by = connection.info.backend_pid
        while not self._stopping.is_set():
            self._news.wait()
            self._news.clear()
            if self._stopping.is_set():
                return
            connection.execute("NOTIFY amends_owed")
            self._stopping.wait(APART_SECONDS)

    def _listening(self, connection: psycopg.Connection) -> None:
        connection.execute("LISTEN amends_owed")
        while not self._stopping.is_set():
            for told in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                if told.pid != self._told_by:
                    self._heard()
