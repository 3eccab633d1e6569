"""The report on collection (8.1) from the record, the settings and the log of the installation."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from amends.retention import retention_periods
from reports.disclosure.collection import collection
from reports.document import Report
from reports.tally import Period
from store.custody.collection import load_collection
from store.custody.retention import list_expired
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    periods = retention_periods(settings)
    # A complaint with a reason to be kept, such as a legal hold, is not kept too long.
    late = [row for row in store.read(list_expired, periods) if row.kept_because is None] if periods else None
    record = store.read(load_collection, period.start, period.end)
    return collection(record, None if late is None else len(late), periods, period, now)
