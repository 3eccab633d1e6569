"""A duty of a kind or lane that this release does not know: it stays, blocks nobody, and people hear of it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from complaints.duties import Lane, Owed
from store.open import Store
from store.tables import OBLIGATIONS
from tests.databases import FakeClock
from tests.edges.desk import Desk

KNOWN = ("say", "told_failed")


def _tell(store: Store) -> list[str]:
    return [one.facts["kind"] for one in store.claim(["told_failed"], 10, 60)]


def test_it_shows_in_the_outbox_and_managers_hear_of_its_kind_once_a_day(
    store: Store, clock: FakeClock
) -> None:
    Desk(store)
    for number in range(3):
        store.insert(Owed(f"old:{number}", "kind_of_old", clock(), Lane.NOTICE))
    clock.go_on(minutes=20)

    first = store.orphaned(KNOWN, clock())
    again = store.orphaned(KNOWN, clock())

    assert (first, again) == ({"kind_of_old"}, set())
    assert _tell(store) == ["kind_of_old"]
    assert [row["kind"] for row in store.outbox()] == ["kind_of_old"] * 3
    assert {row["state"] for row in store.outbox()} == {"open"}


def test_of_a_lane_of_a_newer_release_people_hear_too_and_the_chat_goes_on(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.say("newer", "next")
    store.run(
        lambda tx: tx.connection.execute(
            update(OBLIGATIONS).where(OBLIGATIONS.c.key == "newer").values(lane=7)
        ),
        writes=True,
    )
    clock.go_on(minutes=20)

    assert store.orphaned(KNOWN, clock()) == {"say"}
    assert _tell(store) == ["say"]
    assert [one.key for one in store.claim(["say"], 10, 60)] == ["next"]


def test_what_is_known_or_young_is_nobodys_news(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    desk.say("a")
    clock.go_on(minutes=20)
    store.insert(Owed("new:1", "kind_of_new", clock(), Lane.NOTICE))

    assert store.orphaned(KNOWN, clock() - timedelta(minutes=15)) == set()
    assert _tell(store) == []


def test_what_comes_after_it_in_a_chat_is_said_and_it_is_done_by_a_release_that_knows_it(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.say("a")
    clock.go_on(minutes=20)

    store.orphaned(("told_failed",), clock())
    desk.say("b")

    assert [one.key for one in store.claim(["say"], 10, 60)] == ["b"]
    store.free_waits(["say"])
    assert [one.key for one in store.claim(["say"], 10, 60)] == ["a"]
