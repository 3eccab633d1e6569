"""Erasing: the words, names, files and numbers go, the figures and the chain stay; what must be kept is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from amends.retention import again, read_erasures, remember, require_writable
from complaints.actors import SYSTEM, complainant
from complaints.errors import OutOfOrder, UnknownReference
from complaints.vocabulary import Verb
from scheduler.housekeeping import housekeeping
from scheduler.ticks import _housekeeping
from store.backup.backup import back_up
from store.backup.restore import restore
from store.cases.act import act
from store.cases.export import export_record
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.read import load_case, load_history
from store.custody.retention import erase, erase_complainant, find_person, list_expired, list_unerased
from store.custody.verify import verify
from store.database.errors import StoreError
from store.files import keep_file
from store.outbox.claim import claim
from store.outbox.complete import complete, is_still_required
from store.people.identifiers import find_by_identifier, keep_identifier
from store.record.texts import load_texts
from store.slack.posts import save_draft
from store.store import Store
from store.tables import CHUNKS, CONTACTS, IDENTIFIERS, MESSAGES, METADATA, OBLIGATIONS, PEOPLE, TEXTS
from store.values import ReceivedFile
from tests.clauses import clause
from tests.databases import KEYS, FakeClock, opened
from tests.edges.desk import HANDLER, MANAGER, Desk, refused
from tests.edges.slack_office import office_of
from tests.interception import replace_in_store

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both

GB: Mapping[str, str] = {"GB": "24 months"}


def a_closed_one(desk: Desk) -> str:
    """With a file, a number, words both ways, a draft and something still to be said."""
    store = desk.store
    ref = desk.closed(files=(ReceivedFile("p1", "u1", "photo", "1", name="a.jpg", size=9),))
    store.write(keep_file, ref, 1, b"bytes" * 1000, "image/jpeg")
    store.write(keep_identifier, ref, "customer", "C-1001")
    store.write(save_draft, ref, HANDLER, "reply", {}, {"text": "typed"}, "letter", 0)
    desk.say("hello")
    kinds = ["say", "acknowledge", "decision", "closing", "dates", "letter"]
    while (owed := store.write(claim, kinds, 1, 60)[0]).kind != "say":
        store.write(complete, owed.id)
    store.write(
        record_sent,
        store.write(begin_sending, owed, "A word of ours.", template="t", language="en", ref=None),
        "5",
        settles=None,
    )
    return ref


@clause("8.1")
def test_an_erasure_takes_every_word_and_leaves_figures_and_chain(store: Store) -> None:
    desk = Desk(store)
    ref = a_closed_one(desk)
    before = store.read(export_record, ref)
    done = store.write(erase_complainant, ref, "request")
    assert (done.erased, done.kept, done.person_erased) == ((ref,), {}, True)
    after = store.read(export_record, ref)
    for name in ("state", "category", "severity", "received_at", "closed_at", "close_code", "targets"):
        assert after[name] == before[name]
    assert (after["name"], after["description"], after["texts"]) == (None, None, [])
    assert {one["text"] for one in after["messages"]} <= {None}
    assert after["erased_at"] is not None
    found = store.read(verify)
    assert (found.first_bad, found.erased) == (None, 1)
    assert store.read(find_by_identifier, "C-1001", "GB") == []
    assert store.read(lambda tx: _left(tx.connection)) == {}


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
        person = complainant(usual_store.read(find_person, ref))
        usual_store.write(act, ref, Verb.WITHDRAW, person)
        await office.idle()
        usual_store.write(erase, ref, "request")
        await office.idle()
        drawn = await office.card(ref)
        assert (drawn.ts, "erased" in drawn.text) == (shown.ts, True)


def test_who_was_erased_and_writes_again_is_somebody_new(store: Store) -> None:
    desk = Desk(store)
    first = desk.closed()
    person = store.read(find_person, first)
    store.write(erase_complainant, person, "request")
    second = desk.receive("It is brown again.")
    assert store.read(find_person, second) != person
    assert store.read(verify).first_bad is None


def test_no_verb_is_done_to_an_erased_complaint(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.write(erase, ref, "request")
    for verb, words in ((Verb.NOTE, {"text": "x"}), (Verb.REOPEN, {"reason": "x"}), (Verb.ERASE, {})):
        by = SYSTEM if verb is Verb.ERASE else desk.actor(MANAGER)
        with pytest.raises(OutOfOrder, match="erased"):
            store.write(act, ref, verb, by, {}, words)


def test_the_card_of_an_erased_complaint_is_owed_once_more_and_nothing_else(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.write(erase, ref, "request")
    owed = store.write(claim, ["card", "thread", "closing", "survey", "letter", "acknowledge"], 100, 60)
    version = store.read(load_case, ref).version
    assert [one.key for one in owed if one.ref == ref and store.read(is_still_required, one)] == [
        f"card:{version}"
    ]


@clause("8.1")
@pytest.mark.parametrize("why", ["open", "legal_hold"])
def test_what_must_be_kept_is_kept_and_answered_for(store: Store, why: str) -> None:
    desk = Desk(store)
    kept = desk.closed() if why == "legal_hold" else desk.receive("Open still.")
    if why == "legal_hold":
        desk.act(kept, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    gone = desk.closed()
    done = store.write(erase_complainant, gone, "request")
    assert (done.erased, dict(done.kept), done.person_erased) == ((gone,), {kept: why}, False)
    assert store.read(export_record, kept)["name"] == "Mary Sealedname"
    assert store.read(export_record, kept)["texts"] != []
    assert store.read(verify).first_bad is None


def test_a_hold_released_lets_the_rest_go(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    desk.act(ref, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    assert store.write(erase_complainant, ref, "request").erased == ()
    desk.act(ref, Verb.RELEASE, MANAGER, words={"reason": "Settled."})
    done = store.write(erase_complainant, ref, "request")
    assert (done.erased, done.person_erased) == ((ref,), True)


def test_neither_a_reference_nor_a_person_is_refused_with_where_to_look(store: Store) -> None:
    refused(lambda: store.write(erase_complainant, "nobody", "request"), UnknownReference)


def test_an_erased_complaint_teaches_no_model(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    assert len(store.examples()) == 1
    store.write(erase, ref, "request")
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
    assert store.read(list_expired, GB) == []
    clock.go_on(days=2)
    found = store.read(list_expired, GB)
    assert {(one.ref, one.held) for one in found} == {(first, None), (held, "legal_hold")}
    assert all(one.due - one.closed_at == timedelta(days=731) for one in found)
    assert store.read(list_expired, {"TR": "1 months"}) == []
    assert later not in {one.ref for one in found}


def test_kept_from_receipt_it_goes_no_earlier_than_it_is_closed(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    slow = desk.receive()
    clock.go_on(days=400)
    quick = desk.closed()
    from_receipt = {"GB": "12 months from receipt"}
    assert store.read(list_expired, from_receipt) == []
    clock.go_on(days=366)
    (found,) = store.read(list_expired, from_receipt)
    assert (found.ref, found.due <= store.now()) == (quick, True)
    desk.act(slow, Verb.NOT_ACCEPT, MANAGER, words={"reason": "Out of scope."})
    held = {one.ref: one.due for one in store.read(list_expired, from_receipt)}
    assert held[slow] == store.read(load_case, slow).closed_at


async def test_a_scheduled_purge_does_it_by_itself_only_where_it_is_switched_on(
    usual_store: Store, clock: FakeClock
) -> None:
    store, desk = usual_store, Desk(usual_store)
    ref = desk.closed()
    clock.go_on(days=800)
    _housekeeping(store, False)
    assert store.write(claim, ["purge"], 5, 60) == []
    _housekeeping(store, True)
    _housekeeping(store, True)
    (owed,) = store.write(claim, ["purge"], 5, 60)
    await housekeeping(store)["purge"](owed)
    assert store.read(list_unerased, [ref]) == [ref]
    await housekeeping(store, retention=GB)["purge"](owed)
    assert store.read(list_unerased, [ref]) == []
    assert store.read(load_history, ref)[-1].facts["because"] == "retention"
    assert store.read(verify).first_bad is None
    await asyncio.sleep(0)


async def test_one_that_was_taken_up_again_meanwhile_keeps_no_other_from_being_purged(
    usual_store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, desk = usual_store, Desk(usual_store)
    first, second = desk.closed(), desk.closed()
    clock.go_on(days=800)
    found = store.read(list_expired, GB)
    desk.act(first, Verb.REOPEN, MANAGER, words={"reason": "new"})
    replace_in_store(monkeypatch, store, list_expired, lambda *_: found)
    _housekeeping(store, True)
    (owed,) = store.write(claim, ["purge"], 5, 60)
    await housekeeping(store, retention=GB)["purge"](owed)

    assert store.read(list_unerased, [first, second]) == [first]


def test_an_erasure_that_a_backup_would_undo_is_not_begun(tmp_path: Path) -> None:
    why = refused(lambda: require_writable(tmp_path / "no folder" / "erasures.jsonl"), StoreError)
    assert "Nothing was erased" in str(why)
    require_writable(tmp_path / "erasures.jsonl")
    assert read_erasures(tmp_path / "erasures.jsonl") == []


@clause("8.1")
def test_a_restored_backup_forgets_again_what_was_erased_after_it(
    usual_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    file, journal = tmp_path / "backup.db", tmp_path / "erasures.jsonl"
    with opened(usual_url, clock) as store:
        desk = Desk(store)
        ref, other = desk.closed(), desk.receive("Open at that time.", chat=desk.chat("70002"))
        back_up(usual_url, file)
        done = store.write(erase_complainant, ref, "request")
        remember(journal, done.erased, "2026-11-24T10:00:00Z")
        remember(journal, [other, "A7K-M3Q-9T"], "2026-11-25T10:00:00Z")
    assert read_erasures(journal) == [ref, other, "A7K-M3Q-9T"]
    place = f"sqlite:///{tmp_path / 'restored.db'}"
    restore(place, file, KEYS, clock())
    with opened(place, clock) as store:
        assert store.read(load_texts, ref) != []
        erased, left = again(store, journal)
        # It was open when the backup was made: it is erased once it is closed, and said until then.
        assert (erased, list(left)) == ([ref], [other])
        assert store.read(load_texts, ref) == []
        assert store.read(verify).first_bad is None
