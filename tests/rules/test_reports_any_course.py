"""Whatever course a complaint takes, its figures stay sound (8.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from complaints.actors import SYSTEM
from complaints.errors import ComplaintError
from complaints.vocabulary import Verb
from reports.case_clocks import levels, observations
from reports.case_measures import marks
from reports.monitoring import Period, monitor
from reports.render_markdown import as_markdown
from tests.rules.reports_story import HANDLER, MANAGER, MONDAY, PERSON, TOP, Story

REFUND = {"type": "refund", "amount": "5.00", "currency": "GBP"}
PERIOD = Period(MONDAY, MONDAY + timedelta(days=400))

STEPS: tuple[Callable[[Story], object], ...] = (
    Story.acknowledge,
    lambda one: one.propose(severity=4),
    lambda one: one.assess(),
    lambda one: one.assess(severity=1, by=MANAGER, verb=Verb.REASSESS),
    Story.inform,
    Story.investigate,
    lambda one: one.investigate(by=TOP),
    Story.resolve,
    Story.decide,
    lambda one: one.decide("not_upheld", by=TOP, remedies=(REFUND,)),
    lambda one: one.do(Verb.APPROVE, MANAGER, {"agreed": "yes"}),
    Story.tell,
    Story.accept,
    Story.disagree,
    lambda one: one.do(Verb.OFFER_RECOURSE, SYSTEM),
    lambda one: one.do(Verb.ESCALATE, HANDLER, reason="Law is in question."),
    lambda one: one.do(Verb.NOTIFY_EXTERNAL, HANDLER, {"event": "notified"}, body="Ombudsman"),
    lambda one: one.do(
        Verb.REMEDY_DONE, HANDLER, {"remedy": "0", "done_at": one.at.isoformat()}, proof="Paid."
    ),
    lambda one: one.do(Verb.VERIFY, MANAGER, {"remedy": "0"}, how="Seen."),
    lambda one: one.close(by=MANAGER),
    lambda one: one.do(Verb.LAPSE, SYSTEM),
    lambda one: one.do(Verb.WITHDRAW, PERSON),
    lambda one: one.do(Verb.REOPEN, PERSON, reason="It leaks again."),
)
courses = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 60)), max_size=30)


def lived(course: list[tuple[Callable[[Story], object], int]]) -> Story:
    """A complaint that took this course; what the rules refuse is left out."""
    story = Story()
    for step, hours in course:
        story.later(hours=hours)
        try:
            step(story)
        except ComplaintError:
            continue
    return story


@given(courses)
def test_every_course_can_be_reported(course: list[tuple[Callable[[Story], object], int]]) -> None:
    story = lived(course)
    found = monitor([story.case], period=PERIOD, now=story.at)
    assert all(0 <= one.share.hits <= one.share.of for one in found.shares)
    assert found.backlog.overdue.of == story.case.is_open
    assert as_markdown(found, "Europe/London").startswith("# Monitoring")


@given(courses)
def test_a_decision_has_one_outcome_a_level_and_is_never_later_in_extended_time(
    course: list[tuple[Callable[[Story], object], int]],
) -> None:
    story = lived(course)
    found = Counter((key, group) for key, group, success in marks(story.case, story.at) if success)
    levels = {one.level for one in story.case.decisions if one.communicated_at}
    outcomes = ("upheld", "partly", "not_upheld", "no_finding")
    assert {
        level: sum(found[key, f"level {level}"] for key in outcomes) for level in levels
    } == dict.fromkeys(levels, 1)
    assert found["decided_in_time", None] <= found["decided_in_extended_time", None]


@given(courses, st.integers(0, 2000))
def test_waiting_never_undoes_a_failure_nor_shortens_a_duration(
    course: list[tuple[Callable[[Story], object], int]], hours: int
) -> None:
    story = lived(course)
    later = story.at + timedelta(hours=hours)
    failed = Counter(key for key, _, success in marks(story.case, story.at) if not success)
    failed_later = Counter(key for key, _, success in marks(story.case, later) if not success)
    assert failed <= failed_later
    for (_, _, now), (_, _, then) in zip(
        observations(story.case, story.at), observations(story.case, later), strict=True
    ):
        assert (now.days, now.working_days) <= (then.days, then.working_days)


@given(courses)
def test_a_clock_to_decide_ends_before_the_next_begins(
    course: list[tuple[Callable[[Story], object], int]],
) -> None:
    runs = [one.clock for one in levels(lived(course).case)]
    assert [one.next_start for one in runs if one.met_at is None] in ([], [None])
    assert all(one.met_at <= one.next_start for one in runs if one.met_at and one.next_start)
