"""Erasing: the words, names, files and numbers go, the figures and the chain stay; what must be kept is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from amends.erasures import again, listed, remember, require_writable
from complaints.errors import OutOfOrder, UnknownReference
from complaints.people import SYSTEM, complainant
from complaints.vocabulary import Verb
from scheduler.housekeeping import housekeeping
from scheduler.ticking import _housekeeping
from store.backups import back_up
from store.errors import StoreError
from store.open import Store
from store.restoring import restore
from store.tables import CHUNKS, CONTACTS, IDENTIFIERS, MESSAGES, METADATA, OBLIGATIONS, PEOPLE, TEXTS
from store.values import HeardFile
from tests.clauses import clause
from tests.databases import KEYS, FakeClock, opened
from tests.edges.desk import HANDLER, MANAGER, Desk, refused
from tests.edges.slack_office import office_of

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both

GB: Mapping[str, str] = {"GB": "24 months"}


def a_closed_one(desk: Desk) -> str:
    """With a file, a number, words both ways, a draft and something still to be said."""
    store = desk.store
    ref = desk.closed(files=(HeardFile("p1", "u1", "photo", "1", name="a.jpg", size=9),))
    store.keep_file(ref, 1, b"bytes" * 1000, "image/jpeg")
    store.keep_identifier(ref, "customer", "C-1001")
    store.draft(ref, HANDLER, "reply", {}, {"text": "typed"}, "letter", 0)
    desk.say("hello")
    kinds = ["say", "acknowledge", "decision", "closing", "dates", "letter"]
    while (owed := store.claim(kinds, 1, 60)[0]).kind != "say":
        store.settle(owed.id)
    store.sent(
        store.sending(owed, "A word of ours.", template="t", language="en", ref=None), "5", settles=None
    )
    return ref


@clause("8.1")
def test_an_erasure_takes_every_word_and_leaves_figures_and_chain(store: Store) -> None:
    desk = Desk(store)
    ref = a_closed_one(desk)
    before = store.record(ref)
    done = store.erase_complainant(ref, "request")
    assert (done.erased, done.kept, done.person_erased) == ((ref,), {}, True)
    after = store.record(ref)
    for name in ("state", "category", "severity", "received_at", "closed_at", "close_code", "targets"):
        assert after[name] == before[name]
    assert (after["name"], after["description"], after["texts"]) == (None, None, [])
    assert {one["text"] for one in after["messages"]} <= {None}
    assert after["erased_at"] is not None
    found = store.verify()
    assert (found.first_bad, found.erased) == (None, 1)
    assert store.found_by("C-1001", "GB") == []
    assert store.run(lambda tx: _left(tx.connection), writes=False) == {}


def _left(connection: object) -> dict[str, int]:
    """Sealed values that still stand, by column; the staff's own names are not the complainant's."""
    run = connection.execute  # type: ignore[attr-defined]
    columns = {
        "texts": TEXTS.c.sealed,
        "messages": MESSAGES.c.sealed,
        "name": PEOPLE.c.name_sealed,
        "key": PEOPLE.c.key_wrapped,
        "address": CONTACTS.c.address_sealed,
        "payload": OBLIGATIONS.c.payload,
        "file": CHUNKS.c.sealed,
        "number": IDENTIFIERS.c.sealed,
        "drafts": METADATA.tables["drafts"].c.sealed,
    }
    counts = {name: len(run(select(one).where(one.is_not(None))).all()) for name, one in columns.items()}
    return {name: number for name, number in counts.items() if number}


async def test_the_card_in_slack_says_that_the_words_are_gone_and_offers_nothing(
    usual_store: Store, clock: FakeClock
) -> None:
    async with office_of(usual_store, clock) as office:
        ref = office.proposed()
        shown = await office.card(ref)
        person = complainant(usual_store.person_of(ref))
        usual_store.act(ref, Verb.WITHDRAW, person)
        await office.idle()
        usual_store.erase(ref, "request")
        await office.idle()
        drawn = await office.card(ref)
        assert (drawn.ts, "erased" in drawn.text) == (shown.ts, True)


def test_who_was_erased_and_writes_again_is_somebody_new(store: Store) -> None:
    desk = Desk(store)
    first = desk.closed()
    person = store.person_of(first)
    store.erase_complainant(person, "request")
    second = desk.receive("It is brown again.")
    assert store.person_of(second) != person
    assert store.verify().first_bad is None


def test_no_verb_is_done_to_an_erased_complaint(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.erase(ref, "request")
    for verb, words in ((Verb.NOTE, {"text": "x"}), (Verb.REOPEN, {"reason": "x"}), (Verb.ERASE, {})):
        by = SYSTEM if verb is Verb.ERASE else desk.actor(MANAGER)
        with pytest.raises(OutOfOrder, match="erased"):
            store.act(ref, verb, by, {}, words)


def test_the_card_of_an_erased_complaint_is_owed_once_more_and_nothing_else(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.erase(ref, "request")
    owed = store.claim(["card", "thread", "closing", "survey", "letter", "acknowledge"], 100, 60)
    version = store.case(ref).version
    assert [one.key for one in owed if one.ref == ref and store.still_owed(one)] == [f"card:{version}"]


@clause("8.1")
@pytest.mark.parametrize("why", ["open", "legal_hold"])
def test_what_must_be_kept_is_kept_and_answered_for(store: Store, why: str) -> None:
    desk = Desk(store)
    kept = desk.closed() if why == "legal_hold" else desk.receive("Open still.")
    if why == "legal_hold":
        desk.act(kept, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    gone = desk.closed()
    done = store.erase_complainant(gone, "request")
    assert (done.erased, dict(done.kept), done.person_erased) == ((gone,), {kept: why}, False)
    assert store.record(kept)["name"] == "Mary Sealedname"
    assert store.record(kept)["texts"] != []
    assert store.verify().first_bad is None


def test_a_hold_released_lets_the_rest_go(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    desk.act(ref, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    assert store.erase_complainant(ref, "request").erased == ()
    desk.act(ref, Verb.RELEASE, MANAGER, words={"reason": "Settled."})
    done = store.erase_complainant(ref, "request")
    assert (done.erased, done.person_erased) == ((ref,), True)


def test_neither_a_reference_nor_a_person_is_refused_with_where_to_look(store: Store) -> None:
    refused(lambda: store.erase_complainant("nobody", "request"), UnknownReference)


def test_an_erased_complaint_teaches_no_model(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    assert len(store.examples()) == 1
    store.erase(ref, "request")
    assert store.examples() == []


@clause("8.1")
def test_what_is_kept_longer_than_the_retention_is_found_with_its_dates(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first, held = desk.closed(), desk.closed()
    desk.act(held, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    clock.go_on(days=365)
    later = desk.closed()
    clock.go_on(days=364)
    assert store.expired(GB) == []
    clock.go_on(days=2)
    found = store.expired(GB)
    assert {(one.ref, one.held) for one in found} == {(first, None), (held, "legal_hold")}
    assert all(one.due - one.closed_at == timedelta(days=731) for one in found)
    assert store.expired({"TR": "1 months"}) == []
    assert later not in {one.ref for one in found}


def test_kept_from_receipt_it_goes_no_earlier_than_it_is_closed(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    slow = desk.receive()
    clock.go_on(days=400)
    quick = desk.closed()
    from_receipt = {"GB": "12 months from receipt"}
    assert store.expired(from_receipt) == []
    clock.go_on(days=366)
    (found,) = store.expired(from_receipt)
    assert (found.ref, found.due <= store.now()) == (quick, True)
    desk.act(slow, Verb.NOT_ACCEPT, MANAGER, words={"reason": "Out of scope."})
    held = {one.ref: one.due for one in store.expired(from_receipt)}
    assert held[slow] == store.case(slow).closed_at


async def test_a_scheduled_purge_does_it_by_itself_only_where_it_is_switched_on(
    usual_store: Store, clock: FakeClock
) -> None:
    store, desk = usual_store, Desk(usual_store)
    ref = desk.closed()
    clock.go_on(days=800)
    _housekeeping(store, False)
    assert store.claim(["purge"], 5, 60) == []
    _housekeeping(store, True)
    _housekeeping(store, True)
    (owed,) = store.claim(["purge"], 5, 60)
    await housekeeping(store)["purge"](owed)
    assert store.unerased([ref]) == [ref]
    await housekeeping(store, retention=GB)["purge"](owed)
    assert store.unerased([ref]) == []
    assert store.history(ref)[-1].facts["because"] == "retention"
    assert store.verify().first_bad is None
    await asyncio.sleep(0)


async def test_one_that_was_taken_up_again_meanwhile_keeps_no_other_from_being_purged(
    usual_store: Store, clock: FakeClock
) -> None:
    store, desk = usual_store, Desk(usual_store)
    first, second = desk.closed(), desk.closed()
    clock.go_on(days=800)
    found = store.expired(GB)
    desk.act(first, Verb.REOPEN, MANAGER, words={"reason": "new"})
    store.expired = lambda *_: found  # type: ignore[assignment,method-assign]
    _housekeeping(store, True)
    (owed,) = store.claim(["purge"], 5, 60)
    await housekeeping(store, retention=GB)["purge"](owed)

    assert store.unerased([first, second]) == [first]


def test_an_erasure_that_a_backup_would_undo_is_not_begun(tmp_path: Path) -> None:
    why = refused(lambda: require_writable(tmp_path / "no folder" / "erasures.jsonl"), StoreError)
    assert "Nothing was erased" in str(why)
    require_writable(tmp_path / "erasures.jsonl")
    assert listed(tmp_path / "erasures.jsonl") == []


@clause("8.1")
def test_a_restored_backup_forgets_again_what_was_erased_after_it(
    usual_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    file, journal = tmp_path / "backup.db", tmp_path / "erasures.jsonl"
    with opened(usual_url, clock) as store:
        desk = Desk(store)
        ref, other = desk.closed(), desk.receive("Open at that time.", chat=desk.chat("70002"))
        back_up(usual_url, file)
        done = store.erase_complainant(ref, "request")
        remember(journal, done.erased, "2026-11-24T10:00:00Z")
        remember(journal, [other, "A7K-M3Q-9T"], "2026-11-25T10:00:00Z")
    assert listed(journal) == [ref, other, "A7K-M3Q-9T"]
    place = f"sqlite:///{tmp_path / 'restored.db'}"
    restore(place, file, KEYS, clock())
    with opened(place, clock) as store:
        assert store.texts(ref) != []
        erased, left = again(store, journal)
        # It was open when the backup was made: it is erased once it is closed, and said until then.
        assert (erased, list(left)) == ([ref], [other])
        assert store.texts(ref) == []
        assert store.verify().first_bad is None
