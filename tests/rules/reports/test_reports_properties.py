"""Figures stay consistent for any sequence of acts (8.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from complaints.actions.perform import fold
from complaints.actors import SYSTEM
from complaints.errors import ComplaintError
from complaints.measures.clocks import levels, runs
from complaints.measures.marks import marks
from complaints.measures.row import measure_history, stage_at, stage_of
from complaints.vocabulary import Verb
from reports.monitoring import monitor
from reports.tally import Period
from tests.rules.reports_story import HANDLER, MANAGER, MONDAY, PERSON, TOP, Story, page

REFUND = {"type": "refund", "amount": "5.00", "currency": "GBP"}
PERIOD = Period(MONDAY, MONDAY + timedelta(days=400))

STEPS: tuple[Callable[[Story], object], ...] = (
    Story.acknowledge,
    lambda story: story.propose(severity=4),
    lambda story: story.assess(),
    lambda story: story.assess(severity=1, by=MANAGER, verb=Verb.REASSESS),
    Story.inform,
    Story.investigate,
    lambda story: story.investigate(by=TOP),
    Story.resolve,
    Story.decide,
    lambda story: story.decide("not_upheld", by=TOP, remedies=(REFUND,)),
    lambda story: story.do(Verb.APPROVE, MANAGER, {"agreed": "yes"}),
    Story.communicate,
    Story.accept,
    Story.disagree,
    lambda story: story.do(Verb.OFFER_RECOURSE, SYSTEM),
    lambda story: story.do(Verb.ESCALATE, HANDLER, reason="Law is in question."),
    lambda story: story.do(Verb.NOTIFY_EXTERNAL, HANDLER, {"event": "notified"}, body="Ombudsman"),
    lambda story: story.do(
        Verb.REMEDY_DONE, HANDLER, {"remedy": "0", "done_at": story.at.isoformat()}, proof="Paid."
    ),
    lambda story: story.do(Verb.VERIFY, MANAGER, {"remedy": "0"}, how="Seen."),
    lambda story: story.close(by=MANAGER),
    lambda story: story.do(Verb.LAPSE, SYSTEM),
    lambda story: story.do(Verb.WITHDRAW, PERSON),
    lambda story: story.do(Verb.REOPEN, PERSON, reason="It leaks again."),
)
courses = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 60)), max_size=30)


def play_course(course: list[tuple[Callable[[Story], object], int]]) -> Story:
    """A complaint after these acts; refused ones are left out."""
    story = Story()
    for step, hours in course:
        story.later(hours=hours)
        try:
            step(story)
        except ComplaintError:
            continue
    return story


@given(courses)
def test_every_sequence_of_acts_can_be_reported(course: list[tuple[Callable[[Story], object], int]]) -> None:
    story = play_course(course)
    figures = monitor([story.case], period=PERIOD, now=story.at)
    assert all(0 <= figure.share.hits <= figure.share.of for figure in figures.shares)
    assert figures.backlog.overdue.of == story.case.is_open
    assert page(figures).startswith("# Monitoring")


@given(courses)
def test_each_decision_has_one_outcome_per_level_and_extension_never_makes_it_late(
    course: list[tuple[Callable[[Story], object], int]],
) -> None:
    story = play_course(course)
    counts = Counter((key, group) for key, group, success in marks(story.case, story.at) if success)
    levels = {decision.level for decision in story.case.decisions if decision.communicated_at}
    outcomes = ("upheld", "partly", "not_upheld", "no_finding")
    assert {
        level: sum(counts[key, f"level {level}"] for key in outcomes) for level in levels
    } == dict.fromkeys(levels, 1)
    assert counts["decided_in_time", None] <= counts["decided_in_extended_time", None]


@given(courses, st.integers(0, 2000))
def test_waiting_never_turns_a_failure_into_success_or_shortens_a_duration(
    course: list[tuple[Callable[[Story], object], int]], hours: int
) -> None:
    story = play_course(course)
    later = story.at + timedelta(hours=hours)
    failed = Counter(key for key, _, success in marks(story.case, story.at) if not success)
    failed_later = Counter(key for key, _, success in marks(story.case, later) if not success)
    assert failed <= failed_later
    to_decision, to_closure, at_levels = runs(story.case, levels(story.case))
    for run in (to_decision, to_closure, *(run for _, run in at_levels)):
        now, then = (run.observe(story.case.rules.calendar, moment) for moment in (story.at, later))
        assert (now.days, now.working_days) <= (then.days, then.working_days)


@given(courses)
def test_a_time_to_decide_ends_before_the_next_begins(
    course: list[tuple[Callable[[Story], object], int]],
) -> None:
    runs = [level.clock for level in levels(play_course(course).case)]
    assert [run.next_start for run in runs if run.met_at is None] in ([], [None])
    assert all(run.met_at <= run.next_start for run in runs if run.met_at and run.next_start)


@given(courses, st.integers(-100, 2000))
def test_the_stage_of_any_moment_is_that_of_the_events_before_it(
    course: list[tuple[Callable[[Story], object], int]], hours: int
) -> None:
    history = play_course(course).history
    moment = MONDAY + timedelta(hours=hours)
    before = [event for event in history.events if event.at < moment]
    expected = stage_of(fold(before, history.case.first_rules)) if before else None
    assert stage_at(measure_history(history).stages, moment) == expected
