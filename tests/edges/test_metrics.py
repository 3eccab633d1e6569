"""What `/readyz` and `/metrics` tell: figures with stable names, the queue by lane, and nothing of anybody."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path

import pytest

import amends
from amends.runtime.metrics import COUNTED, OF_PARTS, Tally, condition, figures
from amends.runtime.names import name_of_holder
from amends.runtime.slack_connections import Lines
from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.leases import acquire_leadership, record_listener
from store.outbox.claim import claim
from store.outbox.complete import retry
from store.outbox.rows import insert_obligation
from store.outbox.stats import count_waiting
from store.store import Store
from store.values import QueueLength
from tests.databases import FakeClock
from tests.edges.desk import Desk

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both

#: A line of Prometheus's text format: a comment, or a name with labels and a number.
_LINE = re.compile(
    r"# (HELP amends_\w+ .+|TYPE amends_\w+ (gauge|counter|histogram))"
    r'|amends_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+'
)
PARTS = {"store": True, "telegram": True, "slack": False}


def names(page: str) -> set[str]:
    """Of every figure told."""
    return {line.split(" ")[2] for line in page.splitlines() if line.startswith("# TYPE")}


def test_what_is_due_is_told_by_lane_with_its_lateness(store: Store, clock: FakeClock) -> None:
    Desk(store).say("a", "b")
    store.write(insert_obligation, NewObligation("survey:1", "survey", store.now(), SendPriority.BULK))
    clock.go_on(seconds=90)
    store.write(insert_obligation, NewObligation("survey:2", "survey", store.now(), SendPriority.BULK))
    (first,) = store.write(claim, ["say"], 1, -1.0)
    store.write(retry, first.id, 5.0, "away")
    (held,) = store.write(claim, ["survey"], 1, -1.0)
    assert held.lane is SendPriority.BULK
    waiting = store.read(count_waiting)
    assert waiting[SendPriority.DIALOGUE] == QueueLength(due=2, late=90.0, retried=1)
    assert waiting[SendPriority.BULK] == QueueLength(due=2, late=90.0, expired=1)
    assert waiting[SendPriority.DANGER] == QueueLength()


async def test_what_is_told_does_not_wait_for_those_that_write(usual_store: Store) -> None:
    writing = threading.Event()
    busy = asyncio.ensure_future(usual_store.in_thread(writing.wait, 30.0))
    try:
        told = usual_store.in_reader_thread(condition, usual_store, PARTS, {})
        assert (await asyncio.wait_for(told, 10.0))["store"]
        assert not busy.done()
    finally:
        writing.set()
        await busy


def test_every_line_is_one_that_prometheus_reads(store: Store) -> None:
    tally = Tally()
    tally.count("platform_calls_total", "telegram", "sendMessage", "429")
    tally.count("messages_total", 'odd "kind"\n', "sent")
    tally.took_in("taken", 0.007)
    page = figures(store, PARTS, tally, dict.fromkeys(OF_PARTS, 1.5))
    assert [line for line in page.splitlines() if not _LINE.fullmatch(line.replace('\\"', ""))] == []
    assert 'amends_platform_calls_total{platform="telegram",method="sendMessage",outcome="429"} 1' in page
    assert 'amends_intake_seconds_bucket{le="0.005"} 0' in page
    assert 'amends_intake_seconds_bucket{le="0.01"} 1' in page
    assert 'amends_duties_due{lane="danger"} 0' in page


def test_while_the_store_is_away_the_process_still_tells_what_it_knows(store: Store) -> None:
    parts = {**PARTS, "store": False}
    page = figures(store, parts, Tally(), {"slack_socket_up": 0.0})
    assert 'amends_ready{part="store"} 0' in page
    assert "amends_slack_socket_up 0" in page
    assert "duties_due" not in page
    assert condition(store, parts, {}) == {**parts, "figures": {}}


def test_what_is_overdue_is_shown_and_takes_nobody_out_of_rotation(store: Store, clock: FakeClock) -> None:
    store.write(insert_obligation, NewObligation("survey:1", "survey", store.now(), SendPriority.BULK))
    clock.go_on(hours=5)
    told = condition(store, PARTS, {"telegram_polls": 1.0})
    assert told["figures"]["oldest_overdue_seconds"] == 5 * 3600
    assert {name: told[name] for name in PARTS} == PARTS


def test_every_figure_is_explained_to_operators(usual_store: Store) -> None:
    page = figures(usual_store, PARTS, Tally(), dict.fromkeys(OF_PARTS, 1.0))
    told = (Path(amends.__file__).parent.parent / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"`(amends_\w+)", told))
    assert names(page) == documented
    assert {f"amends_{name}" for name in COUNTED} <= documented


async def test_more_lines_than_processes_are_ghosts(store: Store) -> None:
    one, other = Lines(store, Tally(), holder="a:1"), Lines(store, Tally(), holder="b:2")
    one.heard({"type": "hello", "num_connections": 1})
    assert await one.compare() == 0
    one.heard({"type": "hello", "num_connections": 2})
    assert await one.compare() == 1
    await other.compare()
    assert await one.compare() == 0


async def test_two_containers_of_one_name_are_two_processes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "desk")
    monkeypatch.setattr("os.getpid", lambda: 1)
    one, other = Lines(store, Tally()), Lines(store, Tally())
    await other.compare()
    one.heard({"type": "hello", "num_connections": 2})
    assert await one.compare() == 0
    assert store.write(acquire_leadership, "telegram-poller", name_of_holder(), 60) is not None
    assert store.write(acquire_leadership, "telegram-poller", name_of_holder(), 60) is None


async def test_why_slack_ended_a_line_is_counted(usual_store: Store) -> None:
    tally = Tally()
    lines = Lines(usual_store, tally, holder="a:1")
    for reason in ("refresh_requested", "warning", "link_disabled"):
        lines.heard({"type": "disconnect", "reason": reason})
    lines.heard({"type": "hello", "num_connections": 1})
    assert tally.of("slack_socket_disconnects_total", "link_disabled") == 1
    assert tally.of("slack_socket_connects_total") == 1


def test_a_process_that_no_longer_says_so_does_not_listen(store: Store) -> None:
    store.write(record_listener, "slack-line", "a:1", -1.0)
    assert store.write(record_listener, "slack-line", "b:2", 60.0) == 1
    assert store.write(record_listener, "other", "a:1", 60.0) == 1
