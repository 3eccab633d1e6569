"""The inner loops of benchmarks that no other test runs: each once, on a tiny record."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from unittest.mock import Mock

import pytest

from amends.demo.run import STORY_BEGINS, staged
from amends.demo.settings import STAFF
from benchmarks import alterations, large_log, lives, presses
from benchmarks.archive import ActionTimer
from benchmarks.life import WAITS, Life, Screens
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


async def test_the_benchmark_of_lives_waits_for_each_answer_of_a_life() -> None:
    async with staged(begins=STORY_BEGINS, ready=True, settings='[survey]\ndelay = "1 s"\n') as stage:
        screens, customer = Screens(stage.simulator), stage.simulator.customer("Anna")
        life = Life(
            screens, customer, stage.simulator.staff(STAFF["Alice"]), asyncio.Lock(), time.monotonic()
        )
        watching, living = asyncio.create_task(screens.watch()), asyncio.create_task(life.run(lives.STORY))
        while not living.done():
            await asyncio.sleep(0.05)
            await stage.advance(timedelta(seconds=5))
        watching.cancel()
        await living
    assert life.is_finished
    assert {*life.seconds} == {*WAITS}


def test_a_life_without_an_answer_was_never_started_and_one_after_a_second_is_late() -> None:
    waits = ((), (0.9,), (1.1,), (0.2,))
    repeat = lives.Repeat(
        [Mock(seconds={"prompt": [*wait]}, is_finished=wait == (0.2,)) for wait in waits], (), Counter()
    )
    assert repeat.shares() == "25.0%, 50.0%, 75.0%"
    assert repeat.waits("prompt") == "900, 1,100, 1,100"
