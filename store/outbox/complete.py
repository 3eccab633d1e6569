"""What became of a notice is no event of the record, yet the card shows it: then it is drawn anew (7.3).

What becomes of a duty that somebody took (claiming.py): settled, put off, tried again, given up.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    case,
    literal_column,
    select,
    text,
    update,
)

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.resend import OF_ONE_EVENT
from complaints.obligations.standing import current_obligations
from store.cases.act import settle as _settle
from store.cases.load import load_case_file
from store.database.errors import UnknownRow
from store.database.transaction import Tx, database_seconds
from store.outbox import rows
from store.outbox.outcomes import NO_ANSWER_AGAIN
from store.outbox.rows import SPEAKING
from store.tables import COMPLAINTS, OBLIGATIONS
from store.values import Obligation

#: Given up by a person, with a reason: nobody is told of it any more.
GIVEN_UP = "given_up"
#: What is meant for the complainant. What the dialogue says or brings is part of a talk, no notice.
NOTICES: frozenset[str] = (SPEAKING - {"say", "mydata"}) | {"tell_by_voice"}
#: Where Slack itself refuses, drawing once more is refused as well.
_DRAWS: frozenset[str] = frozenset({"card", "redraw", "thread", "told_failed"})


def shows(tx: Tx, number: int) -> None:
    """The card of this duty's complaint is drawn anew, where it says something of it."""
    one = OBLIGATIONS.c
    row = tx.connection.execute(
        select(one.ref, one.kind, one.state, one.attempts, one.due).where(one.id == number)
    ).first()
    if row is None or row.ref is None or row.kind in _DRAWS:
        return
    if row.kind in NOTICES or row.state in ("failed", GIVEN_UP):
        key = f"redraw:told:{number}:{row.state}:{row.attempts}:{tx.now.isoformat()}"
        rows.insert_obligation(tx, NewObligation(key, "redraw", tx.now, SendPriority.BULK, {"ref": row.ref}))


#: Duties of one event, done once whatever came after it; all other duties of a case are asked for again.
ONCE: frozenset[str] = OF_ONE_EVENT | {
    "thread",
    "danger_seen",
    "told_owner",
    "ask_approval",
    "told_overturned",
    "fetch",
    "say",
    "told_failed",
    "incident_update",
}

#: Done beside everything else, for minutes: no clock stands still for it.
UNAWAITED: frozenset[str] = frozenset({"train"})

#: One line each under the card, in the order in which things happened.
THREAD = "thread"

#: Spelled out, never a parameter: only so do the databases know that the indexes of open rows serve.
IS_OPEN = OBLIGATIONS.c.state == literal_column("'open'")
IS_STUCK = text("(state = 'failed' OR (state = 'open' AND attempts > 0))")

#: Stands where the pause before the next try will, in a row that is being tried while the other side comes back.
_FREED = -1.0


def is_still_required(tx: Tx, owed: Obligation) -> bool:
    """Is this duty asked for by the complaint as it stands now? What belongs to no complaint always is."""
    if owed.ref is None:
        return True
    if (owed.kind in ONCE or owed.facts.get("once")) and not _is_erased(tx, owed.ref):
        return True
    # Of an erased one only the card is left to do: it says that the words are gone.
    return owed.key in {one.key for one in current_obligations(load_case_file(tx, owed.ref).case)}


def _is_erased(tx: Tx, ref: str) -> bool:
    """Asked of the row: a prompt need not wait until the case is folded from its events."""
    query = select(COMPLAINTS.c.erased_at).where(COMPLAINTS.c.ref == ref)
    return tx.connection.execute(query).scalar() is not None


def complete(tx: Tx, number: int) -> None:
    """Done, or no longer owed."""
    _settle(tx, number)


def reschedule(tx: Tx, number: int, due: datetime, why: str) -> None:
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


def release(tx: Tx, number: int, after_seconds: float) -> None:
    """Nothing failed, but its platform has no place for it yet: again after so many seconds of real time."""
    _change(tx, number, lease_until=0.0, wait_until=database_seconds() + after_seconds)


def renew_leases(tx: Tx, numbers: Collection[int], lease_seconds: float) -> int:
    """What takes longer than a lease stays in hand for so many seconds more; how many are still to be done."""
    kept = tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.id.in_(sorted(numbers)), IS_OPEN)
        .values(lease_until=database_seconds() + lease_seconds)
    )
    return int(kept.rowcount)


def is_only_obligation(query: Select[Any], *, is_sqlite: bool) -> Select[Any]:
    """Rows that no other process claims at this moment."""
    return query if is_sqlite else query.with_for_update(skip_locked=True, of=OBLIGATIONS)


def end_retry_pauses(tx: Tx, kinds: Collection[str]) -> None:
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
        update(OBLIGATIONS)
        .where(one.id.in_(is_only_obligation(waiting, is_sqlite=tx.is_sqlite)))
        .values(wait_until=0.0)
    )
    tx.owing = tx.owing or freed.rowcount > 0
    in_hand = select(one.id).where(IS_OPEN, one.kind.in_(sorted(kinds)), one.lease_until > database_seconds())
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(one.id.in_(is_only_obligation(in_hand, is_sqlite=tx.is_sqlite)))
        .values(wait_until=_FREED)
    )


def fail(tx: Tx, number: int, why: str) -> None:
    """It cannot be done: visible in the outbox, and staff are told by a duty of kind `told_failed`."""
    row = _change(tx, number, why=why, state="failed", ended_at=tx.now)
    if row.kind == "told_failed":
        return
    shows(tx, number)
    facts = {"id": number, "kind": row.kind, "ref": row.ref}
    rows.insert_obligation(
        tx, NewObligation(f"told_failed:{number}", "told_failed", tx.now, SendPriority.NOTICE, facts), row.ref
    )


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


def complete_others(tx: Tx, kinds: Collection[str], until: datetime) -> None:
    """Every duty of another kind that is due by then is done with: nobody is left to whom it matters."""
    one = OBLIGATIONS.c
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(IS_OPEN, one.kind.not_in(sorted(kinds)), one.due <= until)
        .values(state="done", ended_at=tx.now, payload=None, why=None)
    )


def next_due(tx: Tx) -> tuple[str, str | None, datetime] | None:
    """Kind, reference and due time of the earliest open duty that somebody waits for."""
    one = OBLIGATIONS.c
    query = select(one.kind, one.ref, one.due).where(IS_OPEN, one.kind.not_in(UNAWAITED))
    query = query.order_by(one.due, one.id).limit(1)
    row = tx.connection.execute(query).first()
    return None if row is None else (row.kind, row.ref, row.due)
