"""A new model is trained in the background: owed once, one at a time, judged, resumed after a kill."""

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

from complaints.duties import Lane, Owed
from complaints.people import MODEL
from complaints.vocabulary import Verb
from scheduler.performing import LEASE_SECONDS, Performing
from scheduler.retraining import Learning, besides, owe_first_training, owe_retraining
from scheduler.ticking import ticking
from scheduler.training import HELD_SECONDS, TRAINER, training
from store.models import Run
from store.open import Store
from store.outcomes import Done, Later
from store.tables import LEASES, OBLIGATIONS
from store.transactions import database_seconds
from store.values import Obligation
from tests.databases import FakeClock, opened
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, Desk
from tests.rules.builders import a_proposal
from triage.training import PIPELINE

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both

BY_NUMBER = Learning(retrain_after=3, retrain_at=None)
BY_NIGHT = Learning(retrain_after=0, retrain_at=time(3))
MADE = (
    b"a model",
    {"card": {"version": "x"}, "verdict": {"passes": True, "reasons": [], "figures": {}}},
    None,
)


class Process:
    """Stands in for the process that trains: keeps the orders, answers when it is let."""

    def __init__(self, answer: Any = MADE, *, waits: bool = False) -> None:
        self.orders: list[dict[str, Any]] = []
        self.blobs: list[bytes] = []
        self.niceness: list[int] = []
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.stopped = False
        self._answer = answer
        if not waits:
            self.go.set()

    async def __call__(self, order: bytes, nice: int) -> Any:
        """Take an order."""
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


def owed(store: Store) -> list[str]:
    """Keys of the training runs that are owed."""
    return [str(one["key"]) for one in store.outbox(everything=True) if one["kind"] == "train"]


def claimed(store: Store) -> Obligation:
    """The run that is due, in our hands."""
    (one,) = store.claim(("train",), 1, LEASE_SECONDS)
    return one


def assess(desk: Desk, number: int) -> str:
    """One more complaint assessed."""
    return desk.assessed(text=f"The water is brown, day {number}.", chat=desk.chat(str(number)))


def with_model(store: Store) -> None:
    """A model is in use."""
    store.keep_model(b"first", "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e", {})


def test_the_first_training_is_owed_once_and_not_with_a_model(store: Store) -> None:
    owe_first_training(store)
    owe_first_training(store)
    assert owed(store) == ["train:first"]
    with_model(store)
    store.settle(claimed(store).id)
    owe_first_training(store)
    assert owed(store) == []


def test_a_release_that_trains_otherwise_owes_a_run(store: Store) -> None:
    run = Run("2:abc", store.now(), 1, True, {"reasons": [], "figures": {}})
    store.keep_run(run, b"first", "a" * 64, {}, activate=True)
    owe_first_training(store)
    owe_first_training(store)
    assert owed(store) == [f"train:pipeline:{PIPELINE}"]


def test_after_so_many_assessments_one_run_is_owed_whoever_ticks(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock) as one, opened(database_url, clock) as other:
        desk = Desk(one)
        with_model(one)
        clock.go_on(minutes=1)
        assess(desk, 1), assess(desk, 2)
        owe_retraining(one, BY_NUMBER)
        before = owed(one)
        assess(desk, 3)
        for store in (one, other, one):
            owe_retraining(store, BY_NUMBER)
        assert (before, len(owed(one))) == ([], 1)


async def test_the_next_run_is_counted_from_the_last(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    with_model(store)
    clock.go_on(minutes=1)
    for number in range(3):
        assess(desk, number)
    owe_retraining(store, BY_NUMBER)
    clock.go_on(minutes=1)
    await perform(store, Process())
    clock.go_on(minutes=1)
    assess(desk, 4)
    owe_retraining(store, BY_NUMBER)
    assert owed(store) == []
    assess(desk, 5), assess(desk, 6)
    owe_retraining(store, BY_NUMBER)
    assert len(owed(store)) == 1


async def test_the_first_model_is_waited_for_and_later_ones_give_way_to_everything(
    store: Store, clock: FakeClock
) -> None:
    process = Process()
    owe_first_training(store)
    await perform(store, process)
    clock.go_on(minutes=1)
    Desk(store).assessed()
    owe_retraining(store, Learning(retrain_after=1, retrain_at=None))
    await perform(store, process)
    assert process.niceness == [0, 15]


async def perform(store: Store, process: Process, **more: Any) -> Any:
    """Do the one that is due, and settle it as the loop does."""
    one = claimed(store)
    outcome = await training(store, process=process, **{"languages": ("en",), **more})["train"](one)
    if outcome == Done():
        store.settle(one.id)
    return outcome


def test_at_night_one_run_is_owed_if_anything_changed(database_url: str, clock: FakeClock) -> None:
    clock.at = datetime(2026, 11, 3, 22, tzinfo=UTC)
    with opened(database_url, clock) as one, opened(database_url, clock) as other:
        desk = Desk(one)
        with_model(one)
        clock.at = datetime(2026, 11, 4, 4, tzinfo=UTC)
        owe_retraining(one, BY_NIGHT)
        unchanged = owed(one)
        assess(desk, 1)
        clock.at = datetime(2026, 11, 5, 2, 59, tzinfo=UTC)
        owe_retraining(one, BY_NIGHT)
        early = owed(one)
        clock.at = datetime(2026, 11, 5, 3, 14, tzinfo=UTC)
        for store in (one, other):
            owe_retraining(store, BY_NIGHT)
        assert (unchanged, early, owed(one)) == ([], [], ["train:2026-11-05"])


OWN = [{"text": "My own example", "category": "money", "severity": None, "language": "en"}]


async def learnt_once(store: Store, learning: Learning = BY_NIGHT) -> None:
    """A run was made of these settings and no examples of the organisation's own."""
    Desk(store)
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
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
async def test_changed_settings_or_examples_owe_a_run_at_the_next_start_or_night(
    store: Store, clock: FakeClock, learning: Learning, languages: tuple[str, ...], own: list[Any]
) -> None:
    await learnt_once(store)
    same = besides(BY_NIGHT, ("en",), [])
    other = besides(learning, languages, own)
    clock.at = datetime(2026, 11, 4, 4, tzinfo=UTC)
    owe_first_training(store, same)
    owe_retraining(store, learning, same)
    unchanged = owed(store)
    owe_retraining(store, learning, other)
    assert (unchanged, owed(store)) == ([], ["train:2026-11-04"])
    store.settle(claimed(store).id)
    owe_first_training(store, other)
    owe_first_training(store, other)
    assert len(owed(store)) == 1
    process = Process()
    assert await perform(store, process, learning=learning, languages=languages, own=lambda: own) == Done()
    assert len(process.orders) == 1


async def test_what_was_changed_and_changed_back_is_learnt_from_once_more(
    store: Store, clock: FakeClock
) -> None:
    await learnt_once(store)
    for number, own in enumerate((OWN, [], OWN)):
        clock.go_on(days=1)
        owe_first_training(store, besides(BY_NIGHT, ("en",), own))
        process = Process()
        assert await perform(store, process, learning=BY_NIGHT, own=lambda own=own: own) == Done()
        assert (number, len(process.orders), owed(store)) == (number, 1, [])


async def test_the_tick_looks_at_what_lies_besides_the_record(usual_store: Store, clock: FakeClock) -> None:
    await learnt_once(usual_store)
    clock.go_on(days=1)
    for own in ([], OWN):
        ticks = ticking(
            usual_store, learning=BY_NIGHT, besides=lambda own=own: besides(BY_NIGHT, ("en",), own)
        )
        await ticks.get_job("housekeeping").func()
    assert owed(usual_store) == ["train:2026-11-04"]


async def test_the_tick_owes_it_by_the_settings_and_never_without_them(
    usual_store: Store, clock: FakeClock
) -> None:
    desk = Desk(usual_store)
    with_model(usual_store)
    clock.go_on(minutes=1)
    assess(desk, 1)
    await ticking(usual_store).get_job("housekeeping").func()
    before = owed(usual_store)
    await ticking(usual_store, learning=BY_NIGHT).get_job("housekeeping").func()
    assert (before, owed(usual_store)) == ([], ["train:2026-11-03"])


def test_an_erasure_alone_is_a_change(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.closed()
    with_model(store)
    clock.go_on(minutes=1)
    owe_retraining(store, BY_NIGHT)
    before = owed(store)
    store.erase_complainant(store.person_of(ref), "request")
    owe_retraining(store, BY_NIGHT)
    assert (before, owed(store)) == ([], ["train:2026-11-03"])


def test_switched_off_nothing_is_owed(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    with_model(store)
    clock.go_on(days=1)
    for number in range(3):
        assess(desk, number)
    owe_retraining(store, Learning(retrain_after=0, retrain_at=None))
    assert owed(store) == []


async def test_the_order_holds_the_words_and_nothing_of_who_confirmed_them(
    store: Store, clock: FakeClock
) -> None:
    desk, process = Desk(store), Process()
    ref = assess(desk, 1)
    with_model(store)
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    own = [{"text": "My own example", "category": "money", "severity": None, "language": "en"}]
    assert await perform(store, process, own=lambda: own) == Done()
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
        }
    ]
    assert order["in_use"] == {"until": "2026-11-03T10:00:00+00:00", "ours": False}
    assert process.blobs == [b"first"]


async def test_a_candidate_that_fails_the_gate_leaves_the_model_in_use(
    store: Store, clock: FakeClock
) -> None:
    with_model(store)
    clock.go_on(minutes=1)
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    verdict = {"passes": False, "reasons": ["fixed: macro-F1 falls"], "figures": {}}
    outcome = await perform(store, Process((b"worse", {"card": {}, "verdict": verdict}, None)))
    active, run = store.active_model(), store.last_run()
    assert active is not None
    assert run is not None
    assert (outcome, store.model_blob(active[2]), run.passes) == (Done(), b"first", False)
    assert store.model_history()[0]["verdict"]["reasons"] == ["fixed: macro-F1 falls"]


async def test_what_was_learnt_from_before_is_settled_at_once(store: Store, clock: FakeClock) -> None:
    desk, process = Desk(store), Process()
    assess(desk, 1)
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    store.insert(Owed("train:2", "train", store.now(), Lane.BULK))
    outcomes = [await perform(store, process), await perform(store, process)]
    assert (outcomes, len(process.orders)) == ([Done(), Done()], 1)


async def test_a_second_run_waits_for_the_first_over_all_replicas(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as one, opened(database_url, clock) as other:
        one.insert(Owed("train:1", "train", one.now(), Lane.BULK))
        one.insert(Owed("train:2", "train", one.now(), Lane.BULK))
        slow, idle = Process(waits=True), Process()
        first = asyncio.create_task(perform(one, slow))
        await slow.begun.wait()
        second = await perform(other, idle)
        slow.go.set()
        assert await first == Done()
        assert isinstance(second, Later)
        assert idle.orders == []


async def test_both_leases_are_renewed_while_it_runs(store: Store) -> None:
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    process = Process(waits=True)
    work = asyncio.create_task(perform(store, process, beat_seconds=0.01))
    await process.begun.wait()
    run_out(store)
    while leases(store)[0] < HELD_SECONDS / 2 or leases(store)[1] < LEASE_SECONDS / 2:
        await asyncio.sleep(0.01)
    again = store.claim(("train",), 1, LEASE_SECONDS)
    process.go.set()
    assert (await work, again) == (Done(), [])


def run_out(store: Store) -> None:
    """Both leases end within the second, as if time had passed."""

    def soon(tx: Any) -> None:
        for table, column in ((LEASES, LEASES.c.until), (OBLIGATIONS, OBLIGATIONS.c.lease_until)):
            tx.connection.execute(table.update().values({column.name: column - 25.0}))

    store.run(soon, writes=True)


def leases(store: Store) -> tuple[float, float]:
    """How many seconds are left of the trainer's lease and of the duty's."""

    def left(tx: Any) -> tuple[float, float]:
        held = tx.connection.execute(
            select(LEASES.c.until - database_seconds()).where(LEASES.c.name == TRAINER)
        ).scalar_one()
        duty = tx.connection.execute(select(OBLIGATIONS.c.lease_until - database_seconds())).scalar_one()
        return float(held), float(duty)

    return store.run(left, writes=False)


async def test_taken_over_by_another_the_work_is_left_to_it(store: Store) -> None:
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    process = Process(waits=True)
    work = asyncio.create_task(perform(store, process, beat_seconds=0.01))
    await process.begun.wait()

    def stolen(tx: Any) -> None:
        tx.connection.execute(LEASES.update().values(holder="another"))

    store.run(stolen, writes=True)
    assert await work == Done(settled=True)
    assert process.stopped
    assert owed(store) == ["train:1"]
    assert store.last_run() is None


async def test_stopped_in_the_middle_the_process_ends_and_the_duty_is_done_by_the_next(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as one:
        one.insert(Owed("train:1", "train", one.now(), Lane.BULK))
        slow = Process(waits=True)
        performing = Performing(one, training(one, languages=("en",), process=slow))
        loop = asyncio.create_task(performing.run())
        await slow.begun.wait()
        performing.stop()
        await loop
        assert slow.stopped
        assert owed(one) == ["train:1"]
    with opened(database_url, clock) as other:
        other.free_leases()
        assert await perform(other, Process()) == Done()
        assert other.active_model() is not None


async def test_killed_in_the_middle_another_replica_begins_anew_once_the_leases_ran_out(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock) as dead:
        dead.insert(Owed("train:1", "train", dead.now(), Lane.BULK))
        claimed(dead)
        dead.lead(TRAINER, "dead", HELD_SECONDS)
    with opened(database_url, clock) as other:
        assert other.claim(("train",), 1, LEASE_SECONDS) == []
        other.run(
            lambda tx: [
                tx.connection.execute(LEASES.update().values(until=0.0)),
                tx.connection.execute(OBLIGATIONS.update().values(lease_until=0.0)),
            ],
            writes=True,
        )
        assert await perform(other, Process()) == Done()
        assert (owed(other), other.active_model() is not None) == ([], True)


async def test_a_stop_ends_the_process_that_trains(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[asyncio.subprocess.Process] = []
    begin = asyncio.create_subprocess_exec

    async def watched(*args: Any, **more: Any) -> asyncio.subprocess.Process:
        started.append(await begin(*args, **more))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    usual_store.insert(Owed("train:1", "train", usual_store.now(), Lane.BULK))
    performing = Performing(usual_store, training(usual_store, languages=("en",)))
    loop = asyncio.create_task(performing.run())
    while not started:
        await asyncio.sleep(0.01)
    performing.stop()
    await loop
    assert started[0].returncode == -signal.SIGKILL
    assert owed(usual_store) == ["train:1"]
    assert usual_store.lead(TRAINER, "the next", HELD_SECONDS) is not None


async def test_a_real_run_learns_from_the_record_and_its_model_is_kept_whole(store: Store) -> None:
    desk = Desk(store)
    for number in range(4):
        assess(desk, number)
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    one = claimed(store)
    assert await training(store, languages=("en",))["train"](one) == Done()
    active, run = store.active_model(), store.last_run()
    assert active is not None
    assert run is not None
    assert (run.passes, run.examples, store.is_whole(active[2])) == (True, 4, True)


async def test_a_run_also_reads_what_nobody_assessed_and_is_no_other_run_for_it(store: Store) -> None:
    desk = Desk(store)
    assess(desk, 1)
    desk.receive("The lamp is broken.", chat=desk.chat("70002"))
    store.insert(Owed("train:1", "train", store.now(), Lane.BULK))
    process = Process()
    assert await perform(store, process) == Done()
    desk.receive("The road is flooded.", chat=desk.chat("70003"))
    store.insert(Owed("train:2", "train", store.now(), Lane.BULK))
    assert await perform(store, process) == Done()
    assert [order["unlabelled"] for order in process.orders] == [["The lamp is broken."]]


def proposal(**more: Any) -> Mapping[str, Any]:
    """What a model of some version proposes."""
    return a_proposal(**more)


@pytest.mark.parametrize("version", ["4f2a", "rules"])
def test_each_proposal_records_the_version_that_made_it(store: Store, version: str) -> None:
    desk = Desk(store)
    ref = desk.receive()
    store.act(ref, Verb.PROPOSE, MODEL, proposal(model=version))
    store.open_case(ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    desk.act(ref, Verb.REASSESS, MANAGER, {**ASSESSED, "severity": 3})
    (one,) = store.examples()
    assert one["proposed"]["model"] == version
