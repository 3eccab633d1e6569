"""Erasure: words, names, files and numbers are deleted, figures and hash chain stay; what must be kept is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from amends.retention import erase_again, list_new_erasures, read_erasures, require_writable
from bots.dialogue.inputs import TextInput
from bots.dialogue.step import step
from complaints.actors import OPERATOR, SYSTEM, complainant
from complaints.errors import AlreadyDone, OutOfOrder, UnknownReference
from complaints.vocabulary import Flag, Verb
from scheduler.ticks import _housekeeping, housekeeping_handlers
from store.backup import back_up
from store.cases.act import act
from store.cases.export import export_record
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.read import load_case, load_history
from store.cases.receive_message import receive_message
from store.custody.erasure import (
    erase,
    erase_complainant,
    find_person,
    list_complaints_of,
    list_erasures,
    list_expired,
    list_silent_people,
    list_unerased,
)
from store.custody.verify import verify
from store.database.errors import StoreError
from store.files import store_file
from store.outbox.claim import claim
from store.outbox.complete import Completed, complete, is_still_required
from store.people.identification import add_identifier, find_by_identifier
from store.proof.hash_chain import list_instance_events
from store.record.load import load_case_file, load_texts
from store.restore import restore
from store.similarity.search import CaseSearch, search_cases
from store.similarity.similar import list_similar_cases
from store.similarity.sketches import write_sketch
from store.slack_posts import save_draft
from store.store import Store
from store.tables import CHUNKS, CONTACTS, IDENTIFIERS, MESSAGES, METADATA, OBLIGATIONS, PEOPLE, TEXTS
from store.values import ReceivedFile
from tests.clauses import clause
from tests.databases import KEYS, FakeClock, opened
from tests.edges.desk import HANDLER, MANAGER, Desk, refused
from tests.edges.slack_office import open_office
from tests.edges.telegram_desk import TEXTS as PHRASES
from tests.interception import replace_in_store

#: These tests depend on SQL, so they run on SQLite and on PostgreSQL.
pytestmark = pytest.mark.on_both

GB: Mapping[str, str] = {"GB": "24 months"}


def a_closed_complaint(desk: Desk) -> str:
    """A closed complaint with a file, a number, words in both directions, a draft and an unsent message."""
    store = desk.store
    ref = desk.closed(files=(ReceivedFile("p1", "u1", "photo", "1", name="a.jpg", size=9),))
    store.write(store_file, ref, 1, b"bytes" * 1000, "image/jpeg")
    store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "customer", "C-1001"))
    store.write(save_draft, ref, HANDLER, "reply", {}, {"text": "typed"}, "letter", 0)
    desk.send_reply("hello")
    kinds = ["say", "acknowledge", "decision", "closing", "dates", "letter"]
    while (obligation := store.write(claim, kinds, 1, 60)[0]).kind != "say":
        store.write(complete, obligation.id)
    store.write(
        record_sent,
        store.write(begin_sending, obligation, "A word of ours.", template="t", language="en", ref=None),
        "5",
        completes=None,
    )
    return ref


@clause("8.1")
def test_an_erasure_deletes_every_word_and_keeps_figures_and_hash_chain(store: Store) -> None:
    desk = Desk(store)
    ref = a_closed_complaint(desk)
    before = store.read(export_record, ref)
    done = store.write(erase_complainant, ref, "request")
    assert (done.erased, done.kept, done.person_erased) == ((ref,), {}, True)
    after = store.read(export_record, ref)
    for name in ("state", "category", "severity", "received_at", "closed_at", "close_code", "targets"):
        assert after[name] == before[name]
    assert (after["name"], after["description"], after["texts"]) == (None, None, [])
    assert {message["text"] for message in after["messages"]} <= {None}
    assert after["erased_at"] is not None
    result = store.read(verify)
    assert (result.first_bad, result.erased) == (None, 1)
    assert store.read(find_by_identifier, "C-1001", "GB") == []
    assert store.read(lambda tx: _encrypted_values_left(tx.connection)) == {}


def _encrypted_values_left(connection: object) -> dict[str, int]:
    """Encrypted values left, by column; the names of staff are not the complainant's."""
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
    counts = {
        name: len(run(select(column).where(column.is_not(None))).all()) for name, column in columns.items()
    }
    return {name: number for name, number in counts.items() if number}


async def test_the_slack_card_of_an_erased_complaint_says_so_and_has_no_buttons(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock) as office:
        ref = office.proposed()
        before = await office.card(ref)
        person = complainant(usual_store.read(find_person, ref))
        usual_store.write(act, ref, Verb.WITHDRAW, person)
        await office.idle()
        usual_store.write(erase, ref, "request")
        await office.idle()
        after = await office.card(ref)
        assert (after.ts, "erased" in after.text) == (before.ts, True)


def test_an_erased_complainant_who_writes_again_is_a_new_person(store: Store) -> None:
    desk = Desk(store)
    first = desk.closed()
    person = store.read(find_person, first)
    store.write(erase_complainant, person, "request")
    second = desk.receive("It is brown again.")
    assert store.read(find_person, second) != person
    assert store.read(verify).first_bad is None


def test_every_act_on_an_erased_complaint_is_refused(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.write(erase, ref, "request")
    for verb, words in ((Verb.NOTE, {"text": "x"}), (Verb.REOPEN, {"reason": "x"}), (Verb.ERASE, {})):
        actor = SYSTEM if verb is Verb.ERASE else desk.actor(MANAGER)
        with pytest.raises(OutOfOrder, match="erased"):
            store.write(act, ref, verb, actor, {}, words)


def test_an_erased_complaints_card_is_redrawn_once_and_nothing_else_is_due(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.write(erase, ref, "request")
    claimed = store.write(claim, ["card", "thread", "closing", "survey", "letter", "acknowledge"], 100, 60)
    version = store.read(load_case, ref).version
    assert [
        obligation.key
        for obligation in claimed
        if obligation.ref == ref and store.read(is_still_required, obligation)
    ] == [f"card:{version}"]


@clause("8.1")
@pytest.mark.parametrize("why", ["open", "legal_hold"])
def test_an_open_complaint_or_one_under_legal_hold_is_kept_and_reported(store: Store, why: str) -> None:
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


def test_releasing_the_hold_lets_the_rest_be_erased(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    desk.act(ref, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    assert store.write(erase_complainant, ref, "request").erased == ()
    desk.act(ref, Verb.RELEASE, MANAGER, words={"reason": "Settled."})
    done = store.write(erase_complainant, ref, "request")
    assert (done.erased, done.person_erased) == ((ref,), True)


def test_an_unknown_reference_or_person_is_refused(store: Store) -> None:
    refused(lambda: store.write(erase_complainant, "nobody", "request"), UnknownReference)


def test_an_erased_complaint_is_no_training_example(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    assert len(store.examples()) == 1
    store.write(erase, ref, "request")
    assert store.examples() == []


@clause("8.1")
def test_complaints_kept_longer_than_the_retention_are_listed_with_their_dates(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    first, on_hold = desk.closed(), desk.closed()
    desk.act(on_hold, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    clock.go_on(days=365)
    later = desk.closed()
    clock.go_on(days=364)
    assert store.read(list_expired, GB) == []
    clock.go_on(days=2)
    expired = store.read(list_expired, GB)
    assert {(row.ref, row.kept_because) for row in expired} == {(first, None), (on_hold, "legal_hold")}
    assert all(row.due - row.closed_at == timedelta(days=731) for row in expired)
    assert store.read(list_expired, {"TR": "1 months"}) == []
    assert later not in {row.ref for row in expired}


def test_retention_counted_from_receipt_never_ends_before_the_closing(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    slow = desk.receive()
    clock.go_on(days=400)
    quick = desk.closed()
    from_receipt = {"GB": "12 months from receipt"}
    assert store.read(list_expired, from_receipt) == []
    clock.go_on(days=366)
    (expired,) = store.read(list_expired, from_receipt)
    assert (expired.ref, expired.due <= store.now()) == (quick, True)
    desk.act(slow, Verb.NOT_ACCEPT, MANAGER, words={"reason": "Out of scope."})
    due_by_ref = {row.ref: row.due for row in store.read(list_expired, from_receipt)}
    assert due_by_ref[slow] == store.read(load_case, slow).closed_at


async def test_a_scheduled_purge_runs_only_if_it_is_switched_on(usual_store: Store, clock: FakeClock) -> None:
    store, desk = usual_store, Desk(usual_store)
    ref = desk.closed()
    clock.go_on(days=800)
    _housekeeping(store, False)
    assert store.write(claim, ["purge"], 5, 60) == []
    _housekeeping(store, True)
    _housekeeping(store, True)
    (obligation,) = store.write(claim, ["purge"], 5, 60)
    await housekeeping_handlers(store)["purge"](obligation)
    assert store.read(list_unerased, [ref]) == [ref]
    await housekeeping_handlers(store, retention=GB)["purge"](obligation)
    assert store.read(list_unerased, [ref]) == []
    assert store.read(load_history, ref)[-1].facts["because"] == "retention"
    assert store.read(verify).first_bad is None
    await asyncio.sleep(0)


async def test_a_complaint_reopened_before_the_purge_does_not_stop_the_others(
    usual_store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, desk = usual_store, Desk(usual_store)
    first, second = desk.closed(), desk.closed()
    clock.go_on(days=800)
    expired = store.read(list_expired, GB)
    desk.act(first, Verb.REOPEN, MANAGER, words={"reason": "new"})
    replace_in_store(monkeypatch, store, list_expired, lambda *_: expired)
    _housekeeping(store, True)
    (obligation,) = store.write(claim, ["purge"], 5, 60)
    await housekeeping_handlers(store, retention=GB)["purge"](obligation)

    assert store.read(list_unerased, [first, second]) == [first]


def test_an_erasure_is_refused_if_its_journal_cannot_be_written(tmp_path: Path) -> None:
    error = refused(lambda: require_writable(tmp_path / "no folder" / "erasures.jsonl"), StoreError)
    assert "Nothing was erased" in str(error)
    require_writable(tmp_path / "erasures.jsonl")
    assert read_erasures(tmp_path / "erasures.jsonl") == []


@clause("8.1")
def test_a_restored_backup_repeats_the_erasures_that_came_after_it(
    usual_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    file, journal = tmp_path / "backup.db", tmp_path / "erasures.jsonl"
    with opened(usual_url, clock) as store:
        desk = Desk(store)
        ref, other = desk.closed(), desk.receive("Open at that time.", chat=desk.chat("70002"))
        back_up(usual_url, file)
        store.write(erase_complainant, ref, "request")
        list_new_erasures(store, journal)
    with journal.open("a", encoding="utf-8") as later:
        for erased_later in (other, "A7K-M3Q-9T"):
            later.write(json.dumps({"ref": erased_later, "erased_at": "2026-11-25T10:00:00Z"}) + "\n")
    assert read_erasures(journal) == [ref, other, "A7K-M3Q-9T"]
    restored_url = f"sqlite:///{tmp_path / 'restored.db'}"
    restore(restored_url, file, KEYS, clock())
    with opened(restored_url, clock) as store:
        assert store.read(load_texts, ref) != []
        erased, left = erase_again(store, journal)
        # One was open when the backup was made: it is listed until it is closed and erased.
        assert (erased, list(left)) == ([ref], [other])
        assert store.read(load_texts, ref) == []
        assert store.read(verify).first_bad is None


async def test_a_person_who_never_complained_is_erased_a_day_after_the_last_message(
    usual_store: Store, clock: FakeClock
) -> None:
    store, desk = usual_store, Desk(usual_store)
    ref = desk.receive()

    def greets(number: int) -> None:
        chat = desk.chat("70099")
        store.write(
            receive_message,
            f"tg:{number}",
            chat,
            lambda talk: step(talk, TextInput("Hello", "1", store.now()), now=store.now(), texts=PHRASES),
        )

    greets(1)
    clock.go_on(hours=23)
    greets(2)
    clock.go_on(hours=23)
    assert store.read(list_silent_people) == []
    clock.go_on(hours=2)
    (silent,) = store.read(list_silent_people)
    _housekeeping(store, False)
    (tidy,) = store.write(claim, ["tidy"], 5, 60)
    assert await housekeeping_handlers(store)["tidy"](tidy) == Completed()
    assert store.read(list_silent_people) == []
    assert store.read(list_erasures) == [("person", silent, store.now())]
    assert store.read(load_case, ref).complainant != silent
    (receipt,) = store.read(list_instance_events, "erasure")
    assert (receipt["facts"]["because"], receipt["facts"]["persons"]) == ("no_complaint", 1)
    assert store.read(verify).first_bad is None


def test_restricted_processing_keeps_a_complaint_from_training_similar_cases_and_search_until_its_end(
    usual_store: Store,
) -> None:
    store, desk = usual_store, Desk(usual_store)
    ref, other = desk.closed(), desk.receive(chat=desk.chat("70098"))
    handler = desk.actor(HANDLER)
    for complaint in (ref, other):
        store.write(write_sketch, complaint, (b"8 bytes.",), cluster=ref)
    store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "customer", "C-1001"))

    def used() -> tuple[int, int, int, int]:
        similar = (store.read(list_similar_cases, complaint, handler) for complaint in (ref, other))
        hits = store.write(search_cases, CaseSearch(number="C-1001"), handler, limit=50).cases
        return len(store.examples()), *map(len, similar), len(hits)

    assert used() == (1, 1, 1, 1)
    person = store.read(find_person, ref)
    assert store.read(list_complaints_of, person) == [ref]
    store.write(act, ref, Verb.RESTRICT_PROCESSING, OPERATOR, {}, {"reason": "She disputes the date."})
    assert used() == (0, 0, 0, 0)
    assert store.read(load_case, ref).flags >= {Flag.PROCESSING_RESTRICTED}
    with pytest.raises(AlreadyDone):
        store.write(act, ref, Verb.RESTRICT_PROCESSING, OPERATOR, {}, {"reason": "Again."})
    store.write(act, ref, Verb.RESUME_PROCESSING, OPERATOR, {}, {"reason": "Corrected."})
    assert used() == (1, 1, 1, 1)
    assert store.read(verify).first_bad is None
