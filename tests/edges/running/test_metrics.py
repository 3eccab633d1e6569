"""The bodies of `/readyz` and `/metrics`: stable metric names, the queue by lane, no personal data."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import amends
from amends.runtime import unique_holder_name
from amends.runtime.metrics import COUNTERS, PART_GAUGES, Metrics, readiness, render_metrics
from amends.runtime.slack import SlackConnections
from complaints.case_values import RecordedSign
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.cases.receive_message import BEFORE_LETTERS
from store.database.leases import acquire_leadership, record_listener
from store.outbox.claim import claim, count_waiting
from store.outbox.complete import retry
from store.outbox.rows import insert_obligation
from store.proof.log import add_checkpoint
from store.record.measured import count_alarms
from store.store import Store
from store.values import QueueLength
from tests.databases import FakeClock
from tests.edges.desk import MANAGER, Desk

#: A line of Prometheus's text format: a comment, or a name with labels and a number.
_LINE = re.compile(
    r"# (HELP amends_\w+ .+|TYPE amends_\w+ (gauge|counter|histogram))"
    r'|amends_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+'
)
PARTS = {"store": True, "telegram": True, "slack": False}


def metric_names(page: str) -> set[str]:
    return {line.split(" ")[2] for line in page.splitlines() if line.startswith("# TYPE")}


def sample(page: str, name: str, **labels: str) -> float:
    """The value of one sample, read as Prometheus reads it: the order of labels does not matter."""
    (value,) = (
        candidate.value
        for family in text_string_to_metric_families(page)
        for candidate in family.samples
        if candidate.name == name and candidate.labels == labels
    )
    return value


def test_due_obligations_are_counted_by_lane_with_their_lateness(store: Store, clock: FakeClock) -> None:
    Desk(store).send_reply("a", "b")
    store.write(insert_obligation, NewObligation("survey:1", "survey", store.now(), SendPriority.BULK))
    clock.go_on(seconds=90)
    store.write(insert_obligation, NewObligation("survey:2", "survey", store.now(), SendPriority.BULK))
    (first,) = store.write(claim, ["say"], 1, -1.0)
    store.write(retry, first.id, 5.0, "away")
    (claimed,) = store.write(claim, ["survey"], 1, -1.0)
    assert claimed.lane is SendPriority.BULK
    waiting = store.read(count_waiting)
    assert waiting[SendPriority.DIALOGUE] == QueueLength(
        due=2, seconds_late=90.0 + BEFORE_LETTERS.total_seconds(), retried=1
    )
    assert waiting[SendPriority.BULK] == QueueLength(due=2, seconds_late=90.0, expired=1)
    assert waiting[SendPriority.DANGER] == QueueLength()


@pytest.mark.on_both
async def test_reading_the_figures_does_not_wait_for_writers(usual_store: Store) -> None:
    writing = threading.Event()
    busy = asyncio.ensure_future(usual_store.in_thread(writing.wait, 30.0))
    try:
        body = usual_store.in_reader_thread(readiness, usual_store, PARTS, {})
        assert (await asyncio.wait_for(body, 10.0))["store"]
        assert not busy.done()
    finally:
        writing.set()
        await busy


def test_every_line_of_the_metrics_is_valid_for_prometheus(store: Store) -> None:
    metrics = Metrics()
    metrics.increment("platform_calls_total", "telegram", "sendMessage", "429")
    metrics.increment("messages_total", 'odd "kind"\n', "sent")
    metrics.record_intake("taken", 0.007)
    page = render_metrics(store, PARTS, metrics, dict.fromkeys(PART_GAUGES, 1.5))
    assert [line for line in page.splitlines() if not _LINE.fullmatch(line.replace('\\"', ""))] == []
    call = {"platform": "telegram", "method": "sendMessage", "outcome": "429"}
    assert sample(page, "amends_platform_calls_total", **call) == 1
    assert sample(page, "amends_messages_total", kind='odd "kind"\n', state="sent") == 1
    assert sample(page, "amends_intake_seconds_bucket", le="0.005") == 0
    assert sample(page, "amends_intake_seconds_bucket", le="0.01") == 1
    assert sample(page, "amends_obligations_due", lane="danger") == 0


def test_counters_of_two_processes_are_separate_and_have_no_created_samples() -> None:
    counted, other = Metrics(), Metrics()
    counted.increment("updates_total", "taken")
    counted.record_intake("taken", 0.5)
    names = {sample.name for family in counted.registry.collect() for sample in family.samples}
    assert counted.registry.get_sample_value("amends_updates_total", {"outcome": "taken"}) == 2
    assert other.registry.get_sample_value("amends_updates_total", {"outcome": "taken"}) is None
    assert [name for name in names if name.endswith("_created")] == []


def test_without_the_database_the_process_still_reports_what_it_knows(store: Store) -> None:
    parts = {**PARTS, "store": False}
    page = render_metrics(store, parts, Metrics(), {"slack_socket_up": 0.0})
    assert 'amends_ready{part="store"} 0' in page
    assert "amends_slack_socket_up 0" in page
    assert "obligations_due" not in page
    assert readiness(store, parts, {}) == {**parts, "figures": {}}


def test_overdue_obligations_are_listed_and_never_make_a_process_unready(
    store: Store, clock: FakeClock
) -> None:
    store.write(insert_obligation, NewObligation("survey:1", "survey", store.now(), SendPriority.BULK))
    clock.go_on(hours=5)
    body = readiness(store, PARTS, {"telegram_polls": 1.0})
    assert body["figures"]["oldest_overdue_seconds"] == 5 * 3600
    assert {name: body[name] for name in PARTS} == PARTS


@pytest.mark.on_both
def test_dangers_are_counted_by_kind_with_the_complaints_of_the_last_30_days(
    usual_store: Store, clock: FakeClock
) -> None:
    desk = Desk(usual_store)
    certain = RecordedSign("gas.gas_smell", 4, 3, True, clock(), seq=1)
    possible = RecordedSign("gas.gas_likely", 4, 2, False, clock(), seq=1, look=True)
    for number, signs in enumerate([(), (certain,), (possible,), ()]):
        ref = desk.receive(chat=desk.chat(f"7000{number}"), signs=signs)
        if possible in signs:
            desk.act(ref, Verb.RECEIPT, MANAGER)
    page = render_metrics(usual_store, PARTS, Metrics(), {})
    assert sample(page, "amends_complaints_in_30_days") == 4
    assert sample(page, "amends_dangers_in_30_days", kind="page") == 1
    assert sample(page, "amends_dangers_in_30_days", kind="look") == 1
    clock.go_on(hours=30 * 24 + 1)
    assert usual_store.read(count_alarms) == {"complaints": 0, "page": 0, "look": 0}


def test_every_metric_is_documented_for_operators(usual_store: Store) -> None:
    usual_store.write(insert_obligation, NewObligation("tidy:1", "tidy", usual_store.now()))
    usual_store.write(add_checkpoint, None)
    page = render_metrics(usual_store, PARTS, Metrics(), dict.fromkeys(PART_GAUGES, 1.0))
    page_of_docs = (Path(amends.__file__).parent.parent / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"`(amends_\w+)", page_of_docs))
    assert metric_names(page) == documented
    assert {f"amends_{name}" for name in COUNTERS} <= documented


async def test_more_connections_than_processes_are_counted_as_ghosts(store: Store) -> None:
    first, second = (
        SlackConnections(store, Metrics(), holder="a:1"),
        SlackConnections(store, Metrics(), holder="b:2"),
    )
    first.on_frame({"type": "hello", "num_connections": 1})
    assert await first.count_ghosts() == 0
    first.on_frame({"type": "hello", "num_connections": 2})
    assert await first.count_ghosts() == 1
    await second.count_ghosts()
    assert await first.count_ghosts() == 0


async def test_two_containers_with_the_same_host_name_count_as_two_processes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "desk")
    monkeypatch.setattr("os.getpid", lambda: 1)
    first, second = SlackConnections(store, Metrics()), SlackConnections(store, Metrics())
    await second.count_ghosts()
    first.on_frame({"type": "hello", "num_connections": 2})
    assert await first.count_ghosts() == 0
    assert store.write(acquire_leadership, "telegram-poller", unique_holder_name(), 60) is not None
    assert store.write(acquire_leadership, "telegram-poller", unique_holder_name(), 60) is None


async def test_connections_that_slack_closed_are_counted_by_reason(usual_store: Store) -> None:
    metrics = Metrics()
    lines = SlackConnections(usual_store, metrics, holder="a:1")
    for reason in ("refresh_requested", "warning", "link_disabled"):
        lines.on_frame({"type": "disconnect", "reason": reason})
    lines.on_frame({"type": "hello", "num_connections": 1})
    value = metrics.registry.get_sample_value
    assert value("amends_slack_socket_disconnects_total", {"reason": "link_disabled"}) == 1
    assert value("amends_slack_socket_connects_total") == 1


def test_a_process_whose_registration_expired_does_not_count_as_listening(store: Store) -> None:
    store.write(record_listener, "slack-line", "a:1", -1.0)
    assert store.write(record_listener, "slack-line", "b:2", 60.0) == 1
    assert store.write(record_listener, "other", "a:1", 60.0) == 1
