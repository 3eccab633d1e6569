"""What is in hand stays in hand while its process lives, and is surely written down once it happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from complaints.duties import Lane, Owed
from scheduler import performing
from scheduler.performing import Performing
from store.errors import DatabaseAway, NotMigrated
from store.open import Store
from store.outcomes import Done, Outcome, Retry
from store.stuck import Reason
from store.values import Obligation
from tests.databases import FakeClock, opened
from tests.edges.desk import still_due
from tests.edges.product import until

KIND = "digest"


def owe(store: Store, *keys: str) -> None:
    """Some duties of nobody in particular, due now."""
    for key in keys:
        store.insert(Owed(key, KIND, store.now(), Lane.BULK))


@asynccontextmanager
async def at_work(
    store: Store, *performs: Callable[[Obligation], Awaitable[Outcome]]
) -> AsyncIterator[list[Performing]]:
    """As many processes as performers, at one store."""
    several = [Performing(store, {KIND: one}) for one in performs]
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
    monkeypatch.setattr(performing, "LEASE_SECONDS", 0.8)
    monkeypatch.setattr(performing, "RENEW_SECONDS", 0.2)
    begun: list[int] = []

    async def slowly(one: Obligation) -> Outcome:
        begun.append(one.id)
        await asyncio.sleep(2.5)
        return Done()

    owe(store, "a")
    async with at_work(store, slowly, slowly):
        await until(lambda: still_due(store) == 0)
    assert len(begun) == 1


async def test_what_a_dead_process_had_in_hand_is_done_by_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performing, "LEASE_SECONDS", 0.8)
    owe(store, "a")
    assert len(store.claim((KIND,), 1, 0.8)) == 1
    done: list[int] = []

    async def does(one: Obligation) -> Outcome:
        done.append(one.id)
        return Done()

    async with at_work(store, does):
        await until(lambda: bool(done))
    assert len(done) == 1


async def test_what_another_process_owes_wakes_this_one_without_its_looking(
    postgres_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performing, "POLL_SECONDS", 3600.0)
    done: list[str] = []

    async def does(one: Obligation) -> Outcome:
        done.append(one.key)
        return Done()

    listening = text(
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN amends_owed' AND datname = current_database()"
    )

    def listens(store: Store) -> bool:
        return bool(store.run(lambda tx: tx.connection.execute(listening).scalar(), writes=False))

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
    away = asyncio.Event()
    settle = store.settle

    def settles(number: int) -> None:
        if away.is_set():
            raise DatabaseAway("away")
        settle(number)

    async def does(one: Obligation) -> Outcome:
        done.append(one.id)
        away.set()
        asyncio.get_running_loop().call_later(1.2, away.clear)
        return Done()

    monkeypatch.setattr(Store, "settle", property(lambda self: settles))
    owe(store, "a")
    async with at_work(store, does):
        await until(lambda: still_due(store) == 0)
    assert len(done) == 1


async def test_what_is_in_hand_is_not_begun_again_when_its_lease_ran_out_meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a machine that stood still: nothing was renewed.
    monkeypatch.setattr(performing, "LEASE_SECONDS", 0.2)
    begun: list[int] = []

    async def slowly(one: Obligation) -> Outcome:
        begun.append(one.id)
        await asyncio.sleep(2.5)
        return Done()

    owe(store, "a")
    async with at_work(store, slowly):
        await until(lambda: still_due(store) == 0)
    assert len(begun) == 1


async def test_what_a_person_ended_while_it_was_in_hand_is_nothing_to_do(store: Store) -> None:
    ended: list[tuple[str, str]] = []

    async def fails(one: Obligation) -> Outcome:
        await store.in_thread(store.give_up_for_good, one.id, Reason.TEST)
        return Retry("no answer")

    owe(store, "a")
    desk = Performing(store, {KIND: fails}, told=lambda kind, how: ended.append((kind, how)))
    running = asyncio.create_task(desk.run())
    await until(lambda: bool(ended))
    desk.stop()
    await running
    assert ended == [(KIND, "moot")]


async def test_what_reckons_long_keeps_nothing_else_waiting(store: Store) -> None:
    done = asyncio.Event()

    async def never(one: Obligation) -> Outcome:
        await asyncio.Event().wait()
        return Done()

    async def quickly(one: Obligation) -> Outcome:
        done.set()
        return Done()

    for number in range(40):
        store.insert(Owed(f"propose:{number}", "propose", store.now(), Lane.DIALOGUE))
    # Due after all of them, and of the same lane.
    store.insert(Owed("wake:1", "wake", store.now(), Lane.DIALOGUE))
    process = Performing(store, {"propose": never, "wake": quickly}, reckoning=("propose",))
    working = asyncio.create_task(process.run())
    try:
        await asyncio.wait_for(done.wait(), 20)
    finally:
        for task in (working, *process._running):
            task.cancel()


async def test_a_database_of_another_release_costs_no_duty_its_tries(store: Store) -> None:
    async def other(one: Obligation) -> Outcome:
        raise NotMigrated("The database is of a newer release: install that release.")

    owe(store, "a")
    async with at_work(store, other):
        await until(lambda: [one["why"] for one in store.outbox()] == ["the database is of another release"])
    assert still_due(store) == 1
