"""Obligations of a kind or priority that this release does not know: kept, blocking nothing, reported to managers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from complaints.obligations.kinds import NewObligation, SendPriority
from store.outbox.claim import claim
from store.outbox.complete import end_retry_pauses
from store.outbox.failed import fail_orphaned, list_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from store.tables import OBLIGATIONS
from tests.databases import FakeClock
from tests.edges.desk import Desk

KNOWN_KINDS = ("say", "told_failed")


def _reported_kinds(store: Store) -> list[str]:
    return [obligation.facts["kind"] for obligation in store.write(claim, ["told_failed"], 10, 60)]


def test_an_orphaned_obligation_is_listed_and_its_kind_reported_to_managers_once_a_day(
    store: Store, clock: FakeClock
) -> None:
    Desk(store)
    for number in range(3):
        store.write(
            insert_obligation, NewObligation(f"old:{number}", "kind_of_old", clock(), SendPriority.NOTICE)
        )
    clock.go_on(minutes=20)

    first = store.write(fail_orphaned, KNOWN_KINDS, clock())
    again = store.write(fail_orphaned, KNOWN_KINDS, clock())

    assert (first, again) == ({"kind_of_old"}, set())
    assert _reported_kinds(store) == ["kind_of_old"]
    assert [row["kind"] for row in store.read(list_failed)] == ["kind_of_old"] * 3
    assert {row["state"] for row in store.read(list_failed)} == {"open"}


def test_an_unknown_priority_is_reported_too_and_the_chat_continues(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    desk.send_reply("newer", "next")
    store.write(
        lambda tx: tx.connection.execute(
            update(OBLIGATIONS).where(OBLIGATIONS.c.key == "newer").values(lane=7)
        )
    )
    clock.go_on(minutes=20)

    assert store.write(fail_orphaned, KNOWN_KINDS, clock()) == {"say"}
    assert _reported_kinds(store) == ["say"]
    assert [obligation.key for obligation in store.write(claim, ["say"], 10, 60)] == ["next"]


def test_a_known_kind_or_a_new_obligation_is_not_reported(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    clock.go_on(minutes=20)
    store.write(insert_obligation, NewObligation("new:1", "kind_of_new", clock(), SendPriority.NOTICE))

    assert store.write(fail_orphaned, KNOWN_KINDS, clock() - timedelta(minutes=15)) == set()
    assert _reported_kinds(store) == []


def test_messages_after_an_orphaned_one_are_sent_and_a_release_that_knows_its_kind_handles_it(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    clock.go_on(minutes=20)

    store.write(fail_orphaned, ("told_failed",), clock())
    desk.send_reply("b")

    assert [obligation.key for obligation in store.write(claim, ["say"], 10, 60)] == ["b"]
    store.write(end_retry_pauses, ["say"])
    assert [obligation.key for obligation in store.write(claim, ["say"], 10, 60)] == ["a"]
