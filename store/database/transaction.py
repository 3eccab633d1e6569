"""Complaints folded before: a duty loads its case several times, and only what came since is folded anew.

The head of a chain names every event before it, so that a case under its head never changes. What was altered in
the tables behind our back shows in `verify`, which reads every event itself.

One open transaction: its connection, its moment, and what the statements of all modules share.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from complaints.case import Case, Event
from complaints.rulebook import Rulebook
from store.proof.keyring import Keyring

#: More than are in hand at one time. An event takes some kilobytes, so that a few long complaints count as many.
MOST, MOST_EVENTS = 512, 1024


@dataclass(frozen=True)
class FoldedCase:
    """A complaint as it was at this head, under these rules; its events hold no words."""

    head: str
    rulebook_id: str
    case: Case
    events: tuple[Event, ...]


class FoldedCases:
    """The latest ones, by reference, for all threads of a store."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, FoldedCase] = OrderedDict()
        self._events = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """How many events are remembered, of all complaints together."""
        return self._events

    def of(self, ref: str) -> FoldedCase | None:
        """What is known of this complaint, however old."""
        with self._lock:
            return self._known.get(ref)

    def keep(self, ref: str, one: FoldedCase) -> None:
        """Remember it. It may be of a transaction that is rolled back yet: whoever goes on from it looks first
        whether the next event names its head."""
        with self._lock:
            before = self._known.pop(ref, None)
            self._known[ref] = one
            self._events += len(one.events) - (len(before.events) if before is not None else 0)
            # The newest stays, however long it is.
            while len(self._known) > 1 and (len(self._known) > MOST or self._events > MOST_EVENTS):
                self._events -= len(self._known.popitem(last=False)[1].events)


@dataclass
class Tx:
    """What every statement needs. `now` is the desk's clock, fixed for the whole transaction.

    `rulebooks` is shared by all transactions: a rulebook never changes under its id.
    """

    connection: Connection
    keys: Keyring
    now: datetime
    rulebooks: dict[str, Rulebook]
    #: Shared too: a case under its head never changes.
    folded: FoldedCases = field(default_factory=FoldedCases)
    #: True once a duty was inserted or freed: the performers are nudged after the commit.
    owing: bool = False
    #: Done in a transaction of its own when this one is rolled back: a refusal stays on the record.
    if_refused: list[Callable[[Tx], None]] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        """Which database speaks."""
        return self.connection.dialect.name == "sqlite"

    def add(self, table: Table, **values: Any) -> None:
        """Insert one row; as part of the statement the values would cost more than running it."""
        self.connection.execute(table.insert(), values)

    def insert_new(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert those rows whose keys are not there yet."""
        values = [dict(one) for one in rows]
        if values:
            self.connection.execute(self._insert(table).on_conflict_do_nothing(), values)

    def take(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert this row; False when its key is there already."""
        first = next(iter(table.primary_key.columns))
        statement = self._insert(table).on_conflict_do_nothing().returning(first)
        return self.connection.execute(statement, dict(row)).first() is not None

    def _insert(self, table: Table) -> Any:
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def put(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert the row, or give the one with its primary key these values."""
        keys = [column.name for column in table.primary_key.columns]
        changed = {name: value for name, value in row.items() if name not in keys}
        self.connection.execute(
            self._insert(table).values(**row).on_conflict_do_update(index_elements=keys, set_=changed)
        )

    def put_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows, or give those with their primary keys these values, in one statement."""
        keys = [column.name for column in table.primary_key.columns]
        statement = self._insert(table)
        changed = {column.name: statement.excluded[column.name] for column in table.columns}
        statement = statement.on_conflict_do_update(
            index_elements=keys, set_={name: value for name, value in changed.items() if name not in keys}
        )
        self.connection.execute(statement, [dict(one) for one in rows])


class database_seconds(FunctionElement[float]):  # noqa: N801  # reads as the SQL function that it is
    """Seconds since 1970 by the database's own clock: leases must not depend on a replica's."""

    type = Float()
    inherit_cache = True


@compiles(database_seconds, "sqlite")
def _sqlite_seconds(element: ColumnElement[float], compiler: Any, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_seconds, "postgresql")
def _postgresql_seconds(element: ColumnElement[float], compiler: Any, **kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"
