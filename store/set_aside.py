"""Messages that could not be handled: raw and sealed, kept 30 days, looked at by a person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from complaints.doing import stamp
from complaints.duties import Lane, Owed
from store import owed_rows
from store.errors import UnknownRow
from store.house_chain import house_event
from store.sealing import place
from store.stuck import Reason
from store.tables import HEARD, SET_ASIDE
from store.transactions import Tx
from store.values import Raw

KEPT = timedelta(days=30)


def set_aside(tx: Tx, key: str, raw: bytes, why: str) -> None:
    """Put a message aside under its key, so that the rest goes on; staff are told."""
    tx.connection.execute(delete(SET_ASIDE).where(SET_ASIDE.c.expires_at <= tx.now))
    new = tx.take(
        SET_ASIDE,
        {
            "key": key,
            "sealed": tx.keys.seal(raw, place("set_aside", key, "raw")),
            "why": why,
            "at": tx.now,
            "expires_at": tx.now + KEPT,
        },
    )
    if new:
        owed_rows.insert(
            tx, Owed(f"told_failed:in:{key}", "told_failed", tx.now, Lane.NOTICE, {"kind": "in"})
        )


def known(tx: Tx, keys: Collection[str]) -> set[str]:
    """Which of these keys need not come again: taken, or put aside."""
    found: set[str] = set()
    for table in (HEARD, SET_ASIDE):
        # Nearly always all were taken: then that is the one question.
        if missing := [key for key in keys if key not in found]:
            query = select(table.c.key).where(table.c.key.in_(missing))
            found |= set(tx.connection.execute(query).scalars())
    return found


def set_aside_list(tx: Tx, limit: int = 1000) -> list[dict[str, Any]]:
    """What waits for a person, the oldest first; what was handled since is left out."""
    taken = select(HEARD.c.key).where(HEARD.c.key == SET_ASIDE.c.key).exists()
    query = select(SET_ASIDE.c.id, SET_ASIDE.c.key, SET_ASIDE.c.at, SET_ASIDE.c.why).where(~taken)
    rows = tx.connection.execute(query.order_by(SET_ASIDE.c.id).limit(limit))
    return [{"id": row.id, "key": row.key, "at": stamp(row.at), "why": row.why} for row in rows]


def set_aside_take(tx: Tx, number: int) -> Raw:
    """The message as it came. It stays until it is handled under its key, or 30 days."""
    row = tx.connection.execute(select(SET_ASIDE).where(SET_ASIDE.c.id == number)).first()
    if row is None:
        raise UnknownRow(f"nothing set aside has the number {number}: see `amends inbox list`")
    raw = tx.keys.unseal(row.sealed, place("set_aside", row.key, "raw"))
    return Raw(row.id, row.key, raw, row.why, row.at)


def owe_set_aside(tx: Tx, number: int) -> None:
    """Ask the running desk to handle it again: a duty of kind `inbox` with the number among its facts.

    Raises UnknownRow where there is no such number, or it was handled meanwhile.
    """
    raw = set_aside_take(tx, number)
    if tx.connection.execute(select(HEARD.c.key).where(HEARD.c.key == raw.key)).first() is not None:
        raise UnknownRow(f"{number} was handled meanwhile: nothing is left to do")
    key = f"inbox:{number}:{stamp(tx.now)}"
    owed_rows.insert(tx, Owed(key, "inbox", tx.now, Lane.DIALOGUE, {"id": number}))


def owe_all_set_aside(tx: Tx) -> list[int]:
    """The same for everything that waits; the numbers."""
    numbers = [int(one["id"]) for one in set_aside_list(tx)]
    for number in numbers:
        owe_set_aside(tx, number)
    return numbers


def set_aside_give_up(tx: Tx, number: int, reason: Reason) -> None:
    """A person ends it: the message is destroyed, that it was is an event of the house (8.1).

    Its key counts as taken from now on, so that no platform brings it again. Raises UnknownRow.
    """
    row = tx.connection.execute(
        delete(SET_ASIDE).where(SET_ASIDE.c.id == number).returning(SET_ASIDE.c.key, SET_ASIDE.c.at)
    ).first()
    if row is None:
        raise UnknownRow(f"nothing set aside has the number {number}: see `amends inbox list`")
    tx.take(HEARD, {"key": row.key, "at": tx.now})
    facts = {"id": number, "key": row.key, "came_at": stamp(row.at), "reason": reason.value}
    house_event(tx, "message_given_up", facts)
