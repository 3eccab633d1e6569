"""Who takes which duty, in which order: leased, the urgent first, of one chat the oldest (docs/design.md, rule 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    and_,
    bindparam,
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
from store.database.transaction import Tx, database_seconds
from store.outbox.complete import IS_OPEN, THREAD, fail, is_only_obligation
from store.outbox.rows import unseal_payload
from store.people.contacts import CHAT, chat_of
from store.tables import CONTACTS, MESSAGES, OBLIGATIONS, PEOPLE
from store.values import MessageState, Obligation, PlatformCapacity

_earlier = OBLIGATIONS.alias("earlier")
_EARLIER_OPEN = _earlier.c.state == literal_column("'open'")

#: What stands in another lane is of a newer release beside us, and is left to it. Never along the lanes: with nothing
#: due those would be read to the end of what is to come.
_URGENCY = OBLIGATIONS.c.lane + literal_column("0")
IS_IN_OUR_LANES = _URGENCY.in_([literal_column(str(int(each))) for each in SendPriority])

#: What is asked many times a second is put together once, for that takes longer than the answer; this is given with
#: each question, and how much room there is.
_NOW = bindparam("now", type_=OBLIGATIONS.c.due.type)


def _claimable(kinds: Sequence[str]) -> Select[Any]:
    """Due `now`, in nobody's hands, and not behind an older one that must come first.

    Of one chat only the oldest message, danger before all; of one complaint only the oldest line of its thread:
    two performers side by side would tell them in either order.
    """
    one = OBLIGATIONS.c
    return select(one.id).where(
        IS_OPEN,
        one.kind.in_(kinds),
        IS_IN_OUR_LANES,
        one.due <= _NOW,
        one.lease_until <= database_seconds(),
        one.wait_until <= database_seconds(),
        or_(one.speaks.is_(False), ~exists().where(*_said_before())),
        or_(one.kind != THREAD, ~exists().where(*_told_before())),
    )


def _older() -> ColumnElement[bool]:
    other, one = _earlier.c, OBLIGATIONS.c
    return or_(other.due < one.due, and_(other.due == one.due, other.id < one.id))


def _said_before() -> list[ColumnElement[bool]]:
    other, one = _earlier.c, OBLIGATIONS.c
    danger = int(SendPriority.DANGER)
    same = (other.lane == danger) == (one.lane == danger)
    return [
        other.contact_id == one.contact_id,
        _EARLIER_OPEN,
        other.speaks.is_(True),
        other.due <= _NOW,
        or_(and_(other.lane == danger, one.lane != danger), and_(same, _older())),
    ]


def _told_before() -> list[ColumnElement[bool]]:
    other, one = _earlier.c, OBLIGATIONS.c
    return [other.scope == one.scope, _EARLIER_OPEN, other.kind == THREAD, other.due <= _NOW, _older()]


def claim(tx: Tx, kinds: Collection[str], limit: int, lease_seconds: float) -> list[Obligation]:
    """Take up to `limit` due duties for so many seconds of the database's time, of whatever side.

    All that is due is looked at: the cheapest question while that is little. Where an earlier holder had begun
    to send (its message stands in `sending`), that message is marked uncertain and the duty says so.
    """
    query = _of_any_side(tuple(sorted(kinds)), tx.is_sqlite)
    found = tx.connection.execute(query, {"now": tx.now, "most": limit}).scalars()
    return _leased(tx, list(found), lease_seconds)


@lru_cache(maxsize=256)
def _of_any_side(kinds: tuple[str, ...], is_sqlite: bool) -> Select[Any]:
    one = OBLIGATIONS.c
    query = _claimable(kinds).order_by(_URGENCY, one.due, one.id).limit(bindparam("most", type_=Integer))
    return is_only_obligation(query, is_sqlite=is_sqlite)


def claim_by_platform(tx: Tx, sides: Sequence[PlatformCapacity], lease_seconds: float) -> list[Obligation]:
    """Take as many due duties as each side has room for, the urgent before all.

    Each side is asked for its own: whatever waits at one platform, nobody at the other waits behind it.
    """
    found = list[tuple[int, int]]()
    for side in sides:
        room = dict(side.room)
        if not any(free > 0 for free in room.values()):
            continue
        lanes = tuple(lane for lane in SendPriority if room.get(lane, 0) > 0)
        query = _first(tuple(sorted(side.kinds)), lanes, tx.is_sqlite)
        rooms = {f"room_{lane:d}": side.room[lane] for lane in lanes}
        for row in tx.connection.execute(query, {"now": tx.now, **rooms}):
            if room[SendPriority(row.lane)] > 0:
                found.append((row.lane, row.id))
                room.update({lane: free - 1 for lane, free in room.items()})
    urgent_first = sorted(found, key=lambda each: each[0])
    return _leased(tx, [number for _, number in urgent_first], lease_seconds)


@lru_cache(maxsize=1024)
def _first(
    kinds: tuple[str, ...],
    lanes: tuple[SendPriority, ...],
    is_sqlite: bool,
) -> CompoundSelect[Any]:
    """What a side may take of each lane, the urgent first.

    Lane by lane along the index, so that of ten thousand that wait only the first few are looked at.
    """
    one, found = OBLIGATIONS.c, list[Select[Any]]()
    for lane in lanes:
        most = bindparam(f"room_{lane:d}", type_=Integer)
        query = _claimable(kinds).add_columns(one.lane).where(one.lane == int(lane))
        query = is_only_obligation(query.order_by(one.due, one.id).limit(most), is_sqlite=is_sqlite)
        found.append(select(query.subquery()))
    return union_all(*found)


def _leased(tx: Tx, numbers: list[int], lease_seconds: float) -> list[Obligation]:
    if not numbers:
        return []
    one = OBLIGATIONS.c
    tx.connection.execute(
        update(OBLIGATIONS).where(one.id.in_(numbers)).values(lease_until=database_seconds() + lease_seconds)
    )
    uncertain = _uncertain(tx, numbers)
    rows = {row.id: row for row in tx.connection.execute(_rows(one.id.in_(numbers)))}
    return [read for number in numbers if (read := _read(tx, rows[number], uncertain)) is not None]


def _read(tx: Tx, row: Any, uncertain: set[int]) -> Obligation | None:
    """The duty; one whose words or address do not read is given up, else no claim would ever get past it."""
    try:
        return _value(tx, row, uncertain)
    except StoreError as broken:
        fail(tx, row.id, f"unreadable: {type(broken).__name__}")
        return None


def _uncertain(tx: Tx, numbers: Sequence[int]) -> set[int]:
    mine = MESSAGES.c.obligation_id.in_(numbers)
    begun = (MessageState.SENDING.value, MessageState.UNCERTAIN.value)
    query = select(MESSAGES.c.obligation_id, MESSAGES.c.state).where(mine, MESSAGES.c.state.in_(begun))
    found = tx.connection.execute(query).all()
    if any(row.state == MessageState.SENDING.value for row in found):
        tx.connection.execute(
            update(MESSAGES)
            .where(mine, MESSAGES.c.state == MessageState.SENDING.value)
            .values(state=MessageState.UNCERTAIN.value, reason="interrupted")
        )
    return {row.obligation_id for row in found}


def _rows(*wanted: ColumnElement[bool]) -> Select[Any]:
    return (
        select(OBLIGATIONS, *CHAT)
        .outerjoin(CONTACTS, CONTACTS.c.id == OBLIGATIONS.c.contact_id)
        .outerjoin(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
        .where(*wanted)
    )


def _value(tx: Tx, row: Any, uncertain: set[int]) -> Obligation:
    chat, key = chat_of(tx, row)
    owned = row.contact_id is not None
    payload = {} if owned and key is None else unseal_payload(tx.keys, key, row.payload, row.scope, row.key)
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


def count_claimable(tx: Tx, kinds: Collection[str]) -> int:
    """How many duties of these kinds could be claimed at this moment."""
    return int(tx.connection.execute(_counted(tuple(sorted(kinds))), {"now": tx.now}).scalar_one())


@lru_cache(maxsize=256)
def _counted(kinds: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(_claimable(kinds).subquery())


def earliest(tx: Tx, kinds: Collection[str], until: datetime) -> Obligation | None:
    """The duty of these kinds that is due first, without a lease: for whoever alone has the whole file in hand."""
    one = OBLIGATIONS.c
    query = _rows(one.kind.in_(sorted(kinds)), IS_OPEN, IS_IN_OUR_LANES, one.due <= until)
    row = tx.connection.execute(query.order_by(one.due, one.lane, one.id).limit(1)).first()
    return None if row is None else _value(tx, row, set())
