"""Duties in the hands of performers: claimed under a lease, settled, put off, tried again, given up."""

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
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
    update,
)

from complaints.duties import Lane, Owed
from complaints.owing import standing
from store import owed_rows
from store.acting import settle as _settle
from store.casefiles import load
from store.contacts import CHAT, chat_of
from store.errors import StoreError, UnknownRow
from store.outcomes import NO_ANSWER_AGAIN
from store.owed_rows import unseal_payload
from store.redrawing import shows
from store.tables import COMPLAINTS, CONTACTS, MESSAGES, OBLIGATIONS, PEOPLE
from store.transactions import Tx, database_seconds
from store.values import MessageState, Obligation, Side

#: Duties of one event, done once whatever came after it; all other duties of a case are asked for again.
ONCE: frozenset[str] = frozenset(
    {
        "thread",
        "letter",
        "dates",
        "danger_seen",
        "confirmation",
        "remedy_notice",
        "told_owner",
        "ask_approval",
        "outside",
        "next_recourse",
        "no_independent",
        "summary",
        "told_overturned",
        "fetch",
        "say",
        "told_failed",
        "incident_update",
    }
)

#: Done beside everything else, for minutes: no clock stands still for it.
UNAWAITED: frozenset[str] = frozenset({"train"})

#: One line each under the card, in the order in which things happened.
THREAD = "thread"

_earlier = OBLIGATIONS.alias("earlier")

#: Spelled out, never a parameter: only so do the databases know that the indexes of open rows serve.
IS_OPEN = OBLIGATIONS.c.state == literal_column("'open'")
IS_STUCK = text("(state = 'failed' OR (state = 'open' AND attempts > 0))")
_EARLIER_OPEN = _earlier.c.state == literal_column("'open'")

#: Stands where the pause before the next try will, in a row that is being tried while the other side comes back.
_FREED = -1.0

#: What stands in another lane is of a newer release beside us, and is left to it. Never along the lanes: with nothing
#: due those would be read to the end of what is to come.
_URGENCY = OBLIGATIONS.c.lane + literal_column("0")
IS_IN_OUR_LANES = _URGENCY.in_([literal_column(str(int(each))) for each in Lane])


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
    danger = int(Lane.DANGER)
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
    return _alone(query, is_sqlite=is_sqlite)


def claim_apart(tx: Tx, sides: Sequence[Side], lease_seconds: float) -> list[Obligation]:
    """Take as many due duties as each side has room for, the urgent before all.

    Each side is asked for its own: whatever waits at one platform, nobody at the other waits behind it.
    """
    found = list[tuple[int, int]]()
    for side in sides:
        room = dict(side.room)
        if not any(free > 0 for free in room.values()):
            continue
        lanes = tuple(lane for lane in Lane if room.get(lane, 0) > 0)
        query = _first(tuple(sorted(side.kinds)), lanes, tx.is_sqlite)
        rooms = {f"room_{lane:d}": side.room[lane] for lane in lanes}
        for row in tx.connection.execute(query, {"now": tx.now, **rooms}):
            if room[Lane(row.lane)] > 0:
                found.append((row.lane, row.id))
                room.update({lane: free - 1 for lane, free in room.items()})
    urgent_first = sorted(found, key=lambda each: each[0])
    return _leased(tx, [number for _, number in urgent_first], lease_seconds)


@lru_cache(maxsize=1024)
def _first(
    kinds: tuple[str, ...],
    lanes: tuple[Lane, ...],
    is_sqlite: bool,
) -> CompoundSelect[Any]:
    """What a side may take of each lane, the urgent first.

    Lane by lane along the index, so that of ten thousand that wait only the first few are looked at.
    """
    one, found = OBLIGATIONS.c, list[Select[Any]]()
    for lane in lanes:
        most = bindparam(f"room_{lane:d}", type_=Integer)
        query = _claimable(kinds).add_columns(one.lane).where(one.lane == int(lane))
        query = _alone(query.order_by(one.due, one.id).limit(most), is_sqlite=is_sqlite)
        found.append(select(query.subquery()))
    return union_all(*found)


def _alone(query: Select[Any], *, is_sqlite: bool) -> Select[Any]:
    """Rows that no other process claims at this moment."""
    return query if is_sqlite else query.with_for_update(skip_locked=True, of=OBLIGATIONS)


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
        give_up(tx, row.id, f"unreadable: {type(broken).__name__}")
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
        lane=Lane(row.lane),
        attempts=row.attempts,
        uncertain=row.id in uncertain,
    )


def claimable(tx: Tx, kinds: Collection[str]) -> int:
    """How many duties of these kinds could be claimed at this moment."""
    return int(tx.connection.execute(_counted(tuple(sorted(kinds))), {"now": tx.now}).scalar_one())


@lru_cache(maxsize=256)
def _counted(kinds: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(_claimable(kinds).subquery())


def still_owed(tx: Tx, owed: Obligation) -> bool:
    """Is this duty asked for by the complaint as it stands now? What belongs to no complaint always is."""
    if owed.ref is None:
        return True
    if (owed.kind in ONCE or owed.facts.get("once")) and not _is_erased(tx, owed.ref):
        return True
    # Of an erased one only the card is left to do: it says that the words are gone.
    return owed.key in {one.key for one in standing(load(tx, owed.ref).case)}


def _is_erased(tx: Tx, ref: str) -> bool:
    """Asked of the row: a prompt need not wait until the case is folded from its events."""
    query = select(COMPLAINTS.c.erased_at).where(COMPLAINTS.c.ref == ref)
    return tx.connection.execute(query).scalar() is not None


def settle(tx: Tx, number: int) -> None:
    """Done, or no longer owed."""
    _settle(tx, number)


def postpone(tx: Tx, number: int, due: datetime, why: str) -> None:
    """Due later by the desk's clock (quiet hours, a card that waits); no failure."""
    _change(tx, number, due=due, why=why, lease_until=0.0)
    shows(tx, number)


def retry(tx: Tx, number: int, after_seconds: float, why: str, *, least: float | None = None) -> None:
    """It failed: again after so many seconds of real time; after `least` where the other side came back meanwhile.

    The card says so once: of thousands that wait for one platform no try must burden the other.
    """
    one = OBLIGATIONS.c
    before = tx.connection.execute(select(one.attempts, one.why).where(one.id == number)).first()
    soon = after_seconds if least is None or why == NO_ANSWER_AGAIN else least
    _change(
        tx,
        number,
        why=why,
        lease_until=0.0,
        wait_until=database_seconds() + case((one.wait_until == _FREED, soon), else_=after_seconds),
        attempts=OBLIGATIONS.c.attempts + 1,
    )
    if before is None or before.attempts == 0 or before.why != why:
        shows(tx, number)


def stand_back(tx: Tx, number: int, after_seconds: float) -> None:
    """Nothing failed, but its platform has no place for it yet: again after so many seconds of real time."""
    _change(tx, number, lease_until=0.0, wait_until=database_seconds() + after_seconds)


def renew(tx: Tx, numbers: Collection[int], lease_seconds: float) -> int:
    """What takes longer than a lease stays in hand for so many seconds more; how many are still to be done."""
    kept = tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.id.in_(sorted(numbers)), IS_OPEN)
        .values(lease_until=database_seconds() + lease_seconds)
    )
    return int(kept.rowcount)


def free_waits(tx: Tx, kinds: Collection[str]) -> None:
    """The other side is back: what waits for its next try may be tried now, but for what may be there twice.

    What is being tried at this moment may have failed before, and would wait out its pause: it is marked (`retry`).
    """
    one = OBLIGATIONS.c
    waiting = select(one.id).where(
        IS_OPEN,
        one.kind.in_(sorted(kinds)),
        one.wait_until > 0,
        one.why.is_distinct_from(NO_ANSWER_AGAIN),
    )
    # Rows in other hands at this moment are being tried: waiting for them could be waiting for each other.
    freed = tx.connection.execute(
        update(OBLIGATIONS).where(one.id.in_(_alone(waiting, is_sqlite=tx.is_sqlite))).values(wait_until=0.0)
    )
    tx.owing = tx.owing or freed.rowcount > 0
    in_hand = select(one.id).where(IS_OPEN, one.kind.in_(sorted(kinds)), one.lease_until > database_seconds())
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(one.id.in_(_alone(in_hand, is_sqlite=tx.is_sqlite)))
        .values(wait_until=_FREED)
    )


def give_up(tx: Tx, number: int, why: str) -> None:
    """It cannot be done: visible in the outbox, and staff are told by a duty of kind `told_failed`."""
    row = _change(tx, number, why=why, state="failed", ended_at=tx.now)
    if row.kind == "told_failed":
        return
    shows(tx, number)
    facts = {"id": number, "kind": row.kind, "ref": row.ref}
    owed_rows.insert(tx, Owed(f"told_failed:{number}", "told_failed", tx.now, Lane.NOTICE, facts), row.ref)


def _change(tx: Tx, number: int, *, only: str = "open", **values: Any) -> Any:
    changed = tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.id == number, OBLIGATIONS.c.state == only)
        .values(**values)
        .returning(OBLIGATIONS.c.kind, OBLIGATIONS.c.ref)
    ).first()
    if changed is None:
        raise UnknownRow(f"no {only} obligation has the number {number}: see `amends outbox list --all`")
    tx.owing = True
    return changed


def free_leases(tx: Tx) -> int:
    """Nobody else works on this file: what a dead process held is free (SQLite, at the start)."""
    freed = tx.connection.execute(
        update(OBLIGATIONS).where(IS_OPEN, OBLIGATIONS.c.lease_until > 0).values(lease_until=0.0)
    ).rowcount
    tx.owing = tx.owing or freed > 0
    return freed


def settle_others(tx: Tx, kinds: Collection[str], until: datetime) -> None:
    """Every duty of another kind that is due by then is done with: nobody is left to whom it matters."""
    one = OBLIGATIONS.c
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(IS_OPEN, one.kind.not_in(sorted(kinds)), one.due <= until)
        .values(state="done", ended_at=tx.now, payload=None, why=None)
    )


def earliest(tx: Tx, kinds: Collection[str], until: datetime) -> Obligation | None:
    """The duty of these kinds that is due first, without a lease: for whoever alone has the whole file in hand."""
    one = OBLIGATIONS.c
    query = _rows(one.kind.in_(sorted(kinds)), IS_OPEN, IS_IN_OUR_LANES, one.due <= until)
    row = tx.connection.execute(query.order_by(one.due, one.lane, one.id).limit(1)).first()
    return None if row is None else _value(tx, row, set())


def next_due(tx: Tx) -> tuple[str, str | None, datetime] | None:
    """Kind, reference and due time of the earliest open duty that somebody waits for."""
    one = OBLIGATIONS.c
    query = select(one.kind, one.ref, one.due).where(IS_OPEN, one.kind.not_in(UNAWAITED))
    query = query.order_by(one.due, one.id).limit(1)
    row = tx.connection.execute(query).first()
    return None if row is None else (row.kind, row.ref, row.due)
