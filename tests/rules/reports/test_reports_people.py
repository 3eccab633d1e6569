"""Satisfaction, equal treatment, redress, incidents and integrity in the report (8.4)."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.actors import SYSTEM
from complaints.case import Event
from complaints.case_values import Decision
from complaints.history import CaseHistory
from complaints.measures.marks import surveys
from complaints.measures.row import empty_fields
from complaints.vocabulary import Flag, Role, Verb
from reports.breakdowns import EqualTreatmentCount, Gap, ScoreCount
from reports.integrity import Proof
from reports.kpis import TargetVerdict
from reports.monitoring import Monitoring, monitor
from reports.monitoring_report import monitoring_report
from reports.output.outline import charts_of
from reports.output.render_charts import draw_chart
from reports.statistics import Share
from reports.tally import Period
from tests.clauses import clause
from tests.rules.reports_story import HANDLER, LABELS, MONDAY, PERSON, Story, page

NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def report(*stories: Story, days: int = 20, **options: object) -> Monitoring:
    """November's report, `days` after its first Monday."""
    histories = (story.history for story in stories)
    return monitor(histories, period=NOVEMBER, now=MONDAY + timedelta(days=days), **options)  # type: ignore[arg-type]


def scored(ref: str, finding: str = "upheld", **scores: int) -> Story:
    """Resolved at once, then surveyed."""
    story = Story(ref).acknowledge().assess().resolve(finding).accept().close().later(days=3)
    story.do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    for question, score in scores.items():
        story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": question, "score": score})
    return story


@clause("8.3")
def test_process_and_outcome_scores_have_a_mean_and_are_split_by_the_decision() -> None:
    happy = [scored(f"H{n}", q1=5, q2=4, q5=5) for n in range(10)]
    sad = [scored(f"S{n}", "not_upheld", q1=2, q2=3, q5=1) for n in range(10)]
    figures = {(figure.key, figure.group): figure for figure in report(*happy, *sad).scores}
    assert figures["process", None].mean == pytest.approx(3.5)
    assert figures["process", None].verdict is TargetVerdict.NOT_MET
    assert (figures["process", "upheld"].mean, figures["process", "not upheld"].mean) == (4.5, 2.5)
    assert figures["outcome", None].mean == pytest.approx(3.0)
    assert (figures["outcome", "upheld"].share.hits, figures["outcome", "upheld"].share.of) == (10, 10)
    few = {(figure.key, figure.group): figure for figure in report(*happy[:6]).scores}
    assert few["process", "upheld"].mean is None


@clause("8.3")
def test_the_answers_of_one_person_to_one_survey_are_one_unit() -> None:
    (process, *_) = report(*(scored(f"H{n}", q1=5, q2=5, q3=5, q4=1, q5=5) for n in range(10))).scores
    assert (process.share, process.mean) == (Share(10, 10), pytest.approx(4.0))


@clause("8.3")
def test_the_interval_of_the_process_score_covers_the_truth_in_95_percent_of_samples() -> None:
    chance = random.Random(28)
    case = Story().case

    def survey() -> CaseHistory:
        # The mood of a person moves all four answers.
        mood = chance.gauss(3.9, 1.1)
        answers = [min(5, max(1, round(mood + chance.gauss(0, 0.4)))) for _ in range(4)]
        events = (
            Event(
                number, Verb.SURVEY, MONDAY, "p1", Role.COMPLAINANT,
                {"step": "answered", "question": f"q{number}", "score": score},
            )
            for number, score in enumerate(answers, start=1)
        )  # fmt: skip
        return CaseHistory(case, tuple(events))

    def scores_of(history: CaseHistory) -> list[tuple[float | None, int | None, bool | None]]:
        return [(answers.process, answers.outcome, answers.upheld) for answers in surveys(history)]

    population = ScoreCount()
    for _ in range(10_000):
        population.add(scores_of(survey()))
    truth = population.result()[0].share.value or 0
    covered = 0
    for _ in range(500):
        sample = ScoreCount()
        for _ in range(40):
            sample.add(scores_of(survey()))
        low, high = sample.result()[0].share.interval or (0, 0)
        covered += low <= truth <= high
    assert covered / 500 >= 0.93


@clause("8.3")
def test_a_reopening_keeps_the_survey_of_the_earlier_closing() -> None:
    first = [scored(f"A{n}", q1=5, q3=5, q5=5) for n in range(10)]
    for story in first:
        story.later(days=30).do(Verb.REOPEN, PERSON, reason="It leaks again.")
    figures = report(
        *first, *(scored(f"B{n}", q1=2, q3=2) for n in range(2)), *(scored(f"C{n}") for n in range(2))
    )
    assert figures.share("survey_response").share == Share(12, 14)
    assert figures.share("fair").share == Share(10, 12)
    assert figures.scores[0].share == Share(10, 12)


@clause("8.3")
def test_each_closing_has_a_survey_of_its_own_with_its_own_decision() -> None:
    story = scored("A", "not_upheld", q1=1)
    story.later(days=40).do(Verb.REOPEN, PERSON, reason="It leaks again.")
    story.assess(verb=Verb.REASSESS).resolve("upheld").accept().close().later(days=3)
    story.do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    first, second = surveys(story.history)
    assert (first.upheld, first.process, first.is_answered) == (False, 1, True)
    assert (second.upheld, second.process, second.is_answered) == (True, None, False)


@clause("8.3")
def test_survey_respondents_are_compared_with_non_respondents() -> None:
    figures = report(
        *[scored(f"A{n}", q3=5) for n in range(10)], *[scored(f"B{n}", "not_upheld") for n in range(10)]
    )
    assert figures.share("survey_mix", "answered").share == Share(10, 10)
    assert figures.share("survey_mix", "not answered").share == Share(0, 10)
    assert figures.share("fair").verdict is TargetVerdict.MET


def in_language(ref: str, language: str, *, late: bool = False) -> Story:
    """Decided in time, or 18 days after receipt."""
    story = Story(ref, language=language).acknowledge().assess().investigate()
    return story.later(days=18 if late else 1).decide().communicate()


@clause("4.5")
def test_a_language_that_waits_longer_than_chance_is_flagged() -> None:
    figures = report(
        *(in_language(f"E{n}", "en") for n in range(20)),
        *(in_language(f"T{n}", "tr", late=True) for n in range(20)),
    )
    gaps = {(figure.of, figure.group, figure.measure): figure for figure in figures.gaps}
    assert gaps["language", "tr", "decided_in_time"].flagged
    assert not gaps["language", "tr", "upheld"].flagged
    (line,) = (line for line in page(figures).splitlines() if line.startswith("| Turkish | decided in time"))
    assert "0.0% (0 of 20;" in line
    assert line.endswith("| ! look here |")


def test_a_single_group_is_compared_with_no_other() -> None:
    assert report(*(in_language(f"E{n}", "en") for n in range(12))).gaps == ()


def test_a_support_need_is_a_group_of_its_own() -> None:
    needing = in_language("N", "en")
    needing.case = replace(needing.case, flags=needing.case.flags | {Flag.SUPPORT_NEED})
    kinds = {(figure.of, figure.group) for figure in report(needing, in_language("O", "en")).gaps}
    assert kinds == {("support need", "told"), ("support need", "none told")}


shares = st.integers(10, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(shares, shares)
def test_a_difference_lies_within_its_interval_and_is_symmetric(
    counts: tuple[int, int], other: tuple[int, int]
) -> None:
    gap = Gap("language", "tr", "upheld", Share(*counts), Share(*other))
    back = Gap("language", "en", "upheld", Share(*other), Share(*counts))
    assert gap.interval is not None
    assert back.interval is not None
    low, high = gap.interval
    assert -1 - 1e-9 <= low <= (gap.difference or 0) + 1e-9
    assert (gap.difference or 0) - 1e-9 <= high <= 1 + 1e-9
    assert (low, high) == pytest.approx((-back.interval[1], -back.interval[0]))


@clause("4.5")
def test_equal_groups_are_flagged_in_at_most_5_percent_of_reports() -> None:
    chance = random.Random(30)
    flagged = 0
    for _ in range(400):
        count = EqualTreatmentCount()
        for language in ("en", "tr", "de", "es"):
            for measure in ("decided_in_time", "upheld", "satisfied"):
                count.groups["language", language, measure] = [
                    sum(chance.random() < 0.8 for _ in range(40)),
                    40,
                ]
        flagged += any(gap.flagged for gap in count.gaps())
    assert flagged / 400 <= 0.05


def test_money_is_summed_by_currency_promised_and_paid() -> None:
    refund = {"type": "refund", "amount": "50.00", "currency": "GBP", "promised_by_date": "2026-11-17"}
    paid = Story("P").decided("upheld", remedies=(refund,))
    paid.do(Verb.REMEDY_DONE, HANDLER, {"remedy": "0", "done_at": paid.at.isoformat()})
    open_ = Story("O").decided("partly", remedies=({**refund, "amount": "10.50"},))
    offer = Story("F").decided("not_upheld", remedies=({**refund, "needs_acceptance": True},))
    figures = report(paid, open_, offer).redress
    assert figures.as_json() == {
        "upheld": 2,
        "currencies": [{"currency": "GBP", "promised": "60.5", "paid": "50", "promised_per_upheld": "30.25"}],
    }


def test_an_incident_is_counted_once_and_so_is_its_recurring_cause() -> None:
    stories = [Story(f"R{n}").resolved() for n in range(4)]
    for at, story in enumerate(stories):
        decision = replace(story.case.decisions[0], cause_class="recurring")
        story.case = replace(story.case, decisions=(decision,), incident=(7, 7, 8, None)[at])
    figures = report(*stories)

    assert (figures.incident_count, figures.incidents) == (2, 3)
    assert figures.share("recurring").share.of == 3
    assert figures.as_json()["incidents"] == {"count": 2, "complaints": 3}
    assert "2 incidents have complaints of the period: 3." in page(figures)
    assert "have complaints of the period" not in page(report(Story("R")))


def test_a_simulated_contact_is_in_no_figure() -> None:
    simulated = scored("S", q1=1, q5=1)
    simulated.case = replace(simulated.case, is_simulation=True)
    figures = report(simulated, Story("R"))
    assert (figures.received, figures.simulations) == (1, 1)
    assert all(figure.share.of == 0 for figure in figures.scores)
    assert sum(figures.weeks.values()) == 1
    assert figures.open_by_owner == {"nobody": 1}


def test_an_empty_mandatory_field_and_a_broken_chain_are_reported() -> None:
    story = Story("R").assess()
    story.case = replace(story.case, issues=())
    assert list(empty_fields(story.case)) == ["issues"]
    figures = report(story, proof=Proof(9, ("R", 2, "this event is missing")))
    assert (figures.integrity.incomplete, figures.integrity.verdict) == (1, TargetVerdict.NOT_MET)
    assert "The chain of events is broken at R, event 2: this event is missing." in page(figures)
    assert report(Story("R"), proof=Proof(9)).integrity.verdict is TargetVerdict.MET
    assert "was not checked" in page(report(Story("R")))


def test_a_closed_complaint_needs_a_cause_and_others_affected() -> None:
    closed = Story("R").resolved().accept().close()
    assert list(empty_fields(closed.case)) == []
    bare = Decision(1, "U1", closed.at, True, (), "", "")
    closed.case = replace(closed.case, decisions=(bare,), close_code=closed.case.close_code)
    assert list(empty_fields(closed.case)) == ["cause_class", "others_affected"]
    closed.case = replace(closed.case, close_code=None)
    assert list(empty_fields(closed.case)) == ["close_code"]


def test_repeats_are_reported_only_on_request() -> None:
    assert report(Story("A"), Story("B"), repeats=1).repeats == Share(1, 2)
    assert report(Story("A")).repeats is None


def test_weeks_begin_on_monday_and_none_is_left_out() -> None:
    sunday = Story("S", at=datetime(2026, 11, 8, 23, 59, tzinfo=UTC))
    assert report(Story("M"), sunday, Story("N", at=datetime(2026, 11, 16, tzinfo=UTC))).weeks == {
        "2026-11-02": 2,
        "2026-11-09": 0,
        "2026-11-16": 1,
    }
    assert report().weeks == {}


@pytest.mark.parametrize("stories", [0, 1, 30])
def test_each_chart_is_well_formed_and_has_a_title(stories: int) -> None:
    figures = report(
        *(Story(f"R{n}", at=MONDAY + timedelta(days=n % 28)).acknowledge() for n in range(stories))
    )
    for chart, table in charts_of(monitoring_report(figures, "Europe/London")):
        drawn = ET.fromstring(draw_chart(chart, table, LABELS))
        (title,) = drawn.iter("{http://www.w3.org/2000/svg}title")
        assert title.text
        numbers = [
            float(element.get("height", "1").rstrip("%")) for element in drawn.iter() if element.get("height")
        ]
        assert all(height >= 0 for height in numbers)


def test_figures_that_the_record_cannot_give_are_named() -> None:
    words = page(report())
    assert "### What the record does not hold yet" in words
    assert "- Volume rate: complaints per 1,000 customers" in words
