"""The inner loops of benchmarks that no other test runs: each once, on a tiny record."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from benchmarks import alterations, large_log, presses
from benchmarks.archive import ActionTimer
from store.outbox.claim import claim
from store.rulebooks import use_rulebook
from store.slack_posts import list_posts
from store.store import Store
from tests.rules.slack_cases import RULES

pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_archive_benchmark_takes_a_complaint_from_receipt_to_closing(sqlite_store: Store) -> None:
    timer = ActionTimer(sqlite_store)
    assert len({*timer.case(1)}) == 1
    assert {"receive a first message", "begin sending a message", "close", "list complaints"} <= {
        *timer.seconds
    }


def test_the_benchmark_of_a_large_log_proves_and_verifies_it(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_log, "PROOFS", 3)
    figures = large_log.measure(sqlite_store, 200)
    assert "(met)" in figures["receipt with its proof, bytes, most"]


def test_a_restored_erased_purged_and_rotated_record_raises_no_alarm(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "a.db")
    kinds = sorted(alterations.TREATMENTS, key=alterations.LAST.__contains__)
    assert alterations.verify_treated(f"sqlite:///{tmp_path / 'a.db'}", tmp_path, kinds, Random(3)) == []


def test_the_benchmark_of_alterations_counts_those_that_were_named(
    sqlite_template: Path, tmp_path: Path
) -> None:
    @contextmanager
    def lent() -> Iterator[str]:
        shutil.copy(sqlite_template, tmp_path / "a.db")
        yield f"sqlite:///{tmp_path / 'a.db'}"

    for table in (alterations.by_database_writers, alterations.by_key_holders):
        columns = table("SQLite", lent, 2).columns
        assert "NOT met" not in [*columns[-1].cells]


def test_the_benchmark_of_presses_begins_with_posted_cards_and_with_waiting_ones(sqlite_store: Store) -> None:
    sqlite_store.write(use_rulebook, RULES)
    _, pressed, _, ts = presses.posted(sqlite_store, 1)
    waiting = presses.received(sqlite_store, 2)

    assert [post.ts for post in sqlite_store.read(list_posts, pressed)] == [ts]
    assert [card.ref for card in sqlite_store.write(claim, ("card",), 9, 60)] == [waiting]
