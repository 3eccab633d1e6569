"""The house's own chain: what was done to the record as a whole, beside the chains of its complaints (8.1).

Settings loaded, a backup made, a restore, keys changed, an import: each is an event as provable as any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from complaints.timestamps import format_time
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, written
from store.proof.seal import sha256
from store.tables import EVENTS

#: No complaint's reference looks like it. Its name stands in released chains, so it stays.
SETTINGS_CHAIN = "-settings"
#: Two processes may write at once; each must see the other's event before it adds its own.
_LOCK = 0x616D656E6473


def record_instance_event(tx: Tx, verb: str, facts: Mapping[str, Any]) -> None:
    """Add one event; `facts` are codes, counts and hashes, never words."""
    if not tx.is_sqlite:
        tx.connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = tx.connection.execute(
        select(EVENTS.c.seq, EVENTS.c.hash)
        .where(EVENTS.c.ref == SETTINGS_CHAIN)
        .order_by(EVENTS.c.seq.desc())
        .limit(1)
    ).first()
    seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
    entry = written(SETTINGS_CHAIN, seq, verb, format_time(tx.now), "system", "system", facts, None, prev)
    tx.add(
        EVENTS,
        ref=SETTINGS_CHAIN,
        seq=seq,
        verb=verb,
        at=tx.now,
        by="system",
        role="system",
        entry=entry,
        hash=sha256(entry),
    )


def list_instance_events(tx: Tx, verb: str, limit: int = 100) -> list[dict[str, Any]]:
    """The newest events of this kind, the newest first: moment and facts."""
    query = (
        select(EVENTS.c.at, EVENTS.c.entry)
        .where(EVENTS.c.ref == SETTINGS_CHAIN, EVENTS.c.verb == verb)
        .order_by(EVENTS.c.seq.desc())
        .limit(limit)
    )
    rows = tx.connection.execute(query)
    return [{"at": format_time(row.at), "facts": json.loads(row.entry)["facts"]} for row in rows]
