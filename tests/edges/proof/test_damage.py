"""One damaged row stops nothing: it is named with the remedy, and everything else is shown, counted and moved."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Table, delete, select, text, update

from amends.documents.labels import load_labels
from amends.privacy.data_export import archive
from amends.settings import load, rulebook
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from reports.monitoring import monitor
from reports.tally import Period
from store.cases.export import export_case, export_record
from store.cases.outgoing_messages import begin_sending
from store.cases.read import load_case
from store.cases.reviews import draw_reviews
from store.custody.erasure import find_person
from store.custody.secret_keys import list_stale_keys, record_key_use, rotate_keys
from store.custody.verify import verify
from store.database.errors import UNREADABLE, DamagedCase, SealBroken, collecting_damage, describe_damage
from store.database.keyring import Keyring, place
from store.database.transaction import FoldedCases, Tx
from store.files import store_file
from store.models.models import keep_model, read_model_blob
from store.models.training_examples import TrainingHistory, keep_history
from store.outbox.claim import find_earliest
from store.outbox.failed import keep_dead_letter
from store.outbox.rows import insert_obligation
from store.people.identification import add_identifier
from store.people.staff import list_members
from store.record.load import load_case_file
from store.rulebooks import use_rulebook
from store.similarity.sketches import write_sketch
from store.slack_posts import keep_draft
from store.store import Store
from store.tables import (
    CHUNKS,
    COMPLAINTS,
    CONTACTS,
    DEAD_LETTERS,
    DRAFTS,
    EVENTS,
    FILES,
    HISTORY_PARTS,
    IDENTIFIERS,
    LIKENESSES,
    MESSAGES,
    MODELS,
    OBLIGATIONS,
    PEOPLE,
    STAFF,
    TEXTS,
)
from store.values import ReceivedFile
from tests.databases import FakeClock, opened
from tests.edges.desk import HANDLER, MANAGER, Desk
from tests.edges.product import KEY, Product

LABELS = load_labels(("en",), "Europe/London")
SEALED: dict[str, tuple[Table, Column]] = {
    "a text": (TEXTS, TEXTS.c.sealed),
    "a message": (MESSAGES, MESSAGES.c.sealed),
    "a number": (IDENTIFIERS, IDENTIFIERS.c.sealed),
    "the name of a file": (FILES, FILES.c.meta_sealed),
    "a part of a file": (CHUNKS, CHUNKS.c.sealed),
    "a name": (PEOPLE, PEOPLE.c.name_sealed),
    "an address": (CONTACTS, CONTACTS.c.address_sealed),
    "a member of staff": (STAFF, STAFF.c.sealed),
}
#: Nothing of these is shown in a case file or an export.
VERIFIED = {
    **SEALED,
    "a masked copy": (TEXTS, TEXTS.c.masked),
    "a model": (MODELS, MODELS.c.blob),
    "a history": (HISTORY_PARTS, HISTORY_PARTS.c.sealed),
    "a dead letter": (DEAD_LETTERS, DEAD_LETTERS.c.sealed),
    "a draft about an incident": (DRAFTS, DRAFTS.c.sealed),
    "a draft about a complaint": (DRAFTS, DRAFTS.c.sealed),
    "a reply that waits": (OBLIGATIONS, OBLIGATIONS.c.payload),
    "a payload of the desk": (OBLIGATIONS, OBLIGATIONS.c.payload),
    "a sketch": (LIKENESSES, LIKENESSES.c.sealed),
}


def flip_a_bit(store: Store, table: Table, column: Column, number: int = 0) -> None:
    """Flip the last bit of the value in one row."""

    def flip(tx: Tx) -> None:
        keys = list(table.primary_key.columns)
        rows = tx.connection.execute(select(*keys, column).where(column.is_not(None)).order_by(*keys)).all()
        row = rows[number]
        altered = row[-1][:-1] + bytes([row[-1][-1] ^ 1])
        same = [key == value for key, value in zip(keys, row, strict=False)]
        tx.update(table, *same, **{column.name: altered})

    store.write(flip)


def lose_events(store: Store, ref: str, *, but: int = 0) -> None:
    """Delete the events of a complaint, except the first `but`."""

    def lose(tx: Tx) -> None:
        if tx.is_sqlite:
            query = text("SELECT sql FROM sqlite_master WHERE name = 'events_append_only_delete'")
            before, after = (
                "DROP TRIGGER events_append_only_delete",
                tx.connection.execute(query).scalar_one(),
            )
        else:
            before, after = (
                f"ALTER TABLE events {verb} TRIGGER events_append_only" for verb in ("DISABLE", "ENABLE")
            )
        tx.connection.execute(text(before))
        tx.connection.execute(delete(EVENTS).where(EVENTS.c.ref == ref, EVENTS.c.seq > but))
        tx.connection.execute(text(after))

    store.write(lose)
    store._folded = FoldedCases()  # as after a restart


def _send(tx: Tx, ref: str) -> None:
    obligation = find_earliest(tx, ["fetch"], tx.now)
    assert obligation is not None
    begin_sending(tx, obligation, "We look at it.", template="receipt", language="en", ref=ref)


def a_full_record(store: Store) -> tuple[Desk, str]:
    """A complaint with something in every sealed column."""
    desk = Desk(store)
    photo = ReceivedFile("p1", "u1", "photo", "1", "image/jpeg", 3, "a.jpg")
    ref = desk.receive("The cellar is under water.", files=(photo,))
    store.write(store_file, ref, 1, b"abc", "image/jpeg")
    store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "customer", "C-77"))
    store.write(_send, ref)
    return desk, ref


def fill_the_desk(store: Store) -> None:
    """Something in every column that is sealed with the desk's own key."""
    store.write(keep_model, b"artefact", "a" * 64, {})
    store.write(keep_history, TrainingHistory("b" * 64, [{"text": "Brown water."}]))
    store.write(keep_dead_letter, "tg:broken", b"raw", "unparseable")
    store.write(keep_draft, None, HANDLER, "update", 0, {"letter": "It is mended."})


@pytest.mark.parametrize("kind", VERIFIED)
def test_verify_names_every_sealed_value_that_does_not_open(usual_store: Store, kind: str) -> None:
    desk, ref = a_full_record(usual_store)
    usual_store.write(write_sketch, ref, (b"8 bytes.",), cluster=ref)
    if kind == "a reply that waits":
        reply = NewObligation("say:1", "say", usual_store.now(), SendPriority.BULK)
        usual_store.write(insert_obligation, reply, ref, desk.chat(), {"template": "receipt"})
    if kind == "a payload of the desk":
        digest = NewObligation("digest:1", "digest", usual_store.now(), SendPriority.BULK)
        usual_store.write(insert_obligation, digest, payload={"text": "1 complaint"})
    if kind == "a draft about a complaint":
        usual_store.write(keep_draft, ref, HANDLER, "resolve", 0, {"letter": "It is dry."})
    else:
        fill_the_desk(usual_store)
    assert usual_store.read(verify).problems == ()
    flip_a_bit(usual_store, *VERIFIED[kind])
    (problem,) = usual_store.read(verify).problems
    assert "not open" in problem[2]


def test_verify_names_a_model_that_names_no_secret_and_opens_no_deleted_bytes(
    usual_store: Store,
) -> None:
    numbers = [usual_store.write(keep_model, b"artefact", sha256 * 64, {}) for sha256 in "ab"]
    blobs = dict(zip(numbers, (b"", b"none of our secrets"), strict=True))

    def alter(tx: Tx) -> None:
        for number, blob in blobs.items():
            tx.update(MODELS, MODELS.c.id == number, blob=blob)

    usual_store.write(alter)
    assert [tuple(damage[:3]) for damage in usual_store.read(verify).problems] == [
        ("-desk:models", 0, f"row {numbers[1]} of models does not open")
    ]


def test_a_model_moves_to_the_newest_key(sqlite_url: str, clock: FakeClock) -> None:
    old, new = b"old" + b"." * 29, b"new" + b"." * 29
    with opened(sqlite_url, clock, Keyring([old])) as store:
        number = store.write(keep_model, b"artefact", "a" * 64, {})
    with opened(sqlite_url, clock, Keyring([new, old])) as store:
        while store.write(rotate_keys):
            pass
    with opened(sqlite_url, clock, Keyring([new])) as store:
        assert store.read(list_stale_keys) == 0
        assert store.read(read_model_blob, number) == b"artefact"
        assert store.read(verify).problems == ()


def test_verify_names_all_damage_and_not_only_the_first(usual_store: Store) -> None:
    desk, ref = a_full_record(usual_store)
    desk.add(ref, "And the stairs.")
    other = desk.receive("No heating.", chat=desk.chat("70002"))
    lose_events(usual_store, other)
    flip_a_bit(usual_store, TEXTS, TEXTS.c.sealed)
    flip_a_bit(usual_store, MESSAGES, MESSAGES.c.sealed)
    problems = usual_store.read(verify).problems
    # The text may be of either complaint.
    assert {problem[0] for problem in problems} == {ref, other}
    assert len(problems) >= 3


@pytest.mark.parametrize("kind", SEALED)
def test_a_case_file_and_an_export_show_what_can_be_read_and_name_the_rest(
    usual_store: Store, kind: str
) -> None:
    desk, ref = a_full_record(usual_store)
    desk.add(ref, "And the stairs.")
    flip_a_bit(usual_store, *SEALED[kind])
    with collecting_damage() as damaged:
        record = usual_store.read(export_case, ref).record
        packed = archive(usual_store, usual_store.read(find_person, ref), LABELS)
    with zipfile.ZipFile(io.BytesIO(packed)) as opened_zip:
        data = json.loads(opened_zip.read("data.json"))
        page = opened_zip.read("index.html").decode()
    assert "And the stairs." in {entry["text"] for entry in record["texts"]}
    assert "And the stairs." in page
    if kind == "a member of staff":
        assert HANDLER in {member.id for member in usual_store.read(list_members)}
        return
    assert damaged
    assert data["unreadable"] == list(map(describe_damage, damaged))
    assert all(line in page for line in data["unreadable"])


def test_outside_of_an_export_a_damaged_text_is_still_refused(usual_store: Store) -> None:
    _, ref = a_full_record(usual_store)
    flip_a_bit(usual_store, TEXTS, TEXTS.c.sealed)
    with pytest.raises(SealBroken):
        usual_store.read(export_record, ref)
    with collecting_damage():
        assert usual_store.read(export_record, ref)["description"] == UNREADABLE


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_report_leaves_out_the_complaint_whose_events_are_lost_and_names_it(
    usual_store: Store, kept: int
) -> None:
    desk = Desk(usual_store)
    first, bad, last = (desk.closed() for _ in range(3))
    lose_events(usual_store, bad, but=kept)
    period = Period(usual_store.now() - timedelta(days=9), usual_store.now() + timedelta(days=9))
    with collecting_damage() as damaged:
        report = monitor(
            usual_store.for_monitoring(period.start, period.end), period=period, now=usual_store.now()
        )
        whole = [history.case.ref for history in usual_store.whole_record()]
    assert report.received == 2
    assert sorted(whole) == sorted([first, last])
    assert damaged == [f"complaints|{bad}|events"]


def test_a_damaged_complaint_is_left_out_of_the_draw_of_reviews(usual_store: Store) -> None:
    damaged = Desk(usual_store).closed()
    lose_events(usual_store, damaged, but=1)
    assert usual_store.write(draw_reviews, "2026-11", [damaged], 1, 1) == 0


def test_a_complaint_without_events_is_refused_by_its_reference_and_the_lists_go_on(
    usual_store: Store,
) -> None:
    desk = Desk(usual_store)
    bad = desk.receive()
    lose_events(usual_store, bad)
    with pytest.raises(DamagedCase, match=f"The events of {bad} cannot be read.*backup.*amends db verify"):
        usual_store.read(load_case, bad)
    again = desk.receive("The same person writes again.")
    assert usual_store.read(load_case, again).ref == again


def test_a_key_rotation_moves_everything_but_what_was_altered(sqlite_url: str, clock: FakeClock) -> None:
    old, new = b"old" + b"." * 29, b"new" + b"." * 29
    with opened(sqlite_url, clock, Keyring([old])) as store:
        a_full_record(store)
        flip_a_bit(store, PEOPLE, PEOPLE.c.key_wrapped)
        flip_a_bit(store, IDENTIFIERS, IDENTIFIERS.c.sealed)
    with opened(sqlite_url, clock, Keyring([new, old])) as store:
        damaged = set[str]()
        for _ in range(100):
            if not store.write(rotate_keys, damaged=damaged):
                break
        assert len(damaged) == 1
        assert store.read(list_stale_keys) == 1


@pytest.mark.parametrize("column", [COMPLAINTS.c.key_wrapped, PEOPLE.c.key_wrapped, STAFF.c.sealed])
def test_a_value_whose_first_bytes_name_no_key_is_named_and_the_rest_is_rotated_and_verified(
    sqlite_url: str, clock: FakeClock, column: Column
) -> None:
    table, old, new = column.table, b"old" + b"." * 29, b"new" + b"." * 29
    with opened(sqlite_url, clock, Keyring([old])) as store:
        a_full_record(store)
        store.write(record_key_use)
        row, value = store.read(lambda tx: tx.connection.execute(select(*table.primary_key, column)).first())
        value = bytes([value[0] ^ 1]) + value[1:]
        is_row = next(iter(table.primary_key)) == row
        store.write(lambda tx: tx.update(table, is_row, **{column.name: value}))
    with opened(sqlite_url, clock, Keyring([new, old])) as store:
        problems = store.read(verify).problems
        assert any(
            problem.ref in (row, f"person:{row}") or problem.table == table.name or str(row) in problem.why
            for problem in problems
        )
        damaged = set[str]()
        while store.write(rotate_keys, damaged=damaged):
            pass
        assert (damaged, store.read(list_stale_keys)) == ({f"{table.name} {row}"}, 1)


@pytest.fixture
def store_of_product(product: Product) -> Iterator[Store]:
    """The store of that installation."""
    clock = FakeClock(datetime(2026, 3, 4, 10, tzinfo=UTC))
    with opened(product.env["AMENDS_DATABASE_URL"], clock, Keyring([base64.b64decode(KEY)])) as store:
        yield store


async def test_the_command_line_names_the_damage_and_does_the_rest(
    product: Product, store_of_product: Store
) -> None:
    store = store_of_product
    desk, ref = a_full_record(store)
    lost = desk.receive("No heating.", chat=desk.chat("70009"))
    store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
    flip_a_bit(store, MESSAGES, MESSAGES.c.sealed)
    lose_events(store, lost)
    verified = await product.amends("db", "verify")
    filed = await product.amends("case", "file", ref, "-o", "a.pdf")
    exported = await product.amends("privacy", "export", "--complainant", ref, "-o", "a.zip")
    report = await product.amends("report", "monitoring")
    clauses = await product.amends("clauses", "--json")
    shown = await product.amends("case", "show", lost)
    assert verified.code == 1
    assert f"Not whole: {ref}" in verified.out
    assert f"Not whole: {lost}" in verified.out
    assert (filed.code, exported.code, report.code) == (0, 0, 0)
    for result in (filed, exported):
        assert f"damaged: {ref}: messages" in result.err or "damaged: " in result.err
        assert "backup" in result.err
    assert (product.folder / "a.pdf").read_bytes().startswith(b"%PDF")
    assert f"1 complaint cannot be read. It is in no figure.\n- Affected: {lost}." in report.out
    assert clauses.json["damaged"] == [lost]
    assert shown.code == 1
    assert lost in shown.err
    assert "Traceback" not in shown.err


async def test_the_due_times_are_explained_although_a_reason_is_damaged(
    product: Product, store_of_product: Store
) -> None:
    desk = Desk(store_of_product)
    store_of_product.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
    ref = desk.assessed()
    later = {"target": "first_action", "extended_to": "2026-03-12"}
    desk.act(ref, Verb.EXTEND, MANAGER, later, {"reason": "Two more readings."})
    flip_a_bit(store_of_product, TEXTS, TEXTS.c.sealed, -1)
    due = await product.amends("case", "due", ref)
    assert due.code == 0
    assert f"damaged: {ref}: texts" in due.err
    assert UNREADABLE in due.out
    assert due.out.startswith("acknowledgement, version 1")
    assert "first human contact, version 1" in due.out


def test_an_altered_key_of_a_person_without_any_sealed_value_is_named(
    sqlite_url: str, clock: FakeClock
) -> None:
    def add(tx: Tx) -> None:
        wrapped = tx.keys.wrap(b"k" * 32, place("people", "p1", "key"))
        tx.add(PEOPLE, id="p1", key_wrapped=wrapped, created_at=tx.now)

    with opened(sqlite_url, clock) as store:
        store.write(add)
        assert store.read(verify).problems == ()
        change = update(PEOPLE).where(PEOPLE.c.id == "p1").values(key_wrapped=b"")
        store.write(lambda tx: tx.connection.execute(change))
        assert [problem.ref for problem in store.read(verify).problems] == ["person:p1"]
