"""New rows of many complaints, kept in memory and inserted with one statement for each table."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from store.database.transaction import Tx
from store.tables import METADATA

_Insert = Callable[[Tx, Table, Sequence[Mapping[str, Any]]], None]
#: A row is inserted after the rows that it names.
_ORDER = {table: place for place, table in enumerate(METADATA.sorted_tables)}


@dataclass
class _GatheringTx(Tx):
    """The same transaction: it reads as before, and keeps what it adds, by table, columns and kind of insert."""

    gathered: dict[tuple[Table, tuple[str, ...], _Insert], list[Mapping[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        self._keep(Tx.add_all, table, rows)

    def insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        self._keep(Tx.insert_missing, table, rows)

    def _keep(self, insert: _Insert, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self.gathered[table, tuple(row), insert].append(row)


@contextmanager
def gathered_rows(tx: Tx) -> Iterator[Tx]:
    """The transaction for what adds rows and reads none of them: they are inserted together at the end."""
    gathering = _GatheringTx(**vars(tx))
    yield gathering
    for (table, _, insert), rows in sorted(gathering.gathered.items(), key=lambda item: _ORDER[item[0][0]]):
        insert(tx, table, rows)
    tx.obligations_changed |= gathering.obligations_changed
