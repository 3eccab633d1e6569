"""Rows for every table of any release's schema, as the database itself describes it, and their content.

No release's code writes them. A migration must keep what older code wrote, so the values are those on which the
two databases differ: instants within a second, NULL, letters outside ASCII, nested JSON, bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    create_engine,
    inspect,
    literal_column,
    select,
    table,
)

from store.database.engine import database_url

#: The rows of a table by its columns, in an order that does not depend on the database.
Content = Mapping[str, list[dict[str, Any]]]
#: Alembic's own table; it holds the release of the schema.
_ALEMBIC_TABLE = "alembic_version"
_MOMENT = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)


def engine_of(url: str) -> Engine:
    """An engine without the store's own settings."""
    return create_engine(database_url(url))


def fill(url: str, number: int) -> None:
    """Add two rows to every table, numbered from `number`: a full one, and one with every nullable column empty."""
    engine = engine_of(url)
    with engine.begin() as connection:
        for target in _tables(connection):
            connection.execute(target.insert(), _row(target, number))
            connection.execute(target.insert(), _row(target, number + 1, sparse=True))
    engine.dispose()


def content(url: str) -> Content:
    """Every row of every table, as the database gives it."""
    engine = engine_of(url)
    with engine.connect() as connection:
        rows_by_table = {
            name: sorted((dict(row) for row in connection.execute(_whole(name)).mappings()), key=repr)
            for name in inspect(connection).get_table_names()
            if name != _ALEMBIC_TABLE
        }
    engine.dispose()
    return rows_by_table


def _whole(name: str) -> Select[Any]:
    return select(literal_column("*")).select_from(table(name))


def shape(url: str) -> Mapping[str, Any]:
    """Columns, keys and indexes of every table, in an order that does not depend on the migrations' path."""
    engine = engine_of(url)
    inspector = inspect(engine)
    description = {
        aspect: {name: sorted(map(_as_text, _list(items))) for (_, name), items in describe_all().items()}
        for aspect, describe_all in (
            ("columns", inspector.get_multi_columns),
            ("keys", inspector.get_multi_pk_constraint),
            ("references", inspector.get_multi_foreign_keys),
            ("indexes", inspector.get_multi_indexes),
            ("unique", inspector.get_multi_unique_constraints),
        )
    }
    engine.dispose()
    return description


def _list(items: Any) -> list[Any]:
    return items if isinstance(items, list) else [items]


def _as_text(description: Mapping[str, Any]) -> str:
    """A description as text: two descriptions of one condition are not equal as objects."""
    options = {name: str(value) for name, value in (description.get("dialect_options") or {}).items()}
    return repr({**description, "dialect_options": options, "type": repr(description.get("type"))})


def _tables(connection: Connection) -> list[Table]:
    """The tables of the connected database, referenced tables first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [target for target in metadata.sorted_tables if target.name != _ALEMBIC_TABLE]


def both(first: Content, second: Content) -> tuple[Content, Content]:
    """What each database holds in the tables and columns that both have."""
    first_shared, second_shared = {}, {}
    for name in first.keys() & second.keys():
        first_columns, second_columns = (set().union(*rows[name]) for rows in (first, second))
        shared = (
            first_columns & second_columns
            if first_columns and second_columns
            else first_columns | second_columns
        )
        # Sorted by the shared columns alone: another column may have decided the order of the rows.
        first_shared[name], second_shared[name] = (
            sorted(({key: row[key] for key in sorted(shared)} for row in rows[name]), key=repr)
            for rows in (first, second)
        )
    return first_shared, second_shared


def _row(target: Table, n: int, *, sparse: bool = False) -> dict[str, Any]:
    return {
        column.name: _value(column, n)
        for column in target.columns
        if not (sparse and column.nullable and not column.primary_key)
    }


def _value(column: Column[Any], n: int) -> Any:
    for key in column.foreign_keys:
        return _value(key.column, n)
    kind, name = column.type, f"{column.table.name}.{column.name}"
    if isinstance(kind, Boolean):
        return n % 2 == 1
    if isinstance(kind, Integer):
        return n
    if isinstance(kind, Float):
        return n + 0.1
    if isinstance(kind, DateTime):
        moment = _MOMENT + timedelta(microseconds=n)
        return moment if kind.timezone else moment.replace(tzinfo=None)
    if isinstance(kind, Date):
        return _MOMENT.date() + timedelta(days=n)
    if isinstance(kind, LargeBinary):
        return bytes((0, 255, n)) + name.encode()
    if isinstance(kind, JSON):
        return {"n": n, "ş": [None, True, 0.1, {"": name}], "10": 2**53}
    if isinstance(kind, String):
        return f"{name} İğ \U0001f6b0 '%\" {n}"
    raise TypeError(f"{name} is a {kind!r}, for which there is no value here: add one")
