"""Figures for Prometheus: what waits, what is stuck, which parts can work; read from the store when asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from store.open import Store

#: Prometheus's text format; a few gauges are not worth a library.
CONTENT_TYPE = "text/plain; version=0.0.4"


def figures(store: Store, parts: Mapping[str, bool]) -> str:
    """The page of `/metrics`; counts and seconds only, nothing of any complaint."""
    now = store.now()
    stuck, aside = len(store.outbox()), len(store.set_aside_list())
    gauges = (
        ("duties_due", "Duties whose time has come and that are not done yet.", store.open_until(now)),
        ("duties_late_seconds", "How long the earliest of them is late.", _late(store, now)),
        ("duties_stuck", "Duties given up or being tried again, up to 1000 (amends outbox list).", stuck),
        ("updates_set_aside", "Updates that were set aside, up to 1000 (amends inbox list).", aside),
    )
    lines = []
    for name, about, value in gauges:
        lines += [*_head(name, about), f"amends_{name} {value}"]
    lines += _head("ready", "Whether this part can work now.")
    lines += [f'amends_ready{{part="{part}"}} {int(well)}' for part, well in parts.items()]
    return "\n".join(lines) + "\n"


def _head(name: str, about: str) -> tuple[str, str]:
    return f"# HELP amends_{name} {about}", f"# TYPE amends_{name} gauge"


def _late(store: Store, now: datetime) -> float:
    following = store.next_due()
    return max(0.0, (now - following[2]).total_seconds()) if following is not None else 0.0
