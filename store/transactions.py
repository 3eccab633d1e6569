"""One open transaction: its connection, its moment, and what the statements of all modules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from complaints.rulebook import Rulebook
from store.folded import FoldedCases
from store.keyring import Keyring


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
