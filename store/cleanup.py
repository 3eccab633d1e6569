"""Delete expired rows: drafts, dead letters, keys of received messages, unused rate limits."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from store.database.transaction import Tx
from store.outbox.rate_limit import delete_unused_limits
from store.tables import DRAFTS, HEARD, SET_ASIDE

#: A key must outlive the last retry of its message: Telegram retries for 24 hours, Slack for minutes.
KEYS_KEPT = timedelta(days=7)


def delete_expired_rows(tx: Tx) -> None:
    """Delete the expired rows; none of them belongs to a complaint's record."""
    tx.connection.execute(delete(HEARD).where(HEARD.c.at < tx.now - KEYS_KEPT))
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.expires_at <= tx.now))
    tx.connection.execute(delete(SET_ASIDE).where(SET_ASIDE.c.expires_at <= tx.now))
    delete_unused_limits(tx)
