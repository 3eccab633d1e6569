"""Many cases one after the other, for reports: a page a transaction, bounded by period or by what is open.

Complaints with what stands beside them, page by page, for the count (8.4): events, fields, reads, messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, func, or_, select

from complaints.history import CaseHistory, MessageEntry, ReadEntry
from complaints.vocabulary import ContactKind, Role, State
from store.cases.load import CaseFile, load_case_file, load_many
from store.database.transaction import Tx
from store.tables import COMPLAINTS, MESSAGES, READS, STAFF_ROLES, TEXTS

PAGE = 200
#: So long a second complaint of the same is a repeat (docs/domain.md, section 5).
REPEAT_WITHIN = timedelta(days=180)

#: Where a page ended: the key of its last complaint.
After = tuple[datetime, str]

_ONE = COMPLAINTS.c
_OPEN = [state.value for state in State if state is not State.CLOSED]


class HistoryPage(Protocol):
    """One page in its own transaction; None begins."""

    def __call__(self, after: After | None) -> list[CaseHistory]:
        """At most `PAGE` complaints with their events, those after this key, in its order."""
        ...


def load_received_page(
    tx: Tx, start: datetime, end: datetime, after: After | None = None
) -> list[CaseHistory]:
    """Complaints received from `start` (included) to `end` (not included), the earliest first."""
    return _page(tx, [_ONE.received_at >= start, _ONE.received_at < end], after)


def load_open_page(tx: Tx, after: After | None = None) -> list[CaseHistory]:
    """Complaints that are not closed, the earliest received first."""
    return _page(tx, [_ONE.state.in_(_OPEN)], after)


def count_repeats(tx: Tx, start: datetime, end: datetime) -> int:
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
            *(row.c.kind == ContactKind.COMPLAINT.value for row in (one, before)),
            *(row.c.is_simulation.is_(False) for row in (one, before)),
        )
        .group_by(one.c.ref, one.c.received_at)
    )
    return sum(row.received_at - row.last <= REPEAT_WITHIN for row in tx.connection.execute(query))


def _page(tx: Tx, conditions: list[ColumnElement[bool]], after: After | None) -> list[CaseHistory]:
    return [CaseHistory(one.case, one.events) for one in load_many(tx, refs_after(tx, conditions, after))]


def refs_after(tx: Tx, conditions: list[ColumnElement[bool]], after: After | None) -> Sequence[str]:
    """At most a page of references under these conditions, the earliest received first, those after this key."""
    if after is not None:
        at, ref = after
        # The first condition alone lets the index begin where the last page ended.
        conditions = [*conditions, _ONE.received_at >= at, or_(_ONE.received_at > at, _ONE.ref > ref)]
    query = select(_ONE.ref).where(*conditions).order_by(_ONE.received_at, _ONE.ref).limit(PAGE)
    return tx.connection.execute(query).scalars().all()


def pages(page: HistoryPage) -> Iterator[CaseHistory]:
    """All complaints, page by page: no transaction outlives its page, and no more than a page is in memory."""
    after: After | None = None
    while True:
        found = page(after)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].case.received_at, found[-1].case.ref


def load_case_history(tx: Tx, ref: str) -> CaseHistory:
    """One complaint; UnknownReference where there is none."""
    return _beside(tx, [load_case_file(tx, ref)])[0]


def load_history_page(tx: Tx, after: After | None = None) -> list[CaseHistory]:
    """At most a page of the whole record, the earliest received first, those after this key."""
    return _beside(tx, load_many(tx, refs_after(tx, [], after)))


def _beside(tx: Tx, files: list[CaseFile]) -> list[CaseHistory]:
    refs = [one.case.ref for one in files]
    fields: dict[str, dict[int, set[str]]] = {ref: defaultdict(set) for ref in refs}
    reads: dict[str, list[ReadEntry]] = {ref: [] for ref in refs}
    messages: dict[str, list[MessageEntry]] = {ref: [] for ref in refs}
    texts = select(TEXTS.c.ref, TEXTS.c.seq, TEXTS.c.field).where(TEXTS.c.ref.in_(refs))
    for text in tx.connection.execute(texts):
        fields[text.ref][text.seq].add(text.field)
    opened = select(READS).where(READS.c.ref.in_(refs)).order_by(READS.c.id)
    for read in tx.connection.execute(opened):
        reads[read.ref].append(ReadEntry(read.by, read.role, read.at, read.version))
    sent = (
        select(
            MESSAGES.c.ref,
            MESSAGES.c.direction,
            MESSAGES.c.template,
            MESSAGES.c.template_version,
            MESSAGES.c.language,
            MESSAGES.c.state,
            MESSAGES.c.at,
        )
        .where(MESSAGES.c.ref.in_(refs))
        .order_by(MESSAGES.c.id)
    )
    for row in tx.connection.execute(sent):
        messages[row.ref].append(
            MessageEntry(row.direction, row.template, row.template_version, row.language, row.state, row.at)
        )
    return [
        CaseHistory(
            case=one.case,
            events=one.events,
            fields={seq: frozenset(names) for seq, names in fields[one.case.ref].items()},
            reads=tuple(reads[one.case.ref]),
            messages=tuple(messages[one.case.ref]),
        )
        for one in files
    ]


def list_role_periods(tx: Tx) -> list[tuple[str, Role, datetime, datetime | None]]:
    """Who held which role, since when, until when; None: still."""
    query = select(STAFF_ROLES).order_by(STAFF_ROLES.c.id)
    return [(row.member_id, Role(row.role), row.since, row.until) for row in tx.connection.execute(query)]
