"""The history of active models: promoted, rolled back, rejected, altered; every step is recorded."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from store.custody.verify import verify
from store.models.models import (
    TrainingRun,
    is_model_intact,
    keep_model,
    list_models,
    load_active_model,
    load_intact_model,
    load_last_run,
    load_learnt_until,
    roll_back,
    use_model,
)
from store.models.models import keep_run as store_keep_run
from store.proof.hash_chain import list_instance_events
from store.store import Store
from store.tables import MODELS
from tests.databases import FakeClock

T = datetime(2026, 11, 3, 10, tzinfo=UTC)


def keep(store: Store, blob: bytes, **more: object) -> int:
    """Keep a model of these bytes, active unless `activate` says otherwise."""
    return store.write(keep_model, blob, hashlib.sha256(blob).hexdigest(), {"version": blob.decode()}, **more)  # type: ignore[arg-type]


def run(passes: bool, key: str = "3:abc", until: datetime = T) -> TrainingRun:
    """A training run with a verdict."""
    return TrainingRun(key, until, 7, passes, {"reasons": ["worse"] if not passes else [], "figures": {}})


def keep_run(store: Store, blob: bytes, training_run: TrainingRun) -> int:
    """Keep a candidate with its verdict."""
    sha256 = hashlib.sha256(blob).hexdigest()
    return store.write(
        store_keep_run,
        training_run,
        blob,
        sha256,
        {"version": blob.decode()},
        activate=training_run.passes,
        by="system",
    )


def alter(store: Store, number: int) -> None:
    """Alter the model's row from outside."""
    store.write(
        lambda tx: tx.connection.execute(MODELS.update().where(MODELS.c.id == number).values(blob=b"evil"))
    )


def in_use(store: Store) -> str:
    """The version of the active model."""
    active = store.read(load_active_model)
    assert active is not None
    return str(active[1]["version"])


def test_a_rejected_candidate_is_kept_with_its_verdict_and_not_activated(
    store: Store, clock: FakeClock
) -> None:
    keep(store, b"first")
    clock.go_on(hours=1)
    keep_run(store, b"second", run(False))
    newest, first = store.read(list_models)
    assert in_use(store) == "first"
    assert (newest["used"], newest["how"], newest["verdict"]["reasons"]) == (False, "turned_away", ["worse"])
    assert (first["used"], first["how"], first["verdict"]) == (True, "kept", None)


def test_the_history_records_when_how_by_whom_and_why_a_model_was_activated(store: Store) -> None:
    number = keep(store, b"first")
    keep(store, b"second", activate=False)
    store.write(use_model, number + 1, how="forced", by="ann", why="seen by the board")
    newest = store.read(list_models)[0]
    assert (newest["how"], newest["by"], newest["why"], newest["at"]) == (
        "forced",
        "ann",
        "seen by the board",
        "2026-11-03T10:00:00Z",
    )
    facts = [event["facts"]["how"] for event in store.read(list_instance_events, "model")]
    assert facts == ["forced", "kept"]
    assert store.read(verify).first_bad is None


def test_every_rollback_goes_one_model_further_back(store: Store) -> None:
    for blob in (b"one", b"two", b"three"):
        keep(store, blob)
    rollbacks = [store.write(roll_back, by="ann"), store.write(roll_back), store.write(roll_back)]
    assert [rollback and rollback.card["version"] for rollback in rollbacks] == ["two", "one", None]
    assert in_use(store) == "one"
    keep(store, b"four")
    store.write(roll_back)
    assert in_use(store) == "one"


def test_a_rollback_skips_an_altered_model(store: Store) -> None:
    first, second = keep(store, b"one"), keep(store, b"two")
    keep(store, b"three")
    alter(store, second)
    rollback = store.write(roll_back)
    assert rollback is not None
    assert (rollback.number, rollback.passed_over) == (first, (second,))


def test_if_the_active_model_is_altered_the_previous_intact_one_is_used(store: Store) -> None:
    first, second = keep(store, b"one"), keep(store, b"two")
    alter(store, second)
    good = store.read(load_intact_model)
    assert good is not None
    assert (good.number, good.passed_over, store.read(is_model_intact, second)) == (first, (second,), False)
    alter(store, first)
    assert store.read(load_intact_model) is None


def test_keeping_an_altered_model_again_repairs_it(store: Store) -> None:
    number = keep(store, b"one")
    alter(store, number)
    assert keep(store, b"one") == number
    assert store.read(is_model_intact, number)


def test_of_old_models_only_card_and_verdict_are_kept(store: Store) -> None:
    numbers = [keep(store, f"model {number}".encode()) for number in range(14)]
    whole = [number for number in numbers if store.read(is_model_intact, number)]
    assert whole == numbers[4:]
    assert len(store.read(list_models)) == 14


def test_the_last_moment_a_model_may_have_learnt_from_is_recorded(store: Store, clock: FakeClock) -> None:
    by_hand = keep(store, b"by hand")
    trained = keep_run(store, b"ours", run(True, until=T))
    judged = keep_run(store, b"a file", run(True, key="file:abc"))
    clock.go_on(days=1)
    assert store.read(load_learnt_until, by_hand) == (T, False)
    assert store.read(load_learnt_until, trained) == (T, True)
    assert store.read(load_learnt_until, judged) == (T, False)


def test_evaluating_a_file_does_not_count_as_a_training_run(store: Store) -> None:
    keep_run(store, b"one", run(True, key="3:this"))
    keep_run(store, b"two", run(False, key="file:abc"))
    last = store.read(load_last_run)
    assert last is not None
    assert last.key == "3:this"
