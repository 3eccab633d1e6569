"""Failed obligations and dead letters: one bad row delays no other, and staff retry or give up (both databases)."""

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
from store.outbox.claim import claim, count_claimable, count_waiting
from store.outbox.complete import Completed, Outcome, Retry, fail, retry
from store.outbox.complete import complete as store_complete
from store.outbox.failed import (
    FailureReason,
    discard_dead_letter,
    find_handled_keys,
    give_up_obligation,
    keep_dead_letter,
    list_dead_letters,
    list_failed,
    retry_all,
    retry_failed,
    schedule_all_dead_letters,
    schedule_dead_letter,
)
from store.outbox.rows import insert_obligation
from store.proof.hash_chain import list_instance_events
from store.record import load as cases_load
from store.record.load import CaseFile
from store.store import Store
from store.tables import DEAD_LETTERS, OBLIGATIONS
from store.values import Obligation
from tests.clauses import clause
from tests.edges.desk import HANDLER, Desk


def alter(store: Store, key: str, **values: object) -> None:
    """Damage a row, or let its waiting time pass."""
    store.write(
        lambda tx: tx.connection.execute(update(OBLIGATIONS).where(OBLIGATIONS.c.key == key).values(**values))
    )


def keys(obligations: list[Obligation]) -> list[str]:
    return [obligation.key for obligation in obligations]


def test_an_obligation_that_cannot_be_decrypted_fails_and_the_others_continue(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("bad", "next")
    desk.send_reply("other", chat=desk.chat("70002"))
    alter(store, "bad", payload=b"not what was sealed, and long enough for a nonce")
    first = store.write(claim, ["say"], 10, 60)

    assert keys(first) == ["other"]
    assert keys(store.write(claim, ["say"], 10, 60)) == ["next"]
    assert [(row["key"], row["state"], row["why"]) for row in store.read(list_failed)] == [
        ("bad", "failed", "unreadable: Altered")
    ]
    assert store.read(count_claimable, ["told_failed"]) == 1


def test_an_obligation_with_an_unknown_priority_is_left_to_the_newer_release(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("newer", "next")
    desk.send_reply("other", chat=desk.chat("70002"))
    alter(store, "newer", lane=7)

    assert store.read(count_waiting)[SendPriority.BULK].due == 1
    assert keys(store.write(claim, ["say"], 10, 60)) == ["other"]
    states = [row["state"] for row in store.read(list_failed, everything=True) if row["key"] == "newer"]
    assert states == ["open"]
    # Its message comes before later ones of the same chat.
    assert store.read(count_claimable, ["say"]) == 0
    alter(store, "newer", lane=int(SendPriority.DIALOGUE))
    assert keys(store.write(claim, ["say"], 10, 60)) == ["newer"]


async def tries(store: Store, outcome: Callable[[], Outcome], key: str) -> int:
    """How often the obligation is tried until it fails; its retry pauses are skipped."""
    done: list[str] = []

    async def say(obligation: Obligation) -> Outcome:
        done.append(obligation.key)
        return outcome() if obligation.key == key else Completed()

    worker = Worker(store, {"say": say})
    while "failed" not in {row["state"] for row in store.read(list_failed) if row["key"] == key}:
        for obligation in store.write(claim, ["say"], 1, 60):
            await worker._handle_and_complete(obligation)
        alter(store, key, wait_until=0.0)
    for obligation in store.write(claim, ["say"], 10, 60):
        await worker._handle_and_complete(obligation)
    assert done[-1] == "next"
    return done.count(key)


async def test_a_handler_that_raises_does_not_block_the_chat_for_hours(usual_store: Store) -> None:
    Desk(usual_store).send_reply("bad", "next")

    def breaks() -> Outcome:
        raise KeyError("a text that is not there")

    assert await tries(usual_store, breaks, "bad") == MAX_CRASHES + 1


async def test_during_a_channel_outage_the_order_of_a_chat_is_kept_for_ten_hours(
    usual_store: Store,
) -> None:
    Desk(usual_store).send_reply("bad", "next")

    assert await tries(usual_store, lambda: Retry("unreachable"), "bad") == MAX_ATTEMPTS + 1


async def test_a_danger_page_is_retried_within_half_a_minute_without_limit(usual_store: Store) -> None:
    async def page(obligation: Obligation) -> Outcome:
        return Retry("fatal_error")

    store = usual_store
    store.write(insert_obligation, NewObligation("page:1", "page", store.now(), SendPriority.DANGER))
    alter(store, "page:1", attempts=100_000)
    worker = Worker(store, {"page": page})
    for obligation in store.write(claim, ["page"], 1, 60):
        await worker._handle_and_complete(obligation)
    (row,) = store.read(
        lambda tx: tx.connection.execute(
            select(OBLIGATIONS.c.state, OBLIGATIONS.c.wait_until - database_seconds()).where(
                OBLIGATIONS.c.key == "page:1"
            )
        ).all()
    )

    assert row[0] == "open"
    assert 0 < row[1] <= MAX_RETRY_SECONDS_IN_DANGER


async def test_a_complaint_that_cannot_be_loaded_fails_only_its_own_obligations(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, desk = usual_store, Desk(usual_store)
    bad, good = desk.receive(), desk.receive(chat=desk.chat("70002"))
    load_original = cases_load.load_case_file

    def load(tx: Tx, ref: str) -> CaseFile:
        if ref == bad:
            raise KeyError("an event that nobody can read")
        return load_original(tx, ref)

    monkeypatch.setattr(complete, "load_case_file", load)
    handled: list[str] = []

    async def card(obligation: Obligation) -> Outcome:
        handled.append(str(obligation.ref))
        return Completed()

    desk.pass_card_delay()
    worker = Worker(store, {"card": card})
    for obligation in store.write(claim, ["card"], 10, 60):
        await worker._handle_and_complete(obligation)

    assert handled == [good]
    assert [(row["ref"], row["state"], row["attempts"]) for row in store.read(list_failed)] == [
        (bad, "open", 1)
    ]


def test_failed_obligations_are_listed_by_kind_and_by_complaint(store: Store) -> None:
    desk = Desk(store)
    first, second = desk.receive(), desk.receive(chat=desk.chat("70002"))
    desk.pass_card_delay()
    cards = store.write(claim, ["card"], 10, 60)
    for card in cards:
        store.write(fail, card.id, "no such channel")

    assert len(store.read(list_failed)) == 2
    assert [row["ref"] for row in store.read(list_failed, ref=second)] == [second]
    assert store.read(list_failed, kind="acknowledge") == []
    assert {row["kind"] for row in store.read(list_failed, everything=True, kind="propose")} == {"propose"}
    assert store.write(retry_all, kind="acknowledge") == []
    assert store.write(retry_all, ref=first) == [card.id for card in cards if card.ref == first]
    assert store.write(retry_all) == [card.id for card in cards if card.ref == second]
    assert len(store.write(claim, ["card"], 10, 60)) == 2


def test_an_obligation_in_progress_keeps_its_lease_when_retried(store: Store) -> None:
    desk = Desk(store)
    desk.receive()
    desk.pass_card_delay()
    (card,) = store.write(claim, ["card"], 1, 60)
    store.write(retry, card.id, 0.0, "no answer")
    (again,) = store.write(claim, ["card"], 1, 60)
    store.write(retry_failed, again.id)

    assert store.write(claim, ["card"], 1, 60) == []


@clause("8.1")
def test_an_obligation_given_up_by_a_person_is_recorded_with_the_reason(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.pass_card_delay()
    (card,) = store.write(claim, ["card"], 1, 60)
    store.write(fail, card.id, "no such channel")
    store.write(give_up_obligation, card.id, FailureReason.DONE_OTHERWISE)

    assert store.read(list_failed) == []
    assert [event["facts"] for event in store.read(list_instance_events, "obligation_given_up")] == [
        {"id": card.id, "kind": "card", "ref": ref, "reason": "done_otherwise"}
    ]
    with pytest.raises(UnknownRow, match=r"was given up by hand at .*: nothing is left to try again"):
        store.write(retry_failed, card.id)
    assert store.read(verify).first_bad is None


def test_wrong_numbers_and_states_are_refused_with_the_remedy(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.pass_card_delay()
    (card,) = store.write(claim, ["card"], 1, 60)
    with pytest.raises(UnknownRow, match=r"has not failed; it is due at .*: leave it, or give it up"):
        store.write(retry_failed, card.id)
    store.write(store_complete, card.id)
    with pytest.raises(UnknownRow, match=r"was done at .*: nothing is left to give up"):
        store.write(give_up_obligation, card.id, FailureReason.TEST)
    with pytest.raises(UnknownRow, match="no obligation has the number 999"):
        store.write(retry_failed, 999)
    with pytest.raises(UnknownRow, match="no message set aside has the number 999"):
        store.write(discard_dead_letter, 999, FailureReason.TEST)
    desk.act(ref, Verb.NOTE, HANDLER, words={"text": "x"})


@clause("8.1")
def test_a_discarded_dead_letter_is_destroyed_and_its_update_never_handled_again(store: Store) -> None:
    Desk(store)
    for n in (1, 2):
        store.write(keep_dead_letter, f"tg:{n}", b'{"text": "sealed words"}', "unparsed: KeyError")
    first = store.read(list_dead_letters)[0]
    store.write(discard_dead_letter, first["id"], FailureReason.CANNOT)

    left = store.read(lambda tx: list(tx.connection.execute(select(DEAD_LETTERS.c.key)).scalars()))
    assert left == ["tg:2"]
    assert store.read(find_handled_keys, ["tg:1", "tg:2"]) == {"tg:1", "tg:2"}
    (event,) = store.read(list_instance_events, "message_given_up")
    assert (event["facts"]["key"], event["facts"]["reason"]) == ("tg:1", "cannot")
    assert "words" not in json.dumps(event)
    assert len(store.write(schedule_all_dead_letters)) == 1


def test_a_dead_letter_handled_in_the_meantime_is_not_handled_again(store: Store) -> None:
    desk = Desk(store)
    store.write(keep_dead_letter, "tg:1", b"{}", "unparsed: KeyError")
    (dead_letter,) = store.read(list_dead_letters)
    desk.receive()
    with pytest.raises(UnknownRow, match="was handled already"):
        store.write(schedule_dead_letter, dead_letter["id"])
    assert store.read(list_dead_letters) == []
