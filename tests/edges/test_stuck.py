"""What is stuck: one bad row holds nobody else back, and a person tries it again or ends it (both databases)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from scheduler.worker import MAX_ATTEMPTS, MAX_CRASHES, MAX_RETRY_SECONDS_IN_DANGER, Worker
from store.custody.verify import verify
from store.database.errors import UnknownRow
from store.database.transaction import Tx, database_seconds
from store.outbox import complete
from store.outbox.claim import claim, count_claimable
from store.outbox.complete import complete as store_complete
from store.outbox.complete import fail, retry
from store.outbox.dead_letters import (
    discard_dead_letter,
    is_dead_letter,
    list_dead_letters,
    schedule_all_dead_letters,
    schedule_dead_letter,
    set_aside,
)
from store.outbox.failed import FailureReason, give_up_failed, list_failed, retry_all, retry_failed
from store.outbox.outcomes import Completed, Outcome, Retry
from store.outbox.rows import insert_obligation
from store.outbox.stats import count_waiting
from store.proof.instance_log import list_instance_events
from store.record import load as cases_load
from store.record.load import CaseFile
from store.store import Store
from store.tables import OBLIGATIONS, SET_ASIDE
from store.values import Obligation
from tests.clauses import clause
from tests.edges.desk import HANDLER, Desk

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both


def changed(store: Store, key: str, **values: object) -> None:
    """Spoil a row, or let its waiting time pass."""
    store.write(
        lambda tx: tx.connection.execute(update(OBLIGATIONS).where(OBLIGATIONS.c.key == key).values(**values))
    )


def keys(found: list[Obligation]) -> list[str]:
    return [one.key for one in found]


def test_a_duty_whose_words_do_not_open_is_given_up_and_the_others_go_on(store: Store) -> None:
    desk = Desk(store)
    desk.say("bad", "next")
    desk.say("other", chat=desk.chat("70002"))
    changed(store, "bad", payload=b"not what was sealed, and long enough for a nonce")
    first = store.write(claim, ["say"], 10, 60)

    assert keys(first) == ["other"]
    assert keys(store.write(claim, ["say"], 10, 60)) == ["next"]
    assert [(one["key"], one["state"], one["why"]) for one in store.read(list_failed)] == [
        ("bad", "failed", "unreadable: SealBroken")
    ]
    assert store.read(count_claimable, ["told_failed"]) == 1


def test_a_duty_in_a_lane_of_a_newer_release_is_left_to_it(store: Store) -> None:
    desk = Desk(store)
    desk.say("newer", "next")
    desk.say("other", chat=desk.chat("70002"))
    changed(store, "newer", lane=7)

    assert store.read(count_waiting)[SendPriority.BULK].due == 1
    assert keys(store.write(claim, ["say"], 10, 60)) == ["other"]
    assert [one["state"] for one in store.read(list_failed, everything=True) if one["key"] == "newer"] == [
        "open"
    ]
    # What it wants said comes before what was owed after it.
    assert store.read(count_claimable, ["say"]) == 0
    changed(store, "newer", lane=int(SendPriority.DIALOGUE))
    assert keys(store.write(claim, ["say"], 10, 60)) == ["newer"]


async def tries(store: Store, outcome: Callable[[], Outcome], key: str) -> int:
    """How often the duty is tried until it is given up; its pauses are cut short."""
    done: list[str] = []

    async def say(owed: Obligation) -> Outcome:
        done.append(owed.key)
        return outcome() if owed.key == key else Completed()

    performing = Worker(store, {"say": say})
    while "failed" not in {one["state"] for one in store.read(list_failed) if one["key"] == key}:
        for one in store.write(claim, ["say"], 1, 60):
            await performing._handle_and_complete(one)
        changed(store, key, wait_until=0.0)
    for one in store.write(claim, ["say"], 10, 60):
        await performing._handle_and_complete(one)
    assert done[-1] == "next"
    return done.count(key)


async def test_a_performer_that_breaks_does_not_hold_the_chat_for_hours(usual_store: Store) -> None:
    Desk(usual_store).say("bad", "next")

    def breaks() -> Outcome:
        raise KeyError("a text that is not there")

    assert await tries(usual_store, breaks, "bad") == MAX_CRASHES + 1


async def test_while_the_channel_is_away_the_order_of_a_chat_is_kept_for_ten_hours(
    usual_store: Store,
) -> None:
    Desk(usual_store).say("bad", "next")

    assert await tries(usual_store, lambda: Retry("unreachable"), "bad") == MAX_ATTEMPTS + 1


async def test_a_page_of_danger_is_tried_within_half_a_minute_for_ever(usual_store: Store) -> None:
    async def page(owed: Obligation) -> Outcome:
        return Retry("fatal_error")

    store = usual_store
    store.write(insert_obligation, NewObligation("page:1", "page", store.now(), SendPriority.DANGER))
    changed(store, "page:1", attempts=100_000)
    performing = Worker(store, {"page": page})
    for one in store.write(claim, ["page"], 1, 60):
        await performing._handle_and_complete(one)
    (row,) = store.read(
        lambda tx: tx.connection.execute(
            select(OBLIGATIONS.c.state, OBLIGATIONS.c.wait_until - database_seconds()).where(
                OBLIGATIONS.c.key == "page:1"
            )
        ).all()
    )

    assert row[0] == "open"
    assert 0 < row[1] <= MAX_RETRY_SECONDS_IN_DANGER


async def test_a_complaint_that_does_not_open_is_a_failed_try_of_its_own_duties_alone(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, desk = usual_store, Desk(usual_store)
    bad, good = desk.receive(), desk.receive(chat=desk.chat("70002"))
    opens = cases_load.load_case_file

    def load(tx: Tx, ref: str) -> CaseFile:
        if ref == bad:
            raise KeyError("an event that nobody can read")
        return opens(tx, ref)

    monkeypatch.setattr(complete, "load_case_file", load)
    drawn: list[str] = []

    async def card(owed: Obligation) -> Outcome:
        drawn.append(str(owed.ref))
        return Completed()

    desk.card_is_due()
    performing = Worker(store, {"card": card})
    for one in store.write(claim, ["card"], 10, 60):
        await performing._handle_and_complete(one)

    assert drawn == [good]
    assert [(one["ref"], one["state"], one["attempts"]) for one in store.read(list_failed)] == [
        (bad, "open", 1)
    ]


def test_the_outbox_is_listed_by_kind_and_by_complaint(store: Store) -> None:
    desk = Desk(store)
    one, other = desk.receive(), desk.receive(chat=desk.chat("70002"))
    desk.card_is_due()
    cards = store.write(claim, ["card"], 10, 60)
    for card in cards:
        store.write(fail, card.id, "no such channel")

    assert len(store.read(list_failed)) == 2
    assert [row["ref"] for row in store.read(list_failed, ref=other)] == [other]
    assert store.read(list_failed, kind="acknowledge") == []
    assert {row["kind"] for row in store.read(list_failed, everything=True, kind="thread")} == {"thread"}
    assert store.write(retry_all, kind="acknowledge") == []
    assert store.write(retry_all, ref=one) == [card.id for card in cards if card.ref == one]
    assert store.write(retry_all) == [card.id for card in cards if card.ref == other]
    assert len(store.write(claim, ["card"], 10, 60)) == 2


def test_one_that_is_being_tried_stays_in_its_hand(store: Store) -> None:
    desk = Desk(store)
    desk.receive()
    desk.card_is_due()
    (card,) = store.write(claim, ["card"], 1, 60)
    store.write(retry, card.id, 0.0, "no answer")
    (again,) = store.write(claim, ["card"], 1, 60)
    store.write(retry_failed, again.id)

    assert store.write(claim, ["card"], 1, 60) == []


@clause("8.1")
def test_what_a_person_gives_up_stays_on_the_record_with_the_reason(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.card_is_due()
    (card,) = store.write(claim, ["card"], 1, 60)
    store.write(fail, card.id, "no such channel")
    store.write(give_up_failed, card.id, FailureReason.DONE_OTHERWISE)

    assert store.read(list_failed) == []
    assert [one["facts"] for one in store.read(list_instance_events, "obligation_given_up")] == [
        {"id": card.id, "kind": "card", "ref": ref, "reason": "done_otherwise"}
    ]
    with pytest.raises(UnknownRow, match=r"was given up by hand at .*: nothing is left to try again"):
        store.write(retry_failed, card.id)
    assert store.read(verify).first_bad is None


def test_wrong_numbers_and_states_are_refused_plainly(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.card_is_due()
    (card,) = store.write(claim, ["card"], 1, 60)
    with pytest.raises(UnknownRow, match=r"has not failed; it is due at .*: leave it, or give it up"):
        store.write(retry_failed, card.id)
    store.write(store_complete, card.id)
    with pytest.raises(UnknownRow, match=r"was done at .*: nothing is left to give up"):
        store.write(give_up_failed, card.id, FailureReason.TEST)
    with pytest.raises(UnknownRow, match="no obligation has the number 999"):
        store.write(retry_failed, 999)
    with pytest.raises(UnknownRow, match="no message set aside has the number 999"):
        store.write(discard_dead_letter, 999, FailureReason.TEST)
    desk.act(ref, Verb.NOTE, HANDLER, words={"text": "x"})


@clause("8.1")
def test_a_set_aside_message_that_is_given_up_is_destroyed_and_never_comes_again(store: Store) -> None:
    Desk(store)
    for n in (1, 2):
        store.write(set_aside, f"tg:{n}", b'{"text": "sealed words"}', "unparsed: KeyError")
    first = store.read(list_dead_letters)[0]
    store.write(discard_dead_letter, first["id"], FailureReason.CANNOT)

    left = store.read(lambda tx: list(tx.connection.execute(select(SET_ASIDE.c.key)).scalars()))
    assert left == ["tg:2"]
    assert store.read(is_dead_letter, ["tg:1", "tg:2"]) == {"tg:1", "tg:2"}
    (event,) = store.read(list_instance_events, "message_given_up")
    assert (event["facts"]["key"], event["facts"]["reason"]) == ("tg:1", "cannot")
    assert "words" not in json.dumps(event)
    assert len(store.write(schedule_all_dead_letters)) == 1


def test_what_was_handled_meanwhile_is_not_handled_again(store: Store) -> None:
    desk = Desk(store)
    store.write(set_aside, "tg:1", b"{}", "unparsed: KeyError")
    (one,) = store.read(list_dead_letters)
    desk.receive()
    with pytest.raises(UnknownRow, match="was handled already"):
        store.write(schedule_dead_letter, one["id"])
    assert store.read(list_dead_letters) == []
