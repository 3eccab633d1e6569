"""What became of a notice is no event of the record, yet the card shows it: then it is drawn anew (7.3)."""

from __future__ import annotations

from sqlalchemy import select

from complaints.duties import Lane, Owed
from store import owed_rows
from store.owed_rows import SPEAKING
from store.tables import OBLIGATIONS
from store.transactions import Tx

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
        owed_rows.insert(tx, Owed(key, "redraw", tx.now, Lane.BULK, {"ref": row.ref}))
