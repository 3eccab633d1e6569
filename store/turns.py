"""Whose turn it is: what nobody has is offered to one person after the other, the least laden first (4.9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update

from store.tables import HEARD, OBLIGATIONS
from store.transactions import Tx
from store.worklists import loads

_NEVER = datetime.min.replace(tzinfo=UTC)
_REMIND = OBLIGATIONS.c.kind == "remind"


def reminders_waiting(tx: Tx, ref: str) -> tuple[str, ...]:
    """The keys of this complaint's reminders that are due and not done."""
    one = OBLIGATIONS.c
    query = select(one.key).where(one.scope == ref, _REMIND, one.state == "open", one.due <= tx.now)
    return tuple(tx.connection.execute(query.order_by(one.key)).scalars())


def reminders_told(tx: Tx, ref: str, keys: Sequence[str]) -> None:
    """These reminders need nothing more: another of the same complaint spoke for them."""
    one = OBLIGATIONS.c
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(one.scope == ref, one.key.in_(keys), _REMIND, one.state == "open")
        .values(state="done", ended_at=tx.now, why=None)
    )


def ask_in_turn(tx: Tx, number: int, able: Sequence[str]) -> str | None:
    """Who of these is asked by this reminder to take its complaint; None when all were asked.

    Whoever has the fewest open complaints, of these who was asked longest ago, and nobody twice for the same
    complaint. The choice stands among the facts of the duty, so that a second try asks the same person.
    """
    one = OBLIGATIONS.c
    row = tx.connection.execute(select(one.scope, one.facts).where(one.id == number)).one()
    if "asked" in row.facts:
        return str(row.facts["asked"]) if row.facts["asked"] in able else None
    of_case = select(one.facts).where(one.scope == row.scope, _REMIND)
    before = {facts.get("asked") for facts in tx.connection.execute(of_case).scalars()}
    free = [member for member in able if member not in before]
    if not free:
        return None
    asked = select(HEARD.c.key, HEARD.c.at).where(HEARD.c.key.in_([_turn(member) for member in free]))
    last = {row.key: row.at for row in tx.connection.execute(asked)}
    carried = loads(tx)
    first = min(free, key=lambda each: (carried.get(each, 0), last.get(_turn(each), _NEVER), each))
    tx.put(HEARD, {"key": _turn(first), "at": tx.now})
    tx.connection.execute(
        update(OBLIGATIONS).where(one.id == number).values(facts={**row.facts, "asked": first})
    )
    return first


def _turn(member: str) -> str:
    """A week without being asked is long enough: then the key is tidied away like any other."""
    return f"asked:{member}"
