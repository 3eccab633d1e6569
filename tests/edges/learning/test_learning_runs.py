"""A new model is trained in the background: scheduled once, one at a time, evaluated, resumed after a crash."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest
from sqlalchemy import select

from complaints.actors import MODEL
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from scheduler.ticks import create_ticks
from scheduler.training import (
    LEADER_SECONDS,
    TRAINER,
    LearningSettings,
    digest_settings,
    schedule_first_training,
    schedule_retraining,
    training_handlers,
)
from scheduler.worker import LEASE_SECONDS, Worker
from store.cases.act import act
from store.cases.read import open_case
from store.custody.erasure import erase_complainant, find_person
from store.database.leases import acquire_leadership
from store.database.transaction import database_seconds
from store.models.models import (
    TrainingRun,
    is_model_intact,
    keep_model,
    keep_run,
    list_models,
    load_active_model,
    load_last_run,
    read_model_blob,
)
from store.outbox.claim import claim
from store.outbox.complete import Completed, Rescheduled, complete, end_all_leases
from store.outbox.failed import list_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from store.tables import LEASES, OBLIGATIONS
from store.values import Obligation
from tests.databases import FakeClock, opened
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, Desk
from tests.rules.builders import a_proposal
from triage.defaults import PIPELINE

BY_NUMBER = LearningSettings(retrain_after=3, retrain_at=None)
BY_NIGHT = LearningSettings(retrain_after=0, retrain_at=time(3))
ANSWER = (
    b"a model",
    {"card": {"version": "x"}, "verdict": {"passes": True, "reasons": [], "figures": {}}},
    None,
)


class Process:
    """A fake training process: keeps the orders, and answers when it may."""

    def __init__(self, answer: Any = ANSWER, *, waits: bool = False) -> None:
        self.orders: list[dict[str, Any]] = []
        self.blobs: list[bytes] = []
        self.niceness: list[int] = []
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.stopped = False
        self._answer = answer
        if not waits:
            self.go.set()

    async def __call__(self, order: bytes, nice: int) -> Any:
        """Take an order and wait for the permission to answer."""
        self.niceness.append(nice)
        head, _, blob = order.partition(b"\n")
        self.orders.append(json.loads(head))
        self.blobs.append(blob)
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return self._answer


def scheduled_runs(store: Store) -> list[str]:
    """Keys of the scheduled training runs."""
    return [str(row["key"]) for row in store.read(list_failed, everything=True) if row["kind"] == "train"]


def claim_run(store: Store) -> Obligation:
    """Claim the training run that is due."""
    (obligation,) = store.write(claim, ("train",), 1, LEASE_SECONDS)
    return obligation


def assess(desk: Desk, number: int) -> str:
    """Receive and assess one more complaint."""
    return desk.assessed(text=f"The water is brown, day {number}.", chat=desk.chat(str(number)))


def activate_first_model(store: Store) -> None:
    """Activate a first model."""
    store.write(keep_model, b"first", "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e", {})


def test_the_first_training_is_scheduled_once_and_not_if_there_is_a_model(store: Store) -> None:
    schedule_first_training(store)
    schedule_first_training(store)
    assert scheduled_runs(store) == ["train:first"]
    activate_first_model(store)
    store.write(complete, claim_run(store).id)
    schedule_first_training(store)
    assert scheduled_runs(store) == []


def test_a_release_with_another_pipeline_schedules_a_run(usual_store: Store) -> None:
    run = TrainingRun("2:abc", usual_store.now(), 1, True, {"reasons": [], "figures": {}})
    usual_store.write(keep_run, run, b"first", "a" * 64, {}, activate=True)
    schedule_first_training(usual_store)
    schedule_first_training(usual_store)
    assert scheduled_runs(usual_store) == [f"train:pipeline:{PIPELINE}"]


def test_after_enough_assessments_one_run_is_scheduled_by_any_number_of_processes(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as first, opened(database_url, clock) as second:
        desk = Desk(first)
        activate_first_model(first)
        clock.go_on(minutes=1)
        assess(desk, 1), assess(desk, 2)
        schedule_retraining(first, BY_NUMBER)
        before = scheduled_runs(first)
        assess(desk, 3)
        for store in (first, second, first):
            schedule_retraining(store, BY_NUMBER)
        assert (before, len(scheduled_runs(first))) == ([], 1)


async def test_assessments_for_the_next_run_are_counted_from_the_last_run(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    activate_first_model(store)
    clock.go_on(minutes=1)
    for number in range(3):
        assess(desk, number)
    schedule_retraining(store, BY_NUMBER)
    clock.go_on(minutes=1)
    await perform(store, Process())
    clock.go_on(minutes=1)
    assess(desk, 4)
    schedule_retraining(store, BY_NUMBER)
    assert scheduled_runs(store) == []
    assess(desk, 5), assess(desk, 6)
    schedule_retraining(store, BY_NUMBER)
    assert len(scheduled_runs(store)) == 1


async def test_the_first_training_runs_at_normal_priority_and_later_ones_at_low_priority(
    store: Store, clock: FakeClock
) -> None:
    process = Process()
    schedule_first_training(store)
    await perform(store, process)
    clock.go_on(minutes=1)
    Desk(store).assessed()
    schedule_retraining(store, LearningSettings(retrain_after=1, retrain_at=None))
    await perform(store, process)
    assert process.niceness == [0, 15]


async def perform(store: Store, process: Process, **more: Any) -> Any:
    """Handle the run that is due, and complete it as the worker does."""
    obligation = claim_run(store)
    outcome = await training_handlers(store, process=process, **{"languages": ("en",), **more})["train"](
        obligation
    )
    if outcome == Completed():
        store.write(complete, obligation.id)
    return outcome


def test_one_nightly_run_is_scheduled_if_anything_changed(database_url: str, clock: FakeClock) -> None:
    clock.at = datetime(2026, 11, 3, 22, tzinfo=UTC)
    with opened(database_url, clock) as first, opened(database_url, clock) as second:
        desk = Desk(first)
        activate_first_model(first)
        clock.at = datetime(2026, 11, 4, 4, tzinfo=UTC)
        schedule_retraining(first, BY_NIGHT)
        unchanged = scheduled_runs(first)
        assess(desk, 1)
        clock.at = datetime(2026, 11, 5, 2, 59, tzinfo=UTC)
        schedule_retraining(first, BY_NIGHT)
        early = scheduled_runs(first)
        clock.at = datetime(2026, 11, 5, 3, 14, tzinfo=UTC)
        for store in (first, second):
            schedule_retraining(store, BY_NIGHT)
        assert (unchanged, early, scheduled_runs(first)) == ([], [], ["train:2026-11-05"])


OWN = [{"text": "My own example", "category": "money", "severity": None, "language": "en"}]


async def run_once(store: Store, learning: LearningSettings = BY_NIGHT) -> None:
    """Make a run with these settings and without examples of the organisation."""
    Desk(store)
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    await perform(store, Process(), learning=learning)


@pytest.mark.parametrize(
    ("learning", "languages", "own"),
    [
        (replace(BY_NIGHT, wanted_precision=0.95), ("en",), []),
        (replace(BY_NIGHT, alert_budget=0.05), ("en",), []),
        (replace(BY_NIGHT, encoder="none"), ("en",), []),
        (BY_NIGHT, ("en", "tr"), []),
        (BY_NIGHT, ("en",), OWN),
    ],
)
async def test_changed_settings_or_examples_schedule_a_run_at_the_next_start_or_night(
    usual_store: Store,
    clock: FakeClock,
    learning: LearningSettings,
    languages: tuple[str, ...],
    own: list[Any],
) -> None:
    await run_once(usual_store)
    same = digest_settings(BY_NIGHT, ("en",), [])
    other = digest_settings(learning, languages, own)
    clock.at = datetime(2026, 11, 4, 4, tzinfo=UTC)
    schedule_first_training(usual_store, same)
    schedule_retraining(usual_store, learning, same)
    unchanged = scheduled_runs(usual_store)
    schedule_retraining(usual_store, learning, other)
    assert (unchanged, scheduled_runs(usual_store)) == ([], ["train:2026-11-04"])
    usual_store.write(complete, claim_run(usual_store).id)
    schedule_first_training(usual_store, other)
    schedule_first_training(usual_store, other)
    assert len(scheduled_runs(usual_store)) == 1
    process = Process()
    assert (
        await perform(usual_store, process, learning=learning, languages=languages, own=lambda: own)
        == Completed()
    )
    assert len(process.orders) == 1


async def test_settings_changed_back_cause_another_run(usual_store: Store, clock: FakeClock) -> None:
    await run_once(usual_store)
    for number, own in enumerate((OWN, [], OWN)):
        clock.go_on(days=1)
        schedule_first_training(usual_store, digest_settings(BY_NIGHT, ("en",), own))
        process = Process()
        assert await perform(usual_store, process, learning=BY_NIGHT, own=lambda own=own: own) == Completed()
        assert (number, len(process.orders), scheduled_runs(usual_store)) == (number, 1, [])


async def test_the_tick_compares_the_inputs_outside_the_record(usual_store: Store, clock: FakeClock) -> None:
    await run_once(usual_store)
    clock.go_on(days=1)
    for own in ([], OWN):
        ticks = create_ticks(
            usual_store,
            learning=BY_NIGHT,
            compute_digest=lambda own=own: digest_settings(BY_NIGHT, ("en",), own),
        )
        await ticks.get_job("housekeeping").func()
    assert scheduled_runs(usual_store) == ["train:2026-11-04"]


async def test_the_tick_schedules_training_only_with_learning_settings(
    usual_store: Store, clock: FakeClock
) -> None:
    desk = Desk(usual_store)
    activate_first_model(usual_store)
    clock.go_on(minutes=1)
    assess(desk, 1)
    await create_ticks(usual_store).get_job("housekeeping").func()
    before = scheduled_runs(usual_store)
    await create_ticks(usual_store, learning=BY_NIGHT).get_job("housekeeping").func()
    assert (before, scheduled_runs(usual_store)) == ([], ["train:2026-11-03"])


def test_an_erasure_alone_counts_as_a_change(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.closed()
    activate_first_model(store)
    clock.go_on(minutes=1)
    schedule_retraining(store, BY_NIGHT)
    before = scheduled_runs(store)
    store.write(erase_complainant, store.read(find_person, ref), "request")
    schedule_retraining(store, BY_NIGHT)
    assert (before, scheduled_runs(store)) == ([], ["train:2026-11-03"])


def test_with_learning_off_no_run_is_scheduled(usual_store: Store, clock: FakeClock) -> None:
    desk = Desk(usual_store)
    activate_first_model(usual_store)
    clock.go_on(days=1)
    for number in range(3):
        assess(desk, number)
    schedule_retraining(usual_store, LearningSettings(retrain_after=0, retrain_at=None))
    assert scheduled_runs(usual_store) == []


async def test_the_order_holds_the_words_and_not_who_assessed_them(store: Store, clock: FakeClock) -> None:
    desk, process = Desk(store), Process()
    ref = assess(desk, 1)
    activate_first_model(store)
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    own = [{"text": "My own example", "category": "money", "severity": None, "language": "en"}]
    assert await perform(store, process, own=lambda: own) == Completed()
    (order,) = process.orders
    assert order["own"] == own
    assert order["rows"] == [
        {
            "ref": ref,
            "at": "2026-11-03T10:00:00Z",
            "whole": True,
            "text": "The water is brown, day 1.",
            "category": "supply",
            "severity": 2,
            "language": "en",
            # Whose words they are: a word must be of five people before a model keeps it.
            "person": store.read(find_person, ref),
        }
    ]
    assert order["in_use"] == {"until": "2026-11-03T10:00:00+00:00", "ours": False}
    assert process.blobs == [b"first"]


async def test_a_candidate_that_fails_the_evaluation_leaves_the_active_model(
    usual_store: Store, clock: FakeClock
) -> None:
    activate_first_model(usual_store)
    clock.go_on(minutes=1)
    usual_store.write(
        insert_obligation, NewObligation("train:1", "train", usual_store.now(), SendPriority.BULK)
    )
    verdict = {"passes": False, "reasons": ["fixed: macro-F1 falls"], "figures": {}}
    outcome = await perform(usual_store, Process((b"worse", {"card": {}, "verdict": verdict}, None)))
    active, run = usual_store.read(load_active_model), usual_store.read(load_last_run)
    assert active is not None
    assert run is not None
    assert (outcome, usual_store.read(read_model_blob, active[2]), run.passes) == (
        Completed(),
        b"first",
        False,
    )
    assert usual_store.read(list_models)[0]["verdict"]["reasons"] == ["fixed: macro-F1 falls"]


async def test_a_run_on_the_same_examples_is_completed_at_once(usual_store: Store, clock: FakeClock) -> None:
    desk, process = Desk(usual_store), Process()
    assess(desk, 1)
    usual_store.write(
        insert_obligation, NewObligation("train:1", "train", usual_store.now(), SendPriority.BULK)
    )
    usual_store.write(
        insert_obligation, NewObligation("train:2", "train", usual_store.now(), SendPriority.BULK)
    )
    outcomes = [await perform(usual_store, process), await perform(usual_store, process)]
    assert (outcomes, len(process.orders)) == ([Completed(), Completed()], 1)


async def test_a_second_run_waits_for_the_first_across_replicas(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock) as replica, opened(database_url, clock) as other_replica:
        replica.write(insert_obligation, NewObligation("train:1", "train", replica.now(), SendPriority.BULK))
        replica.write(insert_obligation, NewObligation("train:2", "train", replica.now(), SendPriority.BULK))
        slow, idle = Process(waits=True), Process()
        first = asyncio.create_task(perform(replica, slow))
        await slow.begun.wait()
        second = await perform(other_replica, idle)
        slow.go.set()
        assert await first == Completed()
        assert isinstance(second, Rescheduled)
        assert idle.orders == []


async def test_both_leases_are_renewed_during_a_run(store: Store) -> None:
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    process = Process(waits=True)
    work = asyncio.create_task(perform(store, process, beat_seconds=0.01))
    await process.begun.wait()
    age_leases(store)
    while leases(store)[0] < LEADER_SECONDS / 2 or leases(store)[1] < LEASE_SECONDS / 2:
        await asyncio.sleep(0.01)
    again = store.write(claim, ("train",), 1, LEASE_SECONDS)
    process.go.set()
    assert (await work, again) == (Completed(), [])


def age_leases(store: Store) -> None:
    """Shorten both leases by 25 seconds, as if time had passed."""

    def soon(tx: Any) -> None:
        for table, column in ((LEASES, LEASES.c.until), (OBLIGATIONS, OBLIGATIONS.c.lease_until)):
            tx.connection.execute(table.update().values({column.name: column - 25.0}))

    store.write(soon)


def leases(store: Store) -> tuple[float, float]:
    """The seconds left of the trainer's lease and of the obligation's."""

    def left(tx: Any) -> tuple[float, float]:
        leadership = tx.connection.execute(
            select(LEASES.c.until - database_seconds()).where(LEASES.c.name == TRAINER)
        ).scalar_one()
        obligation = tx.connection.execute(
            select(OBLIGATIONS.c.lease_until - database_seconds())
        ).scalar_one()
        return float(leadership), float(obligation)

    return store.read(left)


async def test_a_run_whose_leadership_was_taken_over_is_stopped_and_left_to_the_other_process(
    store: Store,
) -> None:
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    process = Process(waits=True)
    work = asyncio.create_task(perform(store, process, beat_seconds=0.01))
    await process.begun.wait()

    def stolen(tx: Any) -> None:
        tx.connection.execute(LEASES.update().values(holder="another"))

    store.write(stolen)
    assert await work == Completed(settled=True)
    assert process.stopped
    assert scheduled_runs(store) == ["train:1"]
    assert store.read(load_last_run) is None


async def test_a_stop_during_training_ends_the_process_and_the_next_one_repeats_the_run(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as store:
        store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
        slow = Process(waits=True)
        worker = Worker(store, training_handlers(store, languages=("en",), process=slow))
        loop = asyncio.create_task(worker.run())
        await slow.begun.wait()
        worker.stop()
        await loop
        assert slow.stopped
        assert scheduled_runs(store) == ["train:1"]
    with opened(database_url, clock) as next_store:
        next_store.write(end_all_leases)
        assert await perform(next_store, Process()) == Completed()
        assert next_store.read(load_active_model) is not None


async def test_after_a_crash_another_replica_repeats_the_run_when_the_leases_have_expired(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as dead:
        dead.write(insert_obligation, NewObligation("train:1", "train", dead.now(), SendPriority.BULK))
        claim_run(dead)
        dead.write(acquire_leadership, TRAINER, "dead", LEADER_SECONDS)
    with opened(database_url, clock) as survivor:
        assert survivor.write(claim, ("train",), 1, LEASE_SECONDS) == []
        survivor.write(
            lambda tx: [
                tx.connection.execute(LEASES.update().values(until=0.0)),
                tx.connection.execute(OBLIGATIONS.update().values(lease_until=0.0)),
            ]
        )
        assert await perform(survivor, Process()) == Completed()
        assert (scheduled_runs(survivor), survivor.read(load_active_model) is not None) == ([], True)


async def test_a_stop_kills_the_training_subprocess(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[asyncio.subprocess.Process] = []
    begin = asyncio.create_subprocess_exec

    async def watched(*args: Any, **more: Any) -> asyncio.subprocess.Process:
        started.append(await begin(*args, **more))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    usual_store.write(
        insert_obligation, NewObligation("train:1", "train", usual_store.now(), SendPriority.BULK)
    )
    worker = Worker(usual_store, training_handlers(usual_store, languages=("en",)))
    loop = asyncio.create_task(worker.run())
    while not started:
        await asyncio.sleep(0.01)
    worker.stop()
    await loop
    assert started[0].returncode == -signal.SIGKILL
    assert scheduled_runs(usual_store) == ["train:1"]
    assert usual_store.write(acquire_leadership, TRAINER, "the next", LEADER_SECONDS) is not None


async def test_a_real_run_trains_on_the_record_and_stores_an_intact_model(usual_store: Store) -> None:
    desk = Desk(usual_store)
    for number in range(4):
        assess(desk, number)
    usual_store.write(
        insert_obligation, NewObligation("train:1", "train", usual_store.now(), SendPriority.BULK)
    )
    obligation = claim_run(usual_store)
    assert await training_handlers(usual_store, languages=("en",))["train"](obligation) == Completed()
    active, run = usual_store.read(load_active_model), usual_store.read(load_last_run)
    assert active is not None
    assert run is not None
    assert (run.passes, run.examples, usual_store.read(is_model_intact, active[2])) == (True, 4, True)


async def test_a_run_also_reads_unassessed_complaints_but_new_ones_cause_no_new_run(store: Store) -> None:
    desk = Desk(store)
    assess(desk, 1)
    ref = desk.receive("The lamp is broken.", chat=desk.chat("70002"))
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    process = Process()
    assert await perform(store, process) == Completed()
    desk.receive("The road is flooded.", chat=desk.chat("70003"))
    store.write(insert_obligation, NewObligation("train:2", "train", store.now(), SendPriority.BULK))
    assert await perform(store, process) == Completed()
    unassessed = ["The lamp is broken.", store.read(find_person, ref)]
    assert [order["unlabelled"] for order in process.orders] == [[unassessed]]


def proposal(**more: Any) -> Mapping[str, Any]:
    """A proposal of a model with these facts."""
    return a_proposal(**more)


@pytest.mark.parametrize("version", ["4f2a", "rules"])
def test_a_proposal_records_the_model_version_that_made_it(usual_store: Store, version: str) -> None:
    desk = Desk(usual_store)
    ref = desk.receive()
    usual_store.write(act, ref, Verb.PROPOSE, MODEL, proposal(model=version))
    usual_store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    desk.act(ref, Verb.REASSESS, MANAGER, {**ASSESSED, "severity": 3})
    (example,) = usual_store.examples()
    assert example["proposed"]["model"] == version
