"""Cards whose drawing was given up: drawn again by themselves until they show the record."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from complaints.doing import stamp
from complaints.duties import Lane, Owed
from store import owed_rows
from store.obligations import IS_STUCK
from store.tables import COMPLAINTS, OBLIGATIONS, SLACK
from store.transactions import Tx

#: So many at one look, so that an outage of a day is mended in handfuls that the pace can carry.
AT_A_LOOK = 200


def sweep_cards(tx: Tx, most: int = AT_A_LOOK) -> int:
    """Owe the drawing of complaints whose card was given up and is behind the record; how many.

    Each is owed four times a day at most, and as one of the last, for what happens now goes first. The old failure is
    settled by it, or because the card shows the record by now: nobody need look at it.
    """
    one = OBLIGATIONS.c
    given_up = (
        select(one.id, one.ref)
        .where(IS_STUCK, one.state == "failed", one.kind == "card")
        .order_by(one.due, one.id)
        .limit(most)
        .subquery()
    )
    query = select(given_up.c.id, given_up.c.ref, COMPLAINTS.c.version, _is_behind().label("behind"))
    rows = tx.connection.execute(query.join(COMPLAINTS, COMPLAINTS.c.ref == given_up.c.ref)).all()
    since = tx.now.replace(hour=tx.now.hour // 6 * 6, minute=0, second=0, microsecond=0)
    owed, well = set[str](), [row.id for row in rows if not row.behind]
    for row in (row for row in rows if row.behind):
        # The record does not ask for it anew: `once` says that it stands by itself.
        facts = {"ref": row.ref, "once": True}
        again = Owed(f"card:swept:{row.version}:{stamp(since)}", "card", tx.now, Lane.BULK, facts)
        if row.ref in owed or owed_rows.insert(tx, again, row.ref):
            owed.add(row.ref)
            well.append(row.id)
    if well:
        done = update(OBLIGATIONS).where(one.id.in_(well))
        tx.connection.execute(done.values(state="done", ended_at=tx.now, payload=None))
    return len(owed)


def _is_behind() -> ColumnElement[bool]:
    """No post at all, or one that does not show the record as it stands."""
    here = and_(SLACK.c.ref == COMPLAINTS.c.ref, SLACK.c.deleted_at.is_(None))
    behind = exists().where(here, or_(SLACK.c.ts.is_(None), SLACK.c.shown < COMPLAINTS.c.version))
    return or_(behind, ~exists().where(here))
