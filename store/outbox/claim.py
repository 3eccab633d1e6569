"""Claim due obligations under a lease: urgent ones first, and within a chat the oldest (docs/design.md, rule 2).

Also counts what waits, for the worker and for those who monitor the desk.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from complaints.obligations.kinds import SendPriority
from store.database.errors import StoreError
from store.database.prepared import Prepared
from store.database.transaction import Tx, database_seconds
from store.outbox.complete import IS_OPEN, THREAD, fail, skip_locked
from store.outbox.rows import unseal_payload
from store.people.contacts import CHAT, chat_of
from store.tables import CONTACTS, MESSAGES, OBLIGATIONS, PEOPLE
from store.values import MessageState, Obligation, PlatformCapacity, QueueLength

_earlier = OBLIGATIONS.alias("earlier")
_EARLIER_OPEN = _earlier.c.state == literal_column("'open'")
#: The "+ 0" keeps the database from using the index on `lane`: with nothing due it would read all future obligations.
_PRIORITY = OBLIGATIONS.c.lane + literal_column("0")
#: An obligation with another priority was written by a newer release on the same database, which will handle it.
HAS_KNOWN_PRIORITY = _PRIORITY.in_([literal_column(str(int(priority))) for priority in SendPriority])
#: A parameter, so that the queries below are compiled once: they run many times a second, and to compile or bind one
#: takes longer than to run it.
_NOW = bindparam("now", type_=OBLIGATIONS.c.due.type)
#: A queue is counted up to this length, which is long enough for an alarm.
MAX_COUNTED = 10_000


def claim(tx: Tx, kinds: Collection[str], limit: int, lease_seconds: float) -> list[Obligation]:
    """Claim up to `limit` due obligations of any platform, for `lease_seconds` of the database's time.

    Looks at everything that is due, which is the cheapest query while that is little. If a former worker had started
    to send the message (its state is `sending`), it becomes uncertain, and the obligation says so.
    """
    query = _next_of_all(tuple(sorted(kinds)), tx.is_sqlite)
    ids = [row.id for row in query.rows(tx.connection, now=tx.now, most=limit)]
    return _lease(tx, ids, lease_seconds)


def claim_by_platform(
    tx: Tx, platforms: Sequence[PlatformCapacity], lease_seconds: float
) -> list[Obligation]:
    """Claim as many due obligations as each platform has capacity for, the urgent ones first.

    Each platform has a query of its own, so that a long queue at one does not delay the other.
    """
    claimed = list[tuple[int, int]]()
    for platform in platforms:
        free = dict(platform.free_slots)
        if not any(slots > 0 for slots in free.values()):
            continue
        priorities = tuple(priority for priority in SendPriority if free.get(priority, 0) > 0)
        query = _next_of_platform(tuple(sorted(platform.kinds)), priorities, tx.is_sqlite)
        limits = {f"limit_{priority:d}": platform.free_slots[priority] for priority in priorities}
        for row in query.rows(tx.connection, now=tx.now, **limits):
            if free[SendPriority(row.lane)] > 0:
                claimed.append((row.lane, row.id))
                free.update({priority: slots - 1 for priority, slots in free.items()})
    urgent_first = sorted(claimed, key=lambda pair: pair[0])
    return _lease(tx, [id_ for _, id_ in urgent_first], lease_seconds)


def is_only_work_due(tx: Tx, kinds: Collection[str], others: Collection[str]) -> bool:
    """True if an obligation of these kinds could be claimed now, and no answer or danger of the other kinds."""
    work = _any_due(tuple(sorted(kinds)), tuple(SendPriority))
    # First, because it is almost always false, and asked after each commit.
    if work.first(tx.connection, now=tx.now) is None:
        return False
    urgent = _any_due(tuple(sorted(others)), (SendPriority.DANGER, SendPriority.DIALOGUE))
    return urgent.first(tx.connection, now=tx.now) is None


def count_claimable(tx: Tx, kinds: Collection[str]) -> int:
    """How many obligations of these kinds could be claimed now."""
    return int(tx.connection.execute(_count(tuple(sorted(kinds))), {"now": tx.now}).scalar_one())


def find_earliest(tx: Tx, kinds: Collection[str], until: datetime) -> Obligation | None:
    """The obligation of these kinds that is due first, without a lease.

    Only for a process that has the database to itself, such as the making of the demo record.
    """
    row = tx.connection.execute(_earliest(tuple(sorted(kinds))), {"now": until}).first()
    return None if row is None else _value(tx, row, set())


def count_waiting(tx: Tx, most: int = MAX_COUNTED) -> dict[SendPriority, QueueLength]:
    """What is due and not done, by priority; of a longer queue only the `most` obligations that are due first.

    An obligation with a priority of a newer release counts with the lowest one.
    """
    columns = OBLIGATIONS.c
    priority = case(
        (columns.lane.in_([int(level) for level in SendPriority]), columns.lane), else_=int(SendPriority.BULK)
    ).label("lane")
    due = (
        select(priority, columns.due, columns.lease_until, columns.attempts)
        .where(IS_OPEN, columns.due <= tx.now)
        .order_by(columns.due)
        .limit(most)
        .subquery()
    )
    expired = and_(due.c.lease_until > 0, due.c.lease_until <= database_seconds())
    query = select(
        due.c.lane,
        func.count().label("due"),
        func.min(due.c.due).label("first"),
        func.sum(case((due.c.attempts > 0, 1), else_=0)).label("retried"),
        func.sum(case((expired, 1), else_=0)).label("expired"),
    ).group_by(due.c.lane)
    lengths = dict.fromkeys(SendPriority, QueueLength())
    for row in tx.connection.execute(query):
        late = max(0.0, (tx.now - row.first).total_seconds())
        lengths[SendPriority(row.lane)] = QueueLength(row.due, late, int(row.retried), int(row.expired))
    return lengths


def _claimable(kinds: Sequence[str]) -> Select[Any]:
    """Due `now`, without a lease, and not behind an older obligation that must come first.

    Of one chat only the oldest message, danger before everything. Of one complaint only the oldest line of its
    thread: two workers at the same time could post the lines in the wrong order.
    """
    columns = OBLIGATIONS.c
    return select(columns.id).where(
        IS_OPEN,
        columns.kind.in_(kinds),
        HAS_KNOWN_PRIORITY,
        columns.due <= _NOW,
        columns.lease_until <= database_seconds(),
        columns.wait_until <= database_seconds(),
        or_(columns.speaks.is_(False), ~exists().where(*_earlier_in_chat())),
        or_(columns.kind != THREAD, ~exists().where(*_earlier_in_thread())),
    )


def _is_older() -> ColumnElement[bool]:
    earlier, current = _earlier.c, OBLIGATIONS.c
    return or_(earlier.due < current.due, and_(earlier.due == current.due, earlier.id < current.id))


def _earlier_in_chat() -> list[ColumnElement[bool]]:
    earlier, current = _earlier.c, OBLIGATIONS.c
    danger = int(SendPriority.DANGER)
    same = (earlier.lane == danger) == (current.lane == danger)
    return [
        earlier.contact_id == current.contact_id,
        _EARLIER_OPEN,
        earlier.speaks.is_(True),
        earlier.due <= _NOW,
        or_(and_(earlier.lane == danger, current.lane != danger), and_(same, _is_older())),
    ]


def _earlier_in_thread() -> list[ColumnElement[bool]]:
    earlier, current = _earlier.c, OBLIGATIONS.c
    return [
        earlier.scope == current.scope,
        _EARLIER_OPEN,
        earlier.kind == THREAD,
        earlier.due <= _NOW,
        _is_older(),
    ]


@lru_cache(maxsize=256)
def _earliest(kinds: tuple[str, ...]) -> Select[Any]:
    columns = OBLIGATIONS.c
    query = _rows(columns.kind.in_(kinds), IS_OPEN, HAS_KNOWN_PRIORITY, columns.due <= _NOW)
    return query.order_by(columns.due, columns.lane, columns.id).limit(1)


@lru_cache(maxsize=256)
def _next_of_all(kinds: tuple[str, ...], is_sqlite: bool) -> Prepared:
    columns = OBLIGATIONS.c
    query = _claimable(kinds).order_by(_PRIORITY, columns.due, columns.id)
    return Prepared(skip_locked(query.limit(bindparam("most", type_=Integer)), is_sqlite=is_sqlite))


@lru_cache(maxsize=1024)
def _next_of_platform(
    kinds: tuple[str, ...], priorities: tuple[SendPriority, ...], is_sqlite: bool
) -> Prepared:
    """The next obligations of each priority, up to its own limit.

    One part for each priority uses the index, so that of ten thousand due rows only the first few are read.
    """
    columns, parts = OBLIGATIONS.c, list[Select[Any]]()
    for priority in priorities:
        limit = bindparam(f"limit_{priority:d}", type_=Integer)
        query = _claimable(kinds).add_columns(columns.lane).where(columns.lane == int(priority))
        query = skip_locked(query.order_by(columns.due, columns.id).limit(limit), is_sqlite=is_sqlite)
        parts.append(select(query.subquery()))
    return Prepared(select(union_all(*parts).subquery()))


@lru_cache(maxsize=256)
def _any_due(kinds: tuple[str, ...], priorities: tuple[SendPriority, ...]) -> Prepared:
    """One of each priority: a part for each uses the index and reads no future obligations."""
    columns = OBLIGATIONS.c
    parts = (
        _claimable(kinds)
        .where(columns.lane == literal_column(str(int(priority))))
        .order_by(columns.due)
        .limit(1)
        for priority in priorities
    )
    return Prepared(select(union_all(*(select(part.subquery()) for part in parts)).subquery()))


@lru_cache(maxsize=256)
def _count(kinds: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(_claimable(kinds).subquery())


def _lease(tx: Tx, ids: list[int], lease_seconds: float) -> list[Obligation]:
    if not ids:
        return []
    _LEASE.run(tx.connection, [{"claimed": id_, "seconds": lease_seconds} for id_ in ids])
    uncertain = _mark_uncertain(tx, ids)
    rows = {id_: _CLAIMED.first(tx.connection, claimed=id_) for id_ in ids}
    obligations = (_read_or_fail(tx, rows[id_], uncertain) for id_ in ids)
    return [obligation for obligation in obligations if obligation is not None]


def _mark_uncertain(tx: Tx, ids: Sequence[int]) -> set[int]:
    """The obligations whose message a former worker may have sent; a message in `sending` becomes uncertain."""
    messages = {id_: _TRIED.first(tx.connection, claimed=id_) for id_ in ids}
    tried = {id_: message.state for id_, message in messages.items() if message is not None}
    if interrupted := [id_ for id_, state in tried.items() if state == MessageState.SENDING.value]:
        of_these = MESSAGES.c.obligation_id.in_(interrupted)
        uncertain = {"state": MessageState.UNCERTAIN.value, "reason": "interrupted"}
        tx.update(MESSAGES, of_these, MESSAGES.c.state == MessageState.SENDING.value, **uncertain)
    return set(tried)


def _rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(OBLIGATIONS, *CHAT)
        .outerjoin(CONTACTS, CONTACTS.c.id == OBLIGATIONS.c.contact_id)
        .outerjoin(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
        .where(*conditions)
    )


_CLAIMED_ID = bindparam("claimed", type_=OBLIGATIONS.c.id.type)
_LEASE = Prepared(
    update(OBLIGATIONS)
    .where(OBLIGATIONS.c.id == _CLAIMED_ID)
    .values(lease_until=database_seconds() + bindparam("seconds", type_=Float))
)
_CLAIMED = Prepared(_rows(OBLIGATIONS.c.id == _CLAIMED_ID))
#: The message of a claimed obligation that was or may have been sent, the one whose fate is open first.
_TRIED = Prepared(
    select(MESSAGES.c.state)
    .where(
        MESSAGES.c.obligation_id == _CLAIMED_ID,
        MESSAGES.c.state.in_((MessageState.SENDING.value, MessageState.UNCERTAIN.value)),
    )
    .order_by(MESSAGES.c.state)
    .limit(1)
)


def _read_or_fail(tx: Tx, row: Any, uncertain: set[int]) -> Obligation | None:
    """The obligation; if its payload or address cannot be opened it fails, or it would block every later claim."""
    try:
        return _value(tx, row, uncertain)
    except StoreError as error:
        fail(tx, row.id, f"unreadable: {type(error).__name__}")
        return None


def _value(tx: Tx, row: Any, uncertain: set[int]) -> Obligation:
    chat, key = chat_of(tx, row)
    is_erased = row.contact_id is not None and key is None
    payload = {} if is_erased else unseal_payload(tx.keys, key, row.payload, row.scope, row.key)
    return Obligation(
        id=row.id,
        key=row.key,
        kind=row.kind,
        due=row.due,
        ref=row.ref,
        chat=chat,
        facts=row.facts,
        payload=payload,
        lane=SendPriority(row.lane),
        attempts=row.attempts,
        uncertain=row.id in uncertain,
    )
