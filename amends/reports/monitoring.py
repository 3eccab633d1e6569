"""The monitoring report (8.4) from the stored measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from complaints.times import local_time, parse_time
from reports.document import Report, Section
from reports.entry_tables import OBJECTIVE, OBJECTIVES, entry_table
from reports.integrity import Proof
from reports.monitoring import monitor
from reports.monitoring_report import monitoring_report
from reports.tally import Period
from store.custody.verify import last_verified
from store.registers import list_entries
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(
    store: Store, settings: Settings, period: Period, now: datetime, proof: Proof | None = None
) -> Report:
    """The report; `proof` is the result of checking the chain of events, None if it was not checked."""
    zone = settings.organisation.timezone
    verified = store.read(last_verified)
    figures = monitor(
        store.for_monitoring(period.start, period.end),
        period=period,
        now=now,
        proof=proof,
        verified_before=None if verified is None else (parse_time(verified["at"]), verified["size"]),
        **store.compared(period.start, period.end, now, zone)._asdict(),
    )
    report = monitoring_report(figures, zone)
    objectives = store.read(list_entries, "objective", is_open=True)
    table = entry_table("objectives", "objective", objectives, local_time(now, zone).date(), OBJECTIVE)
    return replace(
        report, sections=(*report.sections, Section(OBJECTIVES, table.title, tables=(table,), private=True))
    )
