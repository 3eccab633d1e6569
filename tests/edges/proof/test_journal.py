"""The journal: what an upgrade anchors, what a verification checks again, and which changes it covers."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, insert, select, update

from amends.cli.db import verify_in_steps
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.custody import verify_case
from store.custody.verify import (
    Outside,
    begin_verification,
    end_verification,
    save_position,
    verify,
    verify_owners,
)
from store.database.journaled import JOURNALED
from store.database.keyring import unseal
from store.outbox.rows import obligation_row
from store.proof.log import add_checkpoint
from store.record.projections import complaint_row
from store.store import Store
from store.tables import JOURNAL, LOG_LEAVES, LOG_NODES, METADATA, OBLIGATIONS, READS, STAFF_ROLES
from store.values import Verification
from tests.edges.desk import Desk
from tests.edges.outsider import tamper

SEED = bytes(range(32))
#: How each table is verified that is not in the journal (docs/proof.md).
FOLDED = {"denied_members", "issues", "decisions", "measures", "remedies", "targets"}
LOG = {
    "journal",
    "journal_heads",
    "log_leaves",
    "log_nodes",
    "log_checkpoints",
    "log_signatures",
    "proof_keys",
}
OTHERS = FOLDED | LOG | {"sketches", "word_hashes"}
COORDINATION = {"leases", "proof_state", "rate_limits", "received_keys"}


def test_every_table_is_in_the_journal_or_verified_in_another_way() -> None:
    assert METADATA.tables.keys() - JOURNALED.keys() == OTHERS | COORDINATION


def test_a_transaction_writes_one_entry_for_each_owner_of_its_rows(store: Store) -> None:
    ref = Desk(store).receive()
    query = select(JOURNAL.c.owner, JOURNAL.c.entry).order_by(JOURNAL.c.id)
    entries = store.read(lambda tx: tx.connection.execute(query).all())
    of_case = [json.loads(row.entry) for row in entries if row.owner == ref]
    tables = {item[0] for item in of_case[0]["items"]}
    assert {"complaints", "events", "messages", "obligations", "texts"} <= tables
    assert [entry["n"] for entry in of_case] == list(range(1, len(of_case) + 1))


def test_a_forged_row_of_a_table_without_events_is_named_with_its_case_table_and_row(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    number = store.read(
        lambda tx: tx.connection.execute(select(READS.c.id).where(READS.c.ref == ref)).scalar()
    )
    tamper(store, update(READS).where(READS.c.id == number).values(by="U9"))
    (damage,) = store.read(verify).problems
    assert damage[:2] + damage[3:] == (ref, 0, "reads", str(number), "edited")
    assert "does not have the key" in damage.why


def test_a_verification_opens_each_text_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    Desk(store).assessed()
    opened = []

    def counted(key: bytes, sealed: bytes, place: str) -> str:
        opened.append(place)
        return unseal(key, sealed, place)

    monkeypatch.setattr(verify_case, "unseal", counted)
    assert store.read(verify, opens=False).problems == ()
    assert opened
    assert len(opened) == len(set(opened))


def test_a_role_given_by_an_outsider_is_found(store: Store) -> None:
    desk = Desk(store)
    row = {"member_id": "U1", "role": "top_management", "since": store.now(), "until": None}
    tamper(store, insert(STAFF_ROLES).values(**row))
    assert [damage.table for damage in store.read(verify).problems] == ["staff_roles"]
    assert desk


def test_only_what_changed_since_the_last_verified_checkpoint_is_checked_again(store: Store) -> None:
    desk = Desk(store)
    first, second = desk.assessed(), desk.assessed(chat=desk.chat("70002"))
    store.write(add_checkpoint, SEED)
    log, owners, *_ = store.read(begin_verification, full=False)
    assert {first, second} <= set(owners)
    store.write(end_verification, log, full=False, sound=True)
    desk.act(second, Verb.NOTE, words={"text": "Later."})
    owners = store.read(begin_verification, full=False)[1]
    assert (first in owners, second in owners) == (False, True)


@pytest.mark.parametrize("sound", [True, False])
def test_a_full_run_that_was_stopped_continues_and_a_damaged_record_is_not_called_verified(
    store: Store, sound: bool
) -> None:
    desk = Desk(store)
    refs = sorted(desk.assessed(chat=desk.chat(f"7000{n}")) for n in range(3))
    store.write(add_checkpoint, SEED)
    log, owners, *_ = store.read(begin_verification, full=True)
    store.read(verify_owners, refs[:2])
    store.write(save_position, refs[1], log)
    remaining = store.read(begin_verification, full=True)[1]
    assert [ref in remaining for ref in refs] == [False, False, True]
    assert len(remaining) < len(owners)
    store.write(end_verification, log, full=True, sound=sound)
    assert (refs[0] in store.read(begin_verification, full=False)[1]) is not sound


def _verify_in_steps(store: Store) -> Verification:
    return verify_in_steps(store, Outside(), full=False, show=lambda *_: None)


def test_a_default_run_reads_what_is_new_and_says_what_it_left_out(store: Store) -> None:
    desk = Desk(store)
    old, new = desk.assessed(), desk.assessed(chat=desk.chat("70002"))
    store.write(add_checkpoint, SEED)
    first = _verify_in_steps(store)
    assert (first.problems, first.verified_at, first.skipped_owners) == ((), None, 0)
    desk.act(new, Verb.NOTE, words={"text": "Later."})
    store.write(add_checkpoint, SEED)
    second = _verify_in_steps(store)
    assert (second.problems, second.cases) == ((), 1)
    assert second.verified_at is not None
    assert second.skipped_owners > 1
    assert second.skipped_log_entries > 1
    # A change of what is left out is found by a full run; then nothing is left out until the record is whole.
    tamper(store, update(READS).where(READS.c.ref == old).values(by="U9"))
    assert _verify_in_steps(store).problems == ()
    assert store.read(verify).problems[0].ref == old
    store.write(end_verification, {}, full=True, sound=False)
    assert _verify_in_steps(store).problems[0].ref == old
    assert _verify_in_steps(store).problems[0].ref == old


def test_a_default_run_reads_nothing_again_where_nothing_was_written(store: Store) -> None:
    desk = Desk(store)
    old, new = desk.assessed(), desk.assessed(chat=desk.chat("70002"))
    store.write(add_checkpoint, SEED)
    desk.act(new, Verb.NOTE, words={"text": "After the checkpoint."})
    assert _verify_in_steps(store).problems == ()
    assert store.read(begin_verification, full=False).owners == []
    assert _verify_in_steps(store).skipped_owners > 1
    # A later checkpoint adds no change of its rows either.
    store.write(add_checkpoint, SEED)
    assert store.read(begin_verification, full=False).owners == []
    assert _verify_in_steps(store).skipped_log_entries > 0
    desk.act(new, Verb.NOTE, words={"text": "Later."})
    owners = store.read(begin_verification, full=False).owners
    assert (old in owners, new in owners) == (False, True)
    tamper(store, update(READS).where(READS.c.ref == new).values(by="U9"))
    assert _verify_in_steps(store).problems[0].ref == new


def test_what_was_written_after_a_verification_and_is_in_a_checkpoint_since_is_read(store: Store) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    assert _verify_in_steps(store).problems == ()
    store.write(add_checkpoint, SEED)
    desk.act(ref, Verb.NOTE, words={"text": "Later."})
    store.write(add_checkpoint, SEED)
    assert ref in store.read(begin_verification, full=False).owners


def test_owners_beyond_the_number_that_is_remembered_are_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store)
    refs = sorted(desk.assessed(chat=desk.chat(f"7000{n}")) for n in range(2))
    monkeypatch.setattr("store.custody.verify.MOST_REMEMBERED", 1)
    assert _verify_in_steps(store).problems == ()
    assert set(refs) & set(store.read(begin_verification, full=False).owners)


def test_a_default_run_checks_new_entries_of_the_log_and_that_it_begins_with_the_verified_one(
    store: Store,
) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    for _ in range(2):
        desk.act(ref, Verb.NOTE, words={"text": "x"})
        store.write(add_checkpoint, SEED)
    assert _verify_in_steps(store).problems == ()
    desk.act(ref, Verb.NOTE, words={"text": "y"})
    store.write(add_checkpoint, SEED)
    last = store.read(lambda tx: tx.connection.execute(select(func.max(LOG_LEAVES.c.n))).scalar_one())
    tamper(store, update(LOG_LEAVES).where(LOG_LEAVES.c.n == last).values(data="{}"))
    assert "this entry of the log was changed" in {damage.why for damage in _verify_in_steps(store).problems}


def test_a_log_that_no_longer_begins_with_the_verified_entries_is_reported_by_a_default_run(
    store: Store,
) -> None:
    desk = Desk(store)
    ref = desk.assessed()
    store.write(add_checkpoint, SEED)
    assert _verify_in_steps(store).problems == ()
    desk.act(ref, Verb.NOTE, words={"text": "y"})
    store.write(add_checkpoint, SEED)
    top = store.read(lambda tx: tx.connection.execute(select(func.max(LOG_NODES.c.level))).scalar_one())
    tamper(store, update(LOG_NODES).where(LOG_NODES.c.level == top).values(hash=b"x" * 32))
    whys = {damage.why for damage in _verify_in_steps(store).problems}
    assert "the log does not begin with the entries that were verified last" in whys


def test_a_full_run_that_continues_covers_only_the_log_that_it_began_with(store: Store) -> None:
    desk = Desk(store)
    refs = sorted(desk.assessed(chat=desk.chat(f"7000{n}")) for n in range(2))
    store.write(add_checkpoint, SEED)
    log, *_ = store.read(begin_verification, full=True)
    store.write(save_position, refs[0], log)
    desk.act(refs[0], Verb.NOTE, words={"text": "After it was checked."})
    store.write(add_checkpoint, SEED)
    continued = store.read(begin_verification, full=True)
    assert (continued.log, refs[0] in continued.owners) == (log, False)
    assert continued.checked_before >= 1
    store.write(end_verification, continued.log, full=True, sound=True)
    assert refs[0] in store.read(begin_verification, full=False).owners


def test_a_read_that_a_holder_of_the_key_changes_is_reported(store: Store) -> None:
    ref = Desk(store).assessed()
    store.write(lambda tx: tx.update(READS, READS.c.ref == ref, by="U9"))
    (damage, *_) = store.read(verify).problems
    assert (damage.ref, damage.table, "never changed" in damage.why) == (ref, "reads", True)


def test_an_act_changes_no_column_of_its_complaint_that_the_journal_covers(sqlite_store: Store) -> None:
    desk = Desk(sqlite_store)
    columns = complaint_row(desk.case(desk.assessed())).keys()
    assert len(columns) > 20
    assert not columns & {column.name for column in JOURNALED["complaints"].columns}


def test_of_two_new_rows_with_the_same_key_the_one_that_was_inserted_is_noted(store: Store) -> None:
    Desk(store).assessed()
    rows = [
        obligation_row(
            NewObligation("a", "digest", store.now(), SendPriority.BULK, {"first": is_first}),
            scope="", ref=None, contact_id=None, at=store.now(),
        )
        for is_first in (True, False)
    ]  # fmt: skip
    store.write(lambda tx: tx.insert_missing(OBLIGATIONS, rows))
    assert store.read(verify).problems == ()
