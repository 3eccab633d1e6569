"""The returns to regulators from the stored measures: those of the presets that this desk uses."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from complaints.times import local_time
from reports.disclosure.returns_report import ReturnCount, ReturnFigures, applying, returns_report
from reports.document import Report
from reports.fairness.equal_treatment import is_counted
from reports.monitoring import monitor
from reports.tally import Period
from store.record.legal_times import count_legal_times
from store.registers import list_entries
from store.rulebooks import list_rulebook_presets
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    """Each return counts the complaints that were received under the rules of its presets."""
    zone, presets = settings.organisation.timezone, store.read(list_rulebook_presets)
    opened = store.read(list_entries, "improvement", since=period.start, until=period.end)
    improvements = sum(entry.state not in ("proposed", "cancelled") for entry in opened)
    returns = {}
    for file in applying(presets.values(), local_time(period.start, zone).date()):
        rules = {number for number, preset in presets.items() if preset in file["presets"]}
        count = ReturnCount()
        rows = (row for row in store.for_monitoring(period.start, period.end) if row[0].rulebook_id in rules)
        passed = count.through(rows, partial(is_counted, period=period))
        monitoring = monitor(passed, period=period, now=now)
        legal = store.read(count_legal_times, period.start, period.end, rules)
        returns[file["scheme"]] = file, ReturnFigures(
            settings.organisation.name, monitoring, count, legal, improvements
        )  # fmt: skip
    return returns_report(returns, period, now, zone)
