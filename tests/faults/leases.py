"""Leases of the dead: waiting them out takes minutes, so small versions move them on in the tables."""

from __future__ import annotations

from sqlalchemy import update

from store.store import Store
from store.tables import LEASES, OBLIGATIONS


def let_leases_run_out(store: Store) -> None:
    """As after the time for which a dead process held its duties and the polling; shared databases only.

    On SQLite the next start frees them by itself, which is then what is tested.
    """
    if not store.is_shared:
        return

    def run_out(tx: object) -> None:
        connection = tx.connection  # type: ignore[attr-defined]
        connection.execute(update(OBLIGATIONS).where(OBLIGATIONS.c.lease_until > 0).values(lease_until=0.0))
        connection.execute(update(LEASES).values(until=0.0))

    store.write(run_out)
