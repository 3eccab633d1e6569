"""Figures for Prometheus: what this process counted, and what waits in the store, read when asked.

Few figures with stable names, written by hand (docs/decisions/0072-metrics-without-a-library.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from amends.parts.tally import Tally, head, labelled
from complaints.duties import Lane
from store.open import Store

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
        late = max((one.late for one in store.waiting().values()), default=0.0)
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
    waiting = store.waiting()
    seconds = time.perf_counter() - asked
    yield from _gauge("store_seconds", "How long the store took to say what is due.", f"{seconds:.6f}")
    lanes = [(lane.name.lower(), waiting[lane]) for lane in Lane]
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
    stuck, aside = len(store.outbox()), len(store.set_aside_list())
    what = "Duties given up or being tried again, up to 1000 (amends outbox list)."
    yield from _gauge("duties_stuck", what, str(stuck))
    what = "Updates that were set aside, up to 1000 (amends inbox list)."
    yield from _gauge("updates_set_aside", what, str(aside))


def _gauge(name: str, about: str, value: str) -> Iterator[str]:
    yield from head(name, about, "gauge")
    yield f"amends_{name} {value}"
