"""Which processes are at one kind of work now, by a lease of each one's own."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from store.pacing import lead
from store.tables import LEASES
from store.transactions import Tx, database_seconds


def listens(tx: Tx, what: str, holder: str, seconds: float) -> int:
    """This process is at it for so many seconds; how many are, this one among them. Those long gone are forgotten."""
    mine = LEASES.c.name > f"{what}/", LEASES.c.name < f"{what}0"
    tx.connection.execute(delete(LEASES).where(*mine, LEASES.c.until <= database_seconds()))
    lead(tx, f"{what}/{holder}", holder, seconds)
    return int(tx.connection.execute(select(func.count()).select_from(LEASES).where(*mine)).scalar_one())
