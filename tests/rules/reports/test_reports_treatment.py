"""Equal treatment and satisfaction: who is compared with whom, what chance explains, and who answered the survey."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from complaints.measures.row import MARK_KEYS, CaseMeasures
from complaints.rulebook import Calendar
from reports.document import Estimate
from reports.fairness.equal_treatment import (
    HORIZON,
    DurationGap,
    Durations,
    TreatmentCount,
    duration_gaps,
    equal_treatment,
)
from reports.fairness.satisfaction import satisfaction
from reports.statistics import Share
from reports.tally import Measured, Period
from tests.clauses import clause

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = Period(datetime(2026, 10, 1, tzinfo=UTC), NOW)
NUMBERS = count(1)


def mark(key: str, sign: str) -> str:
    """One mark of a stored row."""
    return f"{'abcdefghijklmnopqrstuvwxyzABCDE'[MARK_KEYS.index(key)]}{sign};"


def row(days: int | None = 3, *, surveys: Any = (), marks: str = "", **changes: Any) -> Measured:
    """A measured complaint of the period that was decided after so many working days."""
    at = PERIOD.start + timedelta(days=5)
    values: dict[str, Any] = dict.fromkeys(CaseMeasures._fields)
    values |= {
        "ref": f"R{next(NUMBERS)}", "received_at": at, "received_on": date(2026, 10, 6), "logged_at": at,
        "is_simulation": False, "is_history": False, "kind": "complaint", "channel": "telegram", "language": "en",
        "category": "money", "support_need": False, "marks": marks, "rulebook_id": "r", "stages": "0!;",
        "priority": "P3",
        "state": "closed", "incomplete": False, "missed_danger": False, "outcome": "upheld",
        "decision_working_days": days, "decision_days": days, "decided_at": None if days is None else at,
        "details": json.dumps({"surveys": surveys}) if surveys else None,
    }  # fmt: skip
    return CaseMeasures(**{**values, **changes}), Calendar(always=True)


def drawn(generator: random.Random, number: int, slower: float = 1.0) -> Durations:
    """Durations of complaints, of which some are still open."""
    durations = Durations()
    for _ in range(number):
        days = int(generator.lognormvariate(1.8, 0.8) * slower)
        watched = int(generator.uniform(0, 30)) if generator.random() < 0.3 else 999
        (durations.ended if days <= watched else durations.censored)[min(days, watched)] += 1
    return durations


@clause("4.5")
def test_open_complaints_of_a_slow_group_do_not_make_it_look_fast() -> None:
    slow = Durations(Counter({2: 12}), Counter({30: 40}))
    fast = Durations(Counter({2: 40, 6: 12}))
    gap = DurationGap("language", "tr", slow, fast)
    assert gap.difference is not None
    assert gap.difference > 10
    assert gap.flagged


def test_the_mean_of_finished_times_without_open_ones_is_the_plain_mean() -> None:
    mean, variance = Durations(Counter({1: 5, 3: 5})).restricted_mean(HORIZON)
    assert mean == pytest.approx(2.0)
    assert variance == pytest.approx(1 / 10 * 10 / 9)


@pytest.mark.parametrize(("number", "others"), [(30, 300), (60, 60)])
def test_the_interval_of_a_difference_holds_the_true_value_in_about_95_of_100_reports(
    number: int, others: int
) -> None:
    generator = random.Random(3)
    covered = flagged = 0
    for _ in range(400):
        gap = DurationGap("language", "tr", drawn(generator, number), drawn(generator, others))
        assert gap.interval is not None
        covered += gap.interval[0] <= 0 <= gap.interval[1]
        flagged += gap.flagged
    assert 0.92 <= covered / 400 <= 0.99
    assert flagged / 400 <= 0.08


def test_groups_that_are_alike_are_flagged_in_few_reports() -> None:
    generator = random.Random(4)
    alarms = 0
    for _ in range(150):
        groups = {
            name: drawn(generator, size) for name, size in {"a": 200, "b": 60, "c": 25, "d": 15}.items()
        }
        gaps = duration_gaps("language", groups)
        alarms += any(replace(gap, comparisons=len(gaps)).flagged for gap in gaps)
    assert alarms / 150 <= 0.07


@clause("4.5")
def test_each_language_channel_and_support_need_is_compared_with_all_others() -> None:
    rows = [
        *(row(2, written_in="en", marks=mark("decided_in_time", "+")) for _ in range(40)),
        *(row(20, written_in="tr", channel="phone", marks=mark("decided_in_time", "-")) for _ in range(20)),
        row(2, is_simulation=True),
        row(2, is_history=True),
    ]
    report = equal_treatment(rows, PERIOD, NOW)
    sections = {section.id: section for section in report.sections}
    times = sections["language"].tables[1]

    assert report.figures[0].value == 61
    assert {table.id for section in report.sections for table in section.tables} == {
        f"{kind}_{name}" for kind in ("language", "channel", "support_need") for name in ("shares", "times")
    }
    assert [cell.value for cell in times.column("difference") if isinstance(cell, Estimate)] == [-18.0]
    assert sections["channel"].tables[0].column("here") == (Share(0, 20), Share(20, 20))
    assert sections["support_need"].tables[1].rows == ()


def test_no_member_of_staff_is_in_the_report_on_equal_treatment() -> None:
    report = equal_treatment([row(stages="0,,,U1;1!;") for _ in range(30)], PERIOD, NOW)
    assert "U1" not in repr(report)


def test_an_empty_period_says_that_nothing_can_be_compared() -> None:
    report = equal_treatment([], PERIOD, NOW)
    assert report.summary[0].id == "equal.too_few"
    assert TreatmentCount().gaps() == []


def surveyed() -> Iterator[Measured]:
    """Forty people asked; those whose complaint was upheld answer more often. One complaint has two rounds."""
    answered, silent = mark("survey_response", "+"), mark("survey_response", "-")
    for _ in range(20):
        yield row(surveys=[[4.5, 5, True]], marks=answered, outcome="upheld")
    for _ in range(20):
        yield row(surveys=[[None, None, False]], marks=silent, outcome="not_upheld", language="tr")
    yield row(surveys=[[1.0, 1, False], [5.0, 5, True]], marks=answered + answered, outcome="upheld")
    yield row(is_simulation=True, surveys=[[1.0, 1, True]], marks=answered)


@clause("8.3")
def test_each_closing_with_its_own_answer_is_a_unit_and_test_complaints_are_only_counted() -> None:
    report = satisfaction(surveyed(), PERIOD, NOW, "Europe/London")
    figures = {figure.id: figure.value for figure in report.figures}
    scores = next(section for section in report.sections if section.id == "scores").tables[0]

    assert figures["response"] == Share(22, 42)
    process = figures["process"]
    assert isinstance(process, Estimate)
    assert process.value == pytest.approx((20 * 4.5 + 6) / 22)
    assert process.low is not None
    assert process.low < process.value
    assert figures["simulations"] == 1
    assert scores.column("answers") == (22, 21, 1, 22, 21, 1)


@clause("8.3")
def test_people_who_answered_are_compared_with_those_who_did_not() -> None:
    report = satisfaction(surveyed(), PERIOD, NOW, "Europe/London")
    section = next(section for section in report.sections if section.id == "responders")
    outcomes = {
        cells[0].code: cells[2:4] for cells in section.tables[1].rows if cells[1].id == "equal.figure.outcome"
    }
    assert outcomes == {"not_upheld": (Share(0, 22), Share(20, 20)), "upheld": (Share(22, 22), Share(0, 20))}
    assert [cells[-1] is not None for cells in section.tables[1].rows] == [False, True, True, False]
