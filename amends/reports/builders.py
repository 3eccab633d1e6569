"""One function for each kind of report (clause 8): what it reads from the record, and the report made of that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from amends.figures import count_figures
from amends.retention import retention_periods
from complaints.measures.report_counts import MaskedStory, Themes, month_bounds
from complaints.measures.row import Coverage
from complaints.registers.definitions import REGISTERS
from complaints.times import local_time, parse_time
from reports.analysis.analysis_report import build_analysis
from reports.analysis.analysis_sections import AnalysisInput
from reports.analysis.changes import HISTORY
from reports.audit import AuditRecord, audit_report
from reports.disclosure.public_figures import public_report
from reports.disclosure.record_keeping import collection
from reports.disclosure.returns_report import ReturnCount, ReturnFigures, applying, returns_report
from reports.document import Report, Section
from reports.fairness.equal_treatment import equal_treatment, is_counted
from reports.fairness.satisfaction import satisfaction
from reports.integrity import Proof
from reports.monitoring import Monitoring, Month, monitor, month_figures
from reports.monitoring_report import monitoring_report
from reports.review import ReviewInput, review_pack
from reports.shared_tables import OBJECTIVE, OBJECTIVES, entry_table
from reports.tally import Period
from store.cases.pages import pages
from store.custody.erasure import list_expired, load_collection
from store.custody.verify import last_verified
from store.people.staff import list_members
from store.proof.hash_chain import list_instance_events
from store.proof.log import latest_checkpoint
from store.record.counts import count_legal_times, sum_month_scores
from store.record.measured import count_months, load_received_measures
from store.registers import list_entries
from store.rulebooks import list_rulebook_presets
from store.store import Store
from triage.processes.child_process import compute
from triage.themes import find_themes

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.models.training_examples import Before

#: New wording is looked for in these days and compared with as many texts of the year before.
THEME_DAYS, COMPARED_DAYS = timedelta(days=90), timedelta(days=365)
#: Texts of each, and seconds for reading all: a report of a very large record must not take longer.
MOST_TEXTS, MOST_SECONDS = 2_000, 3.0


def _monitoring(
    store: Store, settings: Settings, period: Period, now: datetime, proof: Proof | None = None
) -> Report:
    """Monitoring (8.4); `proof` is the result of checking the chain of events, None if it was not checked."""
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


def _satisfaction(
    store: Store, settings: Settings, period: Period, now: datetime, months: Sequence[Month] | None = None
) -> Report:
    """Satisfaction (8.3); `months` are those of the monitoring report of the period, where it was made before."""
    zone = settings.organisation.timezone
    bounds = month_bounds(min(period.end, now), zone)
    rows = pages(partial(store.read, load_received_measures, period.start, period.end))
    if months is None:
        months = [month_figures(counts, now) for counts in store.read(count_months, bounds)]
    return satisfaction(rows, period, now, zone, months, store.read(sum_month_scores, bounds))


def _equal_treatment(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    rows = pages(partial(store.read, load_received_measures, period.start, period.end))
    return equal_treatment(rows, period, now)


def _collection(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    periods = retention_periods(settings)
    # A complaint with a reason to be kept, such as a legal hold, is not kept too long.
    late = [row for row in store.read(list_expired, periods) if row.kept_because is None] if periods else None
    record = store.read(load_collection, period.start, period.end)
    return collection(record, None if late is None else len(late), periods, period, now)


def _public(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    return public_report(count_figures(store, settings, period, now), period, now)


def _returns(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    """The returns of the presets that this desk uses. Each counts the complaints under its presets' rules."""
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


def _audit(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    """The audit report (8.5) from the registers, the last count of the clauses and the last verification."""
    counted = store.read(list_instance_events, "clauses", 1)
    verified, checkpoint = store.read(last_verified), store.read(latest_checkpoint)
    findings = [
        entry for entry in store.read(list_entries, "improvement") if entry.facts.get("source") == "audit"
    ]
    record = AuditRecord(
        audits=tuple(store.read(list_entries, "audit")),
        findings=tuple(findings),
        clauses=counted[0]["facts"]["statuses"] if counted else {},
        clauses_at=parse_time(counted[0]["at"]) if counted else None,
        verified_at=None if verified is None else parse_time(verified["at"]),
        verified_size=0 if verified is None else verified["size"],
        checkpoint_at=None if checkpoint is None else checkpoint.at,
        checkpoint_size=0 if checkpoint is None else checkpoint.size,
    )
    return audit_report(record, period, now, local_time(now, settings.organisation.timezone).date())


def _review(
    store: Store, settings: Settings, period: Period, now: datetime, proof: Proof | None = None
) -> Report:
    """The pack for the review (8.6) with the pages of three reports, the first of which has the key figures."""
    first = _monitoring(store, settings, period, now, proof)
    figures: Monitoring = first.data
    parts = (
        first,
        build_analysis_report(store, settings, period, now, figures.coverage),
        _satisfaction(store, settings, period, now, figures.trend),
    )
    return review_pack(
        ReviewInput(
            entries={name: tuple(store.read(list_entries, name)) for name in REGISTERS},
            parts=parts,
            period=period,
            now=now,
            zone=settings.organisation.timezone,
            staff=frozenset(member.id for member in store.read(list_members)),
        )
    )


def build_analysis_report(
    store: Store, settings: Settings, period: Period, now: datetime, coverage: Coverage | None = None
) -> Report:
    """The analysis of a period with the twelve months up to its end, and up to three years to compare with.

    `coverage` is that of the twelve months, if another report counted it.
    """
    from amends.settings import rulebook
    from store.cases.pages import count_repeats
    from store.record.counts import count_for_analysis
    from store.record.measured import count_coverage

    zone = settings.organisation.timezone
    end = min(period.end, now)
    months = month_bounds(end, zone)
    first_day = local_time(end, zone).date() - HISTORY
    counts = store.read(
        count_for_analysis,
        start=period.start,
        end=period.end,
        year_start=months[0],
        first_day=first_day,
        zone=zone,
        repeats=store.read(count_repeats, period.start, period.end),
    )
    return compute(
        build_analysis,
        AnalysisInput(
            counts=counts,
            period=period,
            now=now,
            calendar=rulebook(settings).calendar,
            coverage=coverage or store.read(count_coverage, months[0], end),
            customers={
                (family, code.key): code.customers
                for family, codes in (("product", settings.product), ("branch", settings.branch))
                for code in codes
                if code.customers is not None
            },
            themes=find_new_wording(store, end),
        ),
    )


def find_new_wording(store: Store, end: datetime) -> Themes:
    """The themes of the 90 days before `end`, from as many of the newest texts as the limits allow."""
    stop = time.monotonic() + MOST_SECONDS
    start = end - THEME_DAYS
    recent, is_whole = _read(store, start, end, stop - MOST_SECONDS / 2)
    before, _ = _read(store, start - COMPARED_DAYS, start, stop)
    return Themes(compute(find_themes, recent, before), len(recent), len(before), is_whole)


def _read(store: Store, start: datetime, end: datetime, stop: float) -> tuple[list[MaskedStory], bool]:
    """The newest texts of these days, and whether they are all."""
    from store.models.training_examples import load_story_page

    stories: list[MaskedStory] = []
    before: Before | None = None
    while True:
        page, before = store.read(load_story_page, start, end, before)
        stories += page
        if before is None:
            return stories[:MOST_TEXTS], len(stories) <= MOST_TEXTS
        if len(stories) >= MOST_TEXTS or time.monotonic() > stop:
            return stories[:MOST_TEXTS], False


#: Each takes the store, the settings, whole days of the organisation and the time of the report. A kind with
#: `has_chain` also takes `proof`.
BUILDERS: Mapping[str, Callable[..., Report]] = {
    "monitoring": _monitoring,
    "analysis": build_analysis_report,
    "satisfaction": _satisfaction,
    "equal_treatment": _equal_treatment,
    "collection": _collection,
    "public": _public,
    "returns": _returns,
    "audit": _audit,
    "review": _review,
}
