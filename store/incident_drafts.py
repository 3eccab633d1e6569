"""The texts of an update to all while they are previewed: under the instance's key, for 24 hours."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from store.sealing import place
from store.slack_posts import DRAFT_KEPT
from store.tables import DRAFTS
from store.transactions import Tx

FORM = "incident_update"


@dataclass(frozen=True)
class IncidentDraft:
    """What was typed, by whom, for which incident in which version."""

    id: str
    incident: int
    by: str
    version: int
    words: Mapping[str, str]


def incident_draft(tx: Tx, incident: int, by: str, version: int, words: Mapping[str, str]) -> str:
    """Keep the texts; returns an unguessable id."""
    number = secrets.token_urlsafe(16)
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.expires_at <= tx.now))
    typed = json.dumps({"incident": incident, "words": dict(words)}, ensure_ascii=False)
    tx.add(
        DRAFTS,
        id=number,
        ref=None,
        by=by,
        form=FORM,
        work_version=version,
        sealed=tx.keys.seal(typed.encode(), place("drafts", number, "typed")),
        at=tx.now,
        expires_at=tx.now + DRAFT_KEPT,
    )
    return number


def read_incident_draft(tx: Tx, number: str) -> IncidentDraft | None:
    """The draft, or None after 24 hours."""
    row = tx.connection.execute(
        select(DRAFTS).where(DRAFTS.c.id == number, DRAFTS.c.form == FORM, DRAFTS.c.expires_at > tx.now)
    ).first()
    if row is None:
        return None
    typed = json.loads(tx.keys.unseal(row.sealed, place("drafts", number, "typed")))
    return IncidentDraft(number, typed["incident"], row.by, row.work_version, typed["words"])
