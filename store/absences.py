"""Who is away until when, and who stands in: kept with the person of staff, whatever Slack says of roles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from store.errors import UnknownRow
from store.tables import STAFF
from store.transactions import Tx


def away(tx: Tx, member: str, until: datetime, deputy: str | None = None) -> None:
    """From now on this person is away until then; `deputy` hears what they would have heard.

    Raises UnknownRow for somebody who is none of the staff.
    """
    changed = tx.connection.execute(
        update(STAFF)
        .where(STAFF.c.id == member)
        .values(absent_from=tx.now, absent_until=until, stand_in=deputy)
    )
    if changed.rowcount != 1:
        raise UnknownRow(f"{member} is nobody of the staff: name somebody with a role in the settings")


def back(tx: Tx, member: str) -> bool:
    """The person is here again; False when they were not away."""
    changed = tx.connection.execute(
        update(STAFF)
        .where(STAFF.c.id == member, STAFF.c.absent_until > tx.now)
        # Since when they were away is kept: on the next morning they hear what happened meanwhile.
        .values(absent_until=tx.now, stand_in=None)
    )
    return changed.rowcount == 1
