"""Trained models, which of them is used, and the confirmed assessments that the next one learns from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from complaints.doing import stamp
from store.errors import UnknownRow
from store.tables import ASSESSMENTS, COMPLAINTS, MODEL_USES, MODELS
from store.told import texts
from store.transactions import Tx


def active_model(tx: Tx) -> tuple[str, Mapping[str, Any], int] | None:
    """SHA-256, card and number of the model in use."""
    row = tx.connection.execute(
        select(MODELS.c.sha256, MODELS.c.card, MODELS.c.id)
        .join(MODEL_USES, MODEL_USES.c.model_id == MODELS.c.id)
        .order_by(MODEL_USES.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.sha256, row.card, row.id)


def model_blob(tx: Tx, number: int) -> bytes:
    """The artefact of a model."""
    blob: bytes | None = tx.connection.execute(select(MODELS.c.blob).where(MODELS.c.id == number)).scalar()
    if blob is None:
        raise UnknownRow(f"no model has the number {number}: see `amends triage history`")
    return blob


def keep_model(tx: Tx, blob: bytes, sha256: str, card: Mapping[str, Any], activate: bool = True) -> int:
    """Keep a trained model (the same one again is the same row) and use it, unless told not to."""
    tx.insert_new(MODELS, [{"sha256": sha256, "card": dict(card), "blob": blob, "at": tx.now}])
    number: int = tx.connection.execute(select(MODELS.c.id).where(MODELS.c.sha256 == sha256)).scalar_one()
    active = active_model(tx)
    if activate and (active is None or active[2] != number):
        use_model(tx, number)
    return number


def use_model(tx: Tx, number: int) -> None:
    """Proposals are made by this model from now on."""
    tx.add(MODEL_USES, model_id=number, at=tx.now)


def model_history(tx: Tx) -> list[dict[str, Any]]:
    """The models in use over time, the newest first."""
    query = (
        select(MODEL_USES.c.at, MODELS.c.id, MODELS.c.sha256, MODELS.c.card)
        .join(MODELS, MODELS.c.id == MODEL_USES.c.model_id)
        .order_by(MODEL_USES.c.id.desc())
    )
    return [
        {"at": stamp(row.at), "id": row.id, "sha256": row.sha256, "card": row.card}
        for row in tx.connection.execute(query)
    ]


def examples(tx: Tx) -> list[dict[str, Any]]:
    """What people confirmed, with the words: the newest assessment of each complaint that still has them."""
    newest = select(ASSESSMENTS.c.ref, func.max(ASSESSMENTS.c.seq).label("seq")).group_by(ASSESSMENTS.c.ref)
    last = newest.subquery()
    query = (
        select(
            ASSESSMENTS.c.ref,
            ASSESSMENTS.c.category,
            ASSESSMENTS.c.severity,
            COMPLAINTS.c.language,
            COMPLAINTS.c.received_at,
        )
        .join(last, (last.c.ref == ASSESSMENTS.c.ref) & (last.c.seq == ASSESSMENTS.c.seq))
        .join(COMPLAINTS, COMPLAINTS.c.ref == ASSESSMENTS.c.ref)
        .where(COMPLAINTS.c.key_wrapped.is_not(None), COMPLAINTS.c.is_simulation.is_(False))
        .order_by(COMPLAINTS.c.received_at, ASSESSMENTS.c.ref)
    )
    learnt = []
    for row in tx.connection.execute(query).all():
        story = "\n".join(one.text for one in texts(tx, row.ref))
        if story.strip():
            learnt.append(
                {
                    "text": story,
                    "category": row.category,
                    "severity": row.severity,
                    "language": row.language,
                    "at": stamp(row.received_at),
                }
            )
    return learnt
