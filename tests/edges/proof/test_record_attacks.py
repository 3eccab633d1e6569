"""What somebody with the database and no key tried: `db verify` names it, or it changes nothing."""

from __future__ import annotations

from itertools import count

import pytest
from sqlalchemy import delete, update

from complaints.errors import AlreadyDone
from complaints.vocabulary import Verb
from store.cases.act import act as store_act
from store.cases.act import act_key
from store.cases.receive_message import receive_message
from store.custody.verify import verify
from store.database.errors import StoreError
from store.outbox.failed import (
    KEEP_FOR,
    find_handled_keys,
    keep_dead_letter,
    list_dead_letters,
    read_dead_letter,
)
from store.people.staff import load_actor
from store.proof.log import add_checkpoint, add_cosignature
from store.proof.notes import Signer, split_note
from store.slack_posts import find_known_slack_keys, record_slack_key
from store.store import Store
from store.tables import (
    DEAD_LETTERS,
    EVENTS,
    LOG_CHECKPOINTS,
    LOG_SIGNATURES,
    PROOF_STATE,
    RECEIVED_KEYS,
)
from store.values import Conversation, DialogueTurn
from tests.edges.desk import HANDLER, Desk
from tests.edges.outsider import outside, remove_complaint_and_empty_log, tamper

SEED = bytes(range(32))


def test_an_event_without_a_mac_is_damage(store: Store) -> None:
    ref = Desk(store).assessed()
    tamper(store, update(EVENTS).where(EVENTS.c.ref == ref, EVENTS.c.seq == 2).values(mac=b""))
    (damage,) = store.read(verify).problems
    assert (damage.ref, damage.seq, "wrong MAC" in damage.why) == (ref, 2, True)


def test_a_complaint_that_was_removed_with_the_whole_log_is_noticed(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    desk.receive(chat=desk.chat("70002"))
    store.write(add_checkpoint, None)
    remove_complaint_and_empty_log(store, ref)
    assert [damage.table for damage in store.read(verify).problems] == ["log_checkpoints", "log_signatures"]
    # The desk itself must not sign a new log over what is left.
    with pytest.raises(StoreError, match="amends db verify --full"):
        store.write(add_checkpoint, None)
    assert store.read(verify).first_bad is not None


def test_a_log_that_was_emptied_is_damage_although_the_count_of_its_first_moment_is_put_back(
    store: Store,
) -> None:
    desk = Desk(store)
    desk.receive()
    early = store.read(lambda tx: [dict(row._mapping) for row in tx.connection.execute(PROOF_STATE.select())])
    store.write(add_checkpoint, SEED)
    ref = desk.receive(chat=desk.chat("70002"))
    remove_complaint_and_empty_log(store, ref)
    with outside(store) as connection:
        connection.execute(PROOF_STATE.insert(), early)
    assert [damage.table for damage in store.read(verify).problems] == ["log_checkpoints"]


def test_removed_checkpoints_stay_damage_after_the_next_checkpoint(store: Store) -> None:
    desk = Desk(store)
    desk.receive()
    first, _ = store.write(add_checkpoint, SEED)
    assert first is not None
    desk.receive(chat=desk.chat("70002"))
    store.write(add_checkpoint, SEED)
    tamper(store, delete(LOG_CHECKPOINTS).where(LOG_CHECKPOINTS.c.size == first.size))
    desk.receive(chat=desk.chat("70003"))
    store.write(add_checkpoint, SEED)
    assert "log_checkpoints" in {damage.table for damage in store.read(verify).problems}


def test_cosignatures_that_were_removed_with_their_sum_are_damage_also_after_the_next_one(
    store: Store,
) -> None:
    witness = Signer("witness.example", bytes(range(1, 33)), is_witness=True)
    desk = Desk(store)
    for chat in ("70001", "70002"):
        desk.receive(chat=desk.chat(chat))
        saved, _ = store.write(add_checkpoint, SEED)
        assert saved is not None
        line = witness.cosign(split_note(saved.note)[0], 1_800_000_000)
        if chat == "70001":
            store.write(add_cosignature, saved.size, witness.name, line)
            tamper(
                store,
                delete(LOG_SIGNATURES),
                delete(PROOF_STATE).where(PROOF_STATE.c.name == "cosignatures"),
            )
            assert [damage.table for damage in store.read(verify).problems] == ["log_signatures"]
    store.write(add_cosignature, saved.size, witness.name, line)
    assert [damage.table for damage in store.read(verify).problems] == ["log_signatures"]


def _insert_keys(store: Store, *keys: str) -> None:
    with outside(store) as connection:
        connection.execute(RECEIVED_KEYS.insert(), [{"key": key, "at": store.now()} for key in keys])


def test_keys_that_the_desk_did_not_write_silence_no_message_no_press_and_no_act(store: Store) -> None:
    desk = Desk(store)
    _insert_keys(store, *(f"tg:{number}" for number in range(1, 4)), "slack:Ev1")
    ref = desk.receive("It smells of gas.")
    assert desk.case(ref).ref == ref
    assert store.read(find_handled_keys, ["tg:1", "tg:2"]) == {"tg:1"}
    assert not store.read(find_known_slack_keys, ["Ev1"])
    assert (store.write(record_slack_key, "Ev1"), store.write(record_slack_key, "Ev1")) == (False, True)
    _insert_keys(store, act_key(ref, "note"))
    by, words = store.read(load_actor, HANDLER), {"text": "Called the network."}
    store.write(store_act, ref, Verb.NOTE, by, {}, words, key="note")
    with pytest.raises(AlreadyDone):
        store.write(store_act, ref, Verb.NOTE, by, {}, words, key="note")
    # A genuine repeat still changes nothing.
    desk.numbers = count(1)
    assert store.write(receive_message, "tg:1", desk.chat(), _not_called).repeat


def _not_called(_: Conversation) -> DialogueTurn:
    raise AssertionError("a repeat is not handled")


def test_a_dead_letter_that_the_desk_did_not_write_hides_no_failing_message(store: Store) -> None:
    row = {"key": "tg:7", "sealed": b"x", "why": "", "at": store.now(), "expires_at": store.now() + KEEP_FOR}
    tamper(store, DEAD_LETTERS.insert().values(**row))
    assert not store.read(find_handled_keys, ["tg:7"])
    store.write(keep_dead_letter, "tg:7", b"{}", "BadRequest")
    (letter,) = store.read(list_dead_letters)
    assert (letter["key"], store.read(read_dead_letter, letter["id"]).raw) == ("tg:7", b"{}")
    _insert_keys(store, "tg:7")
    assert store.read(list_dead_letters) == [letter]
