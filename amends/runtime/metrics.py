"""What this process counted since it started, in Prometheus's text format; no word or number of anybody's.

Figures for Prometheus: what this process counted, and what waits in the store, read when asked.

Few figures with stable names, written by hand (docs/decisions/0072-metrics-without-a-library.md).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from complaints.obligations.kinds import SendPriority
from store.outbox.dead_letters import list_dead_letters
from store.outbox.failed import list_failed
from store.outbox.stats import count_waiting
from store.store import Store

#: Upper bounds of the histogram, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

#: Every counter with its labels: the names are part of what operators rely on.
COUNTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "platform_calls_total": (
        "Calls to a platform by method and outcome.",
        ("platform", "method", "outcome"),
    ),
    "messages_total": (
        "Messages to complainants by kind of duty and what became of them.",
        ("kind", "state"),
    ),
    "duties_performed_total": ("Duties taken in hand by kind and how that ended.", ("kind", "outcome")),
    "updates_total": ("Updates of Telegram by how they were handled.", ("outcome",)),
    "slack_socket_connects_total": ("How often a line to Slack was opened; the first is no reconnect.", ()),
    "slack_socket_disconnects_total": ("Lines that Slack ended, by the reason it gave.", ("reason",)),
}


@dataclass
class Tally:
    """The counters of one process; they begin at nought with it."""

    started: float = field(default_factory=time.time)
    _counts: dict[str, Counter[tuple[str, ...]]] = field(
        default_factory=lambda: {name: Counter() for name in COUNTED}
    )
    _within: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))
    _taken: int = 0
    _seconds: float = 0.0

    def count(self, name: str, *labels: str) -> None:
        """One more."""
        self._counts[name][labels] += 1

    def of(self, name: str, *labels: str) -> int:
        """How many."""
        return self._counts[name][labels]

    def took_in(self, outcome: str, seconds: float) -> None:
        """An update was handled in so many seconds."""
        self.count("updates_total", outcome)
        self._taken += 1
        self._seconds += seconds
        for at, bound in enumerate(BOUNDS):
            self._within[at] += seconds <= bound

    def lines(self) -> Iterator[str]:
        """The counters and the histogram."""
        for name, (about, labels) in COUNTED.items():
            yield from head(name, about, "counter")
            counts = self._counts[name]
            for values, count in sorted(counts.items()):
                yield f"amends_{name}{labelled(labels, values)} {count}"
            if not labels and not counts:
                yield f"amends_{name} 0"
        yield from head("intake_seconds", "From an update in hand to its commit.", "histogram")
        for bound, count in zip(BOUNDS, self._within, strict=True):
            yield f'amends_intake_seconds_bucket{{le="{bound}"}} {count}'
        yield f'amends_intake_seconds_bucket{{le="+Inf"}} {self._taken}'
        yield f"amends_intake_seconds_sum {self._seconds:.6f}"
        yield f"amends_intake_seconds_count {self._taken}"
        yield from head("process_start_time_seconds", "When this process started, since 1970.", "gauge")
        yield f"amends_process_start_time_seconds {self.started:.3f}"


def head(name: str, about: str, kind: str) -> tuple[str, str]:
    """The two lines above a figure."""
    return f"# HELP amends_{name} {about}", f"# TYPE amends_{name} {kind}"


def labelled(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """`{kind="say",state="sent"}`; nothing where there are no labels."""
    if not names:
        return ""
    told = (f'{name}="{_quoted(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(told) + "}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


#: Prometheus's text format.
CONTENT_TYPE = "text/plain; version=0.0.4"
#: Gauges of this process, where the part that has them runs here.
OF_PARTS: Mapping[str, str] = {
    "telegram_last_poll_age_seconds": "Since Telegram last answered us well (long polling).",
    "telegram_polls": "1 where this process polls Telegram, 0 where it stands by.",
    "telegram_webhook_registered": "1 once Telegram took our webhook's address.",
    "slack_socket_up": "1 while the line to Slack answers.",
    "slack_socket_connections": "How many lines Slack said this app has, when ours was opened.",
    "slack_last_pong_age_seconds": "Since Slack last answered our ping.",
}


def figures(store: Store, parts: Mapping[str, bool], tally: Tally, gauges: Mapping[str, float]) -> str:
    """The page of `/metrics`; counts and seconds only, nothing of any complaint.

    While the store is away what this process knows by itself is told all the same.
    """
    lines = [*_ready(parts), *_of_parts(gauges), *tally.lines()]
    if parts.get("store"):
        lines += _of_store(store, store.now())
    return "\n".join(lines) + "\n"


def condition(store: Store, parts: Mapping[str, bool], gauges: Mapping[str, float]) -> dict[str, Any]:
    """What `/readyz` tells: which parts can work, and the figures behind it.

    What is overdue is shown and decides nothing: a process that is sent no calls any more works off nothing sooner.
    """
    told: dict[str, Any] = dict(parts)
    shown = {name: round(value, 3) for name, value in gauges.items()}
    if parts.get("store"):
        asked = time.perf_counter()
        late = max((one.late for one in store.read(count_waiting).values()), default=0.0)
        shown |= {
            "oldest_overdue_seconds": round(late, 3),
            "store_seconds": round(time.perf_counter() - asked, 6),
        }
    return {**told, "figures": shown}


def figures_without_store() -> str:
    """The page while the store was never there: nothing of this process has begun."""
    return "\n".join(_ready({"store": False})) + "\n"


def _ready(parts: Mapping[str, bool]) -> Iterator[str]:
    yield from head("ready", "Whether this part can work now.", "gauge")
    yield from (f'amends_ready{{part="{part}"}} {int(well)}' for part, well in parts.items())


def _of_parts(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, about in OF_PARTS.items():
        if name in gauges:
            yield from head(name, about, "gauge")
            yield f"amends_{name} {gauges[name]:g}"


def _of_store(store: Store, now: datetime) -> Iterator[str]:
    asked = time.perf_counter()
    waiting = store.read(count_waiting)
    seconds = time.perf_counter() - asked
    yield from _gauge("store_seconds", "How long the store took to say what is due.", f"{seconds:.6f}")
    lanes = [(lane.name.lower(), waiting[lane]) for lane in SendPriority]
    for name, about, values in (
        (
            "duties_due",
            "Duties whose time has come and that are not done, up to 10000.",
            [w.due for _, w in lanes],
        ),
        ("duties_late_seconds", "How long the earliest of them is late.", [w.late for _, w in lanes]),
        ("duties_retried", "Of them, those that failed at least once.", [w.retried for _, w in lanes]),
        ("duties_lease_expired", "Of them, those whose holder died or hangs.", [w.expired for _, w in lanes]),
    ):
        yield from head(name, about, "gauge")
        for (lane, _), value in zip(lanes, values, strict=True):
            yield f"amends_{name}{labelled(('lane',), (lane,))} {value:g}"
    stuck, aside = len(store.read(list_failed)), len(store.read(list_dead_letters))
    what = "Duties given up or being tried again, up to 1000 (amends outbox list)."
    yield from _gauge("duties_stuck", what, str(stuck))
    what = "Updates that were set aside, up to 1000 (amends inbox list)."
    yield from _gauge("updates_set_aside", what, str(aside))


def _gauge(name: str, about: str, value: str) -> Iterator[str]:
    yield from head(name, about, "gauge")
    yield f"amends_{name} {value}"
