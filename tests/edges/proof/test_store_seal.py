"""Encrypted values open only in their own place with their own key; the database file holds no personal plaintext."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from complaints.actors import SYSTEM
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.read import open_case
from store.custody.secret_keys import record_key_use, record_keys_rotated, require_keys
from store.custody.verify import verify
from store.database.errors import SealBroken
from store.database.keyring import Keyring, new_key, place, seal, unseal
from store.files import store_file
from store.outbox.claim import claim
from store.outbox.complete import fail
from store.outbox.failed import keep_dead_letter, list_failed
from store.people.staff import sync_staff
from store.proof.hash_chain import commitment, list_instance_events
from store.proof.log import add_checkpoint
from store.record.load import load_texts
from store.slack_posts import save_draft
from store.store import Store
from store.tables import EVENTS
from store.tables.column_types import UtcDateTime
from store.values import Chat, ReceivedFile, ReplyText
from tests.databases import KEYS, FakeClock, opened
from tests.edges.desk import HANDLER, Desk

OLD, NEW = b"old" + b"." * 29, b"new" + b"." * 29


@given(st.text(), st.text(min_size=1, max_size=20))
def test_encrypted_words_are_decrypted_unchanged(words: str, row: str) -> None:
    key = new_key()
    assert unseal(key, seal(key, words, place("texts", row, "field")), place("texts", row, "field")) == words


def test_words_are_not_decrypted_in_another_place_or_with_another_key() -> None:
    key = new_key()
    sealed = seal(key, "words", "texts|A/1|description")
    for other_key, aad in ((key, "texts|A/2|description"), (new_key(), "texts|A/1|description")):
        with pytest.raises(SealBroken):
            unseal(other_key, sealed, aad)


@given(st.dictionaries(st.sampled_from(["text", "reason"]), st.text(min_size=1), min_size=1))
def test_a_commitment_depends_on_the_key_and_on_every_word(words: dict[str, str]) -> None:
    key = new_key()
    assert commitment(key, words) == commitment(key, dict(reversed(words.items())))
    assert commitment(key, words) != commitment(new_key(), words)
    assert commitment(key, words) != commitment(key, {**words, "text": words.get("text", "") + "."})
    assert commitment(key, {}) is None


def test_an_older_secrets_ciphertext_opens_and_is_marked_for_rotation() -> None:
    old, both = Keyring([OLD]), Keyring([NEW, OLD])
    key = new_key()
    wrapped = old.wrap(key, "people|x|key")
    assert both.unwrap(wrapped, "people|x|key") == key
    assert (wrapped[:4] == both.newest_id, both.wrap(key, "a")[:4] == both.newest_id) == (False, True)
    assert old.index("telegram", "7") in both.indexes("telegram", "7")
    assert both.indexes("telegram", "7")[0] == both.index("telegram", "7")
    with pytest.raises(SealBroken, match="AMENDS_SECRET_KEY"):
        old.unwrap(both.wrap(key, "people|x|key"), "people|x|key")


@pytest.mark.parametrize("secrets", [[], [b"short"]])
def test_a_keyring_without_a_whole_secret_is_refused(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="secret"):
        Keyring(secrets)


def test_a_keyring_never_shows_its_secrets() -> None:
    assert "old" not in repr(Keyring([OLD]))


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]  # noqa: DTZ001


def test_a_complaint_received_under_the_old_secret_continues_under_the_new(
    database_url: str, clock: FakeClock
) -> None:
    with opened(database_url, clock, Keyring([OLD])) as store:
        ref = Desk(store).receive()
    with opened(database_url, clock, Keyring([NEW, OLD])) as store:
        desk = Desk(store)
        desk.send_reply("b")
        desk.numbers = iter(range(100, 200))  # type: ignore[assignment]
        desk.add(ref, "It smells too.")
        assert [text.text for text in store.read(load_texts, ref)] == [
            "The water is brown.",
            "It smells too.",
        ]
        assert store.read(verify).first_bad is None


CANARIES = (
    *("canarystory", "canaryname", "9900112233", "canaryfile", "canaryplatform", "canarybytes", "canarysay"),
    *("canaryletter", "canarynote", "canaryraw", "canarydraft", "canarystaff", "canaryreason"),
)


def _live(store: Store) -> None:
    """Store personal words by every way in and out."""
    from complaints.vocabulary import Role
    from store.values import Member

    desk = Desk(store)
    store.write(
        sync_staff,
        [Member(HANDLER, "canarystaff", ("canarystaff two",), frozenset({Role.HANDLER, Role.MANAGER}))],
    )
    chat = Chat("telegram", "9900112233", "en", "canaryname")
    photo = ReceivedFile("canaryplatform", "canaryplatform", "photo", "1", name="canaryfile.jpg", size=9)
    say = ReplyText("receipt:1", "receipt", {"story": "canarysay"})
    ref = desk.receive("My canarystory is long.", chat=chat, files=(photo,), says=(say,))
    store.write(store_file, ref, 1, b"canarybytes" * 1000, "image/jpeg")
    (obligation,) = store.write(claim, ["say"], 1, 60)
    store.write(
        record_sent,
        store.write(begin_sending, obligation, "canaryletter", template="t", language="en", ref=ref),
        "5",
        completes=obligation.id,
    )
    desk.act(ref, Verb.NOTE, words={"text": "canarynote"})
    store.write(keep_dead_letter, "tg:broken", b"canaryraw", "unparseable")
    store.write(save_draft, ref, HANDLER, "reply", {}, {"text": "canarydraft"}, "canarydraft", 0)
    desk.act(ref, Verb.RESTRICT, words={"reason": "canaryreason"})
    store.write(open_case, ref, desk.actor(HANDLER), "open")
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    (acknowledgement,) = store.write(claim, ["acknowledge"], 1, 60)
    store.write(fail, acknowledgement.id, "blocked")
    store.write(add_checkpoint, None)


def test_no_personal_word_is_readable_in_the_database_file_or_the_log(
    sqlite_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with caplog.at_level(logging.DEBUG), opened(sqlite_url, clock) as store:
        _live(store)
        everything = b"".join(item.read_bytes() for item in file.parent.glob(file.name + "*"))
    assert len(list(file.parent.glob(file.name + "*"))) >= 1
    assert [item for item in CANARIES if item.encode() in everything.lower()] == []
    assert [item for item in CANARIES if item in caplog.text.lower()] == []


def test_no_personal_word_is_in_an_event_or_an_obligation(store: Store) -> None:
    _live(store)
    query = select(EVENTS.c.entry)
    entries = " ".join(store.read(lambda tx: tx.connection.execute(query).scalars().all()))
    obligations = str(store.read(list_failed, everything=True))
    assert [canary for canary in CANARIES if canary in (entries + obligations).lower()] == []


def test_with_a_wrong_secret_the_desk_does_not_start_and_reads_no_obligation_texts(
    sqlite_url: str, clock: FakeClock
) -> None:
    with opened(sqlite_url, clock) as store:
        Desk(store).receive()
        store.read(require_keys)
        Desk(store).send_reply("a")
    with opened(sqlite_url, clock, Keyring([NEW])) as store:
        # A desk refuses to start with a key that is not the database's, and reads nothing with it.
        with pytest.raises(SealBroken, match="AMENDS_SECRET_KEY"):
            store.read(require_keys)
        assert [obligation for obligation in store.write(claim, ["say"], 1, 60) if obligation.payload] == []


def test_the_key_of_an_earlier_start_is_required_before_there_is_any_complaint(store: Store) -> None:
    store.write(record_key_use)
    store.write(record_key_use)
    assert len(store.read(list_instance_events, "use_key")) == 1
    store._keys = Keyring([NEW])
    for use in (require_keys, record_key_use):
        with pytest.raises(SealBroken, match="AMENDS_SECRET_KEY does not open this database"):
            store.write(use)


def test_an_older_key_is_required_until_everything_was_rotated(store: Store) -> None:
    for secrets in ([OLD], [NEW, OLD]):
        store._keys = Keyring(secrets)
        store.write(record_key_use)
    store._keys = Keyring([NEW])
    with pytest.raises(SealBroken, match="only after `amends db rotate-key`"):
        store.read(require_keys)
    store._keys = Keyring([NEW, OLD])
    store.write(record_keys_rotated)
    store._keys = Keyring([NEW])
    store.read(require_keys)
    store._keys = Keyring([OLD])
    with pytest.raises(SealBroken):
        store.read(require_keys)


def test_a_commit_wakes_a_second_store_on_postgres(postgres_url: str, clock: FakeClock) -> None:
    import threading

    woken = threading.Event()
    with opened(postgres_url, clock) as writer, opened(postgres_url, clock) as sleeper:
        sleeper.on_commit(woken.set)
        for n in range(200):
            Desk(writer).send_reply(f"a{n}") if n == 0 else writer.move_clock(timedelta(0).total_seconds())
            if woken.wait(0.1):
                break
        assert woken.is_set()


def test_the_same_secret_gives_the_same_index_and_kinds_do_not_mix() -> None:
    assert KEYS.index("phone", "+44") == KEYS.index("phone", "+44")
    assert KEYS.index("phone", "+44") != KEYS.index("email", "+44")
