"""Many cases one after the other, for reports: a page a transaction, bounded by period or by what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, func, or_, select

from complaints.followed import Followed
from complaints.vocabulary import Kind, State
from store.casefiles import load_many
from store.tables import COMPLAINTS
from store.transactions import Tx

PAGE = 200
#: So long a second complaint of the same is a repeat (iso10002.md section 5).
REPEAT_WITHIN = timedelta(days=180)

#: Where a page ended: the key of its last complaint.
After = tuple[datetime, str]

_ONE = COMPLAINTS.c
_OPEN = [state.value for state in State if state is not State.CLOSED]


class Page(Protocol):
    """One page in its own transaction; None begins."""

    def __call__(self, after: After | None) -> list[Followed]:
        """At most `PAGE` complaints with their events, those after this key, in its order."""
        ...


def received_page(tx: Tx, start: datetime, end: datetime, after: After | None = None) -> list[Followed]:
    """Complaints received from `start` (included) to `end` (not included), the earliest first."""
    return _page(tx, [_ONE.received_at >= start, _ONE.received_at < end], after)


def open_page(tx: Tx, after: After | None = None) -> list[Followed]:
    """Complaints that are not closed, the earliest received first."""
    return _page(tx, [_ONE.state.in_(_OPEN)], after)


def repeats(tx: Tx, start: datetime, end: datetime) -> int:
    """Complaints of the period whose person had complained of the same category within 180 days before."""
    one, before = COMPLAINTS.alias("one"), COMPLAINTS.alias("before")
    query = (
        select(one.c.ref, one.c.received_at, func.max(before.c.received_at).label("last"))
        .join(before, before.c.complainant_id == one.c.complainant_id)
        .where(
            one.c.received_at >= start,
            one.c.received_at < end,
            before.c.received_at < one.c.received_at,
            before.c.category == one.c.category,
            *(row.c.kind == Kind.COMPLAINT.value for row in (one, before)),
            *(row.c.is_simulation.is_(False) for row in (one, before)),
        )
        .group_by(one.c.ref, one.c.received_at)
    )
    return sum(row.received_at - row.last <= REPEAT_WITHIN for row in tx.connection.execute(query))


def _page(tx: Tx, conditions: list[ColumnElement[bool]], after: After | None) -> list[Followed]:
    return [Followed(one.case, one.events) for one in load_many(tx, refs_after(tx, conditions, after))]


def refs_after(tx: Tx, conditions: list[ColumnElement[bool]], after: After | None) -> Sequence[str]:
    """At most a page of references under these conditions, the earliest received first, those after this key."""
    if after is not None:
        at, ref = after
        # The first condition alone lets the index begin where the last page ended.
        conditions = [*conditions, _ONE.received_at >= at, or_(_ONE.received_at > at, _ONE.ref > ref)]
    query = select(_ONE.ref).where(*conditions).order_by(_ONE.received_at, _ONE.ref).limit(PAGE)
    return tx.connection.execute(query).scalars().all()


def pages(page: Page) -> Iterator[Followed]:
    """All complaints, page by page: no transaction outlives its page, and no more than a page is in memory."""
    after: After | None = None
    while True:
        found = page(after)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].case.received_at, found[-1].case.ref
