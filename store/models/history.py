"""The training history: rows of a file that a promoted model learnt from, kept sealed for later training runs.

A newer file replaces it, and a command can forget it. Its rows are not complaints of this desk.
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

#: Rows sealed together: a few hundred kilobytes, so that a training run holds one part in memory at a time.
_PART = 500


@dataclass(frozen=True)
class TrainingHistory:
    """The rows of a history file, the most important first; `sha256` is the hash of the file.

    Each row has plain values under `text`, `category`, `severity` and `language`.
    """

    sha256: str
    rows: Sequence[Mapping[str, Any]]


def keep_history(tx: Tx, history: TrainingHistory) -> None:
    """Keep these rows for later training runs, replacing any before."""
    # The event comes first: on PostgreSQL its lock makes a second process wait, which then replaces these rows.
    record_instance_event(tx, "keep_history", {"sha256": history.sha256, "rows": len(history.rows)})
    tx.connection.execute(delete(HISTORY_PARTS))
    for start in range(0, len(history.rows), _PART):
        part = [dict(row) for row in history.rows[start : start + _PART]]
        data = gzip.compress(json.dumps(part, ensure_ascii=False).encode())
        sealed = tx.keys.seal(data, history_place(history.sha256))
        tx.add(HISTORY_PARTS, sha256=history.sha256, rows=len(part), sealed=sealed, at=tx.now)


def history_place(sha256: str) -> str:
    """The place that a sealed part is bound to: its file."""
    return place("history_parts", sha256, "rows")


def read_history_rows(tx: Tx, most: int) -> list[dict[str, Any]]:
    """At most this many rows of the history, the most important first."""
    rows: list[dict[str, Any]] = []
    for row in tx.connection.execute(select(HISTORY_PARTS).order_by(HISTORY_PARTS.c.id)):
        if len(rows) >= most:
            break
        data = tx.keys.unseal(row.sealed, history_place(row.sha256))
        rows += json.loads(gzip.decompress(data))
    return rows[: max(0, most)]


def find_history(tx: Tx) -> tuple[str, int] | None:
    """SHA-256 of the file whose rows are kept, and the number of rows; None without a history."""
    sha256, rows = tx.connection.execute(
        select(func.max(HISTORY_PARTS.c.sha256), func.sum(HISTORY_PARTS.c.rows))
    ).one()
    return None if sha256 is None else (sha256, int(rows))


def forget_history(tx: Tx) -> int:
    """Delete the history and record it in the instance's log (8.1); returns the number of deleted rows."""
    kept = find_history(tx)
    if kept is None:
        return 0
    sha256, rows = kept
    record_instance_event(tx, "forget_history", {"sha256": sha256, "rows": rows})
    tx.connection.execute(delete(HISTORY_PARTS))
    return rows
