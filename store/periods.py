"""Many cases one after the other, for reports: a page a transaction, bounded by period or by what is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, or_, select

from complaints.record import Case
from complaints.vocabulary import State
from store.casefiles import load_many
from store.tables import COMPLAINTS
from store.transactions import Tx

PAGE = 200

#: Where a page ended: the key of its last complaint.
After = tuple[datetime, str]

_ONE = COMPLAINTS.c
_OPEN = [state.value for state in State if state is not State.CLOSED]


class Page(Protocol):
    """One page in its own transaction; None begins."""

    def __call__(self, after: After | None) -> list[Case]:
        """At most `PAGE` cases, those after this key, in its order."""
        ...


def received_page(tx: Tx, start: datetime, end: datetime, after: After | None = None) -> list[Case]:
    """Complaints received from `start` (included) to `end` (not included), the earliest first."""
    return _page(tx, [_ONE.received_at >= start, _ONE.received_at < end], after)


def open_page(tx: Tx, after: After | None = None) -> list[Case]:
    """Complaints that are not closed, the earliest received first."""
    return _page(tx, [_ONE.state.in_(_OPEN)], after)


def _page(tx: Tx, conditions: list[ColumnElement[bool]], after: After | None) -> list[Case]:
    if after is not None:
        at, ref = after
        # The first condition alone lets the index begin where the last page ended.
        conditions = [*conditions, _ONE.received_at >= at, or_(_ONE.received_at > at, _ONE.ref > ref)]
    query = select(_ONE.ref).where(*conditions).order_by(_ONE.received_at, _ONE.ref).limit(PAGE)
    return [one.case for one in load_many(tx, tx.connection.execute(query).scalars().all())]


def pages(page: Page) -> Iterator[Case]:
    """All cases, page by page: no transaction outlives its page, and no more than a page is in memory."""
    after: After | None = None
    while True:
        found = page(after)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].received_at, found[-1].ref
