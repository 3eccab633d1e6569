"""Trained models, the verdicts on them, and which of them is used.

The models in use over time and the candidates turned away, with who, why and the verdict (8.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from complaints.timestamps import format_time
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.models.erased import drop_erased_words, list_models_with_erased_words
from store.models.history import TrainingHistory, keep_history
from store.proof.instance_log import record_instance_event
from store.tables import ASSESSMENTS, MODEL_RUNS, MODEL_USES, MODELS
from store.values import FILE as FILE

#: Whose bytes are kept to go back to, those used last before all; older ones keep their card and verdict.
KEPT = 10
_ROLLED_BACK = "rolled_back"
_TRAINED = MODEL_RUNS.c.key.not_like(f"{FILE}%")


@dataclass(frozen=True)
class TrainingRun:
    """A training run, or the judging of a file that somebody wants promoted.

    `key` is the pipeline and a digest of all that was learnt from, `until` when the record was read for it,
    `verdict` what the gate said: `reasons`, `figures`, plain values; after an erasure `learnt_until`, up to when the
    model has learnt, where the candidate was turned away and the model before was made anew without the words.
    """

    key: str
    until: datetime
    examples: int
    passes: bool
    verdict: Mapping[str, Any]

    @property
    def made_anew(self) -> bool:
        """Was the candidate turned away, and the model before made anew without what was erased?"""
        return "learnt_until" in self.verdict


@dataclass(frozen=True)
class IntactModel:
    """A model that is whole: its number, SHA-256 and card; `passed_over` are those before it that are not, of
    these `erased` those whose bytes went with words that were erased.
    """

    number: int
    sha256: str
    card: Mapping[str, Any]
    passed_over: tuple[int, ...] = ()
    erased: tuple[int, ...] = ()


def load_active_model(tx: Tx) -> tuple[str, Mapping[str, Any], int] | None:
    """SHA-256, card and number of the model in use."""
    row = tx.connection.execute(
        select(MODELS.c.sha256, MODELS.c.card, MODELS.c.id)
        .join(MODEL_USES, MODEL_USES.c.model_id == MODELS.c.id)
        .order_by(MODEL_USES.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.sha256, row.card, row.id)


def read_model_blob(tx: Tx, number: int) -> bytes:
    """The artefact of a model; empty for one of long ago, of which only card and verdict are kept."""
    blob: bytes | None = tx.connection.execute(select(MODELS.c.blob).where(MODELS.c.id == number)).scalar()
    if blob is None:
        raise UnknownRow(f"no model has the number {number}: see `amends triage history`")
    return blob


def is_model_intact(tx: Tx, number: int) -> bool:
    """Are the bytes of this model those that were recorded with it?"""
    row = tx.connection.execute(select(MODELS.c.sha256, MODELS.c.blob).where(MODELS.c.id == number)).first()
    return row is not None and hashlib.sha256(row.blob).hexdigest() == row.sha256


def load_good_model(tx: Tx) -> IntactModel | None:
    """The model in use, or where its bytes were altered the one used before it that is whole."""
    bad: list[int] = []
    for number in reversed(_course(tx)):
        if is_model_intact(tx, number):
            row = tx.connection.execute(_card(MODELS.c.id == number)).one()
            return IntactModel(row.id, row.sha256, row.card, tuple(bad))
        bad.append(number)
    return None


def was_used_before(tx: Tx) -> list[tuple[int, str]]:
    """Number and SHA-256 of the models to fall back on, the one used last before the present one first."""
    course = _course(tx)[-1 - KEPT : -1]
    # Those whose bytes were let go are no help, and no damage that anybody should hear of.
    query = select(MODELS.c.id, MODELS.c.sha256).where(
        MODELS.c.id.in_(course), func.length(MODELS.c.blob) > 0
    )
    known = {row.id: row.sha256 for row in tx.connection.execute(query)}
    return [(number, known[number]) for number in reversed(course) if number in known]


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
    """Keep a model (the same one again is the same row, its bytes made whole) and use it, unless told not to."""
    tx.insert_new(MODELS, [{"sha256": sha256, "card": dict(card), "blob": blob, "at": tx.now}])
    number: int = tx.connection.execute(select(MODELS.c.id).where(MODELS.c.sha256 == sha256)).scalar_one()
    if not is_model_intact(tx, number):
        # Known by this hash, but its bytes were altered or let go: here they are again.
        tx.connection.execute(update(MODELS).where(MODELS.c.id == number).values(blob=blob))
    active = load_active_model(tx)
    if activate and (active is None or active[2] != number):
        use_model(tx, number, how=how, by=by, why=why)
    _let_go(tx)
    return number


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
    """Keep a candidate with the verdict on it, and use it where it may be, with its history: all or nothing."""
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


def use_model(
    tx: Tx, number: int, *, how: str = "promoted", by: str | None = None, why: str | None = None
) -> None:
    """Proposals are made by this model from now on; the house's chain holds that it is so."""
    row = tx.connection.execute(_card(MODELS.c.id == number)).first()
    if row is None:
        raise UnknownRow(f"no model has the number {number}: see `amends triage history`")
    tx.add(MODEL_USES, model_id=number, at=tx.now, how=how, by=by, why=why)
    record_instance_event(tx, "model", {"sha256": row.sha256, "how": how})


def roll_back(tx: Tx, *, by: str | None = None, why: str | None = None) -> IntactModel | None:
    """Use the model that was in use before the present one; None where there is none whose bytes are whole.

    A second time goes one step further back: what was rolled back from is not gone back to.
    """
    bad: list[int] = []
    for number in reversed(_course(tx)[:-1]):
        if is_model_intact(tx, number):
            use_model(tx, number, how=_ROLLED_BACK, by=by, why=why)
            row = tx.connection.execute(_card(MODELS.c.id == number)).one()
            gone = set(list_models_with_erased_words(tx, gone=True)) if bad else set()
            erased = tuple(one for one in bad if one in gone)
            return IntactModel(row.id, row.sha256, row.card, tuple(bad), erased)
        bad.append(number)
    return None


def _course(tx: Tx) -> list[int]:
    """The models used one after the other, the present one last, without those that were rolled back from."""
    course: list[int] = []
    query = select(MODEL_USES.c.model_id, MODEL_USES.c.how).order_by(MODEL_USES.c.id)
    for number, how in tx.connection.execute(query):
        if how == _ROLLED_BACK and number in course:
            while course[-1] != number:
                course.pop()
        elif not course or course[-1] != number:
            course.append(number)
    return course


def load_last_run(tx: Tx) -> TrainingRun | None:
    """The newest training run; the judging of a file is none."""
    query = select(MODEL_RUNS).where(_TRAINED).order_by(MODEL_RUNS.c.id.desc()).limit(1)
    row = tx.connection.execute(query).first()
    return None if row is None else TrainingRun(row.key, row.until, row.examples, row.passes, row.verdict)


def load_learnt_until(tx: Tx, number: int) -> tuple[datetime | None, bool]:
    """Up to when a model may have seen what was confirmed, and whether a run of ours spared the fixed rows.

    Of one made anew the bound is that of the model in whose place it came. Of one that no run made it is its first
    use, None where it was never used; what was confirmed later it cannot have seen.
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


def load_active_use(tx: Tx) -> tuple[datetime, str | None] | None:
    """Since when the present model is used, and how it came to be."""
    row = tx.connection.execute(
        select(MODEL_USES.c.at, MODEL_USES.c.how).order_by(MODEL_USES.c.id.desc()).limit(1)
    ).first()
    return None if row is None else (row.at, row.how)


def count_assessed_since(tx: Tx, since: datetime) -> int:
    """How many assessments people have made after this moment."""
    query = select(func.count()).select_from(ASSESSMENTS).where(ASSESSMENTS.c.at > since)
    return int(tx.connection.execute(query).scalar_one())


def _card(*wanted: ColumnElement[bool]) -> Any:
    return select(MODELS.c.id, MODELS.c.sha256, MODELS.c.card).where(*wanted)


def _let_go(tx: Tx) -> None:
    """Of models of long ago only card and verdict stay: each is megabytes, and one comes every night."""
    newest = select(MODELS.c.id).order_by(MODELS.c.id.desc()).limit(KEPT)
    kept: Sequence[int] = [*_course(tx)[-KEPT:], *tx.connection.execute(newest).scalars()]
    tx.connection.execute(
        update(MODELS).where(MODELS.c.id.not_in(kept), func.length(MODELS.c.blob) > 0).values(blob=b"")
    )


def list_models(tx: Tx) -> list[dict[str, Any]]:
    """The models in use over time and the candidates that were turned away, the newest first."""
    verdicts = _verdicts(tx)
    uses = [
        {
            "at": format_time(row.at),
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
            "at": format_time(row.at),
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
