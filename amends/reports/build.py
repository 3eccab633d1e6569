"""Builds a report of any kind, with what no report of this record and period can say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from amends.reports.report_kinds import KINDS
from complaints.times import local_time
from reports.document import Ref, Report, Sentence, text
from reports.integrity import Proof
from reports.statistics import FEWEST
from reports.tally import Period

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.custody.verify import Progress
    from store.store import Store

#: Without dates: the last 91 days with today, a quarter, which a management review covers.
QUARTER = 91


def build_report(
    kind: str,
    store: Store,
    settings: Settings,
    period: Period,
    now: datetime,
    *,
    check_chain: Progress | None = None,
) -> Report:
    """The report of this kind, with what every report of this record and period cannot say.

    Complaints that cannot be read are named and in no figure. With `check_chain`, which takes the progress, the whole
    record is checked where the report says whether it is whole. Raises KeyError for an unknown kind.
    """
    from amends.reports.builders import BUILDERS
    from store.custody.verify import verify
    from store.database.errors import collecting_damage, damaged_ref
    from store.record.measured import list_without_events

    with collecting_damage() as damaged:
        more = {}
        if check_chain is not None and KINDS[kind].has_chain:
            verification = store.read(verify, opens=False, progress=check_chain)
            more["proof"] = Proof(verification.entries, verification.first_bad)
        report = BUILDERS[kind](store, settings, period, now, **more)
        limits = list(_limits(store, settings, period, now)) if report.period is not None else []
    excluded = dict.fromkeys((*report.damaged, *map(damaged_ref, damaged)))
    incomplete = [] if report.period is None else store.read(list_without_events, period.start, period.end)
    if counted := tuple(Ref(ref) for ref in incomplete if ref not in excluded):
        limits.append(text("report.damaged_counted", len(counted), refs=counted))
    return replace(report, damaged=tuple(excluded), limits=(*limits, *report.limits))


def last_days(now: datetime, zone: str) -> Period:
    """The last quarter, with today as its last day."""
    today = local_time(now, zone).date()
    return Period.of_days(today - timedelta(days=QUARTER - 1), today, zone)


def _limits(store: Store, settings: Settings, period: Period, now: datetime) -> Iterator[Sentence]:
    from store.record.measured import count_received, first_received_at

    first = store.read(first_received_at)
    if first is None:
        yield text("report.no_record")
        return
    day = local_time(first, settings.organisation.timezone).date()
    if period.end <= first:
        yield text("report.before_record", first=day)
        return
    if period.start < first:
        yield text("report.starts_before_record", first=day)
    if period.end > now:
        yield text("report.not_ended", moment=now)
    received, imported = store.read(count_received, period.start, period.end)
    if imported:
        yield text("report.imported", imported)
    if not received:
        yield text("report.none_in_period")
    elif received < FEWEST:
        yield text("report.few", received, fewest=FEWEST)
