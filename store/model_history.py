"""The models in use over time and the candidates turned away, with who, why and the verdict (8.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from complaints.doing import stamp
from store.tables import MODEL_RUNS, MODEL_USES, MODELS
from store.transactions import Tx


def model_history(tx: Tx) -> list[dict[str, Any]]:
    """The models in use over time and the candidates that were turned away, the newest first."""
    verdicts = _verdicts(tx)
    uses = [
        {
            "at": stamp(row.at),
            "id": row.id,
            "sha256": row.sha256,
            "card": row.card,
            "used": True,
            "how": row.how,
            "by": row.by,
            "why": row.why,
            "verdict": next((one for at, one in reversed(verdicts.get(row.id, ())) if at <= row.at), None),
        }
        for row in tx.connection.execute(
            select(
                MODEL_USES.c.at,
                MODEL_USES.c.how,
                MODEL_USES.c.by,
                MODEL_USES.c.why,
                MODELS.c.id,
                MODELS.c.sha256,
                MODELS.c.card,
            )
            .join(MODELS, MODELS.c.id == MODEL_USES.c.model_id)
            .order_by(MODEL_USES.c.id.desc())
        )
    ]
    turned_away = [
        {
            "at": stamp(row.at),
            "id": row.id,
            "sha256": row.sha256,
            "card": row.card,
            "used": False,
            "how": "turned_away",
            "by": None,
            "why": None,
            "verdict": {"passes": False, **row.verdict},
        }
        for row in tx.connection.execute(
            select(MODEL_RUNS.c.at, MODEL_RUNS.c.verdict, MODELS.c.id, MODELS.c.sha256, MODELS.c.card)
            .join(MODELS, MODELS.c.id == MODEL_RUNS.c.model_id)
            .where(MODEL_RUNS.c.passes.is_(False))
            .order_by(MODEL_RUNS.c.id.desc())
        )
    ]
    return sorted([*uses, *turned_away], key=lambda one: str(one["at"]), reverse=True)


def _verdicts(tx: Tx) -> dict[int, list[tuple[datetime, dict[str, Any]]]]:
    found: dict[int, list[tuple[datetime, dict[str, Any]]]] = {}
    for row in tx.connection.execute(select(MODEL_RUNS).order_by(MODEL_RUNS.c.id)):
        found.setdefault(row.model_id, []).append((row.at, {"passes": row.passes, **row.verdict}))
    return found
