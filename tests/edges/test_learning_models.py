"""Models in use over time: promoted, rolled back, turned away, altered; nothing of it is forgotten."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sqlalchemy import create_engine, inspect, text

from store.custody.verify import verify
from store.database import migrate
from store.database.engine import database_url as address
from store.models.models import (
    TrainingRun,
    is_model_intact,
    keep_model,
    list_models,
    load_active_model,
    load_active_use,
    load_good_model,
    load_last_run,
    load_learnt_until,
    roll_back,
    use_model,
)
from store.models.models import keep_run as store_keep_run
from store.proof.instance_log import list_instance_events
from store.store import Store, open_store
from store.tables import MODELS
from tests.databases import KEYS, FakeClock

T = datetime(2026, 11, 3, 10, tzinfo=UTC)


def kept(store: Store, blob: bytes, **more: object) -> int:
    """A model of these bytes, used unless told otherwise."""
    return store.write(keep_model, blob, hashlib.sha256(blob).hexdigest(), {"version": blob.decode()}, **more)  # type: ignore[arg-type]


def run(passes: bool, key: str = "3:abc", until: datetime = T) -> TrainingRun:
    """A run with a verdict."""
    return TrainingRun(key, until, 7, passes, {"reasons": ["worse"] if not passes else [], "figures": {}})


def keep_run(store: Store, blob: bytes, said: TrainingRun) -> int:
    """Keep a candidate with its verdict."""
    sha256 = hashlib.sha256(blob).hexdigest()
    return store.write(
        store_keep_run, said, blob, sha256, {"version": blob.decode()}, activate=said.passes, by="system"
    )


def alter(store: Store, number: int) -> None:
    """Somebody writes into the table."""
    store.write(
        lambda tx: tx.connection.execute(MODELS.update().where(MODELS.c.id == number).values(blob=b"evil"))
    )


def in_use(store: Store) -> str:
    """The version in use."""
    active = store.read(load_active_model)
    assert active is not None
    return str(active[1]["version"])


def test_a_candidate_turned_away_is_kept_with_its_verdict_and_not_used(
    store: Store, clock: FakeClock
) -> None:
    kept(store, b"first")
    clock.go_on(hours=1)
    keep_run(store, b"second", run(False))
    newest, first = store.read(list_models)
    assert in_use(store) == "first"
    assert (newest["used"], newest["how"], newest["verdict"]["reasons"]) == (False, "turned_away", ["worse"])
    assert (first["used"], first["how"], first["verdict"]) == (True, "kept", None)


def test_history_says_since_when_by_whom_and_why(store: Store) -> None:
    number = kept(store, b"first")
    kept(store, b"second", activate=False)
    store.write(use_model, number + 1, how="forced", by="ann", why="seen by the board")
    newest = store.read(list_models)[0]
    assert (newest["how"], newest["by"], newest["why"], newest["at"]) == (
        "forced",
        "ann",
        "seen by the board",
        "2026-11-03T10:00:00Z",
    )
    facts = [one["facts"]["how"] for one in store.read(list_instance_events, "model")]
    assert facts == ["forced", "kept"]
    assert store.read(verify).first_bad is None


def test_each_rollback_goes_one_step_further_back(store: Store) -> None:
    for blob in (b"one", b"two", b"three"):
        kept(store, blob)
    said = [store.write(roll_back, by="ann"), store.write(roll_back), store.write(roll_back)]
    assert [one and one.card["version"] for one in said] == ["two", "one", None]
    assert in_use(store) == "one"
    kept(store, b"four")
    store.write(roll_back)
    assert in_use(store) == "one"


def test_a_rollback_passes_over_a_model_that_was_altered(store: Store) -> None:
    one, two = kept(store, b"one"), kept(store, b"two")
    kept(store, b"three")
    alter(store, two)
    said = store.write(roll_back)
    assert said is not None
    assert (said.number, said.passed_over) == (one, (two,))


def test_where_the_model_in_use_was_altered_the_one_before_is_the_good_one(store: Store) -> None:
    one, two = kept(store, b"one"), kept(store, b"two")
    alter(store, two)
    good = store.read(load_good_model)
    assert good is not None
    assert (good.number, good.passed_over, store.read(is_model_intact, two)) == (one, (two,), False)
    alter(store, one)
    assert store.read(load_good_model) is None


def test_keeping_an_altered_model_again_makes_it_whole(store: Store) -> None:
    number = kept(store, b"one")
    alter(store, number)
    assert kept(store, b"one") == number
    assert store.read(is_model_intact, number)


def test_of_models_of_long_ago_only_card_and_verdict_stay(store: Store) -> None:
    numbers = [kept(store, f"model {number}".encode()) for number in range(14)]
    whole = [number for number in numbers if store.read(is_model_intact, number)]
    assert whole == numbers[4:]
    assert len(store.read(list_models)) == 14


def test_what_a_model_may_have_seen_is_known(store: Store, clock: FakeClock) -> None:
    by_hand = kept(store, b"by hand")
    ours = keep_run(store, b"ours", run(True, until=T))
    judged = keep_run(store, b"a file", run(True, key="file:abc"))
    clock.go_on(days=1)
    assert store.read(load_learnt_until, by_hand) == (T, False)
    assert store.read(load_learnt_until, ours) == (T, True)
    assert store.read(load_learnt_until, judged) == (T, False)


def test_the_judging_of_a_file_is_no_training_run(store: Store) -> None:
    keep_run(store, b"one", run(True, key="3:this"))
    keep_run(store, b"two", run(False, key="file:abc"))
    last = store.read(load_last_run)
    assert last is not None
    assert last.key == "3:this"


def test_the_release_before_reads_and_writes_the_tables_as_it_knows_them(database_url: str) -> None:
    engine = create_engine(address(database_url))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO models (id, sha256, card, blob, at) "
                "VALUES (1, 'abc', '{}', :blob, '2026-11-03 10:00:00')"
            ),
            {"blob": b"x"},
        )
        connection.execute(text("INSERT INTO model_uses (model_id, at) VALUES (1, '2026-11-03 10:00:00')"))
    engine.dispose()
    store = open_store(database_url, KEYS)
    assert store.read(load_active_use) == (T, None)
    store.close()


def test_the_migration_goes_both_ways_and_keeps_the_models(database_url: str) -> None:
    store = open_store(database_url, KEYS)
    kept(store, b"one")
    store.close()
    migrate.downgrade(database_url, "0001")
    engine = create_engine(address(database_url))
    found = inspect(engine)
    assert "model_runs" not in found.get_table_names()
    assert {one["name"] for one in found.get_columns("model_uses")} == {"id", "model_id", "at"}
    engine.dispose()
    migrate.upgrade(database_url)
    store = open_store(database_url, KEYS)
    assert in_use(store) == "one"
    assert store.read(load_active_use) is not None
    store.close()
