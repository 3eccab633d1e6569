"""A worker keeps the obligations it claimed while it lives, and records every completed one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from complaints.obligations.kinds import NewObligation, SendPriority
from scheduler import worker
from scheduler.worker import Worker
from store.database.errors import DatabaseUnavailable, WrongSchemaVersion
from store.outbox.claim import claim, count_claimable
from store.outbox.complete import Completed, Outcome, Retry, complete
from store.outbox.failed import FailureReason, give_up_obligation, list_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from store.values import Obligation
from tests.databases import FakeClock, opened
from tests.edges.desk import still_due
from tests.edges.product import until
from tests.interception import replace_in_store

KIND = "digest"


def schedule(store: Store, *keys: str) -> None:
    """Schedule some obligations without a complaint, due now."""
    for key in keys:
        store.write(insert_obligation, NewObligation(key, KIND, store.now(), SendPriority.BULK))


@asynccontextmanager
async def workers_on(
    store: Store, *handlers: Callable[[Obligation], Awaitable[Outcome]]
) -> AsyncIterator[list[Worker]]:
    """Run one worker per handler on one store."""
    workers = [Worker(store, {KIND: handler}) for handler in handlers]
    tasks = [asyncio.create_task(process.run()) for process in workers]
    try:
        yield workers
    finally:
        for process in workers:
            process.stop()
        await asyncio.wait(tasks, timeout=10)


async def test_an_obligation_that_outlasts_its_lease_is_not_started_by_another_worker(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_SECONDS", 1.6)
    monkeypatch.setattr(worker, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.2)
    started: list[int] = []

    async def slowly(obligation: Obligation) -> Outcome:
        started.append(obligation.id)
        await asyncio.sleep(2.2)
        return Completed()

    schedule(store, "a")
    async with workers_on(store, slowly, slowly):
        await until(lambda: still_due(store) == 0)
    assert len(started) == 1


async def test_an_obligation_claimed_by_a_dead_worker_is_handled_by_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_SECONDS", 0.8)
    schedule(store, "a")
    assert len(store.write(claim, (KIND,), 1, 0.8)) == 1
    done: list[int] = []

    async def handle(obligation: Obligation) -> Outcome:
        done.append(obligation.id)
        return Completed()

    async with workers_on(store, handle):
        await until(lambda: bool(done))
    assert len(done) == 1


async def test_an_obligation_of_another_process_wakes_the_worker_without_polling(
    postgres_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 3600.0)
    done: list[str] = []

    async def handle(obligation: Obligation) -> Outcome:
        done.append(obligation.key)
        return Completed()

    listening = text(
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN amends_owed' AND datname = current_database()"
    )

    def listens(store: Store) -> bool:
        return bool(store.read(lambda tx: tx.connection.execute(listening).scalar()))

    with opened(postgres_url, clock) as own_store, opened(postgres_url, clock) as other_store:
        async with workers_on(own_store, handle) as (process,):
            own_store.on_commit(process.nudge)
            await until(lambda: listens(own_store), seconds=20)
            # Twice: the second arrives while the worker waits again.
            for key in ("a", "b"):
                await other_store.in_thread(schedule, other_store, key)
                await until(lambda key=key: key in done, seconds=20)

    assert done == ["a", "b"]


async def test_work_done_during_a_database_outage_is_recorded_afterwards_and_not_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    outage, store_write = asyncio.Event(), store.write

    def complete_when_back(number: int) -> None:
        if outage.is_set():
            raise DatabaseUnavailable("away")
        store_write(complete, number)

    async def handle(obligation: Obligation) -> Outcome:
        done.append(obligation.id)
        outage.set()
        asyncio.get_running_loop().call_later(1.2, outage.clear)
        return Completed()

    replace_in_store(monkeypatch, store, complete, complete_when_back)
    schedule(store, "a")
    async with workers_on(store, handle):
        await until(lambda: still_due(store) == 0)
    assert len(done) == 1


async def test_a_worker_does_not_repeat_its_own_obligation_after_the_lease_expired(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a suspended machine: no lease was renewed.
    monkeypatch.setattr(worker, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.2)
    started: list[int] = []

    async def slowly(obligation: Obligation) -> Outcome:
        started.append(obligation.id)
        await asyncio.sleep(1.0)
        return Completed()

    schedule(store, "a")
    async with workers_on(store, slowly):
        await until(lambda: still_due(store) == 0)
    assert len(started) == 1


async def test_an_obligation_given_up_by_a_person_while_it_is_handled_is_not_retried(store: Store) -> None:
    ended: list[tuple[str, str]] = []

    async def fails(obligation: Obligation) -> Outcome:
        await store.awrite(give_up_obligation, obligation.id, FailureReason.TEST)
        return Retry("no answer")

    schedule(store, "a")
    process = Worker(store, {KIND: fails}, on_result=lambda kind, how: ended.append((kind, how)))
    running = asyncio.create_task(process.run())
    await until(lambda: bool(ended))
    process.stop()
    await running
    assert ended == [(KIND, "moot")]


async def test_slow_background_computing_does_not_delay_other_obligations(store: Store) -> None:
    done = asyncio.Event()

    async def never(obligation: Obligation) -> Outcome:
        await asyncio.Event().wait()
        return Completed()

    async def quickly(obligation: Obligation) -> Outcome:
        done.set()
        return Completed()

    for number in range(40):
        store.write(
            insert_obligation,
            NewObligation(f"propose:{number}", "propose", store.now(), SendPriority.DIALOGUE),
        )
    # Due after all of them, with the same priority.
    store.write(insert_obligation, NewObligation("wake:1", "wake", store.now(), SendPriority.DIALOGUE))
    process = Worker(store, {"propose": never, "wake": quickly}, cpu_bound=("propose",))
    working = asyncio.create_task(process.run())
    try:
        await asyncio.wait_for(done.wait(), 20)
    finally:
        for task in (working, *process._tasks):
            task.cancel()


async def test_at_most_two_proposals_run_and_none_starts_while_an_answer_is_in_progress(store: Store) -> None:
    running, answered, answering, free = Counter[str](), asyncio.Event(), asyncio.Event(), asyncio.Event()
    most = 0

    async def propose(obligation: Obligation) -> Outcome:
        nonlocal most
        assert not answering.is_set() or answered.is_set()
        running["propose"] += 1
        most = max(most, running["propose"])
        await free.wait()
        running["propose"] -= 1
        return Completed()

    async def answer(obligation: Obligation) -> Outcome:
        answering.set()
        await asyncio.sleep(0.3)
        answered.set()
        return Completed()

    for number in range(6):
        # Due before the answer, in both priorities.
        priority = SendPriority.DIALOGUE if number % 2 else SendPriority.BULK
        store.write(insert_obligation, NewObligation(f"propose:{number}", "propose", store.now(), priority))
    store.write(insert_obligation, NewObligation("wake:1", "wake", store.now(), SendPriority.DIALOGUE))
    process = Worker(store, {"propose": propose, "wake": answer}, cpu_bound=("propose",))
    working = asyncio.create_task(process.run())
    try:
        await until(lambda: running["propose"] == 2)
        assert answered.is_set()
        free.set()
        await until(lambda: store.read(count_claimable, ("propose",)) == 0 and not running["propose"])
    finally:
        process.stop()
        await asyncio.wait([working], timeout=10)
    assert most == 2


async def test_a_proposal_does_not_wait_for_an_answer_that_its_platform_keeps_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ANSWER_SECONDS", 0.2)
    proposed = asyncio.Event()

    async def propose(obligation: Obligation) -> Outcome:
        proposed.set()
        return Completed()

    async def answer(obligation: Obligation) -> Outcome:
        await asyncio.Event().wait()
        return Completed()

    store.write(insert_obligation, NewObligation("propose:1", "propose", store.now(), SendPriority.BULK))
    store.write(insert_obligation, NewObligation("wake:1", "wake", store.now(), SendPriority.DIALOGUE))
    process = Worker(store, {"propose": propose, "wake": answer}, cpu_bound=("propose",))
    working = asyncio.create_task(process.run())
    try:
        await asyncio.wait_for(proposed.wait(), 20)
    finally:
        for task in (working, *process._tasks):
            task.cancel()


async def test_a_database_of_another_release_counts_no_attempt(store: Store) -> None:
    async def other(obligation: Obligation) -> Outcome:
        raise WrongSchemaVersion("The database is of a newer release: install that release.")

    schedule(store, "a")
    async with workers_on(store, other):
        await until(
            lambda: [row["why"] for row in store.read(list_failed)] == ["the database is of another release"]
        )
    assert still_due(store) == 1
