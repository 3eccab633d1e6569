"""Leases of killed processes. Waiting for their end takes minutes, so fast tests end them in the tables."""

from __future__ import annotations

from sqlalchemy import update

from store.store import Store
from store.tables import LEASES, OBLIGATIONS


def end_all_leases(store: Store) -> None:
    """End every lease on obligations and on polling, on shared databases only.

    On SQLite the next start releases them, and the tests check that.
    """
    if not store.is_shared:
        return

    def end_leases(tx: object) -> None:
        connection = tx.connection  # type: ignore[attr-defined]
        connection.execute(update(OBLIGATIONS).where(OBLIGATIONS.c.lease_until > 0).values(lease_until=0.0))
        connection.execute(update(LEASES).values(until=0.0))

    store.write(end_leases)
