"""An open transaction as all functions of the store receive it, with the cache of folded complaints."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from complaints.case import Case, Event
from complaints.rulebook import Rulebook
from store.database.keyring import Keyring
from store.database.prepared import Prepared

#: Size of the cache, in complaints and in events: more than are handled at one time. An event takes some kilobytes,
#: so the second limit matters for a few long complaints.
MAX_CASES, MAX_EVENTS = 512, 1024


@dataclass(frozen=True)
class FoldedCase:
    """A complaint folded from its events up to the event with the hash `head`; the events hold no words."""

    head: str
    rulebook_id: str
    case: Case
    events: tuple[Event, ...]


class FoldedCases:
    """Cache of folded complaints by reference, shared by all threads of a store.

    An obligation loads its complaint several times; from the cache only newer events must be folded. An entry never
    becomes wrong, because the hash of its head covers every event before it. Changes made directly in the tables show
    in `verify`, which reads every event.
    """

    def __init__(self) -> None:
        self._cases: OrderedDict[str, FoldedCase] = OrderedDict()
        self._events = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Number of cached events of all complaints together."""
        return self._events

    def of(self, ref: str) -> FoldedCase | None:
        """The cached complaint, which may lack its newest events."""
        with self._lock:
            return self._cases.get(ref)

    def keep(self, ref: str, case: FoldedCase) -> None:
        """Add a complaint to the cache.

        Its transaction may still be rolled back. So a reader checks that the next event names the cached head.
        """
        with self._lock:
            replaced = self._cases.pop(ref, None)
            self._cases[ref] = case
            self._events += len(case.events) - (len(replaced.events) if replaced is not None else 0)
            # The newest complaint stays, even if it is longer than the limit.
            while len(self._cases) > 1 and (len(self._cases) > MAX_CASES or self._events > MAX_EVENTS):
                self._events -= len(self._cases.popitem(last=False)[1].events)


@dataclass
class Tx:
    """An open transaction. `now` is the desk's clock, fixed for the whole transaction.

    `rulebooks` and `folded` are caches that all transactions share. A rulebook never changes under its id.
    """

    connection: Connection
    keys: Keyring
    now: datetime
    rulebooks: dict[str, Rulebook]
    folded: FoldedCases = field(default_factory=FoldedCases)
    #: The key of all MACs, once it was read (`store.proof.hash_chain`).
    mac_key: bytes | None = None
    #: True once an obligation was inserted or freed: the workers are woken after the commit.
    obligations_changed: bool = False
    #: Run in a new transaction if this one is rolled back, so that a refused attempt stays on the record.
    if_refused: list[Callable[[Tx], None]] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def add(self, table: Table, **values: Any) -> None:
        self.add_all(table, [values])

    def add_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows, which have the same columns."""
        _insert(table).run(self.connection, rows)

    def add_numbered(self, table: Table, row: Mapping[str, Any]) -> int:
        """Insert a row of a table that numbers its rows; returns the number."""
        return int(_numbered_insert(table).rows(self.connection, **row)[0].id)

    def insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows whose keys do not exist yet; all have the same columns."""
        if rows:
            _insert_missing(table, self.is_sqlite).run(self.connection, rows)

    def take(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert this row; False if its key exists already."""
        return bool(_take(table, self.is_sqlite).rows(self.connection, **row))

    def put(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert the row, or update the row with the same primary key."""
        self.upsert_all(table, [row])

    def upsert_all(self, table: Table, rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...] = ()) -> None:
        """Insert or update rows by their primary keys, or by the unique `keys`; all have the same columns."""
        if rows:
            _upsert(table, tuple(rows[0]), keys, self.is_sqlite).run(self.connection, rows)


def _dialect_insert(table: Table, is_sqlite: bool) -> Any:
    return (sqlite.insert(table) if is_sqlite else postgresql.insert(table)).inline()


@cache
def _insert(table: Table) -> Prepared:
    return Prepared(table.insert().inline())


@cache
def _numbered_insert(table: Table) -> Prepared:
    return Prepared(table.insert().inline().returning(table.c.id))


@cache
def _insert_missing(table: Table, is_sqlite: bool) -> Prepared:
    return Prepared(_dialect_insert(table, is_sqlite).on_conflict_do_nothing())


@cache
def _take(table: Table, is_sqlite: bool) -> Prepared:
    statement = _dialect_insert(table, is_sqlite).on_conflict_do_nothing()
    return Prepared(statement.returning(next(iter(table.primary_key.columns))))


@cache
def _upsert(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], is_sqlite: bool) -> Prepared:
    statement = _dialect_insert(table, is_sqlite)
    keys = keys or tuple(column.name for column in table.primary_key.columns)
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=changed))


class database_seconds(FunctionElement[float]):  # noqa: N801  # reads as the SQL function that it is
    """Seconds since 1970 by the database's clock. The clocks of several hosts differ too much for leases."""

    type = Float()
    inherit_cache = True


@compiles(database_seconds, "sqlite")
def _sqlite_seconds(element: ColumnElement[float], compiler: Any, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_seconds, "postgresql")
def _postgresql_seconds(element: ColumnElement[float], compiler: Any, **kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"
