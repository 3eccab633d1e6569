"""The store: runs functions of `store/` in transactions, from synchronous and asynchronous code.

    case = store.read(load_case, ref)
    recorded = await store.awrite(act, ref, Verb.ASSIGN, actor, {"owner": actor.id})

The first argument of these functions is the open transaction `tx`. `read` and `write` open it, pass the other
arguments on and commit. The methods `aread` and `awrite` do the same on the store's own threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from complaints.history import CaseHistory
from complaints.measures.report_counts import month_bounds
from complaints.measures.row import CaseMeasures
from complaints.rulebook import Calendar, Rulebook
from store.cases.pages import count_repeats, load_history_page, pages
from store.database.engine import (
    Engines,
    StoreThreads,
    create_engines,
    empty_log,
    rewrite_tables,
)
from store.database.errors import DatabaseUnavailable, SerializationConflict, translated_errors
from store.database.keyring import Keyring
from store.database.leases import clock_offset, move_clock
from store.database.migrate import require_current
from store.database.schema import require_known_schema
from store.database.transaction import FoldedCases, Tx
from store.models.training_examples import collect_examples, load_examples_page
from store.proof.journal import write_journal
from store.record.measured import (
    FIRST,
    LAST,
    Compared,
    count_coverage,
    count_months,
    load_open_measures,
    load_received_measures,
)
from store.record.measures import list_missing, measure_cases

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from store.database.notify import Notifier

#: How long a write that must not be lost is retried while the database is down, and how often. A database server
#: restarts in less time; stopping the process must not take longer.
RETRY_SECONDS, RETRY_EVERY_SECONDS = 60.0, 0.5

P = ParamSpec("P")
R = TypeVar("R")


def _notifier(url: URL, callback: Callable[[], None]) -> Notifier:
    # Imported for PostgreSQL only: with the log and the driver behind it a command starts 40 ms later.
    from store.database.notify import Notifier

    return Notifier(url, callback)


def _real_now() -> datetime:
    return datetime.now(UTC)


def open_store(url: str, keys: Keyring, clock: Callable[[], datetime] = _real_now) -> Store:
    """Open the database at `url`; raises WrongSchemaVersion if its tables are not those of this release."""
    require_current(url)
    return Store(create_engines(url), keys, clock)


class Store:
    """The record of all complaints."""

    def __init__(self, engines: Engines, keys: Keyring, clock: Callable[[], datetime]) -> None:
        self._engines, self._keys, self._clock = engines, keys, clock
        self._threads = StoreThreads(is_sqlite=engines.is_sqlite)
        self._rulebooks: dict[str, Rulebook] = {}
        self._folded = FoldedCases()
        self._mac_key: bytes | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._notifying = None if engines.is_sqlite else _notifier(engines.url, self._call_back)
        #: True if the database caused the last write to fail: a full disk, a read-only server.
        self.writes_fail = False
        self._offset = timedelta(0)
        self._offset = timedelta(seconds=self.read(clock_offset))

    def read(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `query` in a read-only transaction; on SQLite it does not wait for the writer.

        Raises DatabaseUnavailable.
        """
        with translated_errors(), self._engines.reading.begin() as connection:
            return query(self._tx(connection), *args, **kwargs)

    def write(self, command: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `command` in a transaction and commit it; on SQLite one command at a time.

        Raises DatabaseUnavailable if the database does not answer or cannot write.
        """
        tx: Tx | None = None
        try:
            with translated_errors(), self._threads.gate, self._engines.writing.begin() as connection:
                tx = self._writing_tx(connection)
                result = command(tx, *args, **kwargs)
                write_journal(tx)
        except Exception as error:
            if isinstance(error, DatabaseUnavailable) and not isinstance(error, SerializationConflict):
                self.writes_fail = True
            self._record_refusals(tx)
            raise
        self.writes_fail = False
        # Only now: a key that was created in a transaction that is rolled back does not exist.
        self._mac_key = tx.mac_key
        if tx.obligations_changed:
            self._nudge()
        return result

    async def aread(self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self.in_reader_thread(partial(self.read, query, *args, **kwargs))

    async def awrite(
        self, command: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await self.in_thread(partial(self.write, command, *args, **kwargs))

    async def awrite_with_retry(
        self, command: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`awrite` for the result of an act outside, such as a sent message: retried while the database is down.

        Raises DatabaseUnavailable after RETRY_SECONDS; the result of the act is then unknown.
        """
        return await self.with_retry(partial(self.awrite, command, *args, **kwargs))

    async def aread_with_retry(
        self, query: Callable[Concatenate[Tx, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`aread`, retried for RETRY_SECONDS while the database is down."""
        return await self.with_retry(partial(self.aread, query, *args, **kwargs))

    async def in_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that opens its own transactions on a writer thread."""
        return await asyncio.wrap_future(self._threads.submit(lambda: call(*args, **kwargs), writes=True))

    async def in_reader_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that only reads on a reader thread, where it does not wait for writers."""
        return await asyncio.wrap_future(self._threads.submit(lambda: call(*args, **kwargs), writes=False))

    async def with_retry(self, call: Callable[[], Awaitable[R]]) -> R:
        """Await `call`; while the database is down, retry every RETRY_EVERY_SECONDS for RETRY_SECONDS."""
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
        """True if several processes can use this database."""
        return not self._engines.is_sqlite

    def now(self) -> datetime:
        """The desk's clock: real time plus an offset (docs/design.md, rule 5)."""
        return self._clock() + self._offset

    def move_clock(self, seconds: float) -> datetime:
        """Move the desk's clock forward (demo and tests only); returns the new time."""
        self._offset = timedelta(seconds=self.write(move_clock, seconds))
        return self.now()

    def for_monitoring(self, start: datetime, end: datetime) -> Iterator[tuple[CaseMeasures, Calendar]]:
        """The measures of each complaint once: those received in the period, then all others that may be open.

        "May be open" means at the end of the period or now.
        """
        yield from pages(partial(self.read, load_received_measures, start, end))
        yield from pages(partial(self.read, load_open_measures, start, end))

    def compared(self, start: datetime, end: datetime, now: datetime, zone: str) -> Compared:
        """What a report shows in addition to the complaints of its period; months are those of this zone."""
        months = month_bounds(min(end, now), zone)
        return Compared(
            self.read(count_repeats, start, end),
            self.read(count_months, months),
            self.read(count_coverage, months[0], months[-1]),
        )

    def measures(self) -> Iterator[CaseMeasures]:
        """The measures of every complaint, the earliest received first."""
        return (row for row, _ in pages(partial(self.read, load_received_measures, FIRST, LAST)))

    def measure_missing(self) -> Iterator[int]:
        """Compute missing and outdated rows of measures, page by page, and yield the number of each page.

        Stopped and repeated it continues: what is stored is left out.
        """
        refs = self.read(list_missing)
        while refs:
            self.write(measure_cases, refs)
            yield len(refs)
            refs = self.read(list_missing, refs[-1])

    def whole_record(self) -> Iterator[CaseHistory]:
        """Every complaint with its events and related rows, the earliest received first."""
        return pages(partial(self.read, load_history_page))

    def examples(self) -> list[dict[str, Any]]:
        """Training examples from assessments, the earliest first; each page is a transaction of its own."""
        return collect_examples(partial(self.read, load_examples_page))

    def remove_remnants(self, *, rewrite: bool = False) -> bool:
        """Empty SQLite's write-ahead log (8.1), with `rewrite` after writing every table again.

        False if another transaction still reads old pages: try again later.
        """
        with translated_errors(), self._threads.gate:
            if rewrite:
                rewrite_tables(self._engines)
            return empty_log(self._engines)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the writing thread after each commit that scheduled or released an obligation."""
        self._callbacks.append(callback)
        if self._notifying is not None:
            self._notifying.listen()

    def close(self) -> None:
        """Wait for running calls and close all connections."""
        if self._notifying is not None:
            self._notifying.close()
        self._threads.close()
        self._engines.close()

    def _tx(self, connection: Any) -> Tx:
        return Tx(connection, self._keys, self.now(), self._rulebooks, self._folded, self._mac_key)

    def _writing_tx(self, connection: Any) -> Tx:
        require_known_schema(connection)
        return self._tx(connection)

    def _record_refusals(self, tx: Tx | None) -> None:
        """Record refused attempts in a new transaction, because theirs was rolled back (4.7)."""
        if tx is None or not tx.if_refused:
            return
        with self._threads.gate, self._engines.writing.begin() as connection:
            new_tx = self._writing_tx(connection)
            for write in tx.if_refused:
                write(new_tx)
            write_journal(new_tx)

    def _nudge(self) -> None:
        if self._notifying is not None:
            self._notifying.notify()
        self._call_back()

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()
