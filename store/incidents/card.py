"""The Slack card of an incident, and what happens once for all its complaints (docs/domain.md, "Incident").

The card is redrawn at once after an act on the incident, and a few seconds after one of its complaints changed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update

from complaints.case import Case
from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.transaction import Tx
from store.outbox import rows
from store.tables import COMPLAINTS, EVENTS, INCIDENTS, SLACK

#: The obligation that draws the card.
KIND = "incident_card"
#: Changes within this many seconds share one redraw: fifty people may join an incident at the same time.
_BUCKET_SECONDS = 5


def schedule_card(tx: Tx, incident: int, why: str, *, due: datetime | None = None) -> None:
    """Schedule a redraw; `why` is part of the obligation's key."""
    facts = {"incident": incident}
    rows.insert_obligation(
        tx, NewObligation(f"{KIND}:{incident}:{why}", KIND, due or tx.now, SendPriority.DIALOGUE, facts)
    )


def schedule_for_move(tx: Tx, before: Case | None, case: Case) -> None:
    """Schedule redraws if the complaint joined or left an incident or changed its state: cards count these."""
    old = None if before is None else (before.incident, before.state, before.withdrawn_at)
    if old == (case.incident, case.state, case.withdrawn_at):
        return
    bucket = int(tx.now.timestamp()) // _BUCKET_SECONDS + 1
    due = datetime.fromtimestamp(bucket * _BUCKET_SECONDS, UTC)
    for incident in {case.incident, before.incident if before is not None else None} - {None}:
        schedule_card(tx, int(incident or 0), f"moved:{bucket}", due=due)


def load_incident_post(tx: Tx, incident: int, channel: str) -> tuple[str, str | None, int]:
    """Channel, timestamp and number of draws of the card; fixes the channel before the first post."""
    columns = select(INCIDENTS.c.channel, INCIDENTS.c.ts, INCIDENTS.c.draws)
    row = tx.connection.execute(columns.where(INCIDENTS.c.id == incident)).one()
    if row.channel is None:
        tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident).values(channel=channel))
    return row.channel or channel, row.ts, row.draws


def record_incident_posted(tx: Tx, incident: int, ts: str, draws: int) -> None:
    """Record where the card was posted."""
    tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident).values(ts=ts, draws=draws))


def was_executive_notified(tx: Tx, ref: str) -> bool:
    """Whether top management was notified of this incident for another of its complaints (5.3)."""
    mine = select(COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == ref).scalar_subquery()
    query = (
        select(SLACK.c.id)
        .join(COMPLAINTS, COMPLAINTS.c.ref == SLACK.c.ref)
        .where(
            COMPLAINTS.c.incident_id == mine,
            SLACK.c.ref != ref,
            SLACK.c.purpose == "executive",
            SLACK.c.deleted_at.is_(None),
        )
        .limit(1)
    )
    return tx.connection.execute(query).first() is not None


def was_surveyed_before(tx: Tx, ref: str) -> bool:
    """Whether this person was surveyed about another complaint of the same incident (8.3)."""
    row = tx.connection.execute(
        select(COMPLAINTS.c.incident_id, COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
    ).one()
    if row.incident_id is None:
        return False
    others = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.incident_id == row.incident_id,
        COMPLAINTS.c.complainant_id == row.complainant_id,
        COMPLAINTS.c.ref != ref,
    )
    query = select(EVENTS.c.id).where(EVENTS.c.ref.in_(others), EVENTS.c.verb == "survey").limit(1)
    return tx.connection.execute(query).first() is not None
