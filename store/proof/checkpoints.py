"""Signed checkpoints: the newest event of every complaint at one moment, so that removed last events are noticed.

A checkpoint in the database holds the heads that changed since the previous one, and the root of that one. The
document to be kept elsewhere holds every head. A person with the database and the signing key can rewrite only what
no such document covers yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select

from complaints.times import format_time
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical
from store.tables import CHECKPOINT_HEADS, CHECKPOINTS, EVENTS

#: Reference, seq and hash of a complaint's newest event.
Head = tuple[str, int, str]


def checkpoint(tx: Tx) -> dict[str, Any]:
    """Record a checkpoint if anything changed; returns the signed document with every head."""
    last = tx.connection.execute(select(CHECKPOINTS).order_by(CHECKPOINTS.c.n.desc()).limit(1)).first()
    covered = last.last_event_id if last else 0
    newest = tx.connection.execute(select(func.max(EVENTS.c.id))).scalar() or 0
    previous = last.root if last else GENESIS
    n = (last.n if last else 0) + 1
    if newest > covered or last is None:
        changed = heads(tx, since=covered)
        statement = statement_of(n, format_time(tx.now), newest, len(changed), merkle_root(changed), previous)
        public_key, signature = tx.keys.sign(canonical(statement).encode())
        tx.add(
            CHECKPOINTS,
            n=n,
            at=tx.now,
            last_event_id=newest,
            heads=len(changed),
            root=statement["root"],
            previous=previous,
            public_key=public_key,
            signature=signature,
        )
        if changed:
            rows = [{"n": n, "ref": ref, "seq": seq, "hash": hash_} for ref, seq, hash_ in changed]
            tx.connection.execute(insert(CHECKPOINT_HEADS), rows)
    return _document(tx, heads(tx, since=0))


def _document(tx: Tx, all_heads: Sequence[Head]) -> dict[str, Any]:
    content = {
        "version": 1,
        "at": format_time(tx.now),
        "root": merkle_root(all_heads),
        "heads": [list(head) for head in all_heads],
    }
    public_key, signature = tx.keys.sign(canonical(content).encode())
    return {**content, "public_key": public_key, "signature": signature}


def heads(tx: Tx, *, since: int) -> list[Head]:
    """The head of every complaint that has an event after row `since`, sorted by reference."""
    return heads_in(tx.connection, since=since)


def heads_in(connection: Connection, *, since: int) -> list[Head]:
    """`heads` for a database that is not open as a store."""
    newest = (
        select(EVENTS.c.ref, func.max(EVENTS.c.seq).label("seq"))
        .where(EVENTS.c.id > since)
        .group_by(EVENTS.c.ref)
        .subquery()
    )
    query = (
        select(EVENTS.c.ref, EVENTS.c.seq, EVENTS.c.hash)
        .join(newest, and_(newest.c.ref == EVENTS.c.ref, newest.c.seq == EVENTS.c.seq))
        .order_by(EVENTS.c.ref)
    )
    # Sorted here, because the databases collate differently and the root must be the same.
    return sorted((row.ref, row.seq, row.hash) for row in connection.execute(query))


def statement_of(n: int, at: str, last_event_id: int, count: int, root: str, previous: str) -> dict[str, Any]:
    return {
        "n": n,
        "at": at,
        "last_event_id": last_event_id,
        "heads": count,
        "root": root,
        "previous": previous,
    }


def merkle_root(heads: Sequence[Head]) -> str:
    """The root of an RFC 6962 tree over the heads, in hex; without heads the hash of the empty string."""
    return _tree([hashlib.sha256(b"\x00" + canonical(list(head)).encode()).digest() for head in heads]).hex()


def _tree(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        # An odd last leaf moves up unchanged: the same tree as RFC 6962's split at the largest power of two.
        pairs = [
            hashlib.sha256(b"\x01" + leaves[index] + leaves[index + 1]).digest()
            for index in range(0, len(leaves) - 1, 2)
        ]
        leaves = pairs + leaves[len(pairs) * 2 :]
    return leaves[0]
