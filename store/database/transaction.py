"""An open transaction as all functions of the store receive it, with the cache of folded complaints."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    Float,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from complaints.case import Case, Event
from complaints.rulebook import Rulebook
from store.database.journaled import JOURNALED, Journaled
from store.database.keyring import Keyring
from store.database.prepared import Prepared

#: Size of the cache, in complaints and in events: more than are handled at one time. An event takes some kilobytes,
#: so the second limit matters for a few long complaints.
MAX_CASES, MAX_EVENTS = 512, 1024
#: Rows of one statement that returns which of them it inserted.
_MOST_ROWS = 50


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
    #: The journaled rows that this transaction changed, by owner, table and key: their content before and after,
    #: None where there was or is no row. Only what was passed to these methods is signed by the journal.
    changed: dict[tuple[str, str, str], tuple[str | None, str | None]] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    def add(self, table: Table, **values: Any) -> None:
        self.add_all(table, [values])

    def add_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows, which have the same columns."""
        if _numbers_itself(table, rows[0]):
            if len(rows) == 1:
                self.add_numbered(table, rows[0])
                return
            numbers = self.next_numbers(table, len(rows))
            rows = [{"id": number, **row} for number, row in zip(numbers, rows, strict=True)]
        _insert(table).run(self.connection, rows)
        for row in rows:
            self._note_inserted(table, row)

    def add_numbered(self, table: Table, row: Mapping[str, Any]) -> int:
        """Insert a row of a table that numbers its rows; returns the number."""
        number = int(_numbered_insert(table).rows(self.connection, **row)[0].id)
        self._note_inserted(table, {**row, "id": number})
        return number

    def next_numbers(self, table: Table, count: int = 1) -> list[int]:
        """The numbers of the next rows of a table, which this transaction inserts."""
        if self.is_sqlite:
            # This connection alone writes.
            last = _last_number(table).rows(self.connection)[0].last or 0
            return list(range(last + 1, last + 1 + count))
        sequence = func.pg_get_serial_sequence(table.name, "id")
        numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
        return list(self.connection.execute(numbers).scalars())

    def insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows whose keys do not exist yet; all have the same columns."""
        if rows:
            self._insert_missing(table, rows)

    def take(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert this row; False if its key exists already."""
        return self._insert_missing(table, [row]) > 0

    def put(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert the row, or update the row with the same primary key."""
        self.upsert_all(table, [row])

    def upsert_all(self, table: Table, rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...] = ()) -> None:
        """Insert or update rows by their primary keys, or by the unique `keys`; all have the same columns."""
        keys = keys or _key_names(table)
        if table.name not in JOURNALED:
            if rows:
                _upsert(table, tuple(rows[0]), keys, self.is_sqlite).run(self.connection, rows)
            return
        for row in rows:
            key = {name: row[name] for name in keys}
            values = {name: value for name, value in row.items() if name not in keys}
            # Another process may insert it in between.
            if not self.update_by(table, key, **values) and not self.take(table, row):
                self.update_by(table, key, **values)

    def update(self, table: Table, *where: ColumnElement[bool], **values: Any) -> int:
        """Update the rows that meet these conditions; returns how many."""
        return len(self.update_each(table, where, lambda _: values))

    def update_by(self, table: Table, key: Mapping[str, Any], **values: Any) -> int:
        """Update the rows whose columns have the values of `key`, by statements that are built once; how many."""
        query = _select_by(table, tuple(key))
        rows = query.rows(self.connection, **{f"is_{name}": value for name, value in key.items()})
        for row in rows:
            self._update_row(table, row, values)
        return len(rows)

    def update_each(
        self,
        table: Table,
        where: Sequence[ColumnElement[bool]],
        change: Callable[[Any], Mapping[str, Any]],
    ) -> list[Any]:
        """Update each row that meets these conditions with what `change` makes of it; returns them as they were."""
        rows = list(self.connection.execute(select(table).where(*where).with_for_update()))
        for row in rows:
            self._update_row(table, row, change(row))
        return rows

    def delete(self, table: Table, *where: ColumnElement[bool]) -> list[Any]:
        """Delete the rows that meet these conditions; returns them."""
        rows = list(self.connection.execute(select(table).where(*where).with_for_update()))
        if rows:
            names = _key_names(table)
            _delete(table).run(self.connection, [{f"is_{n}": getattr(row, n) for n in names} for row in rows])
        for row in rows:
            self._note_deleted(table, row._asdict())
        return rows

    def _insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        names, inserted = _unique_names(table, rows[0]), 0
        for start in range(0, len(rows), _MOST_ROWS):
            several = rows[start : start + _MOST_ROWS]
            values = {f"{name}_{n}": value for n, row in enumerate(several) for name, value in row.items()}
            prepared = _insert_missing(table, tuple(rows[0]), len(several), self.is_sqlite)
            # Of rows with the same key the first is inserted.
            row_by_name = {tuple(row[name] for name in names): row for row in reversed(several)}
            for key in prepared.rows(self.connection, **values):
                row = row_by_name[tuple(getattr(key, name) for name in names)]
                self._note_inserted(table, {**row, **key._asdict()})
                inserted += 1
        return inserted

    def _update_row(self, table: Table, row: Any, values: Mapping[str, Any]) -> None:
        key = {f"is_{name}": getattr(row, name) for name in _key_names(table)}
        if any(isinstance(value, ClauseElement) for value in values.values()):
            # An expression (the database's clock) is only for columns that the journal leaves out.
            statement = update(table).where(*_is_row(table, _key_names(table))).values(**values)
            self.connection.execute(statement, key)
        else:
            _update(table).run(self.connection, [{**values, **key}])
        spec, old = JOURNALED.get(table.name), row._asdict()
        if spec is None:
            return
        if not spec.places.isdisjoint(values):
            self._note_deleted(table, old)
            self._note_inserted(table, {**old, **values})
        else:
            self._note(spec, old, *spec.contents(old, values))

    def _note_inserted(self, table: Table, row: Mapping[str, Any]) -> None:
        spec = JOURNALED.get(table.name)
        if spec is not None:
            self._note(spec, row, None, spec.content(row))

    def _note_deleted(self, table: Table, row: Mapping[str, Any]) -> None:
        spec = JOURNALED.get(table.name)
        if spec is not None:
            self._note(spec, row, spec.content(row), None)

    def _note(self, spec: Journaled, row: Mapping[str, Any], before: str | None, after: str | None) -> None:
        """Note for the journal what this row was, and what this transaction meant it to become."""
        place = spec.owner(row), spec.table.name, spec.key(row)
        self.changed[place] = self.changed.get(place, (before, None))[0], after


def _numbers_itself(table: Table, row: Mapping[str, Any]) -> bool:
    """Whether the database chooses the key of this row, and the journal needs it."""
    return table.name in JOURNALED and _key_names(table) == ("id",) and "id" not in row


@cache
def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


def _is_row(table: Table, names: Sequence[str]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(f"is_{name}") for name in names]


def _dialect_insert(table: Table, is_sqlite: bool) -> Any:
    return (sqlite.insert(table) if is_sqlite else postgresql.insert(table)).inline()


@cache
def _insert(table: Table) -> Prepared:
    return Prepared(table.insert().inline())


@cache
def _numbered_insert(table: Table) -> Prepared:
    return Prepared(table.insert().inline().returning(table.c.id))


@cache
def _last_number(table: Table) -> Prepared:
    return Prepared(select(func.max(table.c.id).label("last")))


@cache
def _insert_missing(table: Table, columns: tuple[str, ...], count: int, is_sqlite: bool) -> Prepared:
    types = {name: table.c[name].type for name in columns}
    rows = [{name: bindparam(f"{name}_{n}", type_=types[name]) for name in columns} for n in range(count)]
    statement = _dialect_insert(table, is_sqlite).values(rows).on_conflict_do_nothing()
    returned = {*_key_names(table), *_unique_names(table, types)}
    return Prepared(statement.returning(*(table.c[name] for name in sorted(returned))))


def _unique_names(table: Table, row: Collection[str]) -> tuple[str, ...]:
    """The columns by which an inserted row is known: its key, or what is unique where the database numbers it."""
    keys = _key_names(table)
    if set(keys) <= set(row):
        return keys
    unique = (constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint))
    return tuple(column.name for column in next(unique).columns)


@cache
def _upsert(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], is_sqlite: bool) -> Prepared:
    statement = _dialect_insert(table, is_sqlite)
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=changed))


@cache
def _select_by(table: Table, keys: tuple[str, ...]) -> Prepared:
    return Prepared(select(table).where(*_is_row(table, keys)).with_for_update())


@cache
def _update(table: Table) -> Prepared:
    return Prepared(update(table).where(*_is_row(table, _key_names(table))))


@cache
def _delete(table: Table) -> Prepared:
    return Prepared(delete(table).where(*_is_row(table, _key_names(table))))


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
