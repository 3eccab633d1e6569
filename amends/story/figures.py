"""What the figures of the last year say in a story: the incidents part of `amends report monitoring`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reports.monitoring import Period, monitor
from store.open import Store

#: Either way of now: a story may have moved the clock on since this store read it.
_YEAR = timedelta(days=365)


def incident_figures(store: Store) -> Mapping[str, Any]:
    """`count` of incidents, `complaints` in them, and how many were `received` at all."""
    now = store.now()
    period = Period(now - _YEAR, now + _YEAR)
    found = monitor(store.for_monitoring(period.start, period.end), period=period, now=now).as_json()
    told = found["incidents"]
    return {"incidents": told["count"], "complaints": told["complaints"], "received": found["received"]}
