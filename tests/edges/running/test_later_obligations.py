"""What follows from the dates of a complaint has its row when it is due, and not before (both databases)."""

from __future__ import annotations

import asyncio
from datetime import datetime

from sqlalchemy import select

from complaints.obligations.kinds import LATER, SOON, NewObligation
from complaints.obligations.standing import current_obligations
from complaints.vocabulary import Verb
from scheduler.ticks import act_handlers
from scheduler.worker import Worker
from store.cases.read import load_case, open_case
from store.outbox.claim import claim
from store.outbox.complete import Completed, Outcome, add_due, fail
from store.store import Store
from store.tables import OBLIGATIONS
from store.values import Obligation
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, RESOLVED, RESOLVED_WORDS, Desk
from tests.edges.obligation_rows import assert_each_obligation_has_a_row_or_comes_in_time


def later(store: Store, ref: str) -> list[NewObligation]:
    """What the complaint owes by its dates."""
    return [row for row in current_obligations(store.read(load_case, ref)) if row.kind in LATER]


def later_keys(store: Store, ref: str) -> set[str]:
    """The keys of those that have rows."""
    query = select(OBLIGATIONS.c.key).where(OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind.in_(LATER))
    return set(store.read(lambda tx: tx.connection.execute(query).scalars().all()))


def addition_due(store: Store, ref: str) -> datetime:
    """When rows are added next."""
    is_open = OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.key == "add_due", OBLIGATIONS.c.state == "open"
    due: datetime = store.read(
        lambda tx: tx.connection.execute(select(OBLIGATIONS.c.due).where(*is_open)).scalar_one()
    )
    return due


def test_what_a_date_asks_for_has_no_row_until_the_date_comes(store: Store, clock: FakeClock) -> None:
    ref = Desk(store).receive()
    assert later_keys(store, ref) == set()
    clock.at = addition_due(store, ref)
    assert clock.at == min(row.due for row in later(store, ref))
    [addition] = store.write(claim, ["add_due"], 10, 60)
    assert store.write(add_due, addition) == Completed(settled=True)
    assert later_keys(store, ref) == {row.key for row in later(store, ref) if row.due <= clock.at + SOON}
    assert addition_due(store, ref) > clock.at
    assert_each_obligation_has_a_row_or_comes_in_time(store, store.read(load_case, ref))


def test_each_act_moves_the_addition_to_the_first_date_that_is_left(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref, moments = desk.receive(), list[datetime]()
    for verb, facts, words in ((Verb.ASSESS, ASSESSED, {}), (Verb.RESOLVE, RESOLVED, RESOLVED_WORDS)):
        clock.go_on(minutes=10)
        store.write(open_case, ref, desk.actor(HANDLER), "open")
        desk.act(ref, verb, facts=facts, words=words)
        moments.append(addition_due(store, ref))
        assert_each_obligation_has_a_row_or_comes_in_time(store, store.read(load_case, ref))
    assert moments[0] != moments[1]


def test_an_addition_that_failed_starts_again_with_the_next_act(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.receive()
    clock.at = addition_due(store, ref)
    [addition] = store.write(claim, ["add_due"], 10, 60)
    store.write(fail, addition.id, "damaged")
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    assert_each_obligation_has_a_row_or_comes_in_time(store, store.read(load_case, ref))
    clock.at = addition_due(store, ref)
    assert [row.kind for row in store.write(claim, ["add_due"], 10, 60)] == ["add_due"]


async def test_the_worker_does_what_a_date_asks_for_on_that_date(store: Store, clock: FakeClock) -> None:
    ref = Desk(store).receive()
    first = min(later(store, ref), key=lambda row: row.due)
    handled = list[str]()

    async def handle(obligation: Obligation) -> Outcome:
        handled.append(obligation.key)
        return Completed()

    worker = Worker(store, {**act_handlers(store), first.kind: handle})
    running = asyncio.create_task(worker.run())
    await worker.idle()
    assert handled == []
    clock.at = first.due
    await worker.idle()
    worker.stop()
    await running
    assert first.key in handled
