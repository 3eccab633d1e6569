"""Examples of outcomes (8.4), one complaint each."""

from __future__ import annotations

import pytest

from complaints.actors import SYSTEM
from complaints.case_values import Decision
from complaints.measures.marks import marks, marks_of_events, missed_danger, outcome
from complaints.vocabulary import Finding, Verb
from tests.rules.reports_story import HANDLER, MANAGER, PERSON, TOP, Story


def marked(story: Story, key: str, group: str | None = None) -> list[bool]:
    """What this complaint adds to a share, at the story's time."""
    return [
        success
        for name, of, success in (*marks(story.case, story.at), *marks_of_events(story.history))
        if name == key and group in (None, of)
    ]


# first-contact resolution


def test_a_resolved_and_accepted_complaint_is_resolved_at_first_contact() -> None:
    assert marked(Story().resolved().accept(), "first_contact_resolution") == [True]


def test_silence_is_no_acceptance() -> None:
    assert marked(Story().resolved(), "first_contact_resolution") == [False]


def test_an_investigated_complaint_is_not_resolved_at_first_contact() -> None:
    assert marked(Story().decided().accept(), "first_contact_resolution") == [False]
    assert marked(
        Story().acknowledge().assess().investigate().resolve().accept(), "first_contact_resolution"
    ) == [False]


def test_an_undecided_complaint_is_not_counted_for_first_contact() -> None:
    assert marked(Story().acknowledge().assess(), "first_contact_resolution") == []


def test_a_reopened_complaint_was_not_resolved_at_first_contact() -> None:
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
def test_a_decision_on_several_issues_has_one_outcome(findings: tuple[str, ...], expected: str) -> None:
    story = Story().acknowledge()
    story.assess(issues=[{"category": "goods"} for _ in findings]).investigate()
    decision = story.decide(*findings).communicate().case.decisions[0]
    assert outcome(decision) == expected


def test_the_outcomes_of_one_level_add_up_to_one_decision() -> None:
    story = Story().decided("partly")
    marks_by_finding = {finding.value: marked(story, finding.value, "level 1") for finding in Finding}
    assert marks_by_finding == {
        "upheld": [False],
        "partly": [True],
        "not_upheld": [False],
        "no_finding": [False],
    }


def test_each_level_has_its_own_outcome() -> None:
    story = Story().decided("not_upheld").disagree().acknowledge()
    story.do(Verb.INVESTIGATE, TOP, {"evidence": ["complainant_heard", "records_checked"]})
    story.later(days=1).decide("upheld", by=TOP).communicate()
    assert marked(story, "upheld", "level 1") == [False]
    assert marked(story, "upheld", "level 2") == [True]


def test_a_decision_not_yet_communicated_has_no_outcome() -> None:
    assert marked(Story().acknowledge().assess().investigate().decide(), "upheld") == []


# escalated, external


def test_a_disagreement_at_level_1_counts_as_escalated() -> None:
    assert marked(Story().decided(), "escalated") == [False]
    assert marked(Story().decided().later(days=1).disagree(), "escalated") == [True]


def test_a_disagreement_without_a_reviewer_counts_as_escalated_too() -> None:
    story = Story().decided().later(days=1).disagree(reviewers=0)
    assert marked(story, "escalated") == [True]
    assert marked(story.do(Verb.OFFER_RECOURSE, SYSTEM), "escalated") == [True]


def test_an_escalation_by_staff_before_a_decision_does_not_count_as_escalated() -> None:
    story = Story().assess().do(Verb.ESCALATE, HANDLER, reason="Law is in question.")
    assert marked(story, "escalated") == []


def test_a_decision_is_final_when_accepted_or_at_the_top_level() -> None:
    assert marked(Story().decided(), "external") == []
    assert marked(Story().decided().accept(), "external") == [False]
    refused = Story().decided("not_upheld").later(days=1).disagree()
    assert marked(refused, "external") == []
    refused.do(Verb.INVESTIGATE, TOP, {"evidence": ["complainant_heard", "records_checked"]})
    assert marked(refused.later(days=1).decide("not_upheld", by=TOP).communicate(), "external") == [False]


def test_an_outside_body_counts_in_any_state() -> None:
    story = Story().do(Verb.NOTIFY_EXTERNAL, HANDLER, {"event": "notified"}, body="Ombudsman")
    assert marked(story, "external") == [True]


# closings


def test_an_accepted_complaint_closes_without_lapsing() -> None:
    closed = Story().resolved().accept().close()
    assert marked(closed, "lapsed") == [False]
    assert marked(closed, "answered_no_reply") == [False]
    assert marked(closed, "reopened") == [False]


def test_silence_without_a_due_remedy_counts_as_lapsed() -> None:
    closed = Story().decided("not_upheld").later(days=31).do(Verb.LAPSE, SYSTEM)
    assert marked(closed, "lapsed") == [True]
    assert marked(closed, "answered_no_reply") == [False]


def test_silence_after_a_verified_remedy_is_counted_separately() -> None:
    story = Story().resolved().do(Verb.VERIFY, MANAGER, {"remedy": "0"}, how="Looked at it.")
    closed = story.later(days=31).do(Verb.LAPSE, SYSTEM)
    assert marked(closed, "lapsed") == [False]
    assert marked(closed, "answered_no_reply") == [True]


def test_a_reopened_complaint_stays_reopened_when_closed_again() -> None:
    story = Story().resolved().accept().close().later(days=9).do(Verb.REOPEN, PERSON, reason="It leaks.")
    assert marked(story, "reopened") == [True]
    assert marked(story, "lapsed") == []
    assert marked(story.later(days=1).resolve().accept().close(), "reopened") == [True]


def test_a_reopening_after_ninety_days_is_not_counted_as_reopened() -> None:
    story = Story().resolved().accept().close().later(days=91).do(Verb.REOPEN, MANAGER, reason="It leaks.")
    assert marked(story, "reopened") == [False]


def test_a_decision_changed_by_an_outside_body_counts_as_overturned() -> None:
    story = Story().decided("not_upheld").disagree(reviewers=0).do(Verb.OFFER_RECOURSE, SYSTEM)
    assert marked(story, "overturned") == []
    complaint = {"event": "final", "overturned": "yes", "comply_by": "2026-12-01", "cause_class": "recurring"}
    words = {"body": "Ombudsman", "outcome": "Pay.", "cause": "A rule.", "prevention": "Another."}
    story.do(Verb.CONCLUDE_EXTERNAL, HANDLER, complaint, **words)
    assert marked(story, "overturned") == [True]


def test_a_recurring_cause_counts_as_recurring() -> None:
    assert marked(Story().decided(), "recurring") == [False]
    assert marked(Story(), "recurring") == []


def test_the_last_fairness_score_counts() -> None:
    story = Story().resolved().accept().close().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert marked(story, "fair") == []
    story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": "q3", "score": 2})
    assert marked(story, "fair") == [False]
    story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": "q3", "score": 5})
    assert marked(story, "fair") == [True]
    assert marked(story, "survey_mix", "answered") == [True]


def test_an_open_complaint_is_not_counted_for_closings() -> None:
    story = Story().resolved()
    assert [marked(story, key) for key in ("reopened", "lapsed", "answered_no_reply")] == [[], [], []]


def test_a_delivered_survey_counts_answered_or_not() -> None:
    story = Story().resolved().accept().close().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert marked(story, "survey_response") == [False]
    story.do(Verb.SURVEY, PERSON, {"step": "answered", "question": "fair", "score": 5})
    assert marked(story, "survey_response") == [True]


# first assessment compared with the proposal and the final values


def test_an_unchanged_first_priority_was_right() -> None:
    assert marked(Story().resolved().accept().close(), "misprioritised") == [False]


def test_a_priority_changed_later_counts_as_wrong() -> None:
    story = Story().acknowledge().assess(severity=3).later(days=1)
    story.assess(verb=Verb.REASSESS, severity=2, by=MANAGER)
    assert marked(story, "misprioritised") == []
    story.assess(verb=Verb.REASSESS, severity=2, recurrence=4, by=MANAGER)
    assert marked(story.investigate().decide().communicate().accept().close(), "misprioritised") == [True]


def test_the_proposed_priority_is_compared_with_the_first_assessment() -> None:
    assert marked(Story().propose(severity=2).assess(severity=2), "priority_overruled") == [False]
    assert marked(Story().propose(severity=4).assess(severity=2), "priority_overruled") == [True]
    assert marked(Story().assess(), "priority_overruled") == []
    assert marked(Story().propose(), "priority_overruled") == []


def test_a_reassessment_does_not_change_the_comparison_with_the_proposal() -> None:
    story = Story().propose(severity=2).assess(severity=2).later(days=1)
    story.assess(verb=Verb.REASSESS, severity=4)
    assert marked(story, "priority_overruled") == [False]


def test_the_proposed_category_is_compared_unless_the_model_abstained() -> None:
    assert marked(Story().propose(category="goods").assess(), "category_overruled") == [False]
    assert marked(Story().propose(category="money").assess(), "category_overruled") == [True]
    assert marked(Story().propose(category="money", abstained=True).assess(), "category_overruled") == []


def test_a_danger_seen_only_by_a_person_is_a_miss() -> None:
    assert missed_danger(Story().propose().assess(safety=1).case) is True
    assert missed_danger(Story().propose().assess().case) is False
    assert missed_danger(Story().assess(safety=1).case) is False


def test_a_danger_seen_by_a_rule_is_no_miss() -> None:
    sign = {"rule": "danger.gas", "severity": 4, "safety": 2, "danger": True}
    story = Story(signs=[sign]).propose().assess(severity=4, safety=2)
    assert missed_danger(story.case) is False


def test_a_decision_without_findings_has_the_outcome_no_finding() -> None:
    empty = Decision(1, "U1", Story().at, False, (), "single", "none")
    assert outcome(empty) == "no_finding"
