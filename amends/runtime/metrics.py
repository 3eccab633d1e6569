"""Metrics for Prometheus: counters of this process, and what waits in the store, read at each scrape.

Names and labels are a contract with operators (docs/metrics.md). Values are counts and seconds, never personal data.
Why each process has a registry of its own: docs/decisions/0072-metrics-with-an-own-registry.md.
"""

import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily

from complaints.obligations.kinds import SendPriority
from store.outbox.claim import count_waiting
from store.outbox.failed import list_dead_letters, list_failed
from store.proof.log import latest_checkpoint
from store.record.measured import count_alarms
from store.store import Store

# Without this every counter and histogram gets a further `_created` sample. The switch is global to the process, but
# no other module uses the library.
disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_METRICS = tomllib.loads(Path(__file__).with_name("metrics.toml").read_text(encoding="utf-8"))
#: Counters by name: their `description`, and their `labels`.
COUNTERS: Mapping[str, Mapping[str, Any]] = _METRICS["counters"]
#: Upper bounds of the intake histogram, in seconds.
INTAKE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Descriptions of the Telegram and Slack parts' gauges, which are present where that part runs in this process.
PART_GAUGES: Mapping[str, str] = _METRICS["part_gauges"]


class Metrics:
    """The counters of one process, starting at 0, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"amends_{name}", counter["description"], counter["labels"], registry=self.registry)
            for name, counter in COUNTERS.items()
        }
        self._intake = Histogram(
            "amends_intake_seconds",
            "From receiving an update to its commit.",
            buckets=INTAKE_BUCKETS,
            registry=self.registry,
        )
        Gauge(
            "amends_process_start_time_seconds",
            "When this process started, in seconds since 1970.",
            registry=self.registry,
        ).set_to_current_time()

    def increment(self, name: str, *labels: str) -> None:
        """Add 1 to a counter of COUNTERS; its labels in the order given there."""
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc()

    def record_intake(self, outcome: str, seconds: float) -> None:
        """Count a Telegram update by its outcome, with the seconds that handling it took."""
        self.increment("updates_total", outcome)
        self._intake.observe(seconds)


def render_metrics(
    store: Store, parts: Mapping[str, bool], metrics: Metrics, gauges: Mapping[str, float]
) -> str:
    """The body of `/metrics`. While the database is unavailable, only what this process knows without it."""
    families = [_ready(parts), *_part_gauges(gauges), *metrics.registry.collect()]
    if parts.get("store"):
        families += _store_gauges(store)
    return _rendered(families)


def render_metrics_without_store() -> str:
    """The body of `/metrics` while the database has been unavailable since the start."""
    return _rendered([_ready({"store": False})])


def readiness(store: Store, parts: Mapping[str, bool], gauges: Mapping[str, float]) -> dict[str, Any]:
    """The body of `/readyz`: which parts can work, and the figures behind it.

    Overdue obligations are listed but never make a process unready: without incoming calls it would not catch up any
    faster.
    """
    figures = {name: round(value, 3) for name, value in gauges.items()}
    if parts.get("store"):
        start = time.perf_counter()
        late = max((lane.seconds_late for lane in store.read(count_waiting).values()), default=0.0)
        figures |= {
            "oldest_overdue_seconds": round(late, 3),
            "store_seconds": round(time.perf_counter() - start, 6),
        }
    return {**parts, "figures": figures}


@dataclass(frozen=True)
class _Scrape:
    """The metrics of one scrape. Two scrapes at a time share nothing that one of them could change."""

    families: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def _rendered(families: Iterable[Metric]) -> str:
    return generate_latest(_Scrape(families)).decode()


def _ready(parts: Mapping[str, bool]) -> Metric:
    return _labelled_gauge("ready", _METRICS["gauges"]["ready"], "part", parts)


def _part_gauges(gauges: Mapping[str, float]) -> Iterator[Metric]:
    for name, description in PART_GAUGES.items():
        if name in gauges:
            yield GaugeMetricFamily(f"amends_{name}", description, value=gauges[name])


def _store_gauges(store: Store) -> Iterator[Metric]:
    start = time.perf_counter()
    waiting = store.read(count_waiting)
    seconds = time.perf_counter() - start
    yield _gauge("store_seconds", seconds)
    for name, gauge in _METRICS["lanes"].items():
        values = {lane.name.lower(): getattr(waiting[lane], gauge["field"]) for lane in SendPriority}
        yield _labelled_gauge(name, gauge["description"], "lane", values)
    yield _gauge("obligations_stuck", len(store.read(list_failed)))
    checkpoint = store.read(latest_checkpoint)
    if checkpoint is not None:
        age = (store.now() - checkpoint.at).total_seconds()
        yield _gauge("checkpoint_age_seconds", age)
    yield _gauge("updates_set_aside", len(store.read(list_dead_letters)))
    alarms = store.read(count_alarms)
    yield _gauge("complaints_in_30_days", alarms.pop("complaints"))
    yield _labelled_gauge("dangers_in_30_days", _METRICS["gauges"]["dangers_in_30_days"], "kind", alarms)


def _gauge(name: str, value: float) -> Metric:
    return GaugeMetricFamily(f"amends_{name}", _METRICS["gauges"][name], value=value)


def _labelled_gauge(name: str, description: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"amends_{name}", description, labels=[label])
    for label_value, value in values.items():
        family.add_metric([label_value], value)
    return family
