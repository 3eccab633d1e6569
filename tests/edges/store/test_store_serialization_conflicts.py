"""Conflicting transactions: neither stops the desk, and what happened outside is always recorded."""

from __future__ import annotations

import threading
from typing import Any

import pytest

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


def test_a_deadlock_refuses_one_of_two_transactions_with_an_error_that_allows_a_retry(
    postgres_store: Store,
) -> None:
    store = postgres_store
    for key in "ab":
        store.write(insert_obligation, NewObligation(key, "digest", store.now(), SendPriority.BULK))
    barrier, refused = threading.Barrier(2), list[Exception]()

    def touch(tx: Tx, *keys: str) -> None:
        for key in keys:
            tx.update(OBLIGATIONS, OBLIGATIONS.c.key == key, why="touched")
            if key == keys[0]:
                barrier.wait(30)

    def run(*keys: str) -> None:
        try:
            store.write(lambda tx: touch(tx, *keys))
        except SerializationConflict as conflict:
            refused.append(conflict)

    sides = [threading.Thread(target=run, args=keys) for keys in (("a", "b"), ("b", "a"))]
    for side in sides:
        side.start()
    for side in sides:
        side.join()

    assert len(refused) == 1


async def test_a_completion_is_retried_after_a_serialization_conflict(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(insert_obligation, NewObligation("a", "digest", store.now(), SendPriority.BULK))
    (obligation,) = store.write(claim, ["digest"], 1, 60)
    write, attempts = store.write, list[int]()

    def complete_at_second_attempt(number: int) -> Any:
        attempts.append(number)
        if len(attempts) == 1:
            raise SerializationConflict("a concurrent transaction won")
        write(complete, number)

    replace_in_store(monkeypatch, store, complete, complete_at_second_attempt)
    await store.awrite_with_retry(complete, obligation.id)

    assert (len(attempts), still_due(store)) == (2, 0)
