"""Words of complaints that nobody has assessed: they teach a model which words go together (7.5, decision 10)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, exists, or_, select

from complaints.vocabulary import CloseCode, Kind
from store.casefiles import case_key
from store.examples import PAGE, said_of, story
from store.tables import ASSESSMENTS, COMPLAINTS
from store.transactions import Tx

#: Complaints looked at, the newest; on a desk that keeps up nearly all of them are assessed.
LOOKED_AT = 6_000
#: Texts that are enough to tell.
MOST = 3_000

#: Where a page ended.
Before = tuple[datetime, str]


def unassessed_page(tx: Tx, before: Before | None = None) -> tuple[list[str], Before | None]:
    """What was told in these of the newest `PAGE` complaints before this key, the newest first; None at the end.

    Left out are restricted ones, simulations, what is no complaint, what was merged, and what was erased.
    """
    one = COMPLAINTS.c
    query = select(
        one.ref,
        one.received_at,
        one.key_wrapped,
        and_(
            ~exists().where(ASSESSMENTS.c.ref == one.ref),
            one.key_wrapped.is_not(None),
            one.restriction.is_(None),
            one.is_simulation.is_(False),
            one.kind == Kind.COMPLAINT.value,
            or_(one.close_code.is_(None), one.close_code != CloseCode.MERGED.value),
        ).label("wanted"),
    )
    if before is not None:
        at, ref = before
        query = query.where(one.received_at <= at, or_(one.received_at < at, one.ref < ref))
    rows = tx.connection.execute(query.order_by(one.received_at.desc(), one.ref.desc()).limit(PAGE)).all()
    wanted = [row for row in rows if row.wanted]
    said = said_of(tx, [row.ref for row in wanted])
    texts = [story(case_key(tx, row.ref, row.key_wrapped), row.ref, said[row.ref]) for row in wanted]
    last = rows[-1] if len(rows) == PAGE else None
    return [text for text in texts if text.strip()], None if last is None else (last.received_at, last.ref)
