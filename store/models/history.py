"""The history that a promoted model learnt from: rows of no complaint of ours, sealed, for later training runs.

The newest file stands in place of any before. It stays until it is replaced or forgotten by a command.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from store.database.transaction import Tx
from store.proof.instance_log import record_instance_event
from store.proof.seal import place
from store.tables import HISTORY_PARTS

_PART = 500
"""Rows sealed together: some hundred kilobytes, and a run reads them one part after the other."""


@dataclass(frozen=True)
class TrainingHistory:
    """The rows of a history file, plain values under `text`, `category`, `severity` and `language`, those to be
    learnt from before others first; `sha256` is of the file.
    """

    sha256: str
    rows: Sequence[Mapping[str, Any]]


def keep_history(tx: Tx, history: TrainingHistory) -> None:
    """Later training runs learn from these rows, and no longer from those kept before."""
    # The event first: on PostgreSQL its lock makes a second process wait, and then replace what we kept.
    record_instance_event(tx, "keep_history", {"sha256": history.sha256, "rows": len(history.rows)})
    tx.connection.execute(delete(HISTORY_PARTS))
    for start in range(0, len(history.rows), _PART):
        some = [dict(one) for one in history.rows[start : start + _PART]]
        data = gzip.compress(json.dumps(some, ensure_ascii=False).encode())
        sealed = tx.keys.seal(data, history_place(history.sha256))
        tx.add(HISTORY_PARTS, sha256=history.sha256, rows=len(some), sealed=sealed, at=tx.now)


def history_place(sha256: str) -> str:
    """What a part is bound to: the file that its rows came in."""
    return place("history_parts", sha256, "rows")


def read_history_rows(tx: Tx, most: int) -> list[dict[str, Any]]:
    """At most so many rows, those first that are to be learnt from before others."""
    found: list[dict[str, Any]] = []
    for row in tx.connection.execute(select(HISTORY_PARTS).order_by(HISTORY_PARTS.c.id)):
        if len(found) >= most:
            break
        data = tx.keys.unseal(row.sealed, history_place(row.sha256))
        found += json.loads(gzip.decompress(data))
    return found[: max(0, most)]


def is_history_kept(tx: Tx) -> tuple[str, int] | None:
    """SHA-256 of the file whose rows are kept, and how many they are; None where there are none."""
    sha256, rows = tx.connection.execute(
        select(func.max(HISTORY_PARTS.c.sha256), func.sum(HISTORY_PARTS.c.rows))
    ).one()
    return None if sha256 is None else (sha256, int(rows))


def forget_history(tx: Tx) -> int:
    """Destroy the rows kept; how many there were. That it was done is an event of the house (8.1)."""
    kept = is_history_kept(tx)
    if kept is None:
        return 0
    sha256, rows = kept
    record_instance_event(tx, "forget_history", {"sha256": sha256, "rows": rows})
    tx.connection.execute(delete(HISTORY_PARTS))
    return rows
