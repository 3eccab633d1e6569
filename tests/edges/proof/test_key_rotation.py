"""The instance's key is rotated while the desk works: everything stays readable, and the old key may be dropped."""

from __future__ import annotations

import threading
from itertools import count

import pytest
from sqlalchemy import select

from bots.dialogue.inputs import ButtonInput
from bots.telegram.callback_data import Buttons
from complaints.obligations.kinds import NewObligation, SendPriority
from store.cases.export import export_record
from store.cases.read import open_case
from store.custody.erasure import erase
from store.custody.secret_keys import list_stale_keys, record_keys_rotated, rotate_keys
from store.custody.verify import Outside, verify
from store.database.errors import SealBroken
from store.database.keyring import Keyring
from store.outbox.claim import claim
from store.outbox.failed import keep_dead_letter, list_dead_letters, read_dead_letter
from store.outbox.rows import insert_obligation
from store.people.identification import add_identifier, find_by_identifier
from store.people.staff import list_members
from store.proof.log import add_checkpoint
from store.record.load import load_case_file, load_texts
from store.store import Store
from store.tables import COMPLAINTS, CONTACTS, IDENTIFIERS, PEOPLE
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import HANDLER, Desk

OLD, NEW = b"old" + b"." * 29, b"new" + b"." * 29


def fill_with_secrets(store: Store) -> str:
    """Something of every kind that the instance's secret encrypts or signs; returns a reference."""
    desk = Desk(store)
    ref = desk.receive("Brown water.")
    store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "customer", "C-1001"))
    store.write(keep_dead_letter, "tg:broken", b"raw", "unparseable")
    store.write(
        insert_obligation,
        NewObligation("digest:1", "digest", store.now(), SendPriority.BULK),
        payload={"text": "of the house"},
    )
    store.write(add_checkpoint, None)
    desk.receive("No heating.", chat=desk.chat("70002"))
    store.write(add_checkpoint, bytes(32))
    return ref


def rotate(store: Store) -> int:
    """Rotate to the end, as the command does; returns the number of rows."""
    total = 0
    while rotated := store.write(rotate_keys, 2):
        total += rotated
    store.write(record_keys_rotated)
    return total


@clause("8.1")
def test_after_a_rotation_the_older_key_may_be_dropped(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = fill_with_secrets(store)
        (saved, _), before = store.write(add_checkpoint, bytes(32)), store.read(export_record, ref)
        assert saved is not None
        outside = Outside(notes=(saved.note,))
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        stale = store.read(list_stale_keys)
        assert stale >= 11
        assert rotate(store) == stale
        assert (store.read(list_stale_keys), store.read(verify, outside).first_bad) == (0, None)
    with opened(database_url, clock, Keyring([NEW])) as store:
        assert store.read(export_record, ref) == before
        assert store.read(verify).first_bad is None
        # A checkpoint kept outside is signed with another key, which no rotation touches.
        assert store.read(verify, outside).first_bad is None
        assert store.read(find_by_identifier, "c 1001", "GB") == [ref]
        assert store.read(read_dead_letter, store.read(list_dead_letters)[0]["id"]).raw == b"raw"
        assert [digest.payload for digest in store.write(claim, ["digest"], 5, 60)] == [
            {"text": "of the house"}
        ]
        assert len(store.read(list_members)) == 5
        desk = Desk(store, count(50))
        desk.add(ref, "And it smells.")
        assert [text.text for text in store.read(load_texts, ref)] == ["Brown water.", "And it smells."]
        # A new signing key: the record holds the earlier public keys.
        store.write(add_checkpoint, bytes(range(32)))
        assert store.read(verify, outside).first_bad is None
        assert store.read(verify).first_bad is None


def test_an_interrupted_rotation_continues_where_it_stopped(database_url: str, clock: FakeClock) -> None:
    both = Keyring([NEW, OLD])
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = fill_with_secrets(store)
    with opened(database_url, clock, both) as store:
        whole = store.read(list_stale_keys)
        first = store.write(rotate_keys, 1) + store.write(rotate_keys, 2)
        assert store.read(list_stale_keys) == whole - first
        # Part of it is under each key, and everything is readable.
        assert store.read(load_texts, ref)[0].text == "Brown water."
    with opened(database_url, clock, both) as store:
        assert rotate(store) == whole - first
        assert store.write(rotate_keys) == 0


def test_without_the_older_key_a_rotation_is_refused_and_nothing_is_lost(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = fill_with_secrets(store)
    with (
        opened(database_url, clock, Keyring([NEW])) as store,
        pytest.raises(SealBroken, match="AMENDS_SECRET_KEY"),
    ):
        rotate(store)
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        assert store.read(load_texts, ref)[0].text == "Brown water."


def test_complaints_received_during_a_rotation_are_all_readable(database_url: str, clock: FakeClock) -> None:
    both = Keyring([NEW, OLD])
    with opened(database_url, clock, Keyring([OLD])) as store:
        desk = Desk(store)
        early = [desk.receive(f"Matter {n}.", chat=desk.chat(str(60000 + n))) for n in range(30)]
    late: list[str] = []
    stop = threading.Event()

    def work() -> None:
        with opened(database_url, clock, both) as other_store:
            desk = Desk(other_store, count(1000))
            for n in range(10_000):
                if stop.is_set():
                    return
                desk.add(early[n % 30], "More.", chat=desk.chat(str(60000 + n % 30)), source=str(n))
                late.append(desk.receive(f"Matter {n}.", chat=desk.chat(str(80000 + n))))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with opened(database_url, clock, both) as store:
            while len(late) < 3 and thread.is_alive():
                stop.wait(0.01)
            rotate(store)
    finally:
        stop.set()
        thread.join()
    with opened(database_url, clock, Keyring([NEW])) as store:
        assert len(late) >= 3
        assert [store.read(load_texts, ref)[0].text[:6] for ref in (*early, *late)] == ["Matter"] * (
            30 + len(late)
        )
        assert store.read(verify).first_bad is None
        # A person whose number was filed under the other key was recognised.
        people = store.read(lambda tx: tx.connection.execute(select(PEOPLE.c.id)).all())
        assert len(people) == 30 + len(late)


def test_an_erased_person_does_not_prevent_a_rotation(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = Desk(store).closed()
        store.write(erase, ref, "request")
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        rotate(store)
        keys = store.read(
            lambda tx: tx.connection.execute(select(COMPLAINTS.c.key_wrapped, PEOPLE.c.key_wrapped)).one()
        )
        assert keys == (None, None)
        assert store.read(verify).first_bad is None


def test_every_lookup_hash_uses_the_newest_key_after_a_rotation(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        fill_with_secrets(store)
        before = _hashes(store)
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        rotate(store)
        assert _hashes(store) & before == set()


def _hashes(store: Store) -> set[bytes]:
    queries = (select(CONTACTS.c.address_index), select(IDENTIFIERS.c.value_index))
    return store.read(
        lambda tx: {
            bytes(lookup_hash) for query in queries for lookup_hash in tx.connection.execute(query).scalars()
        }
    )


def test_a_button_signed_with_the_older_key_still_works() -> None:
    press = ButtonInput("accept", "decision", "A7K-M3Q-9T", 3)
    data = Buttons(OLD).encode("7", press)
    assert Buttons(NEW, OLD).decode("7", data) == press
    assert Buttons(NEW, OLD).decode("8", data) is None
    assert Buttons(NEW).decode("7", data) is None
    assert Buttons(NEW, OLD).encode("7", press) == Buttons(NEW).encode("7", press)


def test_reading_a_case_is_unaffected_by_a_rotation(database_url: str, clock: FakeClock) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = fill_with_secrets(store)
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        rotate(store)
        assert (
            store.write(open_case, ref, Desk(store).actor(HANDLER), "open").complainant_name
            == "Mary Sealedname"
        )
