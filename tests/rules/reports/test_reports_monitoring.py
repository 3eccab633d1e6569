"""The report of a period (8.4): cohort, backlog, durations, verdicts, JSON and page."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.measures.clocks import levels, runs
from complaints.vocabulary import ContactKind, Verb
from reports.kpis import (
    BACKLOG_OVERDUE,
    CHAIN,
    DURATIONS,
    EMPTY_FIELDS,
    NOT_REPORTED,
    OTHERS,
    PAST_LEGAL,
    REPEAT,
    SCORES,
    SHARES,
    Goal,
    TargetVerdict,
)
from reports.monitoring import Monitoring, monitor
from reports.monitoring_report import monitoring_report
from reports.monitoring_sections import figure_title
from reports.statistics import Share
from reports.tally import Period
from tests.clauses import clause
from tests.rules.reports_story import LABELS, LEGAL, MANAGER, MONDAY, PERSON, Story, page

NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
DOCS = Path(__file__).parents[3] / "docs" / "reports.md"


def report(*stories: Story, days: int = 20) -> Monitoring:
    """November's report, written `days` after its first Monday."""
    return monitor([story.history for story in stories], period=NOVEMBER, now=MONDAY + timedelta(days=days))


def ten_resolved(after_days: int = 2) -> list[Story]:
    """Ten complaints, each resolved `after_days` after receipt."""
    return [Story(f"R{n}").later(days=after_days).resolved().accept().close() for n in range(10)]


# cohort


def test_the_cohort_is_the_complaints_received_in_the_period() -> None:
    october = Story("OLD", at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    first = Story("A", at=datetime(2026, 11, 1, tzinfo=UTC))
    december = Story("NEW", at=datetime(2026, 12, 1, tzinfo=UTC))
    assert report(october, first, december).received == 1


def test_simulations_are_counted_separately() -> None:
    simulated = Story("S")
    simulated.case = replace(simulated.case, is_simulation=True)
    figures = report(Story("A"), simulated)
    assert (figures.received, figures.simulations, figures.backlog.overdue.of) == (1, 1, 1)


def test_reclassified_contacts_are_counted_separately() -> None:
    praise = Story("B").acknowledge().assess(severity=1)
    praise.do(Verb.RECLASSIFY, MANAGER, {"kind": "praise"}, reason="It thanks us.")
    praise.do(Verb.APPROVE, replace(MANAGER, id="U9"), {"agreed": "yes"})
    assert praise.case.kind is ContactKind.PRAISE
    figures = report(Story("A"), praise)
    assert (figures.received, figures.other_kinds) == (1, {"praise": 1})


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="earlier date first"):
        Period(NOVEMBER.end, NOVEMBER.start)


# shares


def test_a_share_has_formula_counts_interval_target_and_verdict() -> None:
    late = Story("L").later(days=3).acknowledge()
    figures = report(*ten_resolved(after_days=1), late).share("acknowledged_in_time")
    assert figures.as_json() == {
        "key": "acknowledged_in_time",
        "group": None,
        "title": "Acknowledged in time",
        "formula": "acknowledgement accepted by a channel by its due time / acknowledged or overdue",
        "numerator": 10,
        "denominator": 11,
        "share": 0.9091,
        "interval": [0.6226, 0.9838],
        "target": {"at_least": 0.99},
        "verdict": "not_met",
    }


def test_fewer_than_ten_are_too_few_to_judge() -> None:
    figures = report(*ten_resolved()[:9]).share("decided_in_time").as_json()
    assert (figures["numerator"], figures["denominator"]) == (9, 9)
    assert (figures["share"], figures["interval"], figures["verdict"]) == (None, None, "too_few")


def test_a_share_without_a_target_is_only_reported() -> None:
    assert report(*ten_resolved()).share("first_contact_resolution").verdict is TargetVerdict.REPORT


@pytest.mark.parametrize(
    ("goal", "value", "expected"),
    [
        (Goal(at_least=0.9), 0.9, TargetVerdict.MET),
        (Goal(at_least=0.9), 0.89, TargetVerdict.NOT_MET),
        (Goal(at_most=8), 8, TargetVerdict.MET),
        (Goal(at_most=8), 9, TargetVerdict.NOT_MET),
        (Goal(at_most=8), None, TargetVerdict.NOT_MET),
    ],
)
def test_a_target_is_met_at_its_bound(goal: Goal, value: float | None, expected: TargetVerdict) -> None:
    assert goal.verdict(value, 10) is expected


def test_every_share_is_reported_even_with_nothing_to_count() -> None:
    assert {figure.key for figure in report().shares} == set(SHARES)
    assert {figure.verdict for figure in report().shares} == {TargetVerdict.REPORT, TargetVerdict.TOO_FEW}


# durations


def duration(monitoring: Monitoring, key: str, group: str) -> dict[str, object]:
    return next(
        figure.as_json() for figure in monitoring.durations if (figure.key, figure.group) == (key, group)
    )


def test_the_time_to_decision_by_priority_counts_open_complaints_as_censored() -> None:
    figures = report(*ten_resolved(after_days=2), *(Story(f"O{n}") for n in range(5)), days=3)
    assert duration(figures, "time_to_decision", "P3") == {
        "key": "time_to_decision",
        "group": "P3",
        "title": "Time to decision",
        "formula": DURATIONS["time_to_decision"].formula,
        "ended": 10,
        "still_open": 5,
        "working_days": {"median": 2, "p90": None},
        "median_interval": [2, None],
        "days": {"median": 2.0, "p90": None},
        "target": {"at_most": 8},
        "verdict": "met",
    }


def test_complaints_withdrawn_undecided_are_censored_at_withdrawal() -> None:
    taken_back = [Story(f"W{n}").later(days=1).do(Verb.WITHDRAW, PERSON) for n in range(5)]
    figures = report(*ten_resolved(after_days=4), *taken_back)
    assert duration(figures, "time_to_decision", "all")["working_days"] == {"median": 4, "p90": 4}


def test_the_time_to_closure_counts_from_receipt() -> None:
    closed = [Story(f"C{n}").resolved().accept().later(days=n).close() for n in range(10)]
    assert duration(report(*closed), "time_to_closure", "all")["days"] == {"median": 4.0, "p90": 8.0}


def test_each_level_has_its_own_time() -> None:
    refused = [Story(f"D{n}").later(days=1).decided("not_upheld").later(days=5).disagree() for n in range(3)]
    figures = report(*refused, days=8)
    assert duration(figures, "time_at_level", "level 1")["working_days"] == {"median": 1, "p90": 1}
    assert duration(figures, "time_at_level", "level 2")["still_open"] == 3


def test_the_time_between_withdrawal_and_reopening_is_not_counted() -> None:
    story = Story().later(days=2).do(Verb.WITHDRAW, PERSON).later(days=30)
    story.do(Verb.REOPEN, PERSON, reason="It leaks again.").later(days=1)
    at_levels = runs(story.case, levels(story.case))[2]
    durations = [run.observe(story.case.rules.calendar, story.at) for _, run in at_levels]
    waited = [(duration.days, duration.ended) for duration in durations]
    assert waited == [(2, False), (1, False)]


# backlog


def test_the_backlog_contains_open_complaints_of_any_receipt_date() -> None:
    ancient = Story("OLD", at=datetime(2026, 8, 3, 9, tzinfo=UTC))
    figures = report(ancient, Story("A"), *ten_resolved(), days=3)
    assert figures.received == 11
    assert [(band.days, band.overdue.of, band.overdue.hits) for band in figures.backlog.bands] == [
        (7, 1, 1),
        (14, 0, 0),
        (28, 0, 0),
        (56, 0, 0),
        (None, 1, 1),
    ]
    assert figures.backlog.oldest is not None
    assert (figures.backlog.oldest.ref, figures.backlog.oldest.days) == ("OLD", 94)


def test_a_complaint_waiting_for_the_complainant_is_not_overdue() -> None:
    waiting = Story("A").decided("not_upheld")
    assert report(waiting, days=60).backlog.overdue.hits == 0


def test_one_complaint_past_the_legal_maximum_misses_the_target() -> None:
    assert report(Story("A", rules=LEGAL), days=10).backlog.past_legal_verdict is TargetVerdict.MET
    late = report(Story("A", rules=LEGAL), days=22).backlog
    assert (late.past_legal, late.past_legal_verdict) == (1, TargetVerdict.NOT_MET)


def test_an_empty_backlog_has_no_oldest_complaint() -> None:
    assert report(*ten_resolved()).backlog.as_json()["oldest"] is None


@clause("8.4")
def test_the_backlog_of_a_past_period_is_that_of_its_end() -> None:
    def ended_later(ref: str) -> Story:
        return Story(ref).acknowledge().later(days=40).assess().resolve().accept().close()

    closed_before = Story("A").acknowledge().assess().resolve().accept().close()
    reopened = Story("B").acknowledge().assess().resolve().accept().close().later(days=40)
    reopened.do(Verb.REOPEN, PERSON, reason="It leaks again.")
    received_later = Story("C", at=MONDAY + timedelta(days=40))
    stories = [closed_before, reopened, received_later, ended_later("D"), Story("E")]
    figures = report(*stories, days=60)
    backlog = figures.backlog
    assert (backlog.overdue.of, backlog.overdue.hits) == (2, 2)
    assert backlog.as_json()["as_of"] == "2026-12-01T00:00:00Z"
    assert backlog.oldest is not None
    assert (backlog.oldest.ref, backlog.oldest.days) == ("D", 28)
    assert figures.open_by_owner == {"nobody": 2}
    assert "2 complaints were open on 1 December 2026, 00:00; overdue: 2." in page(figures)


# volume


def test_the_volume_is_reported_by_category_channel_and_language() -> None:
    figures = report(
        Story("A").assess(), Story("B", language="tr"), Story("C", channel="phone", language="tr")
    )
    assert figures.volume["category"] == {"not assessed": 2, "goods": 1}
    assert figures.volume["channel"] == {"telegram": 2, "phone": 1}
    assert figures.volume["language"] == {"tr": 2, "en": 1}


@clause("8.4")
def test_the_main_figures_are_reported_by_each_code() -> None:
    """Ten resolved, and one that is overdue: it fails in every group that it belongs to."""
    late = Story("LATE", channel="phone").acknowledge().assess(severity=4)
    figures = report(*ten_resolved(), late, days=200)
    by = {family: {row.code: row for row in rows} for family, rows in figures.groups.items()}
    resolved, overdue = by["channel"]["telegram"], by["channel"]["phone"]
    assert (resolved.received, overdue.received) == (10, 1)
    assert resolved.shares["decided_in_time"].value == 1.0
    assert (overdue.shares["decided_in_time"].hits, overdue.shares["decided_in_time"].of) == (0, 1)
    assert overdue.shares["decided_in_time"].value is None
    for rows in figures.groups.values():
        assert sum(row.received for row in rows) in (0, 11)
    total = figures.share("decided_in_time").share
    assert sum(row.shares["decided_in_time"].of for row in by["severity"].values()) == total.of
    assert json.loads(json.dumps(figures.as_json()))["by"]["level"]["1"]["received"] == 11


def test_letters_sent_although_warned_are_counted_by_warning() -> None:
    figures = report(Story("A", overruled=["blaming", "internal"]), Story("B", overruled=["blaming"]))
    assert figures.volume["warnings_overruled"] == {"blaming": 2, "internal": 1}
    assert "| blaming tone | 2 |\n| wording of an internal note | 1 |" in page(figures)


# output


def test_the_json_is_one_document_of_plain_values() -> None:
    figures = report(*ten_resolved(), Story("O"), Story("W").propose().assess(safety=1)).as_json()
    assert json.loads(json.dumps(figures)) == figures
    assert (figures["from"], figures["to"], figures["received"]) == (
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z",
        12,
    )
    assert figures["safety_misses"] == ["W"]


def test_the_page_contains_figures_verdicts_and_formulas() -> None:
    words = page(report(*ten_resolved(), Story("O")))
    assert "1 November 2026 to 30 November 2026" in words
    assert "| Assessed in time | 0.0% (0 of 11; 0.0% to 25.9%) | at least 95% | ✗ not met |" in words
    assert "Oldest: O, received 2 November 2026, 10:00, open for 20 days." in words
    assert f"| Reopened | {SHARES['reopened'].formula} |" in words


def test_every_figure_has_the_same_english_title_and_formula_in_the_catalogue_as_in_the_json() -> None:
    for key, kpi in {**SHARES, **DURATIONS, **SCORES, **OTHERS}.items():
        assert (LABELS.text(f"kpi.{key}"), LABELS.text(f"kpi.{key}.how")) == (kpi.title, kpi.formula)
    for key, (name, reason) in NOT_REPORTED.items():
        assert (LABELS.text(f"missing.{key}"), LABELS.text(f"missing.{key}.why")) == (name, reason)


def test_every_table_row_has_as_many_cells_as_its_header() -> None:
    lines = page(report(*ten_resolved())).splitlines()
    for head, rule in pairwise(lines):
        if rule.startswith("| ---"):
            assert head.count("|") == rule.count("|")
    assert {line.count("|") for line in lines if line.startswith("| Time to")} >= {9}


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        report().received = 3  # type: ignore[misc]


@settings(max_examples=settings.default.max_examples // 4)
@given(st.permutations(range(6)))
def test_the_order_of_the_cases_does_not_matter(order: list[int]) -> None:
    stories = [
        *ten_resolved()[:2],
        Story("O").assess(),
        Story("D").decided("partly"),
        Story("W").later(days=1).do(Verb.WITHDRAW, PERSON),
        Story("X", at=MONDAY - timedelta(days=40)),
    ]
    assert report(*(stories[n] for n in order)) == report(*stories)


def test_figures_with_nothing_to_count_are_named_in_one_sentence_and_have_no_row() -> None:
    figures = report(*ten_resolved())
    sections = {section.id: section for section in monitoring_report(figures, "Europe/London").sections}
    (note,) = sections["figures"].notes
    titles = [figure_title(figure.key, figure.group) for figure in figures.shares if not figure.share.of]
    rows = [row for table in sections["figures"].tables for row in table.rows]
    assert note.fields["figures"] == tuple(titles)
    assert len(rows) + len(titles) == len(figures.shares)
    assert all(isinstance(row[1], Share) and row[1].of for row in rows)
    assert sections["satisfaction"].tables[0].rows == ()


def test_the_documentation_names_every_figure_with_its_formula() -> None:
    written = DOCS.read_text(encoding="utf-8")
    alone = (REPEAT, BACKLOG_OVERDUE, PAST_LEGAL, EMPTY_FIELDS, CHAIN)
    for kpi in (*SHARES.values(), *DURATIONS.values(), *SCORES.values(), *alone):
        assert f"{kpi.title} | {kpi.formula}" in written
    for name, reason in NOT_REPORTED.values():
        assert f"- **{name}**: {reason}" in " ".join(written.split())
    for key in (*SHARES, *DURATIONS, *SCORES):
        assert f"`{key}`" in written
