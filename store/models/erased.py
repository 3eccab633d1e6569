"""Find models that may contain words erased after their training, and delete the bytes of these models (8.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select

from complaints.vocabulary import Verb
from store.database.transaction import Tx
from store.models.training_examples import find_history
from store.proof.hash_chain import INSTANCE_CHAIN
from store.tables import ASSESSMENTS, COMPLAINTS, EVENTS, MODEL_RUNS, MODEL_USES, MODELS
from store.values import FILE

#: When a complaint was received, first assessed, and erased.
_Erased = tuple[datetime, datetime | None, datetime]


@dataclass(frozen=True)
class _TrainedModel:
    """What a model has learnt: `record_read_at` is None if it read nothing of the record.

    `trained_here` is True if a training run of this desk made it; otherwise it came from a file.
    """

    number: int
    record_read_at: datetime | None
    trained_here: bool
    at: datetime
    card: Mapping[str, Any]

    @property
    def read_unassessed(self) -> bool:
        """Whether it also read complaints that no person had assessed."""
        return self.trained_here and bool(self.card.get("unlabelled"))


def list_models_with_erased_words(tx: Tx, *, gone: bool = False) -> list[int]:
    """Numbers of the models that may contain erased words; `gone` includes those whose bytes are deleted."""
    models = _load_models(tx, gone=gone)
    moments = [model.record_read_at for model in models if model.record_read_at is not None]
    erased = _erased_after(tx, min(moments)) if moments else []
    forgotten_at, history = _history_forgotten_at(tx), find_history(tx)
    sha256 = None if history is None else history[0]
    return [
        model.number
        for model in models
        if _learnt_complaint(model, erased) or _learnt_history(model, forgotten_at, kept=sha256)
    ]


def drop_erased_words(tx: Tx) -> bool:
    """Delete the bytes of these models; cards and verdicts stay.

    If one of them is in use, deletes nothing and returns True: it is needed until another model replaces it.
    """
    numbers = list_models_with_erased_words(tx)
    active = tx.connection.execute(
        select(MODEL_USES.c.model_id).order_by(MODEL_USES.c.id.desc()).limit(1)
    ).scalar()
    if active in numbers:
        return True
    if numbers:
        tx.update(MODELS, MODELS.c.id.in_(numbers), blob=b"")
    return False


def _load_models(tx: Tx, *, gone: bool) -> list[_TrainedModel]:
    query = select(MODEL_RUNS.c.model_id, func.max(MODEL_RUNS.c.until).label("until"))
    # The newest run counts: if it gave the same bytes from a record without the words, they do not contain them.
    # Judging a file is not training, so it does not count.
    runs = query.where(MODEL_RUNS.c.key.not_like(f"{FILE}%")).group_by(MODEL_RUNS.c.model_id)
    trained_until = {row.model_id: row.until for row in tx.connection.execute(runs)}
    models = select(MODELS.c.id, MODELS.c.at, MODELS.c.card)
    if not gone:
        models = models.where(func.length(MODELS.c.blob) > 0)
    trained = []
    for row in tx.connection.execute(models):
        read_at = trained_until.get(row.id, row.at)
        if row.id not in trained_until and "record_read" in row.card:
            of_card = row.card["record_read"]
            read_at = None if of_card is None else datetime.fromisoformat(of_card)
        trained.append(_TrainedModel(row.id, read_at, row.id in trained_until, row.at, row.card))
    return trained


def _erased_after(tx: Tx, since: datetime) -> list[_Erased]:
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
    return [(row.received_at, row.assessed, row.erased) for row in tx.connection.execute(query)]


def _history_forgotten_at(tx: Tx) -> datetime | None:
    query = select(EVENTS.c.at).where(and_(EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb == "forget_history"))
    return tx.connection.execute(query.order_by(EVENTS.c.seq.desc()).limit(1)).scalar()


def _learnt_complaint(model: _TrainedModel, erased: list[_Erased]) -> bool:
    """Whether the model read the record when one of these complaints was part of the training data.

    An imported complaint may count although it was imported after the training: too many models, never too few.
    """
    read_at = model.record_read_at
    if read_at is None:
        return False
    periods = (
        (received if model.read_unassessed else assessed, erased_at)
        for received, assessed, erased_at in erased
    )
    return any(start is not None and start <= read_at < end for start, end in periods)


def _learnt_history(model: _TrainedModel, forgotten_at: datetime | None, *, kept: str | None) -> bool:
    """Whether the model learnt from a history that was forgotten; `kept` is the SHA-256 of the present one.

    A run of this desk learns from the present history, a model of a file from the history that its card names.
    """
    if forgotten_at is None:
        return False
    if model.trained_here:
        return model.record_read_at is not None and model.record_read_at <= forgotten_at
    history = model.card.get("history")
    return history is not None and model.at <= forgotten_at and kept != history["sha256"]
