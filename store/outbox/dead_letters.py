"""Dead letters: incoming messages that could not be handled, kept sealed for 30 days until a person decides."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import format_time
from store.database.errors import UnknownRow
from store.database.keyring import place
from store.database.transaction import Tx
from store.outbox import rows as outbox_rows
from store.proof.hash_chain import record_instance_event
from store.proof.received_keys import find_keys, take_key
from store.tables import DEAD_LETTERS
from store.values import DeadLetter, FailureReason

KEEP_FOR = timedelta(days=30)
#: Before the key of a message that is a dead letter.
_LETTER = "set_aside:"


def keep_dead_letter(tx: Tx, key: str, raw: bytes, why: str) -> None:
    """Keep a message as a dead letter, so that later messages are handled, and notify the staff."""
    if not take_key(tx, _LETTER + key):
        return
    is_old = or_(DEAD_LETTERS.c.expires_at <= tx.now, DEAD_LETTERS.c.key == key)
    tx.connection.execute(delete(DEAD_LETTERS).where(is_old))
    sealed = tx.keys.seal(raw, place("dead_letters", key, "raw"))
    tx.add(DEAD_LETTERS, key=key, sealed=sealed, why=why, at=tx.now, expires_at=tx.now + KEEP_FOR)
    outbox_rows.insert_obligation(
        tx,
        NewObligation(f"told_failed:in:{key}", "told_failed", tx.now, SendPriority.NOTICE, {"kind": "in"}),
    )


def find_handled_keys(tx: Tx, keys: Collection[str]) -> set[str]:
    """Which of these message keys were handled before, or are dead letters."""
    return {key.removeprefix(_LETTER) for key in find_keys(tx, [*keys, *(_LETTER + key for key in keys)])}


def list_dead_letters(tx: Tx, limit: int = 1000) -> list[dict[str, Any]]:
    """Dead letters that wait for a person, the oldest first, without those handled since."""
    query = select(DEAD_LETTERS.c.id, DEAD_LETTERS.c.key, DEAD_LETTERS.c.at, DEAD_LETTERS.c.why).order_by(
        DEAD_LETTERS.c.id
    )
    rows = tx.connection.execute(query).all()
    handled = find_keys(tx, [row.key for row in rows])
    waiting = [row for row in rows if row.key not in handled][:limit]
    return [{"id": row.id, "key": row.key, "at": format_time(row.at), "why": row.why} for row in waiting]


def read_dead_letter(tx: Tx, number: int) -> DeadLetter:
    """The message as it arrived. It is kept for 30 days, or until it is handled."""
    row = tx.connection.execute(select(DEAD_LETTERS).where(DEAD_LETTERS.c.id == number)).first()
    if row is None:
        raise UnknownRow(f"no message set aside has the number {number}: see `amends inbox list`")
    raw = tx.keys.unseal(row.sealed, place("dead_letters", row.key, "raw"))
    return DeadLetter(row.id, row.key, raw, row.why, row.at)


def schedule_dead_letter(tx: Tx, number: int) -> None:
    """Let the running desk handle it again, by an obligation of kind `inbox`.

    Raises UnknownRow if there is no such number, or it was handled already.
    """
    letter = read_dead_letter(tx, number)
    if find_keys(tx, [letter.key]):
        raise UnknownRow(f"{number} was handled already: nothing is left to do")
    key = f"inbox:{number}:{format_time(tx.now)}"
    outbox_rows.insert_obligation(
        tx, NewObligation(key, "inbox", tx.now, SendPriority.DIALOGUE, {"id": number})
    )


def schedule_all_dead_letters(tx: Tx) -> list[int]:
    """Let the desk handle all dead letters again; returns their numbers."""
    numbers = [int(letter["id"]) for letter in list_dead_letters(tx)]
    for number in numbers:
        schedule_dead_letter(tx, number)
    return numbers


def discard_dead_letter(tx: Tx, number: int, reason: FailureReason) -> None:
    """Delete a dead letter for good and record that in the instance's own log (8.1).

    Its key counts as handled, so that the platform does not deliver it again. Raises UnknownRow.
    """
    row = tx.connection.execute(
        delete(DEAD_LETTERS)
        .where(DEAD_LETTERS.c.id == number)
        .returning(DEAD_LETTERS.c.key, DEAD_LETTERS.c.at)
    ).first()
    if row is None:
        raise UnknownRow(f"no message set aside has the number {number}: see `amends inbox list`")
    take_key(tx, row.key)
    facts = {"id": number, "key": row.key, "came_at": format_time(row.at), "reason": reason.value}
    record_instance_event(tx, "message_given_up", facts)
