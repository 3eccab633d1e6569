"""Examples of timeliness (8.4), one complaint each, all received on a Monday at 10:00."""

from __future__ import annotations

from datetime import timedelta

from complaints.actors import SYSTEM
from complaints.measures.clocks import levels
from complaints.measures.marks import marks
from complaints.vocabulary import Verb
from tests.rules.reports_story import HANDLER, LEGAL, MANAGER, PERSON, TOP, Story

REFUND = {"type": "refund", "amount": "5.00", "currency": "GBP", "promised_by_date": "2026-11-10"}


def marked(story: Story, key: str) -> list[bool]:
    """What this complaint adds to a share, at the story's time."""
    return [success for name, _, success in marks(story.case, story.at) if name == key]


# acknowledged in time: 1 bd, so by Tuesday 17:30


def test_an_acknowledgement_by_the_next_working_day_is_in_time() -> None:
    assert marked(Story().later(days=1).acknowledge(), "acknowledged_in_time") == [True]


def test_an_acknowledgement_exactly_at_its_due_time_is_in_time() -> None:
    assert marked(Story().later(days=1, hours=7, minutes=30).acknowledge(), "acknowledged_in_time") == [True]
    assert marked(Story().later(days=1, hours=7, minutes=30), "acknowledged_in_time") == []


def test_an_acknowledgement_after_its_due_time_is_late() -> None:
    assert marked(Story().later(days=1, hours=8).acknowledge(), "acknowledged_in_time") == [False]


def test_an_acknowledgement_not_yet_due_is_not_counted() -> None:
    assert marked(Story().later(days=1), "acknowledged_in_time") == []


def test_an_acknowledgement_never_given_is_late() -> None:
    assert marked(Story().later(days=2), "acknowledged_in_time") == [False]


def test_a_complaint_withdrawn_before_its_due_time_needs_no_acknowledgement() -> None:
    taken_back = Story().later(hours=1).do(Verb.WITHDRAW, PERSON).later(days=30)
    assert marked(taken_back, "acknowledged_in_time") == []


def test_a_complaint_withdrawn_after_its_due_time_counts_as_not_acknowledged() -> None:
    taken_back = Story().later(days=3).do(Verb.WITHDRAW, PERSON)
    assert marked(taken_back, "acknowledged_in_time") == [False]


def test_a_complaint_closed_over_another_route_counts_as_not_acknowledged() -> None:
    story = Story().later(hours=1).do(Verb.FAIL_DELIVERY, SYSTEM).assess().resolve()
    story.do(Verb.NOTE, HANDLER, text="Told by letter.").accept().close()
    assert marked(story, "acknowledged_in_time") == [False]


def test_the_acknowledgement_of_the_next_level_is_counted_separately() -> None:
    refused = Story().decided("not_upheld").later(days=1).disagree().later(hours=2).acknowledge()
    assert marked(refused, "acknowledged_in_time") == [True]
    assert marked(refused, "escalation_acknowledged_in_time") == [True]


def test_an_unacknowledged_next_level_does_not_change_the_first() -> None:
    refused = Story().decided("not_upheld").later(days=1).disagree().later(days=5)
    assert marked(refused, "acknowledged_in_time") == [True]
    assert marked(refused, "escalation_acknowledged_in_time") == [False]


# assessed in time: P3 is looked at within 1 bd


def test_an_assessment_in_time_stays_in_time_after_a_late_reassessment() -> None:
    story = Story().later(hours=2).assess()
    assert marked(story, "assessed_in_time") == [True]
    assert marked(story.later(days=9).assess(verb=Verb.REASSESS), "assessed_in_time") == [True]


def test_an_assessment_after_its_due_time_is_late() -> None:
    assert marked(Story().later(days=2).assess(), "assessed_in_time") == [False]


def test_a_missing_assessment_is_late_after_its_due_time() -> None:
    assert marked(Story().later(hours=20), "assessed_in_time") == []
    assert marked(Story().later(days=2), "assessed_in_time") == [False]


def test_a_complaint_withdrawn_at_once_counts_for_no_assessment() -> None:
    assert marked(Story().later(hours=1).do(Verb.WITHDRAW, PERSON), "assessed_in_time") == []


def test_a_late_owner_at_the_next_level_is_no_late_assessment() -> None:
    refused = Story().decided("not_upheld").later(days=1).disagree().later(days=9)
    assert marked(refused, "assessed_in_time") == [True]


def test_a_severity_proposed_by_the_model_shortens_the_time_to_assess() -> None:
    assert marked(Story().propose(severity=4).later(hours=6).assess(), "assessed_in_time") == [False]


# decided in time: P3 within 10 bd, so by Monday 16 November 17:30


def test_a_decision_delivered_by_its_due_time_is_in_time() -> None:
    story = Story().acknowledge().assess().later(days=14).investigate().decide().communicate()
    assert marked(story, "decided_in_time") == [True]


def test_a_decision_taken_in_time_and_delivered_late_is_late() -> None:
    story = Story().acknowledge().assess().later(days=14).investigate().decide().later(days=1)
    assert marked(story, "decided_in_time") == [False]
    assert marked(story.communicate(), "decided_in_time") == [False]


def test_an_overdue_open_complaint_counts_as_late() -> None:
    assert marked(Story().assess().later(days=14), "decided_in_time") == []
    assert marked(Story().assess().later(days=15), "decided_in_time") == [False]


def test_an_extension_counts_only_for_decided_in_extended_time() -> None:
    story = Story().acknowledge().assess().investigate().later(days=1)
    story.do(
        Verb.EXTEND, MANAGER, {"target": "decide", "extended_to": "2026-11-20"}, reason="The depot is shut."
    )
    assert marked(story.later(days=16), "decided_in_time") == [False]
    assert marked(story, "decided_in_extended_time") == []
    story.decide().communicate()
    assert marked(story, "decided_in_time") == [False]
    assert marked(story, "decided_in_extended_time") == [True]


def test_the_priority_of_the_assessment_sets_the_due_time() -> None:
    urgent = Story().acknowledge().assess(severity=2, recurrence=4)  # P2: 5 bd
    assert marked(urgent.later(days=8).investigate().decide().communicate(), "decided_in_time") == [False]


def test_a_withdrawn_complaint_is_not_counted_in_decided_in_time() -> None:
    assert marked(Story().assess().later(days=30).do(Verb.WITHDRAW, PERSON), "decided_in_time") == []


def test_each_level_has_its_own_time_to_decide() -> None:
    story = Story().decided("not_upheld").later(days=1).disagree().later(days=1).acknowledge()
    assert marked(story, "decided_in_time") == [True]
    story.later(days=20)
    assert marked(story, "decided_in_time") == [True, False]
    story.do(Verb.INVESTIGATE, TOP, {"evidence": ["complainant_heard", "records_checked"]})
    assert marked(story.decide(by=TOP).communicate(), "decided_in_time") == [True, False]


def test_escalating_before_a_decision_keeps_the_time_to_decide() -> None:
    story = Story().acknowledge().assess().later(days=2)
    story.do(Verb.ESCALATE, HANDLER, reason="Law is in question.")
    assert marked(story, "decided_in_time") == []
    assert marked(story.later(days=20), "decided_in_time") == [False]
    story.do(Verb.INVESTIGATE, TOP, {"evidence": ["complainant_heard", "records_checked"]})
    assert marked(story.decide(by=TOP).communicate(), "decided_in_time") == [False]
    assert [level.level for level in levels(story.case)] == [2]


# updates: P3 every 5 bd, so by Monday 9 November 17:30


def test_a_message_by_the_update_date_is_an_update_on_time() -> None:
    assert marked(Story().assess().later(days=7).inform(), "updates_on_time") == [True]


def test_silence_beyond_the_update_date_is_a_missed_update() -> None:
    assert marked(Story().assess().later(days=7), "updates_on_time") == []
    assert marked(Story().assess().later(days=8), "updates_on_time") == [False]


def test_each_update_date_is_counted() -> None:
    story = Story().assess().later(days=7).inform().later(days=9).inform()
    assert marked(story, "updates_on_time") == [True, False]


def test_a_decision_meets_the_last_update_date() -> None:
    assert marked(Story().later(days=3).decided(), "updates_on_time") == [True]


def test_a_withdrawal_is_no_update() -> None:
    assert marked(Story().later(hours=1).do(Verb.WITHDRAW, PERSON), "updates_on_time") == []


def test_an_escalation_is_no_update() -> None:
    story = Story().assess().later(days=2).do(Verb.ESCALATE, HANDLER, reason="Law is in question.")
    assert marked(story, "updates_on_time") == []
    assert marked(story.later(days=6), "updates_on_time") == [False]


def test_after_reopening_the_next_update_counts_from_the_reopening() -> None:
    story = Story().later(hours=1).resolved().accept().close().later(days=40)
    story.do(Verb.REOPEN, PERSON, reason="It leaks.")
    assert marked(story, "updates_on_time") == [True]
    assert marked(story.later(days=10), "updates_on_time") == [True, False]


# promise kept: promised for Tuesday 10 November


def test_a_remedy_done_by_the_promised_day_keeps_the_promise() -> None:
    story = Story().decided(remedies=(REFUND,)).later(days=8)
    assert marked(story, "promise_kept") == []
    assert marked(_done(story), "promise_kept") == [True]


def test_a_remedy_done_later_or_never_breaks_the_promise() -> None:
    story = Story().decided(remedies=(REFUND,)).later(days=9)
    assert marked(story, "promise_kept") == [False]
    assert marked(_done(story), "promise_kept") == [False]


def test_a_remedy_counts_from_when_it_was_done_not_recorded() -> None:
    story = Story().decided(remedies=(REFUND,)).later(days=9)
    assert marked(_done(story, ago=timedelta(days=3)), "promise_kept") == [True]


def test_a_remedy_given_by_resolving_is_no_promise() -> None:
    assert marked(Story().resolved().later(days=20), "promise_kept") == []


def test_an_offer_without_an_answer_is_no_promise() -> None:
    offer = {**REFUND, "needs_acceptance": True}
    assert marked(Story().decided(remedies=(offer,)).later(days=20), "promise_kept") == []


def test_a_legal_maximum_caps_the_due_time() -> None:
    story = (
        Story(rules=LEGAL)
        .acknowledge()
        .assess(severity=1)
        .investigate()
        .later(days=22)
        .decide()
        .communicate()
    )
    assert marked(story, "decided_in_time") == [False]


def _done(story: Story, ago: timedelta = timedelta()) -> Story:
    done_at = (story.at - ago).isoformat().replace("+00:00", "Z")
    return story.do(Verb.REMEDY_DONE, HANDLER, {"remedy": "0", "done_at": done_at}, proof="Paid.")
