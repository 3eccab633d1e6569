"""What could not be done, in the hands of a person: listed, tried again, or given up for good (8.1).

Duties that no release like ours does: they stay, they stand in nobody's way, and people hear of them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, not_, or_, select, update

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.timestamps import format_time
from store.database.errors import UnknownRow
from store.database.transaction import Tx, database_seconds
from store.outbox import rows as outbox_rows
from store.outbox.claim import IS_IN_OUR_LANES
from store.outbox.complete import GIVEN_UP, IS_OPEN, IS_STUCK, retry, shows
from store.proof.instance_log import record_instance_event
from store.tables import OBLIGATIONS

_ONE = OBLIGATIONS.c
_IS_FAILED = _ONE.state == "failed"


class FailureReason(StrEnum):
    """Why a person gives something up."""

    DONE_OTHERWISE = "done_otherwise"
    NOT_NEEDED = "not_needed"
    CANNOT = "cannot"
    TEST = "test"


def list_failed(
    tx: Tx, *, everything: bool = False, kind: str | None = None, ref: str | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Duties that failed or are being tried again; `everything` adds all that are open."""
    wanted: list[ColumnElement[bool]] = [_ONE.state.in_(("open", "failed"))] if everything else [IS_STUCK]  # type: ignore[list-item]  # a text clause is one
    query = select(_ONE.id, _ONE.kind, _ONE.key, _ONE.ref, _ONE.due, _ONE.state, _ONE.attempts, _ONE.why)
    rows = tx.connection.execute(
        query.where(*wanted, *_of(kind, ref)).order_by(_ONE.due, _ONE.id).limit(limit)
    )
    return [{**row._mapping, "due": format_time(row.due)} for row in rows]  # noqa: SLF001  # SQLAlchemy's public name


def retry_failed(tx: Tx, number: int) -> None:
    """A person wants it tried again, now: one that was given up, or one that waits for its next try.

    Raises UnknownRow where there is no such number, or nothing left to try.
    """
    row = tx.connection.execute(
        update(OBLIGATIONS)
        .where(_ONE.id == number, IS_STUCK)
        .values(
            state="open",
            ended_at=None,
            # One that is being tried at this moment stays in its hand.
            lease_until=case((_IS_FAILED, 0.0), else_=_ONE.lease_until),
            wait_until=0.0,
            attempts=0,
            why=None,
        )
        .returning(_ONE.ref)
    ).first()
    if row is None:
        raise _refusal(tx, number, "try again")
    shows(tx, number)
    # Should it fail once more, that is told once more.
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(_ONE.scope == (row.ref or ""), _ONE.key == f"told_failed:{number}")
        .values(key=f"told_failed:{number}:{format_time(tx.now)}")
    )
    tx.owing = True


def retry_all(tx: Tx, *, kind: str | None = None, ref: str | None = None) -> list[int]:
    """Everything that was given up by itself is tried again; the numbers."""
    query = select(_ONE.id).where(IS_STUCK, _IS_FAILED, *_of(kind, ref)).order_by(_ONE.due, _ONE.id)
    numbers = list(tx.connection.execute(query).scalars())
    for number in numbers:
        retry_failed(tx, number)
    return numbers


def give_up_failed(tx: Tx, number: int, reason: FailureReason) -> None:
    """A person ends it, which the house's own chain remembers; the words of it go, its row stays.

    Raises UnknownRow where there is no such number, or it ended before.
    """
    row = tx.connection.execute(
        update(OBLIGATIONS)
        .where(_ONE.id == number, _ONE.state.in_(("open", "failed")))
        .values(state=GIVEN_UP, ended_at=tx.now, payload=None, why=f"given up by hand: {reason.value}")
        .returning(_ONE.kind, _ONE.ref)
    ).first()
    if row is None:
        raise _refusal(tx, number, "give up")
    record_instance_event(
        tx, "obligation_given_up", {"id": number, "kind": row.kind, "ref": row.ref, "reason": reason.value}
    )
    shows(tx, number)
    # The next message of the same chat is free to leave.
    tx.owing = True


def _of(kind: str | None, ref: str | None) -> list[ColumnElement[bool]]:
    given = ((_ONE.kind, kind), (_ONE.ref, ref))
    return [column == wanted for column, wanted in given if wanted is not None]


def _refusal(tx: Tx, number: int, what: str) -> UnknownRow:
    row = tx.connection.execute(
        select(_ONE.state, _ONE.ended_at, _ONE.due, _ONE.kind).where(_ONE.id == number)
    ).first()
    if row is None:
        return UnknownRow(f"nothing owed has the number {number}: see `amends outbox list --all`")
    if row.state == "open":
        return UnknownRow(
            f"{number} ({row.kind}) has not failed; it is due {_when(row.due)}: leave it, or give it up"
        )
    ended = "given up by hand" if row.state == GIVEN_UP else "done"
    return UnknownRow(f"{number} ({row.kind}) was {ended} {_when(row.ended_at)}: nothing is left to {what}")


def _when(at: datetime | None) -> str:
    return "" if at is None else f"at {format_time(at)}"


#: One look a day: a release that knows the kind may come, and does it then.
AGAIN_SECONDS = 86_400.0
#: More than one kind can leave behind between two looks; the rest is found by the next.
MOST = 1000
WHY = "this release does nothing of this kind"


def fail_orphaned(tx: Tx, kinds: Collection[str], since: datetime) -> set[str]:
    """Tell managers, once a day for each kind, of open duties due before `since` that are not ours to do.

    Their kind is not among `kinds`, or their lane is of a newer release.
    Schedulers that load such a row delete it. Here it shows in the outbox; where it spoke to somebody, what comes
    after it in that chat need not wait for it any longer.
    """
    one = OBLIGATIONS.c
    query = select(one.id, one.kind).where(
        IS_OPEN,
        or_(one.kind.not_in(sorted(kinds)), not_(IS_IN_OUR_LANES)),
        one.due <= since,
        one.wait_until <= database_seconds(),
    )
    rows = tx.connection.execute(query.order_by(one.due, one.id).limit(MOST)).all()
    for row in rows:
        retry(tx, row.id, AGAIN_SECONDS, WHY)
    if rows:
        tx.connection.execute(
            update(OBLIGATIONS).where(one.id.in_([row.id for row in rows])).values(speaks=False)
        )
    found = {str(row.kind) for row in rows}
    for kind in sorted(found):
        key = f"told_failed:kind:{kind}:{tx.now:%Y-%m-%d}"
        outbox_rows.insert_obligation(
            tx, NewObligation(key, "told_failed", tx.now, SendPriority.NOTICE, {"kind": kind})
        )
    return found
