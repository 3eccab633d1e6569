"""Statements that run for every act: compiled once, and run on the driver's own cursor.

SQLAlchemy takes 40 to 200 microseconds to bind one, SQLite 2 to 10 to run it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Dialect, Float, Select, UpdateBase
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """A statement in one dialect: its words, how its parameters are bound, how a row that it returns is read."""

    sql: str
    bind: Callable[[Mapping[str, Any]], Any]
    read: Callable[[Sequence[Any]], Any]


@dataclass(eq=False)
class Prepared:
    """A statement of SQLAlchemy whose parameters have names.

    An insert or update sets the columns that are named among its parameters. Rows have the columns as
    attributes. Raises the errors of SQLAlchemy.
    """

    statement: Select[Any] | UpdateBase
    _compiled: dict[tuple[str, ...], _Compiled] = field(default_factory=dict)

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """The rows that it selects or returns."""
        compiled = self._of(connection.dialect, values)
        if connection.dialect.name != "sqlite":
            result = connection.exec_driver_sql(compiled.sql, compiled.bind(values))
            return [compiled.read(row) for row in result]
        with DriverCursor(connection) as cursor:
            return [compiled.read(row) for row in cursor.execute(compiled.sql, compiled.bind(values))]

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row; None if there is none."""
        return next(iter(self.rows(connection, **values)), None)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of these rows of parameters; how many rows of the table it changed."""
        compiled = self._of(connection.dialect, rows[0])
        bound = [compiled.bind(row) for row in rows]
        if connection.dialect.name != "sqlite":
            return connection.exec_driver_sql(compiled.sql, bound if len(bound) > 1 else bound[0]).rowcount
        with DriverCursor(connection) as cursor:
            changed: int = cursor.executemany(compiled.sql, bound).rowcount
            return changed

    def _of(self, dialect: Dialect, values: Mapping[str, Any]) -> _Compiled:
        names = (dialect.name, *values)
        compiled = self._compiled.get(names)
        if compiled is None:
            compiled = self._compiled[names] = self._compile(dialect, values)
        return compiled

    def _compile(self, dialect: Dialect, values: Mapping[str, Any]) -> _Compiled:
        columns = None
        if isinstance(self.statement, UpdateBase):
            # A statement with several rows names its columns itself.
            columns = [name for name in values if name in self.statement.table.c] or None
        compiled = self.statement.compile(dialect=dialect, column_keys=columns)
        converts = dict[str, Convert](_converts(compiled, dialect))
        named = {name for name, parameter in compiled.binds.items() if parameter.required}
        # Lists of constants become one parameter for each value.
        state = compiled.construct_expanded_state(dict.fromkeys(named))
        converts |= state.processors
        constants = {
            name: converts.get(name, _as_it_is)(value)
            for name, value in state.parameters.items()
            if name not in named
        }
        order = None if state.positiontup is None else tuple(state.positiontup)
        of_named = {name: convert for name, convert in converts.items() if name in named}
        return _Compiled(state.statement, _binder(of_named, constants, order), self._reader(dialect))

    def _reader(self, dialect: Dialect) -> Convert:
        if isinstance(self.statement, Select):
            columns = self.statement.column_descriptions
        else:
            columns = self.statement.returning_column_descriptions
        row_type = namedtuple("row_type", [column["name"] for column in columns])  # type: ignore[misc]
        converts = [
            (number, convert)
            for number, column in enumerate(columns)
            # Floats come from both drivers as they are; the rule for them would need the result's type.
            if not isinstance(column["type"], Float)
            and (convert := column["type"].dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]
        if not converts:
            return row_type._make

        def read(row: Sequence[Any]) -> Any:
            values = list(row)
            for number, convert in converts:
                values[number] = convert(values[number])
            return row_type._make(values)

        return read


def _converts(compiled: Any, dialect: Dialect) -> Iterator[tuple[str, Convert]]:
    for name, parameter in compiled.binds.items():
        convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None:
            yield name, convert


def _as_it_is(value: Any) -> Any:
    return value


def _binder(
    converts: Mapping[str, Convert],
    constants: Mapping[str, Any],
    order: tuple[str, ...] | None,
) -> Callable[[Mapping[str, Any]], Any]:
    def bind(values: Mapping[str, Any]) -> Any:
        bound = {**constants, **values}
        for name, convert in converts.items():
            bound[name] = convert(bound[name])
        return bound if order is None else [bound[name] for name in order]

    return bind


class DriverCursor:
    """The driver's own cursor in a `with` block, with SQLAlchemy's errors."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Any:
        return self._connection.connection.cursor()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        dialect = self._connection.dialect
        errors = dialect.loaded_dbapi.Error
        if isinstance(error, errors):
            raise DBAPIError.instance(None, None, error, errors, dialect=dialect) from error


def sqlite_time(moment: datetime) -> str:
    """A time as our columns store it on SQLite, for statements of the driver's own cursor."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
