"""Who was reached by an alert outside of Slack, and who could not be reached the last time."""

from sqlalchemy import update

from complaints.case import Case
from store.database.transaction import Tx
from store.outbox.complete import IS_OPEN
from store.slack_posts import forget_slack_key, list_slack_keys, record_slack_key
from store.tables import OBLIGATIONS

_FAILED = "alert_failed:"


def alert_prefix(case: Case) -> str:
    """Begins the keys of the alerts of the present danger; after it come the round and the member."""
    return f"alerted:{case.ref}/{case.alarm.at.timestamp() if case.alarm else 0:.0f}:"


def record_alert(tx: Tx, round_prefix: str, ref: str, member_id: str, *, reached: bool) -> None:
    """Record the result for one person; who is reached again has no failures left, of any complaint."""
    if not reached:
        record_slack_key(tx, f"{_FAILED}{member_id}:{ref}")
        return
    record_slack_key(tx, f"{round_prefix}{member_id}")
    for key in list_slack_keys(tx, f"{_FAILED}{member_id}:"):
        forget_slack_key(tx, key)


def page_now(tx: Tx, ref: str) -> None:
    """Make the page due, so that those who were alerted in place of others get the message in Slack too."""
    page = OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "page", IS_OPEN
    tx.connection.execute(update(OBLIGATIONS).where(*page).values(due=tx.now))
    tx.obligations_changed = True


def list_alerted(tx: Tx, prefix: str) -> set[str]:
    """The people who were reached, in a round or in all rounds of a danger."""
    return {key.rpartition(":")[2] for key in list_slack_keys(tx, prefix)}


def list_unreached(tx: Tx, ref: str | None = None) -> list[str]:
    """The people whose last alert failed, of this complaint or of any in the last week."""
    keys = (key.split(":") for key in list_slack_keys(tx, _FAILED))
    return sorted({member_id for _, member_id, about in keys if ref in (None, about)})
