"""Which models may hold words that were erased after they had learnt them, and that their bytes go too (8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select, update

from complaints.vocabulary import Verb
from store.database.transaction import Tx
from store.models.history import is_history_kept
from store.proof.instance_log import SETTINGS_CHAIN
from store.tables import ASSESSMENTS, COMPLAINTS, EVENTS, MODEL_RUNS, MODEL_USES, MODELS
from store.values import FILE


@dataclass(frozen=True)
class _Read:
    """When a model's words were read: of the record (None: it read none of it), and whether a run of ours did."""

    number: int
    record: datetime | None
    ours: bool
    at: datetime
    card: Mapping[str, Any]

    @property
    def unassessed(self) -> bool:
        """Did it read complaints of the record that nobody had assessed?"""
        return self.ours and bool(self.card.get("unlabelled"))


@dataclass(frozen=True)
class _Erased:
    """A complaint that is gone: when it came, was first assessed, was erased."""

    received: datetime
    assessed: datetime | None
    erased: datetime


def list_models_with_erased_words(tx: Tx, *, gone: bool = False) -> list[int]:
    """Numbers of the models that may hold such words, those whose bytes are `gone` already among them or not."""
    read = _read(tx, gone=gone)
    moments = [one.record for one in read if one.record is not None]
    erased = _erased_after(tx, min(moments)) if moments else []
    forgotten, kept = _history_forgotten(tx), is_history_kept(tx)
    sha256 = None if kept is None else kept[0]
    return [
        one.number for one in read if _learnt_one(one, erased) or _learnt_history(one, forgotten, kept=sha256)
    ]


def drop_erased_words(tx: Tx) -> bool:
    """Let the bytes of these models go; card and verdict stay. True, and nothing is done, while one of them is in
    use: until another is there, it must go on.
    """
    found = list_models_with_erased_words(tx)
    active = tx.connection.execute(
        select(MODEL_USES.c.model_id).order_by(MODEL_USES.c.id.desc()).limit(1)
    ).scalar()
    if active in found:
        return True
    if found:
        tx.connection.execute(update(MODELS).where(MODELS.c.id.in_(found)).values(blob=b""))
    return False


def _read(tx: Tx, *, gone: bool) -> list[_Read]:
    query = select(MODEL_RUNS.c.model_id, func.max(MODEL_RUNS.c.until).label("until"))
    # The newest run counts: the same bytes of a record without the words do not hold them. To judge a file again
    # is no run, and makes nobody forget.
    runs = query.where(MODEL_RUNS.c.key.not_like(f"{FILE}%")).group_by(MODEL_RUNS.c.model_id)
    ours = {row.model_id: row.until for row in tx.connection.execute(runs)}
    models = select(MODELS.c.id, MODELS.c.at, MODELS.c.card)
    if not gone:
        models = models.where(func.length(MODELS.c.blob) > 0)
    found = []
    for row in tx.connection.execute(models):
        record = ours.get(row.id, row.at)
        if row.id not in ours and "record_read" in row.card:
            said = row.card["record_read"]
            record = None if said is None else datetime.fromisoformat(said)
        found.append(_Read(row.id, record, row.id in ours, row.at, row.card))
    return found


def _erased_after(tx: Tx, since: datetime) -> list[_Erased]:
    """Each complaint erased since, with the moments from which on a model may have learnt it."""
    query = (
        select(
            COMPLAINTS.c.received_at,
            func.min(ASSESSMENTS.c.at).label("assessed"),
            EVENTS.c.at.label("erased"),
        )
        .join(COMPLAINTS, COMPLAINTS.c.ref == EVENTS.c.ref)
        .outerjoin(ASSESSMENTS, ASSESSMENTS.c.ref == EVENTS.c.ref)
        .where(EVENTS.c.at > since, EVENTS.c.verb == Verb.ERASE.value)
        .group_by(EVENTS.c.id, EVENTS.c.at, COMPLAINTS.c.received_at)
    )
    return [_Erased(row.received_at, row.assessed, row.erased) for row in tx.connection.execute(query)]


def _history_forgotten(tx: Tx) -> datetime | None:
    query = select(EVENTS.c.at).where(and_(EVENTS.c.ref == SETTINGS_CHAIN, EVENTS.c.verb == "forget_history"))
    return tx.connection.execute(query.order_by(EVENTS.c.seq.desc()).limit(1)).scalar()


def _learnt_one(one: _Read, erased: list[_Erased]) -> bool:
    record = one.record
    if record is None:
        return False
    # One received long ago and imported lately counts for models of before: now and then too many, never too few.
    learnt = [(each.received if one.unassessed else each.assessed, each.erased) for each in erased]
    return any(told is not None and told <= record < gone for told, gone in learnt)


def _learnt_history(one: _Read, forgotten: datetime | None, *, kept: str | None) -> bool:
    """A run of ours learns from the history that is `kept` (its SHA-256); a file from that which its card names."""
    if forgotten is None:
        return False
    if one.ours:
        return one.record is not None and one.record <= forgotten
    named = one.card.get("history")
    return named is not None and one.at <= forgotten and kept != named["sha256"]
