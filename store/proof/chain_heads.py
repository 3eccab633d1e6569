"""The newest event of every complaint under one root, as backups and the checkpoints of older releases have it.

Checkpoints are those of the log now (`store.proof.log`); the older ones are still verified.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from store.proof.hash_chain import canonical
from store.tables import EVENTS

#: Reference, seq and hash of a complaint's newest event.
Head = tuple[str, int, str]


def heads_in(connection: Connection, *, since: int) -> list[Head]:
    """The head of every complaint that has an event after row `since`, sorted by reference."""
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
