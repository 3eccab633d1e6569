"""The figures that a story checks: the incidents part of `amends report monitoring`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reports.monitoring import Period, monitor
from store.store import Store

#: The period is a year before and after now: a story may have moved the clock since this store read it.
_YEAR = timedelta(days=365)


def incident_figures(store: Store) -> Mapping[str, Any]:
    """The number of `incidents`, of `complaints` in them, and of all complaints `received`."""
    now = store.now()
    period = Period(now - _YEAR, now + _YEAR)
    report = monitor(store.for_monitoring(period.start, period.end), period=period, now=now).as_json()
    incidents = report["incidents"]
    return {
        "incidents": incidents["count"],
        "complaints": incidents["complaints"],
        "received": report["received"],
    }
