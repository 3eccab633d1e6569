"""What could not be done, in the hands of a person: listed, tried again, or given up for good (8.1)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, select, update

from complaints.doing import stamp
from store.errors import UnknownRow
from store.house_chain import house_event
from store.obligations import IS_STUCK
from store.redrawing import GIVEN_UP, shows
from store.tables import OBLIGATIONS
from store.transactions import Tx

_ONE = OBLIGATIONS.c
_IS_FAILED = _ONE.state == "failed"


class Reason(StrEnum):
    """Why a person gives something up."""

    DONE_OTHERWISE = "done_otherwise"
    NOT_NEEDED = "not_needed"
    CANNOT = "cannot"
    TEST = "test"


def outbox(
    tx: Tx, *, everything: bool = False, kind: str | None = None, ref: str | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Duties that failed or are being tried again; `everything` adds all that are open."""
    wanted: list[ColumnElement[bool]] = [_ONE.state.in_(("open", "failed"))] if everything else [IS_STUCK]  # type: ignore[list-item]  # a text clause is one
    query = select(_ONE.id, _ONE.kind, _ONE.key, _ONE.ref, _ONE.due, _ONE.state, _ONE.attempts, _ONE.why)
    rows = tx.connection.execute(
        query.where(*wanted, *_of(kind, ref)).order_by(_ONE.due, _ONE.id).limit(limit)
    )
    return [{**row._mapping, "due": stamp(row.due)} for row in rows]  # noqa: SLF001  # SQLAlchemy's public name


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
        .values(key=f"told_failed:{number}:{stamp(tx.now)}")
    )
    tx.owing = True


def retry_all(tx: Tx, *, kind: str | None = None, ref: str | None = None) -> list[int]:
    """Everything that was given up by itself is tried again; the numbers."""
    query = select(_ONE.id).where(IS_STUCK, _IS_FAILED, *_of(kind, ref)).order_by(_ONE.due, _ONE.id)
    numbers = list(tx.connection.execute(query).scalars())
    for number in numbers:
        retry_failed(tx, number)
    return numbers


def give_up_for_good(tx: Tx, number: int, reason: Reason) -> None:
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
    house_event(
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
    return "" if at is None else f"at {stamp(at)}"
