"""The analysis of complaints (8.2): spikes and drifts, rates, new wording, and the report of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from amends.documents.labels import load_labels
from benchmarks.histories import Planted, history
from complaints.measures.report_counts import AnalysisCounts, CauseCount, MaskedStory, Theme, Themes
from complaints.measures.row import Coverage
from reports.analysis.analysis_report import build_analysis
from reports.analysis.analysis_sections import AnalysisInput
from reports.analysis.changes import find_changes
from reports.analysis.rates import Rate, poisson_interval
from reports.document import Report, for_channel
from reports.output.render_markdown import as_markdown
from reports.statistics import mean_interval, survival
from reports.tally import Period
from tests.clauses import clause
from tests.rules import builders as b
from triage.themes import find_themes

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
PERIOD = Period(datetime(2026, 9, 30, 23, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
NOW = datetime(2026, 11, 28, tzinfo=UTC)
#: Three years and a half before the period, and the period.
DAYS = 1308
START = LAST - timedelta(days=DAYS - 1)


@clause("8.2")
@pytest.mark.parametrize(
    # A level that grew for months is above what its trend led us to expect, so it is both.
    ("planted", "spikes", "drifts"),
    [
        ((), set(), set()),
        ((Planted(3, DAYS - 20, 8, 3.5, is_slow=False),), {"category_03"}, set()),
        ((Planted(2, DAYS - 150, 150, 1.6, is_slow=True),), {"category_02"}, {"category_02"}),
    ],
)
def test_a_planted_spike_and_a_slow_drift_are_named_and_nothing_else(
    planted: tuple[Planted, ...], spikes: set[str], drifts: set[str]
) -> None:
    desk = history(7, days=DAYS, daily=60, planted=planted, start=START)
    changes = find_changes(desk.counts(DAYS), FIRST, LAST)
    assert {spike.code[1] for spike in changes.spikes if spike.code[0] == "category"} == spikes
    assert {drift.code[1] for drift in changes.drifts if drift.code[0] == "category"} == drifts
    assert (changes.tested, changes.seasonal) == (45, 45)
    for spike in changes.spikes:
        assert spike.number > spike.limit > spike.expected
        assert LAST - timedelta(days=20) <= spike.since <= spike.last_day


@clause("8.2")
def test_a_short_record_names_no_change_and_says_so() -> None:
    desk = history(7, days=40, daily=60, start=LAST - timedelta(days=39))
    changes = find_changes(desk.counts(40), FIRST, LAST)
    assert changes == ((), (), 0, 0)
    assert find_changes({}, FIRST, LAST) == ((), (), 0, 0)


@clause("8.2")
def test_a_code_without_complaints_before_is_new() -> None:
    counts = dict(history(7, days=DAYS, daily=60, start=START).counts(DAYS))
    counts["product", "tablet"] = {LAST - timedelta(days=day): 2 for day in range(6)}
    (spike,) = find_changes(counts, FIRST, LAST).spikes
    assert (spike.code, spike.is_new, spike.number) == (("product", "tablet"), True, 12)


@clause("8.2")
def test_a_rate_has_its_exact_interval_and_is_flagged_only_beyond_chance() -> None:
    high = Rate("tv", 60, 10_000, (90, 30_000), comparisons=5)
    assert high.per_thousand == 6
    assert high.flagged
    assert not replace(high, number=33, others=(90, 30_000)).flagged
    assert poisson_interval(0)[0] == 0
    with pytest.raises(ValueError, match="-1 is no number"):
        poisson_interval(-1)


def test_scores_that_are_all_the_same_have_an_interval() -> None:
    assert mean_interval(9, 9, 9) is None
    low, high = mean_interval(50, 250, 10) or (0, 0)
    assert 3.5 < low < 4
    assert high == 5
    few = survival([1, 2, 3])
    assert few.median_low is not None
    assert few.median_low <= 2 <= (few.median_high or 9)


OLD = ["The bill is too high.", "Nobody answers the phone.", "The parcel came late.", "The driver was rude."]


@clause("8.2")
def test_new_wording_is_named_by_words_of_at_least_five_people() -> None:
    before = [MaskedStory(f"B{n}", f"p{n}", OLD[n % 4]) for n in range(200)]
    crash = "The parking app crashed and took [card] twice."
    recent = [MaskedStory(f"R{n}", f"q{n}", crash if n % 20 == 0 else OLD[n % 4]) for n in range(200)]
    (theme,) = find_themes(recent, before)
    assert (theme.recent, theme.before, len(theme.refs)) == (10, 0, 3)
    assert any("crashed" in words for words in theme.words)
    assert "card" not in " ".join(theme.words)
    one_person = [story._replace(person="q0") if story.words == crash else story for story in recent]
    assert find_themes(one_person, before) == ()
    assert find_themes(recent[:40], before[:40]) == find_themes([], before) == find_themes(recent, []) == ()


def an_input(counts: AnalysisCounts | None = None) -> AnalysisInput:
    empty = AnalysisCounts({}, (), {}, 0)
    return AnalysisInput(counts or empty, PERIOD, NOW, b.RULES.calendar, Coverage(0, 0))


def a_full_report() -> Report:
    desk = history(
        7, days=DAYS, daily=60, planted=(Planted(0, DAYS - 20, 8, 3.0, is_slow=False),), start=START
    )
    days = desk.counts(DAYS)
    counts = AnalysisCounts(
        days=days,
        causes=(
            CauseCount(True, "category_00", "product_1", "systemic", 12),
            CauseCount(True, "category_01", None, "single", 8),
            CauseCount(False, "category_01", None, "recurring", 30),
        ),
        complainants={1: 900, 2: 60, 4: 9, 12: 1},
        repeats=25,
    )
    customers = {("product", "product_0"): 1_000, ("product", "product_1"): 90_000}
    themes = Themes((Theme(("parking app",), 9, 0, ("R1",)),), 40, 20, is_complete=False)
    return build_analysis(
        replace(an_input(counts), customers=customers, themes=themes, coverage=Coverage(9, 7))
    )


@clause("8.2")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_report_reads_in_every_language_and_says_what_to_do(language: str) -> None:
    report = a_full_report()
    labels = load_labels((language,), "Europe/London", staff=True)
    page = as_markdown(report, labels)
    assert "{" not in page
    assert "parking app" in page
    # Masked words are for those who read the report, and never for everybody in a channel.
    assert "parking app" not in as_markdown(
        for_channel(report), load_labels((language,), "Europe/London", staff=True)
    )
    ids = {getattr(line, "text", line).id.removeprefix("analysis.summary.") for line in report.summary}
    assert {"received_before", "pareto", "spike", "systemic", "rate"} <= ids
    assert {section.id for section in report.sections} >= {"pareto", "causes", "product_rates", "changes"}
    assert [limit.id for limit in report.limits] == ["analysis.limit.coverage", "analysis.limit.themes"]


@clause("8.2")
def test_the_figures_of_the_report_are_those_of_its_counts() -> None:
    report = a_full_report()
    tables = {table.id: table for section in report.sections for table in section.tables}
    received = sum(number for number in tables["pareto"].column("received") if isinstance(number, int))
    assert received == report.summary[0].number  # type: ignore[union-attr]
    causes = dict(zip(map(repr, tables["causes"].column("cause")), tables["causes"].rows, strict=True))
    (systemic,) = (row for name, row in causes.items() if "systemic" in name)
    assert (systemic[1].hits, systemic[1].of, systemic[2].of) == (12, 20, 50)  # type: ignore[union-attr]
    assert [row[1].hits for row in tables["people"].rows] == [900, 60, 9, 0, 1]  # type: ignore[union-attr]
    assert tables["problems"].rows[0][3] == 12
    # Products without a number of customers are counted, without a rate.
    customers = dict(
        zip(map(repr, tables["product_rates"].column("product")), tables["product_rates"].rows, strict=True)
    )
    assert len([row for row in customers.values() if row[2] is None and row[3] is None]) == 6
    assert len(tables["branch_rates"].rows) == 12


@clause("8.2")
def test_the_report_of_an_empty_record_says_what_it_cannot_say() -> None:
    report = build_analysis(an_input())
    ids = [limit.id for limit in report.limits]
    assert ids == ["analysis.limit.too_short", "analysis.limit.no_customers", "analysis.limit.no_themes"]
    assert "0 complaints" in as_markdown(report, load_labels(("en",), "Europe/London", staff=True))
