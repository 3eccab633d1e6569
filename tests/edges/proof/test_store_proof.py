"""The record proves its integrity: `verify` detects and names every change made around the desk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from complaints.actors import Actor
from complaints.errors import ComplaintError
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.erase import erase_person
from store.cases.export import export_record
from store.cases.outgoing_messages import load_contact
from store.cases.read import load_case
from store.custody.verify import Outside, verify
from store.database.transaction import Tx
from store.proof.hash_chain import GENESIS, canonical, sha256
from store.proof.log import add_checkpoint
from store.record.load import load_event_words, load_texts
from store.rulebooks import use_rulebook
from store.store import Store
from store.tables import (
    COMPLAINTS,
    EVENTS,
    LOG_CHECKPOINTS,
    METADATA,
    PEOPLE,
    REMEDIES,
    TARGETS,
    TEXTS,
)
from tests.edges.desk import ASSESSED, HANDLER, TOP, Desk
from tests.edges.outsider import outside, tamper

SEED = bytes(range(32))
LOG_TABLES = {"log_leaves", "log_nodes", "log_checkpoints", "log_signatures", "proof_keys", "proof_state"}


def _row(store: Store, ref: str, seq: int) -> Any:
    query = select(EVENTS).where(EVENTS.c.ref == ref, EVENTS.c.seq == seq)
    return store.read(lambda tx: tx.connection.execute(query).one())


def _at(ref: str, seq: int) -> Any:
    return (EVENTS.c.ref == ref) & (EVENTS.c.seq == seq)


def _first_bad(store: Store) -> tuple[str, int] | None:
    bad = store.read(verify).first_bad
    return None if bad is None else bad[:2]


def test_an_untouched_record_verifies_and_counts_the_entries_without_a_checkpoint(store: Store) -> None:
    desk = Desk(store)
    desk.closed()
    desk.receive(chat=desk.chat("70002"))
    result = store.read(verify)
    assert (result.first_bad, result.cases, result.unsealed_tail) == (None, 2, result.entries)
    store.write(add_checkpoint, None)
    desk.receive(chat=desk.chat("70003"))
    assert store.read(verify).unsealed_tail == 1


@pytest.mark.parametrize("verb", ["UPDATE events SET by = 'x'", "DELETE FROM events"])
def test_the_database_refuses_to_change_or_delete_an_event(store: Store, verb: str) -> None:
    Desk(store).receive()
    with pytest.raises(DBAPIError, match="events are never changed"):
        store.write(lambda tx: tx.connection.execute(text(verb)))
    assert store.read(verify).first_bad is None


def test_an_altered_fact_is_detected(store: Store) -> None:
    ref = Desk(store).assessed()
    entry = _row(store, ref, 2).entry
    content = json.loads(entry)
    content["facts"]["severity"] = 1
    tamper(store, update(EVENTS).where(_at(ref, 2)).values(entry=canonical(content)))
    assert _first_bad(store) == (ref, 2)


def test_an_altered_fact_with_a_recomputed_hash_is_detected_by_its_mac(store: Store) -> None:
    ref = Desk(store).closed()
    content = json.loads(_row(store, ref, 2).entry)
    content["facts"]["severity"] = 1
    forged = canonical(content)
    tamper(store, update(EVENTS).where(_at(ref, 2)).values(entry=forged, hash=sha256(forged)))
    assert _first_bad(store) == (ref, 2)


def test_a_row_that_differs_from_its_entry_is_detected(store: Store) -> None:
    ref = Desk(store).closed()
    tamper(store, update(EVENTS).where(_at(ref, 3)).values(by="somebody else"))
    assert _first_bad(store) == (ref, 3)


def test_a_removed_middle_event_is_detected(store: Store) -> None:
    ref = Desk(store).closed()
    tamper(store, delete(EVENTS).where(_at(ref, 3)))
    assert _first_bad(store) == (ref, 3)


def test_reordered_events_are_detected(store: Store) -> None:
    ref = Desk(store).closed()
    tamper(
        store,
        update(EVENTS).where(_at(ref, 3)).values(seq=900),
        update(EVENTS).where(_at(ref, 4)).values(seq=3),
        update(EVENTS).where(_at(ref, 900)).values(seq=4),
    )
    assert _first_bad(store) == (ref, 3)


def test_a_truncated_chain_is_detected_by_the_complaints_own_row(store: Store) -> None:
    ref = Desk(store).assessed()
    tamper(store, delete(EVENTS).where(_at(ref, 2)))
    assert _first_bad(store) == (ref, 1)


def _truncate_chain_and_reset_rows(store: Store, desk: Desk) -> str:
    """A complaint whose note is cut off, with every projection reset to its earlier content."""
    ref = desk.receive()

    def snapshot(tx: Tx) -> Any:
        return dict(tx.connection.execute(select(COMPLAINTS).where(COMPLAINTS.c.ref == ref)).one()._mapping)

    before = store.read(snapshot)
    desk.act(ref, Verb.NOTE, words={"text": "This shall vanish."})
    store.write(add_checkpoint, None)
    tamper(
        store,
        delete(EVENTS).where(_at(ref, 2)),
        delete(TEXTS).where((TEXTS.c.ref == ref) & (TEXTS.c.seq == 2)),
        update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(**before),
    )
    return ref


def test_a_truncated_chain_with_reset_rows_is_detected_without_any_checkpoint(store: Store) -> None:
    ref = _truncate_chain_and_reset_rows(store, Desk(store))
    assert "deleted" in {damage.kind for damage in store.read(verify).problems}
    assert {damage.ref for damage in store.read(verify).problems} == {ref}


def test_a_case_that_was_set_back_with_its_journal_is_detected_by_the_log(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    tables = [table for table in METADATA.sorted_tables if table.name not in LOG_TABLES]
    with outside(store) as connection:
        rows = {table: connection.execute(select(table)).all() for table in tables}
    desk.act(ref, Verb.NOTE, words={"text": "This shall vanish."})
    with outside(store) as connection:
        _set_back(connection, rows)
    # Nothing outside of the database and no checkpoint covers the note yet (docs/proof.md, the last interval).
    assert store.read(verify).first_bad is None
    desk.act(ref, Verb.NOTE, words={"text": "This shall vanish."})
    store.write(add_checkpoint, SEED)
    with outside(store) as connection:
        _set_back(connection, rows)
    assert ref in {damage.ref for damage in store.read(verify).problems}


def test_a_log_that_was_set_back_with_everything_is_detected_by_a_checkpoint_kept_outside(
    store: Store,
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    store.write(add_checkpoint, SEED)
    with outside(store) as connection:
        rows = {table: connection.execute(select(table)).all() for table in METADATA.sorted_tables}
    desk.act(ref, Verb.NOTE, words={"text": "This shall vanish."})
    saved, _ = store.write(add_checkpoint, SEED)
    assert saved is not None
    kept = Outside(notes=(saved.note,))
    assert store.read(verify, kept).first_bad is None
    with outside(store) as connection:
        _set_back(connection, rows)
    assert store.read(verify).first_bad is None
    bad = store.read(verify, kept).first_bad
    assert bad is not None
    assert "was rolled back" in bad[2]


def _set_back(connection: Connection, rows: dict[Table, Sequence[Any]]) -> None:
    """Give these tables the rows of an earlier moment."""
    for table in reversed(rows):
        connection.execute(delete(table))
    for table, earlier in rows.items():
        if earlier:
            connection.execute(insert(table), [dict(row._mapping) for row in earlier])


def test_an_altered_checkpoint_is_detected(store: Store) -> None:
    Desk(store).receive()
    saved, _ = store.write(add_checkpoint, SEED)
    assert saved is not None
    tamper(store, update(LOG_CHECKPOINTS).values(note=saved.note.replace("amends/", "amendz/")))
    assert _first_bad(store) == (f"checkpoint {saved.size}", 0)


def test_a_checkpoint_of_nothing_new_is_the_one_before(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    (first, _), (again, _) = store.write(add_checkpoint, None), store.write(add_checkpoint, None)
    assert first == again
    desk.act(ref, Verb.NOTE, words={"text": "x"})
    second, more = store.write(add_checkpoint, None)
    assert (second.size, more) == (first.size + 1, False)
    assert store.read(verify).first_bad is None


def test_altered_ciphertext_does_not_open_and_is_detected(store: Store) -> None:
    ref = Desk(store).assessed()
    query = select(TEXTS.c.sealed).where(TEXTS.c.ref == ref, TEXTS.c.seq == 1)
    sealed: bytes = store.read(lambda tx: tx.connection.execute(query).scalar_one())
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    tamper(store, update(TEXTS).where(TEXTS.c.ref == ref, TEXTS.c.seq == 1).values(sealed=broken))
    assert _first_bad(store) == (ref, 1)


def test_words_encrypted_again_with_the_right_key_break_their_commitment(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()

    def forge(tx: Tx) -> None:
        from store.database.keyring import seal
        from store.record.load import load_case_file, text_place

        forged = seal(load_case_file(tx, ref).key(tx), "Nothing is wrong.", text_place(ref, 1, "description"))
        tx.update(TEXTS, TEXTS.c.ref == ref, TEXTS.c.seq == 1, sealed=forged)

    store.write(forge)
    assert store.read(verify).first_bad == (ref, 1, "the words are not those that were committed to")


@pytest.mark.parametrize(
    "statement",
    [
        lambda ref: update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(owner="U9"),
        lambda ref: update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(flags=["legal_hold"]),
        lambda ref: update(REMEDIES).where(REMEDIES.c.ref == ref).values(type="refund"),
        lambda ref: update(TARGETS).where(TARGETS.c.ref == ref).values(met_at=None),
        lambda ref: delete(TARGETS).where(TARGETS.c.ref == ref),
    ],
    ids=["owner", "flags", "remedy", "target", "targets gone"],
)
def test_a_projection_that_differs_from_the_fold_is_detected(
    store: Store, statement: Callable[[str], Any]
) -> None:
    ref = Desk(store).closed()
    tamper(store, statement(ref))
    bad = store.read(verify).first_bad
    assert bad is not None
    assert (bad[0], bad[2].startswith("the row")) == (ref, True)


def test_a_complaint_without_any_event_is_detected(store: Store) -> None:
    ref = Desk(store).receive()
    tamper(store, delete(EVENTS).where(EVENTS.c.ref == ref))
    assert store.read(verify).first_bad == (ref, 1, "this complaint has lost its events")


def test_after_erasure_the_words_are_gone_and_the_hash_chain_still_verifies(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    store.write(add_checkpoint, None)
    store.write(
        act, ref, Verb.ERASE, Actor(TOP, frozenset({Role.TOP_MANAGEMENT})), {}, {"reason": "asked for"}
    )
    result = store.read(verify)
    assert (result.first_bad, result.erased) == (None, 1)
    record = store.read(export_record, ref)
    assert (record["texts"], record["description"], record["close_code"]) == ([], None, "resolved")
    assert {message["text"] for message in record["messages"]} <= {None}
    assert (dict(store.read(load_event_words, ref, 1)), store.read(load_texts, ref)) == ({}, [])
    person = store.read(load_case, ref).complainant
    store.write(lambda tx: erase_person(tx, person))
    assert store.read(export_record, ref)["name"] is None
    assert store.read(load_contact, ref) is None
    assert store.read(verify).first_bad is None


def test_a_complaint_under_legal_hold_is_not_erased(store: Store) -> None:
    desk = Desk(store)
    ref = desk.closed()
    desk.act(ref, Verb.HOLD, "U3", words={"reason": "a claim"})
    with pytest.raises(ComplaintError):
        store.write(act, ref, Verb.ERASE, Actor(TOP, frozenset({Role.TOP_MANAGEMENT})))
    assert store.read(load_texts, ref)[0].text == "The water is brown."


def test_an_erased_person_who_writes_again_is_a_new_person(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    first = store.read(load_case, ref).complainant
    store.write(lambda tx: erase_person(tx, first))
    again = desk.receive()
    assert store.read(load_case, again).complainant != first
    erased = store.read(
        lambda tx: tx.connection.execute(select(PEOPLE.c.key_wrapped).where(PEOPLE.c.id == first)).scalar()
    )
    assert erased is None


def test_loading_other_rules_is_a_hash_chained_event_of_the_instance(store: Store) -> None:
    from dataclasses import replace

    from tests.edges.desk import RULES

    desk = Desk(store)
    before = desk.receive()
    assert store.write(use_rulebook, RULES) is False
    assert store.write(use_rulebook, replace(RULES, emergency_number="999")) is True
    after = desk.receive(chat=desk.chat("70002"))
    assert store.read(load_case, before).rules.emergency_number == "112"
    assert store.read(load_case, after).rules.emergency_number == "999"
    result = store.read(verify)
    assert (result.first_bad, result.cases, result.entries) == (None, 2, 4)


def test_an_entry_holds_the_commitment_to_the_words_and_no_word(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("Asealedword twice.")
    desk.act(ref, Verb.ASSESS, facts=ASSESSED, member=HANDLER)
    entry = json.loads(_row(store, ref, 1).entry)
    assert len(entry["commit"]) == 64
    assert "sealedword" not in json.dumps(entry)
    assert (entry["prev"], json.loads(_row(store, ref, 2).entry)["prev"]) == (
        GENESIS,
        _row(store, ref, 1).hash,
    )
    assert json.loads(_row(store, ref, 2).entry)["commit"] is None
