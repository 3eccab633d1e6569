"""When an incident's one card must be drawn anew: at once after an act on it, soon after its cases moved."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update

from complaints.duties import Lane, Owed
from complaints.record import Case
from store import owed_rows
from store.tables import INCIDENTS
from store.transactions import Tx

#: The duty that draws it.
KIND = "incident_card"
#: Cases that move within so many seconds are one drawing: fifty people may press Yes at the same time.
_TOGETHER = 5


def owe_card(tx: Tx, incident: int, why: str, *, due: datetime | None = None) -> None:
    """Owe a drawing; `why` makes its key."""
    facts = {"incident": incident}
    owed_rows.insert(tx, Owed(f"{KIND}:{incident}:{why}", KIND, due or tx.now, Lane.DIALOGUE, facts))


def owe_for_move(tx: Tx, before: Case | None, case: Case) -> None:
    """A case joined, left or came to another state: the counts on its incident's card are behind."""
    old = None if before is None else (before.incident, before.state, before.withdrawn_at)
    if old == (case.incident, case.state, case.withdrawn_at):
        return
    bucket = int(tx.now.timestamp()) // _TOGETHER + 1
    due = datetime.fromtimestamp(bucket * _TOGETHER, UTC)
    for incident in {case.incident, before.incident if before is not None else None} - {None}:
        owe_card(tx, int(incident or 0), f"moved:{bucket}", due=due)


def incident_post(tx: Tx, incident: int, channel: str) -> tuple[str, str | None, int]:
    """Channel, ts and drawings of its card; the channel is written down before the first post."""
    columns = select(INCIDENTS.c.channel, INCIDENTS.c.ts, INCIDENTS.c.draws)
    row = tx.connection.execute(columns.where(INCIDENTS.c.id == incident)).one()
    if row.channel is None:
        tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident).values(channel=channel))
    return row.channel or channel, row.ts, row.draws


def incident_posted(tx: Tx, incident: int, ts: str, draws: int) -> None:
    """The card stands at `ts`."""
    tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident).values(ts=ts, draws=draws))
