"""What expired goes: drafts, set-aside updates, keys that no platform will bring again, lanes long free."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from store.database.transaction import Tx
from store.outbox.rate_limit import forget
from store.tables import DRAFTS, HEARD, SET_ASIDE

#: Telegram keeps an update for 24 hours and Slack repeats an event for minutes: a week is safe for both.
KEYS_KEPT = timedelta(days=7)


def delete_expired_rows(tx: Tx) -> None:
    """Delete what is past its time; nothing of a complaint's record is among it."""
    tx.connection.execute(delete(HEARD).where(HEARD.c.at < tx.now - KEYS_KEPT))
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.expires_at <= tx.now))
    tx.connection.execute(delete(SET_ASIDE).where(SET_ASIDE.c.expires_at <= tx.now))
    forget(tx)
