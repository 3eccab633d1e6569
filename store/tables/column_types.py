"""The base class and the column types that all tables share."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, MetaData, TextClause, TypeDecorator
from sqlmodel import SQLModel

#: Every constraint has a name, so that a later migration can change it on both databases.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: A row number: 64 bits on PostgreSQL. SQLite numbers rows automatically only if the type is INTEGER.
NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def partial_index(name: str, *columns: str, where: TextClause) -> Index:
    """An index of the rows that meet this condition, on both databases."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Row(SQLModel):
    """Base class of all tables. Rows never leave `store`; frozen values do."""

    metadata = METADATA


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: refuses naive datetimes, and returns aware ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: give an aware datetime")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)
