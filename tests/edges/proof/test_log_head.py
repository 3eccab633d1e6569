"""The head of the log outside of the database: an emptied or older database is refused at the start and named."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete

from amends.checkpoints import CheckpointSender
from amends.log_head import OlderDatabase, advance_head, head_file, kept_head
from amends.process import _open
from amends.settings import load
from store.custody.verify import Outside, verify
from store.custody.verify_log import HEAD
from store.database.errors import StoreError
from store.outbox.claim import claim
from store.proof.hash_chain import list_instance_events
from store.proof.log import add_checkpoint, latest_checkpoint
from store.store import Store, open_store
from store.tables import (
    LOG_CHECKPOINTS,
    METADATA,
    PROOF_STATE,
)
from store.values import Damage
from tests.databases import KEYS
from tests.edges.desk import Desk
from tests.edges.outsider import LOG_TABLES, outside, remove_complaint_and_empty_log, tamper
from tests.edges.product import Product
from tests.edges.product_desk import desk_of

#: Of updates, so that none is a repeat.
_NUMBERS = count(1)
Rows = Mapping[Table, list[dict[str, Any]]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the desk keeps the head of its log."""
    return tmp_path / HEAD


def _grow(store: Store, file: Path, *chats: str) -> list[str]:
    """Receive a complaint from each chat, and keep the head of the checkpoint after them."""
    desk = Desk(store, _NUMBERS)
    refs = [desk.receive(chat=desk.chat(chat)) for chat in chats]
    store.write(add_checkpoint, None)
    advance_head(store, file)
    return refs


def _url(store: Store) -> str:
    return store._engines.url.render_as_string(hide_password=False)


def _size(file: Path) -> int:
    kept = kept_head(file)
    assert kept is not None
    return kept.checkpoint.size


def _named(store: Store, file: Path) -> list[Damage]:
    """The damage that `db verify` names because of the file."""
    return [
        damage for damage in store.read(verify, Outside(head=kept_head(file))).problems if damage.ref == HEAD
    ]


def _copy(store: Store, tables: Iterable[Table] = METADATA.sorted_tables) -> Rows:
    """The rows of these tables, as somebody with the database can copy them."""
    with outside(store) as connection:
        return {
            table: [dict(row) for row in connection.execute(table.select()).mappings()] for table in tables
        }


def _put_back(store: Store, rows: Rows) -> None:
    with outside(store) as connection:
        for table in reversed(rows):
            connection.execute(delete(table))
        for table, of_table in rows.items():
            if of_table:
                connection.execute(table.insert(), of_table)


def test_the_file_has_the_newest_head_and_only_its_owner_reads_it(store: Store, file: Path) -> None:
    advance_head(store, file)
    _grow(store, file, "70001")
    newest, kept = store.read(latest_checkpoint), kept_head(file)
    assert newest is not None
    assert kept is not None
    assert (kept.checkpoint.size, kept.checkpoint.root) == (newest.size, newest.root)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir() if entry.name.startswith(".")] == []
    advance_head(store, file)
    result = store.read(verify, Outside(head=kept))
    assert (result.problems, result.compared_with) == ((), ((HEAD, newest.size),))


def test_a_log_without_its_newest_checkpoint_does_not_set_the_file_back(store: Store, file: Path) -> None:
    _grow(store, file, "70001")
    _grow(store, file, "70002")
    size = _size(file)
    tamper(store, delete(LOG_CHECKPOINTS).where(LOG_CHECKPOINTS.c.size == size))
    advance_head(store, file)
    assert _size(file) == size


@pytest.mark.parametrize("early", [False, True], ids=["emptied", "set-back"])
def test_a_complaint_removed_with_the_log_and_its_counts_is_refused_at_the_start_and_named(
    store: Store, file: Path, *, early: bool
) -> None:
    _grow(store, file, "70001")
    log = _copy(store, LOG_TABLES) if early else {}
    left = _size(file) if early else 0
    ref, _ = _grow(store, file, "70002", "70003")
    size = _size(file)
    remove_complaint_and_empty_log(store, ref)
    _put_back(store, log)
    with pytest.raises(OlderDatabase, match=r"(?s)the log was rolled back.*db restore FILE.*db new-start"):
        advance_head(store, file)
    assert [(damage.why, damage.kind) for damage in _named(store, file)] == [
        (f"the log was rolled back: it has {left} entries, and had {size}", "deleted")
    ]


def test_a_database_set_back_as_a_whole_is_refused_at_the_start_and_named(store: Store, file: Path) -> None:
    _grow(store, file, "70001")
    older = _copy(store)
    _grow(store, file, "70002")
    _put_back(store, older)
    # Nothing inside shows it.
    assert store.read(verify).problems == ()
    with pytest.raises(OlderDatabase, match="was rolled back"):
        advance_head(store, file)
    (damage,) = _named(store, file)
    assert "was rolled back" in damage.why
    # Also after the desk of somebody else grew it further than it had been.
    desk = Desk(store, _NUMBERS)
    for number in range(3, 9):
        desk.receive(chat=desk.chat(f"7000{number}"))
    store.write(add_checkpoint, None)
    (damage,) = _named(store, file)
    assert "are not those of this checkpoint" in damage.why


def test_a_short_head_from_the_digest_names_a_log_that_was_set_back_or_is_another(
    store: Store, file: Path
) -> None:
    _grow(store, file, "70001")
    older = _copy(store)
    _grow(store, file, "70002")
    newest = store.read(latest_checkpoint)
    assert newest is not None
    head = f"{newest.size}:{newest.root.hex()[:16]}"
    same = store.read(verify, Outside(short_heads=(head,)))
    assert (same.problems, same.compared_with) == ((), ((f"head {head}", newest.size),))
    (other,) = store.read(verify, Outside(short_heads=(f"{newest.size}:{'0' * 16}",))).problems
    assert "are not those of this checkpoint" in other.why
    _put_back(store, older)
    (damage,) = store.read(verify, Outside(short_heads=(head,))).problems
    assert (damage.ref, "was rolled back" in damage.why) == (f"head {head}", True)


def test_an_older_record_under_the_newest_log_is_named(store: Store, file: Path) -> None:
    _grow(store, file, "70001")
    older = _copy(store)
    _grow(store, file, "70002")
    newest = _copy(store, LOG_TABLES)
    _put_back(store, {**older, **{table: newest[table] for table in older if table in newest}})
    # The start compares the size and the root alone.
    advance_head(store, file)
    assert any(
        "its journal is not the one in the log" in damage.why for damage in store.read(verify).problems
    )


def test_an_emptied_database_and_another_one_are_refused_at_the_start(store: Store, file: Path) -> None:
    _grow(store, file, "70001")
    _put_back(store, {table: [] for table in METADATA.sorted_tables})
    with pytest.raises(OlderDatabase, match="the database is empty, or lost the key of its log"):
        _open(_url(store), KEYS, file)
    (damage,) = _named(store, file)
    assert "the database is empty" in damage.why
    with closing(open_store(_url(store), KEYS)) as other:
        Desk(other).receive()
        other.write(add_checkpoint, None)
        with pytest.raises(OlderDatabase, match="it is of another log"):
            advance_head(other, file)


def test_a_confirmed_new_start_is_on_record_and_older_files_of_other_machines_follow_it(
    store: Store, file: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    _grow(store, file, "70001")
    older = _copy(store)
    _grow(store, file, "70002")
    advance_head(store, elsewhere)
    left = _size(file)
    _put_back(store, older)
    advance_head(store, file, confirmed_by="operator:mona")
    (event,) = store.read(list_instance_events, "new_start")
    assert event["facts"] == {"number": 1, "left": left, "by": "operator:mona"}
    assert _size(file) < left
    for kept in (file, elsewhere):
        advance_head(store, kept)
        assert _size(kept) < left
    # A copy from before the new start is an older database too, and so is one without the count of new starts.
    tamper(store, delete(PROOF_STATE).where(PROOF_STATE.c.name == "start"))
    with pytest.raises(OlderDatabase, match="a new start was confirmed 1 times, and this database knows 0"):
        advance_head(store, elsewhere)
    _put_back(store, older)
    with pytest.raises(OlderDatabase):
        advance_head(store, file)


def test_a_file_that_cannot_be_read_stops_the_start_and_one_that_cannot_be_written_does_not(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _grow(store, file, "70001")
    url = _url(store)

    def full(file: Path, text: str) -> None:
        raise OSError("no space")

    file.write_text("{}", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be read"):
        _open(url, KEYS, file)
    file.unlink()
    monkeypatch.setattr("amends.log_head.write_durably", full)
    with closing(_open(url, KEYS, file)):
        assert not file.exists()


async def test_each_checkpoint_advances_the_file_and_managers_hear_of_a_log_that_was_set_back(
    usual_store: Store, place: Path
) -> None:
    store, settings = usual_store, load(place)
    outcomes: list[tuple[str, str]] = []
    sender = CheckpointSender(settings, store, lambda place, outcome: outcomes.append((place, outcome)))
    Desk(store, _NUMBERS).receive()
    older = _copy(store)
    store.write(add_checkpoint, None)
    await sender.send()
    _put_back(store, older)
    await sender.send()
    assert [outcome for place, outcome in outcomes if place == "log_head"] == ["ok", "inconsistent"]
    assert [dict(alarm.facts) for alarm in store.write(claim, ["told_failed"], 10, 60)] == [
        {"kind": "witness", "witness": "log_head"}
    ]
    assert head_file(settings).exists()


@pytest.mark.on_both
async def test_the_commands_refuse_compare_and_confirm(product: Product) -> None:
    with desk_of(product, datetime(2026, 3, 4, 10, tzinfo=UTC)) as desk:
        _grow(desk.store, product.folder / HEAD, "70001")
        backup = await product.amends("db", "backup", "copy.db")
        older = _copy(desk.store)
        _grow(desk.store, product.folder / HEAD, "70002")
        size = _size(product.folder / HEAD)
        well = await product.amends("db", "verify")
        malformed = await product.amends("db", "verify", "--head", f"{size}:xyz")
        other_head = await product.amends("db", "verify", "--head", f"{size}:{'0' * 16}")
        unneeded = await product.amends("db", "new-start")
        _put_back(desk.store, older)
        named = await product.amends("db", "verify")
        started = await product.amends("run", "--only", "web")
        declined = await product.amends("db", "new-start", stdin="n\n")
        confirmed = await product.amends("db", "new-start", stdin="y\n")
        after = await product.amends("db", "verify")
    assert (backup.code, well.code) == (0, 0)
    assert f"Compared with: {HEAD} ({size} entries of the log)" in well.out
    assert (malformed.code, other_head.code, "are not those of this checkpoint" in other_head.out) == (
        2,
        1,
        True,
    )
    assert (unneeded.code, "Nothing to confirm" in unneeded.err) == (0, True)
    assert (named.code, "was rolled back" in named.out) == (1, True)
    assert (started.code, "The desk does not start" in started.err) == (1, True)
    assert (declined.code, "Nothing was changed" in declined.err) == (1, True)
    assert (confirmed.code, after.code) == (0, 0)


async def test_a_restored_backup_is_a_new_start_after_a_question_and_a_test_of_it_changes_nothing(
    product: Product,
) -> None:
    file = product.folder / HEAD
    elsewhere = {"AMENDS_DATABASE_URL": f"sqlite:///{product.folder / 'new.db'}"}
    with desk_of(product, datetime(2026, 3, 4, 10, tzinfo=UTC)) as desk:
        _grow(desk.store, file, "70001")
        await product.amends("db", "backup", "copy.db")
        _grow(desk.store, file, "70002")
        refused = await product.amends("db", "restore", "copy.db", env=elsewhere)
        assert (refused.code, "Nothing was restored" in refused.err) == (1, True)
        assert not (product.folder / "new.db").exists()
        assert (await product.amends("db", "restore", "copy.db", "--yes", env=elsewhere)).code == 0
        # The desk goes on with its own database.
        advance_head(desk.store, file)
        before = file.read_bytes()
        with closing(open_store(elsewhere["AMENDS_DATABASE_URL"], desk.store._keys)) as restored:
            advance_head(restored, file)
            file.write_bytes(before)
            _grow(desk.store, file, "70003")
            # What it has now was lost to nobody's knowledge.
            with pytest.raises(OlderDatabase, match="there were more of them later"):
                advance_head(restored, file)
            file.write_bytes(before)
            advance_head(restored, file)
        with pytest.raises(OlderDatabase, match="a new start was confirmed 1 times"):
            advance_head(desk.store, file)
    well = await product.amends("db", "verify", env=elsewhere)
    assert (well.code, f"Compared with: {HEAD}" in well.out) == (0, True)
