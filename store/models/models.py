"""Trained models: their verdicts, which one is in use, and which were used or rejected before (8.5)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from complaints.times import format_time
from store.database.errors import SealBroken, UnknownRow
from store.database.keyring import place
from store.database.transaction import Tx
from store.models.erased import drop_erased_words, list_models_with_erased_words
from store.models.training_examples import TrainingHistory, keep_history
from store.proof.hash_chain import record_instance_event
from store.tables import ASSESSMENTS, MODEL_RUNS, MODEL_USES, MODELS
from store.values import FILE

#: The bytes of this many models are kept for a rollback; older models keep their card and verdict.
KEPT = 10
_ROLLED_BACK = "rolled_back"
_TRAINED = MODEL_RUNS.c.key.not_like(f"{FILE}%")


@dataclass(frozen=True)
class TrainingRun:
    """A training run, or the evaluation of a model file that is to be promoted.

    `key` is the pipeline and a digest of its training data. `until` is when the record was read. `verdict` holds the
    gate's `reasons` and `figures`. After an erasure it may hold `learnt_until`: then the candidate was rejected, and
    the model before was retrained without the erased words, on data up to that time.
    """

    key: str
    until: datetime
    examples: int
    passes: bool
    verdict: Mapping[str, Any]

    @property
    def made_anew(self) -> bool:
        """Whether the candidate was rejected and the model before was retrained without the erased words."""
        return "learnt_until" in self.verdict


@dataclass(frozen=True)
class IntactModel:
    """A model whose bytes match its SHA-256.

    `passed_over` are the newer models that do not; `erased` those of them whose bytes were deleted by an erasure.
    """

    number: int
    sha256: str
    card: Mapping[str, Any]
    passed_over: tuple[int, ...] = ()
    erased: tuple[int, ...] = ()


def keep_run(
    tx: Tx,
    run: TrainingRun,
    blob: bytes,
    sha256: str,
    card: Mapping[str, Any],
    *,
    activate: bool,
    how: str = "trained",
    by: str | None = None,
    why: str | None = None,
    history: TrainingHistory | None = None,
) -> int:
    """Store a candidate with its verdict; with `activate`, use it and keep its history. All or nothing."""
    number = keep_model(tx, blob, sha256, card, activate, how=how, by=by, why=why)
    tx.add(
        MODEL_RUNS,
        model_id=number,
        key=run.key,
        at=tx.now,
        until=run.until,
        examples=run.examples,
        passes=run.passes,
        verdict=dict(run.verdict),
    )
    if activate and history is not None:
        keep_history(tx, history)
    if activate:
        drop_erased_words(tx)
    return number


def digest_data(tx: Tx, digest: str) -> str:
    """A digest of training data that only the instance's key can make: a guess of few words cannot be checked."""
    return tx.keys.index("training", digest).hex()


def keep_model(
    tx: Tx,
    blob: bytes,
    sha256: str,
    card: Mapping[str, Any],
    activate: bool = True,
    *,
    how: str = "kept",
    by: str | None = None,
    why: str | None = None,
) -> int:
    """Store a model, sealed, and use it, unless `activate` is False; storing it again restores its bytes."""
    sealed = tx.keys.seal(blob, model_place(sha256))
    tx.insert_missing(MODELS, [{"sha256": sha256, "card": dict(card), "blob": sealed, "at": tx.now}])
    number: int = tx.connection.execute(select(MODELS.c.id).where(MODELS.c.sha256 == sha256)).scalar_one()
    if not is_model_intact(tx, number):
        # The row exists, but its bytes were altered or deleted: restore them.
        tx.update_by(MODELS, {"id": number}, blob=sealed)
    active = load_active_model(tx)
    if activate and (active is None or active[2] != number):
        use_model(tx, number, how=how, by=by, why=why)
    _delete_old_bytes(tx)
    return number


def use_model(
    tx: Tx, number: int, *, how: str = "promoted", by: str | None = None, why: str | None = None
) -> None:
    """Use this model for proposals from now on, and record that in the instance's log; raises UnknownRow."""
    row = tx.connection.execute(_card(MODELS.c.id == number)).first()
    if row is None:
        raise UnknownRow(f"no model has the number {number}: see `amends triage history`")
    tx.add(MODEL_USES, model_id=number, at=tx.now, how=how, by=by, why=why)
    record_instance_event(tx, "model", {"sha256": row.sha256, "how": how})


def roll_back(tx: Tx, *, by: str | None = None, why: str | None = None) -> IntactModel | None:
    """Use the model that was in use before the present one; None if no earlier model is intact.

    Another rollback goes one step further back, and never to a model that was rolled back from.
    """
    model = _newest_intact(tx, _used_models(tx)[:-1])
    if model is None:
        return None
    use_model(tx, model.number, how=_ROLLED_BACK, by=by, why=why)
    gone = set(list_models_with_erased_words(tx, gone=True)) if model.passed_over else set()
    return replace(model, erased=tuple(number for number in model.passed_over if number in gone))


def load_active_model(tx: Tx) -> tuple[str, Mapping[str, Any], int] | None:
    """SHA-256, card and number of the model in use; None without one."""
    row = tx.connection.execute(
        select(MODELS.c.sha256, MODELS.c.card, MODELS.c.id)
        .join(MODEL_USES, MODEL_USES.c.model_id == MODELS.c.id)
        .order_by(MODEL_USES.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.sha256, row.card, row.id)


def load_active_use(tx: Tx) -> tuple[datetime, str] | None:
    """Since when the present model is in use, and how it came into use (`ModelUseRow.how`); None without one."""
    row = tx.connection.execute(
        select(MODEL_USES.c.at, MODEL_USES.c.how).order_by(MODEL_USES.c.id.desc()).limit(1)
    ).first()
    return None if row is None else (row.at, row.how)


def load_intact_model(tx: Tx) -> IntactModel | None:
    """The model in use, or the last one before it whose bytes are intact; None without any."""
    return _newest_intact(tx, _used_models(tx))


def _newest_intact(tx: Tx, numbers: Sequence[int]) -> IntactModel | None:
    for newer, number in enumerate(reversed(numbers)):
        if is_model_intact(tx, number):
            row = tx.connection.execute(_card(MODELS.c.id == number)).one()
            return IntactModel(row.id, row.sha256, row.card, tuple(numbers[::-1][:newer]))
    return None


def list_rollback_models(tx: Tx) -> list[tuple[int, str]]:
    """Number and SHA-256 of the models for a rollback, the one used last before the present one first."""
    numbers = _used_models(tx)[-1 - KEPT : -1]
    # Models whose bytes were deleted on purpose are left out: they must not be reported as damaged.
    query = select(MODELS.c.id, MODELS.c.sha256).where(
        MODELS.c.id.in_(numbers), func.length(MODELS.c.blob) > 0
    )
    hashes = {row.id: row.sha256 for row in tx.connection.execute(query)}
    return [(number, hashes[number]) for number in reversed(numbers) if number in hashes]


def list_models(tx: Tx) -> list[dict[str, Any]]:
    """The models in order of use, and the rejected candidates, the newest first (8.5)."""
    verdicts = _verdicts(tx)
    columns = (MODELS.c.id, MODELS.c.sha256, MODELS.c.card)
    used = (
        select(MODEL_USES.c.at, *columns, MODEL_USES.c.how, MODEL_USES.c.by, MODEL_USES.c.why)
        .join(MODELS, MODELS.c.id == MODEL_USES.c.model_id)
        .order_by(MODEL_USES.c.id.desc())
    )
    uses = [
        {
            **_listed(row, used=True, how=row.how, by=row.by, why=row.why),
            "verdict": next(
                (verdict for at, verdict in reversed(verdicts.get(row.id, ())) if at <= row.at), None
            ),
        }
        for row in tx.connection.execute(used)
    ]
    turned_away = (
        select(MODEL_RUNS.c.at, *columns, MODEL_RUNS.c.verdict)
        .join(MODELS, MODELS.c.id == MODEL_RUNS.c.model_id)
        .where(MODEL_RUNS.c.passes.is_(False))
        .order_by(MODEL_RUNS.c.id.desc())
    )
    rejected = [
        {
            **_listed(row, used=False, how="turned_away", by=None, why=None),
            "verdict": {"passes": False, **row.verdict},
        }
        for row in tx.connection.execute(turned_away)
    ]
    return sorted([*uses, *rejected], key=lambda entry: str(entry["at"]), reverse=True)


def is_model_intact(tx: Tx, number: int) -> bool:
    """Whether the bytes of this model match its recorded SHA-256."""
    row = tx.connection.execute(select(MODELS.c.sha256, MODELS.c.blob).where(MODELS.c.id == number)).first()
    return row is not None and hashlib.sha256(_open(tx, row)).hexdigest() == row.sha256


def read_model_blob(tx: Tx, number: int) -> bytes:
    """The artefact of a model; empty if only its card and verdict are kept, or if its bytes were altered.

    Raises UnknownRow, and SealBroken if the keys do not open it.
    """
    row = tx.connection.execute(select(MODELS.c.sha256, MODELS.c.blob).where(MODELS.c.id == number)).first()
    if row is None:
        raise UnknownRow(f"no model has the number {number}: see `amends triage history`")
    return _open(tx, row)


def model_place(sha256: str) -> str:
    return place("models", sha256, "blob")


def load_last_run(tx: Tx) -> TrainingRun | None:
    """The newest training run, without evaluations of files; None without one."""
    query = select(MODEL_RUNS).where(_TRAINED).order_by(MODEL_RUNS.c.id.desc()).limit(1)
    row = tx.connection.execute(query).first()
    return None if row is None else TrainingRun(row.key, row.until, row.examples, row.passes, row.verdict)


def load_learnt_until(tx: Tx, number: int) -> tuple[datetime | None, bool]:
    """Until when a model may have learnt from assessments, and whether a run of this desk left out the fixed rows.

    For a retrained model the time is that of the model it replaced. For a model from a file it is its first use, or
    None if it was never used: it cannot have learnt from later assessments.
    """
    run = tx.connection.execute(
        select(MODEL_RUNS.c.until, MODEL_RUNS.c.verdict)
        .where(MODEL_RUNS.c.model_id == number, _TRAINED)
        .order_by(MODEL_RUNS.c.id)
        .limit(1)
    ).first()
    if run is not None:
        bound = run.verdict.get("learnt_until")
        return run.until if bound is None else datetime.fromisoformat(bound), True
    query = select(func.min(MODEL_USES.c.id)).where(MODEL_USES.c.model_id == number)
    first = tx.connection.execute(query).scalar()
    used = tx.connection.execute(select(MODEL_USES.c.at).where(MODEL_USES.c.id == first)).scalar()
    return used, False


def count_assessed_since(tx: Tx, since: datetime) -> int:
    """How many assessments were made after this moment."""
    query = select(func.count()).select_from(ASSESSMENTS).where(ASSESSMENTS.c.at > since)
    return int(tx.connection.execute(query).scalar_one())


def _listed(row: Any, **values: Any) -> dict[str, Any]:
    return {"at": format_time(row.at), "id": row.id, "sha256": row.sha256, "card": row.card, **values}


def _used_models(tx: Tx) -> list[int]:
    """The models in order of use, the present one last, without those that were rolled back from."""
    numbers: list[int] = []
    query = select(MODEL_USES.c.model_id, MODEL_USES.c.how).order_by(MODEL_USES.c.id)
    for number, how in tx.connection.execute(query):
        if how == _ROLLED_BACK and number in numbers:
            while numbers[-1] != number:
                numbers.pop()
        elif not numbers or numbers[-1] != number:
            numbers.append(number)
    return numbers


def _card(*conditions: ColumnElement[bool]) -> Any:
    return select(MODELS.c.id, MODELS.c.sha256, MODELS.c.card).where(*conditions)


def _delete_old_bytes(tx: Tx) -> None:
    """Keep only card and verdict of old models: each model is megabytes, and one is trained every night."""
    newest = select(MODELS.c.id).order_by(MODELS.c.id.desc()).limit(KEPT)
    kept: Sequence[int] = [*_used_models(tx)[-KEPT:], *tx.connection.execute(newest).scalars()]
    tx.update(MODELS, MODELS.c.id.not_in(kept), func.length(MODELS.c.blob) > 0, blob=b"")


def _open(tx: Tx, row: Any) -> bytes:
    """The artefact of a row; empty if its bytes were deleted or altered."""
    if not row.blob:
        return b""
    try:
        return tx.keys.unseal(row.blob, model_place(row.sha256))
    except SealBroken:
        return b""


def _verdicts(tx: Tx) -> dict[int, list[tuple[datetime, dict[str, Any]]]]:
    verdicts: dict[int, list[tuple[datetime, dict[str, Any]]]] = {}
    for row in tx.connection.execute(select(MODEL_RUNS).order_by(MODEL_RUNS.c.id)):
        verdicts.setdefault(row.model_id, []).append((row.at, {"passes": row.passes, **row.verdict}))
    return verdicts
