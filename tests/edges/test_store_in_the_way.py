"""Two transactions in each other's way: neither ends what waits for the database, nor is anything left unwritten."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import update

from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.errors import SerializationConflict
from store.database.transaction import Tx
from store.outbox.claim import claim
from store.outbox.complete import complete
from store.outbox.rows import insert_obligation
from store.store import Store
from store.tables import OBLIGATIONS
from tests.edges.desk import still_due
from tests.interception import replace_in_store


def test_of_two_that_wait_for_each_other_one_is_told_that_it_may_try_again(postgres_store: Store) -> None:
    store = postgres_store
    for key in "ab":
        store.write(insert_obligation, NewObligation(key, "digest", store.now(), SendPriority.BULK))
    both, refused = threading.Barrier(2), list[Exception]()

    def touch(tx: Tx, *keys: str) -> None:
        for key in keys:
            tx.connection.execute(update(OBLIGATIONS).where(OBLIGATIONS.c.key == key).values(why="touched"))
            if key == keys[0]:
                both.wait(30)

    def run(*keys: str) -> None:
        try:
            store.write(lambda tx: touch(tx, *keys))
        except SerializationConflict as way:
            refused.append(way)

    sides = [threading.Thread(target=run, args=keys) for keys in (("a", "b"), ("b", "a"))]
    for side in sides:
        side.start()
    for side in sides:
        side.join()

    assert len(refused) == 1


async def test_what_happened_outside_is_written_down_although_another_stood_in_the_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(insert_obligation, NewObligation("a", "digest", store.now(), SendPriority.BULK))
    (one,) = store.write(claim, ["digest"], 1, 60)
    write, tried = store.write, list[int]()

    def stands_back(number: int) -> Any:
        tried.append(number)
        if len(tried) == 1:
            raise SerializationConflict("another was there")
        write(complete, number)

    replace_in_store(monkeypatch, store, complete, stands_back)
    await store.awrite_with_retry(complete, one.id)

    assert (len(tried), still_due(store)) == (2, 0)
