"""Duties that no release like ours does: they stay, they stand in nobody's way, and people hear of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import not_, or_, select, update

from complaints.duties import Lane, Owed
from store import owed_rows
from store.claiming import IS_IN_OUR_LANES
from store.obligations import IS_OPEN, retry
from store.tables import OBLIGATIONS
from store.transactions import Tx, database_seconds

#: One look a day: a release that knows the kind may come, and does it then.
AGAIN_SECONDS = 86_400.0
#: More than one kind can leave behind between two looks; the rest is found by the next.
MOST = 1000
WHY = "this release does nothing of this kind"


def orphaned(tx: Tx, kinds: Collection[str], since: datetime) -> set[str]:
    """Tell managers, once a day for each kind, of open duties due before `since` that are not ours to do.

    Their kind is not among `kinds`, or their lane is of a newer release.
    Schedulers that load such a row delete it. Here it shows in the outbox; where it spoke to somebody, what comes
    after it in that chat need not wait for it any longer.
    """
    one = OBLIGATIONS.c
    query = select(one.id, one.kind).where(
        IS_OPEN,
        or_(one.kind.not_in(sorted(kinds)), not_(IS_IN_OUR_LANES)),
        one.due <= since,
        one.wait_until <= database_seconds(),
    )
    rows = tx.connection.execute(query.order_by(one.due, one.id).limit(MOST)).all()
    for row in rows:
        retry(tx, row.id, AGAIN_SECONDS, WHY)
    if rows:
        tx.connection.execute(
            update(OBLIGATIONS).where(one.id.in_([row.id for row in rows])).values(speaks=False)
        )
    found = {str(row.kind) for row in rows}
    for kind in sorted(found):
        key = f"told_failed:kind:{kind}:{tx.now:%Y-%m-%d}"
        owed_rows.insert(tx, Owed(key, "told_failed", tx.now, Lane.NOTICE, {"kind": kind}))
    return found
