"""The report on satisfaction (8.3) from the stored measures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from complaints.measures.report_counts import month_bounds
from reports.document import Report
from reports.fairness.satisfaction import satisfaction
from reports.tally import Period
from reports.trend import Month, month_figures
from store.cases.pages import pages
from store.record.measured import count_months, load_received_measures
from store.record.score_months import sum_month_scores
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(
    store: Store, settings: Settings, period: Period, now: datetime, months: Sequence[Month] | None = None
) -> Report:
    """The report; `months` are those of the monitoring report of the same period, where it was made before."""
    zone = settings.organisation.timezone
    bounds = month_bounds(min(period.end, now), zone)
    rows = pages(partial(store.read, load_received_measures, period.start, period.end))
    if months is None:
        months = [month_figures(counts, now) for counts in store.read(count_months, bounds)]
    return satisfaction(rows, period, now, zone, months, store.read(sum_month_scores, bounds))
