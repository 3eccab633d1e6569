"""Worked examples: with which result (8.4), one complaint each."""

from __future__ import annotations

import pytest

from complaints.actors import SYSTEM
from complaints.case_values import Decision
from complaints.vocabulary import Finding, Verb
from reports.case_measures import marks, marks_of_events, missed_danger, outcome
from tests.rules.reports_story import HANDLER, MANAGER, PERSON, TOP, Story


def marked(story: Story, key: str, group: str | None = None) -> list[bool]:
    """What this complaint contributes to a share, as of the story's clock."""
    return [
        success
        for name, of, success in (*marks(story.case, story.at), *marks_of_events(story.seen))
        if name == key and group in (None, of)
    ]


# first-contact resolution


def test_put_right_on_the_spot_and_accepted_is_resolved_at_first_contact() -> None:
    assert marked(Story().resolved().accept(), "first_contact_resolution") == [True]


def test_silence_is_no_acceptance() -> None:
    assert marked(Story().resolved(), "first_contact_resolution") == [False]


def test_an_investigated_complaint_is_not_resolved_at_first_contact() -> None:
    assert marked(Story().decided().accept(), "first_contact_resolution") == [False]
    assert marked(
        Story().acknowledge().assess().investigate().resolve().accept(), "first_contact_resolution"
    ) == [False]


def test_an_undecided_complaint_says_nothing_about_first_contact() -> None:
    assert marked(Story().acknowledge().assess(), "first_contact_resolution") == []


def test_reopened_it_was_not_resolved_at_first_contact() -> None:
    story = Story().resolved().accept().close().later(days=9).do(Verb.REOPEN, PERSON, reason="It leaks.")
    assert marked(story, "first_contact_resolution") == [False]


# findings


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (("upheld", "upheld"), "upheld"),
        (("upheld", "not_upheld"), "partly"),
        (("partly",), "partly"),
        (("partly", "upheld"), "partly"),
        (("not_upheld", "not_upheld"), "not_upheld"),
        (("no_finding", "upheld"), "upheld"),
        (("no_finding", "no_finding"), "no_finding"),
    ],
)
def test_one_word_for_a_decision_on_several_issues(findings: tuple[str, ...], expected: str) -> None:
    story = Story().acknowledge()
    story.assess(issues=[{"category": "goods"} for _ in findings]).investigate()
    told = story.decide(*findings).tell().case.decisions[0]
    assert outcome(told) == expected


def test_the_outcomes_of_one_level_add_up_to_one_decision() -> None:
    story = Story().decided("partly")
    found = {finding.value: marked(story, finding.value, "level 1") for finding in Finding}
    assert found == {"upheld": [False], "partly": [True], "not_upheld": [False], "no_finding": [False]}


def test_each_level_has_its_own_outcome() -> None:
    story = Story().decided("not_upheld").disagree().acknowledge()
    story.do(Verb.INVESTIGATE, TOP, {"evidence": ["complainant_heard", "records_checked"]})
    story.later(days=1).decide("upheld", by=TOP).tell()
    assert marked(story, "upheld", "level 1") == [False]
    assert marked(story, "upheld", "level 2") == [True]


def test_a_decision_that_was_not_told_yet_is_no_outcome() -> None:
    assert marked(Story().acknowledge().assess().investigate().decide(), "upheld") == []


# escalated, external


def test_refused_at_level_1_is_escalated() -> None:
    assert marked(Story().decided(), "escalated") == [False]
    assert marked(Story().decided().later(days=1).disagree(), "escalated") == [True]


def test_refused_with_nobody_left_to_review_is_escalated_too() -> None:
    story = Story().decided().later(days=1).disagree(reviewers=0)
    assert marked(story, "escalated") == [True]
    assert marked(story.do(Verb.OFFER_RECOURSE, SYSTEM), "escalated") == [True]


def test_raised_by_staff_before_a_decision_is_not_refused_by_anybody() -> None:
    story = Story().assess().do(Verb.ESCALATE, HANDLER, reason="Law is in question.")
    assert marked(story, "escalated") == []


def test_a_final_decision_is_one_that_stands_or_the_top_level_s() -> None:
    assert marked(Story().decided(), "external") == []
    assert marked(Story().decided().accept(), "external") == [False]
    refused = Story().decided("not_upheld").later(days=1).disagree()
    assert marked(refused, "external") == []
    refused.do(Verb.INVESTIGATE, TOP, {"evidence": ["complainant_heard", "records_checked"]})
    assert marked(refused.later(days=1).decide("not_upheld", by=TOP).tell(), "external") == [False]


def test_an_outside_body_counts_from_any_state() -> None:
    story = Story().do(Verb.NOTIFY_EXTERNAL, HANDLER, {"event": "notified"}, body="Ombudsman")
    assert marked(story, "external") == [True]


# endings


def test_an_accepted_complaint_closes_without_lapsing() -> None:
    closed = Story().resolved().accept().close()
    assert marked(closed, "lapsed") == [False]
    assert marked(closed, "answered_no_reply") == [False]
    assert marked(closed, "reopened") == [False]


def test_silence_with_nothing_owed_lapses() -> None:
    closed = Story().decided("not_upheld").later(days=31).do(Verb.LAPSE, SYSTEM)
    assert marked(closed, "lapsed") == [True]
    assert marked(closed, "answered_no_reply") == [False]


def test_silence_after_a_verified_remedy_is_counted_apart() -> None:
    story = Story().resolved().do(Verb.VERIFY, MANAGER, {"remedy": "0"}, how="Looked at it.")
    closed = story.later(days=31).do(Verb.LAPSE, SYSTEM)
    assert marked(closed, "lapsed") == [False]
    assert marked(closed, "answered_no_reply") == [True]


def test_a_reopened_complaint_stays_reopened_when_closed_again() -> None:
    story = Story().resolved().accept().close().later(days=9).do(Verb.REOPEN, PERSON, reason="It leaks.")
    assert marked(story, "reopened") == [True]
    assert marked(story, "lapsed") == []
    assert marked(story.later(days=1).resolve().accept().close(), "reopened") == [True]


def test_reopened_after_ninety_days_it_counts_as_closed_for_good() -> None:
    story = Story().resolved().accept().close().later(days=91).do(Verb.REOPEN, MANAGER, reason="It leaks.")
    assert marked(story, "reopened") == [False]


def test_what_an_outside_body_changed_is_overturned() -> None:
    story = Story().decided("not_upheld").disagree(reviewers=0).do(Verb.OFFER_RECOURSE, SYSTEM)
    assert marked(story, "overturned") == []
    told = {"event": "final", "overturned": "yes", "comply_by": "2026-12-01", "cause_class": "recurring"}
    words = {"body": "Ombudsman", "outcome": "Pay.", "cause": "A rule.", "prevention": "Another."}
    story.do(Verb.CONCLUDE_EXTERNAL, HANDLER, told, **words)
    assert marked(story, "overturned") == [True]


def test_a_cause_that_reaches_further_is_recurring() -> None:
    assert marked(Story().decided(), "recurring") == [False]
    assert marked(Story(), "recurring") == []


def test_fairness_is_what_was_said_last() -> None:
    story = Story().resolved().accept().close().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert marked(story, "fair") == []
    story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": "q3", "score": 2})
    assert marked(story, "fair") == [False]
    story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": "q3", "score": 5})
    assert marked(story, "fair") == [True]
    assert marked(story, "survey_mix", "answered") == [True]


def test_an_open_complaint_says_nothing_about_endings() -> None:
    story = Story().resolved()
    assert [marked(story, key) for key in ("reopened", "lapsed", "answered_no_reply")] == [[], [], []]


def test_a_survey_that_was_delivered_counts_answered_or_not() -> None:
    story = Story().resolved().accept().close().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert marked(story, "survey_response") == [False]
    story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": "fair", "score": 5})
    assert marked(story, "survey_response") == [True]


# the initial assessment against the proposal and the end


def test_the_priority_of_the_first_person_held() -> None:
    assert marked(Story().resolved().accept().close(), "misprioritised") == [False]


def test_a_priority_changed_later_was_wrong_at_first() -> None:
    story = Story().acknowledge().assess(severity=3).later(days=1)
    story.assess(verb=Verb.REASSESS, severity=2, by=MANAGER)
    assert marked(story, "misprioritised") == []
    story.assess(verb=Verb.REASSESS, severity=2, recurrence=4, by=MANAGER)
    assert marked(story.investigate().decide().tell().accept().close(), "misprioritised") == [True]


def test_the_priority_that_model_and_rules_gave_is_compared_with_the_first_person_s() -> None:
    assert marked(Story().propose(severity=2).assess(severity=2), "priority_overruled") == [False]
    assert marked(Story().propose(severity=4).assess(severity=2), "priority_overruled") == [True]
    assert marked(Story().assess(), "priority_overruled") == []
    assert marked(Story().propose(), "priority_overruled") == []


def test_a_later_assessment_does_not_change_what_the_first_made_of_the_proposal() -> None:
    story = Story().propose(severity=2).assess(severity=2).later(days=1)
    story.assess(verb=Verb.REASSESS, severity=4)
    assert marked(story, "priority_overruled") == [False]


def test_the_proposed_category_is_compared_where_the_model_was_sure() -> None:
    assert marked(Story().propose(category="goods").assess(), "category_overruled") == [False]
    assert marked(Story().propose(category="money").assess(), "category_overruled") == [True]
    assert marked(Story().propose(category="money", abstained=True).assess(), "category_overruled") == []


def test_a_danger_that_only_a_person_saw_is_a_miss() -> None:
    assert missed_danger(Story().propose().assess(safety=1).case) is True
    assert missed_danger(Story().propose().assess().case) is False
    assert missed_danger(Story().assess(safety=1).case) is False


def test_a_danger_that_a_rule_saw_is_no_miss() -> None:
    sign = {"rule": "danger.gas", "severity": 4, "safety": 2, "danger": True}
    story = Story(signs=[sign]).propose().assess(severity=4, safety=2)
    assert missed_danger(story.case) is False


def test_an_outcome_needs_no_finding_at_all() -> None:
    empty = Decision(1, "U1", Story().at, False, (), "single", "none")
    assert outcome(empty) == "no_finding"
