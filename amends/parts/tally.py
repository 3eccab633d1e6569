"""What this process counted since it started, in Prometheus's text format; no word or number of anybody's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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
