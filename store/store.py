"""The store: runs functions of `store/` in transactions, from synchronous and asynchronous code.

    case = store.read(load_case, ref)
    recorded = await store.awrite(act, ref, Verb.ASSIGN, actor, {"owner": actor.id})

A function of the store takes the open transaction `tx` first. `read` and `write` open it, pass the other
arguments on and commit. The methods that begin with `a` do the same on the store's own threads, for
asynchronous callers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from complaints.history import CaseHistory
from complaints.rulebook import Rulebook
from store.cases.pages import load_history_page, load_open_page, load_received_page, pages
from store.database.engine import Engines, Threads, engines
from store.database.errors import DatabaseUnavailable, SerializationConflict, translated_errors
from store.database.leases import clock_offset, move_clock
from store.database.migrate import require_current
from store.database.notify import Notifier
from store.database.transaction import FoldedCases, Tx
from store.models.examples import collect_examples, load_examples_page
from store.proof.keyring import Keyring

#: How long a write that must not be lost is retried while the database is down, and how often. A database server
#: restarts in less; people who stop the process do not wait longer.
RETRY_SECONDS, RETRY_EVERY_SECONDS = 60.0, 0.5

P = ParamSpec("P")
R = TypeVar("R")


def _real_now() -> datetime:
    return datetime.now(UTC)


def open_store(url: str, keys: Keyring, clock: Callable[[], datetime] = _real_now) -> Store:
    """Open the record at `url`; raises NotMigrated when its tables are not those of this release."""
    require_current(url)
    return Store(engines(url), keys, clock)


class Store:
    """The record of all complaints."""

    def __init__(self, engines: Engines, keys: Keyring, clock: Callable[[], datetime]) -> None:
        self._engines, self._keys, self._clock = engines, keys, clock
        self._threads = Threads(is_sqlite=engines.is_sqlite)
        self._rulebooks: dict[str, Rulebook] = {}
        self._folded = FoldedCases()
        self._callbacks: list[Callable[[], None]] = []
        self._notifying = None if engines.is_sqlite else Notifier(engines.url, self._call_back)
        #: True while the last write failed for a reason of the database: a full disk, a read-only server.
        self.writes_fail = False
        self._offset = timedelta(0)
        self._offset = timedelta(seconds=self.read(clock_offset))

    def read(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `query` in a transaction that only reads; on SQLite it does not wait for the writer.

        Raises DatabaseAway where the database does not answer.
        """
        with translated_errors(), self._engines.reading.begin() as connection:
            return query(self._tx(connection), *args, **kwargs)

    def write(self, command: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `command` in a transaction that writes, and commit it whole or not at all; on SQLite one at a time.

        Raises DatabaseAway where the database does not answer or cannot write.
        """
        tx: Tx | None = None
        try:
            with translated_errors(), self._threads.gate, self._engines.writing.begin() as connection:
                tx = self._tx(connection)
                result = command(tx, *args, **kwargs)
        except Exception as error:
            if isinstance(error, DatabaseUnavailable) and not isinstance(error, SerializationConflict):
                self.writes_fail = True
            self._remember_refusals(tx)
            raise
        self.writes_fail = False
        if tx.owing:
            self._nudge()
        return result

    async def aread(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """`read` on a reader thread."""
        return await self.in_reader_thread(partial(self.read, query, *args, **kwargs))

    async def awrite(
        self, command: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`write` on a writer thread."""
        return await self.in_thread(partial(self.write, command, *args, **kwargs))

    async def awrite_with_retry(
        self, command: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`awrite` for the result of something that has happened outside: retried while the database is down.

        Raises DatabaseAway after RETRY_SECONDS; the act outside then counts as uncertain.
        """
        return await self.with_retry(partial(self.awrite, command, *args, **kwargs))

    async def aread_with_retry(
        self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`aread`, retried for RETRY_SECONDS while the database is down."""
        return await self.with_retry(partial(self.aread, query, *args, **kwargs))

    async def in_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that opens transactions of its own on a writer thread."""
        return await asyncio.wrap_future(self._threads.submit(lambda: call(*args, **kwargs), writes=True))

    async def in_reader_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for a function that only reads: it does not wait for writers."""
        return await asyncio.wrap_future(self._threads.submit(lambda: call(*args, **kwargs), writes=False))

    async def with_retry(self, call: Callable[[], Awaitable[R]]) -> R:
        """Await `call` again every RETRY_EVERY_SECONDS while the database is down, for RETRY_SECONDS."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return await call()
            except DatabaseUnavailable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(RETRY_EVERY_SECONDS)

    @property
    def is_shared(self) -> bool:
        """True where several processes may use one database."""
        return not self._engines.is_sqlite

    def now(self) -> datetime:
        """The desk's clock: real time plus one offset (docs/design.md, rule 5)."""
        return self._clock() + self._offset

    def move_clock(self, seconds: float) -> datetime:
        """Move the desk's clock on (demo and tests only); returns the new time."""
        self._offset = timedelta(seconds=self.write(move_clock, seconds))
        return self.now()

    def for_monitoring(self, start: datetime, end: datetime) -> Iterator[CaseHistory]:
        """Each complaint once, with its events: those received in the period, then all others that are open."""
        yield from pages(partial(self.read, load_received_page, start, end))
        for followed in pages(partial(self.read, load_open_page)):
            if not start <= followed.case.received_at < end:
                yield followed

    def whole_record(self) -> Iterator[CaseHistory]:
        """Every complaint with its events and related rows, the earliest received first."""
        return pages(partial(self.read, load_history_page))

    def examples(self) -> list[dict[str, Any]]:
        """Confirmed assessments with their words, the earliest first; each page is a transaction of its own."""
        return collect_examples(partial(self.read, load_examples_page))

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call this, from the thread that wrote, after each commit that inserted or freed an obligation."""
        self._callbacks.append(callback)
        if self._notifying is not None:
            self._notifying.listen()

    def close(self) -> None:
        """Finish what runs and close every connection."""
        if self._notifying is not None:
            self._notifying.close()
        self._threads.close()
        self._engines.close()

    def _tx(self, connection: Any) -> Tx:
        return Tx(connection, self._keys, self.now(), self._rulebooks, self._folded)

    def _remember_refusals(self, tx: Tx | None) -> None:
        if tx is None or not tx.if_refused:
            return
        with self._threads.gate, self._engines.writing.begin() as connection:
            later = self._tx(connection)
            for write in tx.if_refused:
                write(later)

    def _nudge(self) -> None:
        if self._notifying is not None:
            self._notifying.tell()
        self._call_back()

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()
