"""The analysis of complaints from the record (8.2): counts by the database, and new wording from masked texts."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from complaints.measures.report_counts import MaskedStory, Themes, month_bounds
from complaints.measures.row import Coverage
from complaints.times import local_time
from reports.analysis.analysis_report import build_analysis
from reports.analysis.analysis_sections import AnalysisInput
from reports.analysis.changes import HISTORY
from reports.document import Report
from reports.tally import Period

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.models.training_examples import Before
    from store.store import Store

#: New wording is looked for in these days and compared with as many texts of the year before.
THEME_DAYS, COMPARED_DAYS = timedelta(days=90), timedelta(days=365)
#: Texts of each, and seconds for reading all: a report of a very large record must not take longer.
MOST_TEXTS, MOST_SECONDS = 2_000, 3.0


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
    return build_analysis(
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
        )
    )


def find_new_wording(store: Store, end: datetime) -> Themes:
    """The themes of the 90 days before `end`, from as many of the newest texts as the limits allow."""
    from triage.themes import find_themes

    stop = time.monotonic() + MOST_SECONDS
    start = end - THEME_DAYS
    recent, is_whole = _read(store, start, end, stop - MOST_SECONDS / 2)
    before, _ = _read(store, start - COMPARED_DAYS, start, stop)
    return Themes(find_themes(recent, before), len(recent), len(before), is_whole)


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
