"""A duty of a kind or lane that this release does not know: it stays, blocks nobody, and people hear of it."""

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

KNOWN = ("say", "told_failed")


def _tell(store: Store) -> list[str]:
    return [one.facts["kind"] for one in store.write(claim, ["told_failed"], 10, 60)]


def test_it_shows_in_the_outbox_and_managers_hear_of_its_kind_once_a_day(
    store: Store, clock: FakeClock
) -> None:
    Desk(store)
    for number in range(3):
        store.write(
            insert_obligation, NewObligation(f"old:{number}", "kind_of_old", clock(), SendPriority.NOTICE)
        )
    clock.go_on(minutes=20)

    first = store.write(fail_orphaned, KNOWN, clock())
    again = store.write(fail_orphaned, KNOWN, clock())

    assert (first, again) == ({"kind_of_old"}, set())
    assert _tell(store) == ["kind_of_old"]
    assert [row["kind"] for row in store.read(list_failed)] == ["kind_of_old"] * 3
    assert {row["state"] for row in store.read(list_failed)} == {"open"}


def test_of_a_lane_of_a_newer_release_people_hear_too_and_the_chat_goes_on(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.say("newer", "next")
    store.write(
        lambda tx: tx.connection.execute(
            update(OBLIGATIONS).where(OBLIGATIONS.c.key == "newer").values(lane=7)
        )
    )
    clock.go_on(minutes=20)

    assert store.write(fail_orphaned, KNOWN, clock()) == {"say"}
    assert _tell(store) == ["say"]
    assert [one.key for one in store.write(claim, ["say"], 10, 60)] == ["next"]


def test_what_is_known_or_young_is_nobodys_news(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    desk.say("a")
    clock.go_on(minutes=20)
    store.write(insert_obligation, NewObligation("new:1", "kind_of_new", clock(), SendPriority.NOTICE))

    assert store.write(fail_orphaned, KNOWN, clock() - timedelta(minutes=15)) == set()
    assert _tell(store) == []


def test_what_comes_after_it_in_a_chat_is_said_and_it_is_done_by_a_release_that_knows_it(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.say("a")
    clock.go_on(minutes=20)

    store.write(fail_orphaned, ("told_failed",), clock())
    desk.say("b")

    assert [one.key for one in store.write(claim, ["say"], 10, 60)] == ["b"]
    store.write(end_retry_pauses, ["say"])
    assert [one.key for one in store.write(claim, ["say"], 10, 60)] == ["a"]
