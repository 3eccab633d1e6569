"""Rows for every table of any release's schema, as the database itself describes it, and what they hold.

No code of a release writes them: a migration must keep what older code wrote, so the values are those on which
the two databases differ (instants within a second, no value at all, letters outside ASCII, nested JSON, bytes).
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
#: Alembic's own; it says at which release the others are.
_NOT_OURS = "alembic_version"
_MOMENT = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)


def engine_of(url: str) -> Engine:
    """An engine without the store's own settings."""
    return create_engine(database_url(url))


def fill(url: str, number: int) -> None:
    """Two rows more in every table, from `number` on: one with a value everywhere, one with as few as it may have."""
    engine = engine_of(url)
    with engine.begin() as connection:
        for one in _tables(connection):
            connection.execute(one.insert(), _row(one, number))
            connection.execute(one.insert(), _row(one, number + 1, sparse=True))
    engine.dispose()


def content(url: str) -> Content:
    """Every row of every table, as the database gives it."""
    engine = engine_of(url)
    with engine.connect() as connection:
        held = {
            name: sorted((dict(row) for row in connection.execute(_whole(name)).mappings()), key=repr)
            for name in inspect(connection).get_table_names()
            if name != _NOT_OURS
        }
    engine.dispose()
    return held


def _whole(name: str) -> Select[Any]:
    return select(literal_column("*")).select_from(table(name))


def shape(url: str) -> Mapping[str, Any]:
    """Columns, keys and indexes of every table, in an order that does not depend on how they came about."""
    engine = engine_of(url)
    asked = inspect(engine)
    found = {
        what: {name: sorted(map(_told, _list(ones))) for (_, name), ones in of_all().items()}
        for what, of_all in (
            ("columns", asked.get_multi_columns),
            ("keys", asked.get_multi_pk_constraint),
            ("references", asked.get_multi_foreign_keys),
            ("indexes", asked.get_multi_indexes),
            ("unique", asked.get_multi_unique_constraints),
        )
    }
    engine.dispose()
    return found


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _told(found: Mapping[str, Any]) -> str:
    """What it is, in words: two descriptions of one condition are not equal as objects."""
    options = {name: str(value) for name, value in (found.get("dialect_options") or {}).items()}
    return repr({**found, "dialect_options": options, "type": repr(found.get("type"))})


def _tables(connection: Connection) -> list[Table]:
    """As they are now, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [one for one in found.sorted_tables if one.name != _NOT_OURS]


def both(one: Content, other: Content) -> tuple[Content, Content]:
    """What each holds in the tables and columns that are in both."""
    held, also = {}, {}
    for name in one.keys() & other.keys():
        mine, yours = (set().union(*rows[name]) for rows in (one, other))
        shared = mine & yours if mine and yours else mine | yours
        held[name], also[name] = (
            [{key: row[key] for key in sorted(shared)} for row in rows[name]] for rows in (one, other)
        )
    return held, also


def _row(of: Table, n: int, *, sparse: bool = False) -> dict[str, Any]:
    return {
        column.name: _value(column, n)
        for column in of.columns
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
        at = _MOMENT + timedelta(microseconds=n)
        return at if kind.timezone else at.replace(tzinfo=None)
    if isinstance(kind, Date):
        return _MOMENT.date() + timedelta(days=n)
    if isinstance(kind, LargeBinary):
        return bytes((0, 255, n)) + name.encode()
    if isinstance(kind, JSON):
        return {"n": n, "ş": [None, True, 0.1, {"": name}], "10": 2**53}
    if isinstance(kind, String):
        return f"{name} İğ \U0001f6b0 '%\" {n}"
    raise TypeError(f"{name} is a {kind!r}, for which there is no value here: give one")
