"""Copy all rows of a record from one database to another, between SQLite and PostgreSQL in any direction."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, select, text

from store.tables import CHUNKS, HISTORY_PARTS, METADATA, MODELS
from store.values import Progress, no_progress

_BATCH = 500
#: Smaller batches for tables whose rows may be larger than 1 MiB.
_BATCH_OF_LARGE_ROWS = {CHUNKS.name: 8, HISTORY_PARTS.name: 8, MODELS.name: 1}
#: Tables with the state of running processes, which means nothing in another database.
_PROCESS_STATE = frozenset({"lanes", "leases"})


def count_rows(connection: Connection) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in METADATA.sorted_tables
    }


def copy_rows(source: Connection, target: Connection, progress: Progress = no_progress) -> dict[str, int]:
    """Copy every table in batches, parents before children; returns the number of rows by table."""
    counts = count_rows(source)
    total, done = sum(counts.values()), 0
    for table in METADATA.sorted_tables:
        size = _BATCH_OF_LARGE_ROWS.get(table.name, _BATCH)
        query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=size)
        for batch in source.execute(query).mappings().partitions(size):
            target.execute(table.insert(), [dict(row) for row in batch])
            done += len(batch)
            progress(done, total)
    return counts


def reset_sequences(target: Connection) -> None:
    """Let PostgreSQL continue after the highest copied number; SQLite does that without help."""
    if target.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = _numbered_column(table)
        if column is None:
            continue
        highest = target.execute(select(func.max(table.c[column]))).scalar()
        if highest is not None:
            sequence = func.pg_get_serial_sequence(table.name, column)
            target.execute(select(func.setval(sequence, highest)))


def _numbered_column(table: Table) -> str | None:
    column = table.autoincrement_column
    return None if column is None or column.foreign_keys else column.name


def clear_process_state(connection: Connection) -> None:
    """Delete the leases, rate limits and retry pauses of another machine; obligations keep their due times."""
    for name in sorted(_PROCESS_STATE):
        connection.execute(METADATA.tables[name].delete())
    connection.execute(
        text("UPDATE obligations SET lease_until = 0, wait_until = 0 WHERE lease_until > 0 OR wait_until > 0")
    )
