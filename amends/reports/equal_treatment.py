"""The report on equal treatment (4.5) from the stored measures."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from reports.document import Report
from reports.fairness.equal_treatment import equal_treatment
from reports.tally import Period
from store.cases.pages import pages
from store.record.measured import load_received_measures
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    rows = pages(partial(store.read, load_received_measures, period.start, period.end))
    return equal_treatment(rows, period, now)
