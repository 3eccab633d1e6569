"""The public figures (8.1) from the stored measures, and their publication."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from reports.disclosure.public_figures import public_figures
from reports.monitoring import monitor
from reports.tally import Period
from store.proof.hash_chain import list_instance_events
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def count_figures(store: Store, settings: Settings, period: Period, now: datetime) -> dict[str, Any]:
    """The figures of the period, as a publication records them."""
    days = period.days(settings.organisation.timezone)
    rows = store.for_monitoring(period.start, period.end)
    return public_figures(monitor(rows, period=period, now=now), *days)


def newest_publication(store: Store) -> dict[str, Any] | None:
    """The figures that were published last, with the time of that as `at`."""
    events = store.read(list_instance_events, "publication", 1)
    return {**events[0]["facts"], "at": events[0]["at"]} if events else None
