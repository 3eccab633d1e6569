"""The whole report of a period (8.4): cohort, backlog, durations, verdicts, JSON and the page to read."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.vocabulary import ContactKind, Verb
from reports.case_clocks import observations
from reports.kpis import (
    BACKLOG_OVERDUE,
    CHAIN,
    DURATIONS,
    EMPTY_FIELDS,
    HANDLERS_APART,
    NOT_REPORTED,
    PAST_LEGAL,
    REPEAT,
    SCORES,
    SHARES,
    Goal,
    TargetVerdict,
)
from reports.monitoring import Monitoring, Period, monitor
from reports.render_markdown import as_markdown
from tests.rules.reports_story import LEGAL, MANAGER, MONDAY, PERSON, Story

NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
DOCS = Path(__file__).parents[2] / "docs" / "reports.md"


def report(*stories: Story, days: int = 20) -> Monitoring:
    """November's report, drawn up so many days after its first Monday."""
    return monitor([story.seen for story in stories], period=NOVEMBER, now=MONDAY + timedelta(days=days))


def ten_resolved(after_days: int = 2) -> list[Story]:
    """Ten resolved on the spot, each so many days after it came."""
    return [Story(f"R{n}").later(days=after_days).resolved().accept().close() for n in range(10)]


# who counts


def test_the_cohort_is_what_was_received_in_the_period() -> None:
    october = Story("OLD", at=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    first = Story("A", at=datetime(2026, 11, 1, tzinfo=UTC))
    december = Story("NEW", at=datetime(2026, 12, 1, tzinfo=UTC))
    assert report(october, first, december).received == 1


def test_simulations_are_counted_apart() -> None:
    simulated = Story("S")
    simulated.case = replace(simulated.case, is_simulation=True)
    found = report(Story("A"), simulated)
    assert (found.received, found.simulations, found.backlog.overdue.of) == (1, 1, 1)


def test_what_turned_out_to_be_no_complaint_is_counted_apart() -> None:
    praise = Story("B").acknowledge().assess(severity=1)
    praise.do(Verb.RECLASSIFY, MANAGER, {"kind": "praise"}, reason="It thanks us.")
    praise.do(Verb.APPROVE, replace(MANAGER, id="U9"), {"agreed": "yes"})
    assert praise.case.kind is ContactKind.PRAISE
    found = report(Story("A"), praise)
    assert (found.received, found.other_kinds) == (1, {"praise": 1})


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="earlier date first"):
        Period(NOVEMBER.end, NOVEMBER.start)


# shares


def test_a_share_carries_its_formula_counts_interval_target_and_verdict() -> None:
    late = Story("L").later(days=3).acknowledge()
    found = report(*ten_resolved(after_days=1), late).share("acknowledged_in_time")
    assert found.as_json() == {
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
    found = report(*ten_resolved()[:9]).share("decided_in_time").as_json()
    assert (found["numerator"], found["denominator"]) == (9, 9)
    assert (found["share"], found["interval"], found["verdict"]) == (None, None, "too_few")


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


def test_every_share_stands_in_the_report_even_with_nothing_to_count() -> None:
    assert {one.key for one in report().shares} == set(SHARES)
    assert {one.verdict for one in report().shares} == {TargetVerdict.REPORT, TargetVerdict.TOO_FEW}


# durations


def duration(found: Monitoring, key: str, group: str) -> dict[str, object]:
    return next(one.as_json() for one in found.durations if (one.key, one.group) == (key, group))


def test_the_time_to_a_decision_by_priority_with_open_ones_censored() -> None:
    found = report(*ten_resolved(after_days=2), *(Story(f"O{n}") for n in range(5)), days=3)
    assert duration(found, "time_to_decision", "P3") == {
        "key": "time_to_decision",
        "group": "P3",
        "title": "Time to decision",
        "formula": DURATIONS["time_to_decision"].formula,
        "ended": 10,
        "still_open": 5,
        "working_days": {"median": 2, "p90": None},
        "days": {"median": 2.0, "p90": None},
        "target": {"at_most": 8},
        "verdict": "met",
    }


def test_complaints_taken_back_undecided_waited_only_until_then() -> None:
    taken_back = [Story(f"W{n}").later(days=1).do(Verb.WITHDRAW, PERSON) for n in range(5)]
    found = report(*ten_resolved(after_days=4), *taken_back)
    assert duration(found, "time_to_decision", "all")["working_days"] == {"median": 4, "p90": 4}


def test_the_time_to_closure_counts_from_receipt() -> None:
    closed = [Story(f"C{n}").resolved().accept().later(days=n).close() for n in range(10)]
    assert duration(report(*closed), "time_to_closure", "all")["days"] == {"median": 4.0, "p90": 8.0}


def test_each_level_has_its_own_time() -> None:
    refused = [Story(f"D{n}").later(days=1).decided("not_upheld").later(days=5).disagree() for n in range(3)]
    found = report(*refused, days=8)
    assert duration(found, "time_at_level", "level 1")["working_days"] == {"median": 1, "p90": 1}
    assert duration(found, "time_at_level", "level 2")["still_open"] == 3


def test_a_complaint_taken_back_and_reopened_did_not_wait_in_between() -> None:
    story = Story().later(days=2).do(Verb.WITHDRAW, PERSON).later(days=30)
    story.do(Verb.REOPEN, PERSON, reason="It leaks again.").later(days=1)
    waited = [
        (seen.days, seen.ended)
        for key, _, seen in observations(story.case, story.at)
        if key == "time_at_level"
    ]
    assert waited == [(2, False), (1, False)]


# backlog


def test_the_backlog_holds_what_is_open_whenever_it_was_received() -> None:
    ancient = Story("OLD", at=datetime(2026, 8, 3, 9, tzinfo=UTC))
    found = report(ancient, Story("A"), *ten_resolved(), days=3)
    assert found.received == 11
    assert [(one.days, one.overdue.of, one.overdue.hits) for one in found.backlog.bands] == [
        (7, 1, 1),
        (14, 0, 0),
        (28, 0, 0),
        (56, 0, 0),
        (None, 1, 1),
    ]
    assert found.backlog.oldest is not None
    assert (found.backlog.oldest.ref, found.backlog.oldest.days) == ("OLD", 94)


def test_what_waits_for_the_complainant_is_not_overdue() -> None:
    waiting = Story("A").decided("not_upheld")
    assert report(waiting, days=60).backlog.overdue.hits == 0


def test_one_complaint_past_the_legal_maximum_is_one_too_many() -> None:
    assert report(Story("A", rules=LEGAL), days=10).backlog.past_legal_verdict is TargetVerdict.MET
    late = report(Story("A", rules=LEGAL), days=22).backlog
    assert (late.past_legal, late.past_legal_verdict) == (1, TargetVerdict.NOT_MET)


def test_nothing_open_has_no_oldest() -> None:
    assert report(*ten_resolved()).backlog.as_json()["oldest"] is None


# volume


def test_volume_by_category_channel_and_language() -> None:
    found = report(Story("A").assess(), Story("B", language="tr"), Story("C", channel="phone", language="tr"))
    assert found.volume["category"] == {"not assessed": 2, "goods": 1}
    assert found.volume["channel"] == {"telegram": 2, "phone": 1}
    assert found.volume["language"] == {"tr": 2, "en": 1}


# what is handed on


def test_the_json_is_one_document_of_plain_values() -> None:
    found = report(*ten_resolved(), Story("O"), Story("W").propose().assess(safety=1)).as_json()
    assert json.loads(json.dumps(found)) == found
    assert (found["from"], found["to"], found["received"]) == (
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z",
        12,
    )
    assert found["safety_misses"] == ["W"]


def test_the_page_names_figures_verdicts_and_formulas() -> None:
    page = as_markdown(report(*ten_resolved(), Story("O")), "Europe/London")
    assert "received from 01 November 2026 to 30 November 2026" in page
    assert "| Assessed in time | 0.0 % | 0.0 – 25.9 % | 0 of 11 | ≥ 95 % | **not met** |" in page
    assert "Oldest: O, received Mon 02 Nov 2026 10:00, 20 days ago." in page
    assert f"- **Reopened**: {SHARES['reopened'].formula}." in page


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    lines = as_markdown(report(*ten_resolved()), "Europe/London").splitlines()
    for head, rule in pairwise(lines):
        if rule.startswith("|---"):
            assert head.count("|") == rule.count("|")
    assert {line.count("|") for line in lines if line.startswith("| Time")} == {10}


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        report().received = 3  # type: ignore[misc]


@given(st.permutations(range(6)))
def test_the_order_of_the_cases_makes_no_difference(order: list[int]) -> None:
    stories = [
        *ten_resolved()[:2],
        Story("O").assess(),
        Story("D").decided("partly"),
        Story("W").later(days=1).do(Verb.WITHDRAW, PERSON),
        Story("X", at=MONDAY - timedelta(days=40)),
    ]
    assert report(*(stories[n] for n in order)) == report(*stories)


def test_the_documentation_names_every_figure_with_its_formula() -> None:
    written = DOCS.read_text(encoding="utf-8")
    alone = (REPEAT, HANDLERS_APART, BACKLOG_OVERDUE, PAST_LEGAL, EMPTY_FIELDS, CHAIN)
    for kpi in (*SHARES.values(), *DURATIONS.values(), *SCORES.values(), *alone):
        assert f"{kpi.title} | {kpi.formula}" in written
    for name in NOT_REPORTED:
        assert f"**{name}**" in written
    for key in (*SHARES, *DURATIONS, *SCORES):
        assert f"`{key}`" in written
