"""The instance's own log: a hash chain of what was done to the record as a whole (8.1).

Its events are for example loaded settings, a backup, a restore, new keys or an import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from complaints.times import format_time
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, build_entry
from store.proof.seal import sha256
from store.tables import EVENTS

#: Cannot be a complaint's reference. Existing chains contain this name, so it must not change.
INSTANCE_CHAIN = "-settings"
#: Advisory lock for adding an event: each process must see the other's event first.
_LOCK = 0x616D656E6473


def record_instance_event(tx: Tx, verb: str, facts: Mapping[str, Any]) -> None:
    """Add one event; `facts` are codes, counts and hashes, never words."""
    if not tx.is_sqlite:
        tx.connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = tx.connection.execute(
        select(EVENTS.c.seq, EVENTS.c.hash)
        .where(EVENTS.c.ref == INSTANCE_CHAIN)
        .order_by(EVENTS.c.seq.desc())
        .limit(1)
    ).first()
    seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
    entry = build_entry(INSTANCE_CHAIN, seq, verb, format_time(tx.now), "system", "system", facts, None, prev)
    tx.add(
        EVENTS,
        ref=INSTANCE_CHAIN,
        seq=seq,
        verb=verb,
        at=tx.now,
        by="system",
        role="system",
        entry=entry,
        hash=sha256(entry),
    )


def list_instance_events(tx: Tx, verb: str, limit: int = 100) -> list[dict[str, Any]]:
    """The time and facts of the events with this verb, the newest first."""
    query = (
        select(EVENTS.c.at, EVENTS.c.entry)
        .where(EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb == verb)
        .order_by(EVENTS.c.seq.desc())
        .limit(limit)
    )
    rows = tx.connection.execute(query)
    return [{"at": format_time(row.at), "facts": json.loads(row.entry)["facts"]} for row in rows]
