"""Messages that could not be handled: raw and sealed, kept 30 days, looked at by a person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.timestamps import format_time
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.outbox import rows as outbox_rows
from store.outbox.failed import FailureReason
from store.proof.instance_log import record_instance_event
from store.proof.seal import place
from store.tables import HEARD, SET_ASIDE
from store.values import DeadLetter

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
        outbox_rows.insert_obligation(
            tx,
            NewObligation(
                f"told_failed:in:{key}", "told_failed", tx.now, SendPriority.NOTICE, {"kind": "in"}
            ),
        )


def is_dead_letter(tx: Tx, keys: Collection[str]) -> set[str]:
    """Which of these keys need not come again: taken, or put aside."""
    found: set[str] = set()
    for table in (HEARD, SET_ASIDE):
        # Nearly always all were taken: then that is the one question.
        if missing := [key for key in keys if key not in found]:
            query = select(table.c.key).where(table.c.key.in_(missing))
            found |= set(tx.connection.execute(query).scalars())
    return found


def list_dead_letters(tx: Tx, limit: int = 1000) -> list[dict[str, Any]]:
    """What waits for a person, the oldest first; what was handled since is left out."""
    taken = select(HEARD.c.key).where(HEARD.c.key == SET_ASIDE.c.key).exists()
    query = select(SET_ASIDE.c.id, SET_ASIDE.c.key, SET_ASIDE.c.at, SET_ASIDE.c.why).where(~taken)
    rows = tx.connection.execute(query.order_by(SET_ASIDE.c.id).limit(limit))
    return [{"id": row.id, "key": row.key, "at": format_time(row.at), "why": row.why} for row in rows]


def read_dead_letter(tx: Tx, number: int) -> DeadLetter:
    """The message as it came. It stays until it is handled under its key, or 30 days."""
    row = tx.connection.execute(select(SET_ASIDE).where(SET_ASIDE.c.id == number)).first()
    if row is None:
        raise UnknownRow(f"nothing set aside has the number {number}: see `amends inbox list`")
    raw = tx.keys.unseal(row.sealed, place("set_aside", row.key, "raw"))
    return DeadLetter(row.id, row.key, raw, row.why, row.at)


def schedule_dead_letter(tx: Tx, number: int) -> None:
    """Ask the running desk to handle it again: a duty of kind `inbox` with the number among its facts.

    Raises UnknownRow where there is no such number, or it was handled meanwhile.
    """
    raw = read_dead_letter(tx, number)
    if tx.connection.execute(select(HEARD.c.key).where(HEARD.c.key == raw.key)).first() is not None:
        raise UnknownRow(f"{number} was handled meanwhile: nothing is left to do")
    key = f"inbox:{number}:{format_time(tx.now)}"
    outbox_rows.insert_obligation(
        tx, NewObligation(key, "inbox", tx.now, SendPriority.DIALOGUE, {"id": number})
    )


def schedule_all_dead_letters(tx: Tx) -> list[int]:
    """The same for everything that waits; the numbers."""
    numbers = [int(one["id"]) for one in list_dead_letters(tx)]
    for number in numbers:
        schedule_dead_letter(tx, number)
    return numbers


def discard_dead_letter(tx: Tx, number: int, reason: FailureReason) -> None:
    """A person ends it: the message is destroyed, that it was is an event of the house (8.1).

    Its key counts as taken from now on, so that no platform brings it again. Raises UnknownRow.
    """
    row = tx.connection.execute(
        delete(SET_ASIDE).where(SET_ASIDE.c.id == number).returning(SET_ASIDE.c.key, SET_ASIDE.c.at)
    ).first()
    if row is None:
        raise UnknownRow(f"nothing set aside has the number {number}: see `amends inbox list`")
    tx.take(HEARD, {"key": row.key, "at": tx.now})
    facts = {"id": number, "key": row.key, "came_at": format_time(row.at), "reason": reason.value}
    record_instance_event(tx, "message_given_up", facts)
