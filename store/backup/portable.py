"""All rows of one database into another, whichever of the two kinds each is: the portable form of a record."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Table, func, select, text

from store.tables import CHUNKS, HISTORY_PARTS, METADATA, MODELS

#: Called with what is done and what there is to do.
Progress = Callable[[int, int], None]

_BATCH = 500
#: Up to a mebibyte and more a row: few at once.
_LARGE = {CHUNKS.name: 8, HISTORY_PARTS.name: 8, MODELS.name: 1}
#: Who does what at this moment: of no meaning in another place or at another time.
_MOMENTARY = frozenset({"lanes", "leases"})


def no_progress(_done: int, _all: int) -> None:
    """For callers who watch nothing."""


def rows_in(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in METADATA.sorted_tables
    }


def copy_rows(source: Connection, target: Connection, progress: Progress = no_progress) -> dict[str, int]:
    """Copy every table, parents before children, in batches; returns the rows copied by table."""
    wanted = rows_in(source)
    total, done = sum(wanted.values()), 0
    for table in METADATA.sorted_tables:
        size = _LARGE.get(table.name, _BATCH)
        query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=size)
        for batch in source.execute(query).mappings().partitions(size):
            target.execute(table.insert(), [dict(row) for row in batch])
            done += len(batch)
            progress(done, total)
    return wanted


def number_on(target: Connection) -> None:
    """PostgreSQL counts on after the highest number that was copied; SQLite does by itself."""
    if target.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = _numbered(table)
        if column is None:
            continue
        highest = target.execute(select(func.max(table.c[column]))).scalar()
        if highest is not None:
            counter = func.pg_get_serial_sequence(table.name, column)
            target.execute(select(func.setval(counter, highest)))


def _numbered(table: Table) -> str | None:
    """The column that the database numbers by itself."""
    column = table.autoincrement_column
    return None if column is None or column.foreign_keys else column.name


def forget_the_moment(connection: Connection) -> None:
    """Leases, paces and waits are another machine's: every duty is free, at its own due time."""
    for name in sorted(_MOMENTARY):
        connection.execute(METADATA.tables[name].delete())
    connection.execute(
        text("UPDATE obligations SET lease_until = 0, wait_until = 0 WHERE lease_until > 0 OR wait_until > 0")
    )
