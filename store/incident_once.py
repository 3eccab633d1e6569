"""What happens once for an incident and not for each of its complaints (iso10002.md, "Incident")."""

from __future__ import annotations

from sqlalchemy import select

from store.tables import COMPLAINTS, EVENTS, SLACK
from store.transactions import Tx


def told_above(tx: Tx, ref: str) -> bool:
    """Does top management know of this incident by another of its complaints? (5.3)"""
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


def surveyed_before(tx: Tx, ref: str) -> bool:
    """Was this person asked about another complaint of the same incident? (8.3)"""
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
