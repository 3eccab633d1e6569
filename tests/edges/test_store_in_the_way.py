"""Two transactions in each other's way: neither ends what waits for the database, nor is anything left unwritten."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import update

from complaints.duties import Lane, Owed
from store.errors import InTheWay
from store.open import Store
from store.tables import OBLIGATIONS
from store.transactions import Tx
from tests.edges.desk import still_due


def test_of_two_that_wait_for_each_other_one_is_told_that_it_may_try_again(postgres_store: Store) -> None:
    store = postgres_store
    for key in "ab":
        store.insert(Owed(key, "digest", store.now(), Lane.BULK))
    both, refused = threading.Barrier(2), list[Exception]()

    def touch(tx: Tx, *keys: str) -> None:
        for key in keys:
            tx.connection.execute(update(OBLIGATIONS).where(OBLIGATIONS.c.key == key).values(why="touched"))
            if key == keys[0]:
                both.wait(30)

    def run(*keys: str) -> None:
        try:
            store.run(lambda tx: touch(tx, *keys), writes=True)
        except InTheWay as way:
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
    store.insert(Owed("a", "digest", store.now(), Lane.BULK))
    (one,) = store.claim(["digest"], 1, 60)
    settle, tried = store.settle, list[int]()

    def stands_back(number: int) -> Any:
        tried.append(number)
        if len(tried) == 1:
            raise InTheWay("another was there")
        settle(number)

    monkeypatch.setattr(Store, "settle", property(lambda self: stands_back))
    await store.surely(store.settle, one.id)

    assert (len(tried), still_due(store)) == (2, 0)
