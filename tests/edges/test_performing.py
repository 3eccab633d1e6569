"""What is in hand stays in hand while its process lives, and is surely written down once it happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from complaints.obligations.kinds import NewObligation, SendPriority
from scheduler import worker
from scheduler.worker import Worker
from store.database.errors import DatabaseUnavailable, WrongSchemaVersion
from store.outbox.claim import claim
from store.outbox.complete import complete
from store.outbox.failed import FailureReason, give_up_failed, list_failed
from store.outbox.outcomes import Completed, Outcome, Retry
from store.outbox.rows import insert_obligation
from store.store import Store
from store.values import Obligation
from tests.databases import FakeClock, opened
from tests.edges.desk import still_due
from tests.edges.product import until
from tests.interception import replace_in_store

KIND = "digest"


def owe(store: Store, *keys: str) -> None:
    """Some duties of nobody in particular, due now."""
    for key in keys:
        store.write(insert_obligation, NewObligation(key, KIND, store.now(), SendPriority.BULK))


@asynccontextmanager
async def at_work(
    store: Store, *performs: Callable[[Obligation], Awaitable[Outcome]]
) -> AsyncIterator[list[Worker]]:
    """As many processes as performers, at one store."""
    several = [Worker(store, {KIND: one}) for one in performs]
    tasks = [asyncio.create_task(one.run()) for one in several]
    try:
        yield several
    finally:
        for one in several:
            one.stop()
        await asyncio.wait(tasks, timeout=10)


async def test_what_takes_longer_than_its_lease_is_not_begun_by_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_SECONDS", 0.8)
    monkeypatch.setattr(worker, "RENEW_SECONDS", 0.2)
    begun: list[int] = []

    async def slowly(one: Obligation) -> Outcome:
        begun.append(one.id)
        await asyncio.sleep(2.5)
        return Completed()

    owe(store, "a")
    async with at_work(store, slowly, slowly):
        await until(lambda: still_due(store) == 0)
    assert len(begun) == 1


async def test_what_a_dead_process_had_in_hand_is_done_by_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_SECONDS", 0.8)
    owe(store, "a")
    assert len(store.write(claim, (KIND,), 1, 0.8)) == 1
    done: list[int] = []

    async def does(one: Obligation) -> Outcome:
        done.append(one.id)
        return Completed()

    async with at_work(store, does):
        await until(lambda: bool(done))
    assert len(done) == 1


async def test_what_another_process_owes_wakes_this_one_without_its_looking(
    postgres_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 3600.0)
    done: list[str] = []

    async def does(one: Obligation) -> Outcome:
        done.append(one.key)
        return Completed()

    listening = text(
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN amends_owed' AND datname = current_database()"
    )

    def listens(store: Store) -> bool:
        return bool(store.read(lambda tx: tx.connection.execute(listening).scalar()))

    with opened(postgres_url, clock) as here, opened(postgres_url, clock) as elsewhere:
        async with at_work(here, does) as (desk,):
            here.on_commit(desk.nudge)
            await until(lambda: listens(here), seconds=20)
            # Twice: the second comes while it rests after the first.
            for key in ("a", "b"):
                await elsewhere.in_thread(owe, elsewhere, key)
                await until(lambda key=key: key in done, seconds=20)

    assert done == ["a", "b"]


async def test_what_was_done_while_the_database_was_away_is_written_down_and_not_done_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    away, store_write = asyncio.Event(), store.write

    def settles(number: int) -> None:
        if away.is_set():
            raise DatabaseUnavailable("away")
        store_write(complete, number)

    async def does(one: Obligation) -> Outcome:
        done.append(one.id)
        away.set()
        asyncio.get_running_loop().call_later(1.2, away.clear)
        return Completed()

    replace_in_store(monkeypatch, store, complete, settles)
    owe(store, "a")
    async with at_work(store, does):
        await until(lambda: still_due(store) == 0)
    assert len(done) == 1


async def test_what_is_in_hand_is_not_begun_again_when_its_lease_ran_out_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a machine that stood still: nothing was renewed.
    monkeypatch.setattr(worker, "LEASE_SECONDS", 0.2)
    begun: list[int] = []

    async def slowly(one: Obligation) -> Outcome:
        begun.append(one.id)
        await asyncio.sleep(2.5)
        return Completed()

    owe(store, "a")
    async with at_work(store, slowly):
        await until(lambda: still_due(store) == 0)
    assert len(begun) == 1


async def test_what_a_person_ended_while_it_was_in_hand_is_nothing_to_do(store: Store) -> None:
    ended: list[tuple[str, str]] = []

    async def fails(one: Obligation) -> Outcome:
        await store.awrite(give_up_failed, one.id, FailureReason.TEST)
        return Retry("no answer")

    owe(store, "a")
    desk = Worker(store, {KIND: fails}, told=lambda kind, how: ended.append((kind, how)))
    running = asyncio.create_task(desk.run())
    await until(lambda: bool(ended))
    desk.stop()
    await running
    assert ended == [(KIND, "moot")]


async def test_what_reckons_long_keeps_nothing_else_waiting(store: Store) -> None:
    done = asyncio.Event()

    async def never(one: Obligation) -> Outcome:
        await asyncio.Event().wait()
        return Completed()

    async def quickly(one: Obligation) -> Outcome:
        done.set()
        return Completed()

    for number in range(40):
        store.write(
            insert_obligation,
            NewObligation(f"propose:{number}", "propose", store.now(), SendPriority.DIALOGUE),
        )
    # Due after all of them, and of the same lane.
    store.write(insert_obligation, NewObligation("wake:1", "wake", store.now(), SendPriority.DIALOGUE))
    process = Worker(store, {"propose": never, "wake": quickly}, reckoning=("propose",))
    working = asyncio.create_task(process.run())
    try:
        await asyncio.wait_for(done.wait(), 20)
    finally:
        for task in (working, *process._tasks):
            task.cancel()


async def test_a_database_of_another_release_costs_no_duty_its_tries(store: Store) -> None:
    async def other(one: Obligation) -> Outcome:
        raise WrongSchemaVersion("The database is of a newer release: install that release.")

    owe(store, "a")
    async with at_work(store, other):
        await until(
            lambda: [one["why"] for one in store.read(list_failed)] == ["the database is of another release"]
        )
    assert still_due(store) == 1
