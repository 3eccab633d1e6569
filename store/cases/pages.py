"""Read many complaints for reports (8.3, 8.4), one page and one transaction at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, func, or_, select

from complaints.history import CaseHistory, MessageEntry, ReadEntry
from complaints.vocabulary import ContactKind, Role
from store.database.errors import note_damage
from store.database.keyring import place
from store.database.transaction import Tx
from store.record.load import CaseFile, load_case_file, load_many
from store.tables import COMPLAINTS, MESSAGES, READS, STAFF_ROLES, TEXTS

PAGE = 200

#: A second complaint of the same category within this time is a repeat (docs/domain.md, section 5).
REPEAT_WITHIN = timedelta(days=180)
#: Where a page ended: reception time and reference of its last complaint.
After = tuple[datetime, str]
R = TypeVar("R")
#: The readable complaints of a page, and where the next page starts; None after the last one.
Page = tuple[list[CaseHistory], After | None]
_COLUMNS = COMPLAINTS.c


def pages(page: Callable[[After | None], tuple[list[R], After | None]]) -> Iterator[R]:
    """All complaints of all pages; `page` reads those after a key in a transaction of its own.

    One page at a time is in memory. Damaged complaints are left out; `collecting_damage` names them.
    """
    histories, after = page(None)
    yield from histories
    while after is not None:
        histories, after = page(after)
        yield from histories


def load_history_page(tx: Tx, after: After | None = None) -> Page:
    """A page of the whole record with related rows, the earliest received first, those after this key."""
    files, next_page = _files_after(tx, [], after)
    return _with_related_rows(tx, files), next_page


def load_read_page(tx: Tx, start: datetime, end: datetime, after: After | None = None) -> Page:
    """`load_history_page` of the complaints that were read from `start` (included) to `end` (excluded)."""
    read = select(READS.c.ref).where(READS.c.at >= start, READS.c.at < end)
    files, next_page = _files_after(tx, [_COLUMNS.ref.in_(read)], after)
    return _with_related_rows(tx, files), next_page


def load_case_history(tx: Tx, ref: str) -> CaseHistory:
    """One complaint with its events and related rows; raises UnknownReference."""
    return _with_related_rows(tx, [load_case_file(tx, ref)])[0]


def count_repeats(tx: Tx, start: datetime, end: datetime) -> int:
    """How many complaints of the period repeat one of the same person and category from the 180 days before."""
    repeat, earlier = COMPLAINTS.alias("repeat"), COMPLAINTS.alias("earlier")
    query = (
        select(repeat.c.ref, repeat.c.received_at, func.max(earlier.c.received_at).label("last"))
        .join(earlier, earlier.c.complainant_id == repeat.c.complainant_id)
        .where(
            repeat.c.received_at >= start,
            repeat.c.received_at < end,
            earlier.c.received_at < repeat.c.received_at,
            earlier.c.category == repeat.c.category,
            *(row.c.kind == ContactKind.COMPLAINT.value for row in (repeat, earlier)),
            *(row.c.is_simulation.is_(False) for row in (repeat, earlier)),
        )
        .group_by(repeat.c.ref, repeat.c.received_at)
    )
    return sum(row.received_at - row.last <= REPEAT_WITHIN for row in tx.connection.execute(query))


def list_role_periods(tx: Tx) -> list[tuple[str, Role, datetime, datetime | None]]:
    """Who held which role, from when, until when; None means still."""
    query = select(STAFF_ROLES).order_by(STAFF_ROLES.c.id)
    return [(row.member_id, Role(row.role), row.since, row.until) for row in tx.connection.execute(query)]


def _files_after(
    tx: Tx, conditions: list[ColumnElement[bool]], after: After | None
) -> tuple[list[CaseFile], After | None]:
    """A page of the complaints that meet these conditions, the earliest received first, and the next page's key."""
    if after is not None:
        at, ref = after
        # The first condition looks redundant, but lets the index start where the last page ended.
        conditions = [
            *conditions,
            _COLUMNS.received_at >= at,
            or_(_COLUMNS.received_at > at, _COLUMNS.ref > ref),
        ]
    query = select(_COLUMNS.ref, _COLUMNS.received_at, _COLUMNS.version).where(*conditions)
    rows = tx.connection.execute(query.order_by(_COLUMNS.received_at, _COLUMNS.ref).limit(PAGE)).all()
    versions = {row.ref: row.version for row in rows}
    files = [file for file in load_many(tx, list(versions)) if _is_whole(file, versions[file.case.ref])]
    return files, (rows[-1].received_at, rows[-1].ref) if len(rows) == PAGE else None


def _is_whole(file: CaseFile, version: int) -> bool:
    """False, and noted as damage, if events are missing: figures of such a complaint would be wrong."""
    is_whole = [event.seq for event in file.events] == list(range(1, version + 1))
    if not is_whole:
        note_damage(place("complaints", file.case.ref, "events"))
    return is_whole


def _with_related_rows(tx: Tx, files: list[CaseFile]) -> list[CaseHistory]:
    refs = [file.case.ref for file in files]
    fields: dict[str, dict[int, set[str]]] = {ref: defaultdict(set) for ref in refs}
    reads: dict[str, list[ReadEntry]] = {ref: [] for ref in refs}
    messages: dict[str, list[MessageEntry]] = {ref: [] for ref in refs}
    texts = select(TEXTS.c.ref, TEXTS.c.seq, TEXTS.c.field).where(TEXTS.c.ref.in_(refs))
    for text in tx.connection.execute(texts):
        fields[text.ref][text.seq].add(text.field)
    opened = select(READS).where(READS.c.ref.in_(refs)).order_by(READS.c.id)
    for read in tx.connection.execute(opened):
        reads[read.ref].append(ReadEntry(read.by, read.role, read.at, read.version, read.reason))
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
            case=file.case,
            events=file.events,
            fields={seq: frozenset(names) for seq, names in fields[file.case.ref].items()},
            reads=tuple(reads[file.case.ref]),
            messages=tuple(messages[file.case.ref]),
        )
        for file in files
    ]
