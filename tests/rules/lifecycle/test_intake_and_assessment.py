"""Intake, acknowledgement, assessment and reclassification: the checks before the investigation
(docs/domain.md, section 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.actions.assessment import issue_texts
from complaints.actions.intake import Arrival
from complaints.actions.perform import receive
from complaints.actors import SYSTEM
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.vocabulary import CloseCode, ContactKind, Flag, State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    BURAK,
    CRITERIA,
    METE,
    MONA,
    REF,
    RULES,
    TUESDAY,
    TUGBA,
    a_case_at_level_two,
    a_communicated_case,
    a_message,
    a_received_case,
    a_sign,
    acknowledged,
    an_assessed_case,
    assessed,
    decided,
    has,
    phone_facts,
    proposed,
)

LOWER = {"override_reason": "She says herself that nobody was hurt."}


@clause("7.2")
def test_a_complaint_starts_with_words_or_a_file() -> None:
    assert a_received_case().case.state is State.RECEIVED
    assert a_received_case(has_words=False, media=1).case.state is State.RECEIVED
    with pytest.raises(BadFacts, match="begins with words or a file"):
        a_received_case(has_words=False)


def test_receipt_in_the_future_is_refused() -> None:
    arrival = Arrival(REF, ANNA.id, "telegram", "en", TUESDAY + timedelta(hours=1), RULES)
    with pytest.raises(BadFacts, match="cannot have been received in the future"):
        receive(arrival, at=TUESDAY, actor=ANNA, facts=a_message(), words={})


@clause("7.2")
def test_confirming_signs_the_complaint_once_and_ends_the_form() -> None:
    complaint = a_received_case().do(Verb.CONFIRM, ANNA)
    assert not complaint.case.form_open
    again = complaint.later(days=1).do(Verb.CONFIRM, ANNA)
    assert again.case.confirmed_at == complaint.case.confirmed_at


def test_the_form_ends_once() -> None:
    complaint = a_received_case().do(Verb.END_FORM, SYSTEM, {"because": "silence"})
    assert complaint.case.form_ended_at is not None
    with pytest.raises(AlreadyDone):
        complaint.do(Verb.END_FORM, SYSTEM, {"because": "latest"})


@pytest.mark.parametrize("verb", [Verb.REPLY, Verb.ASK, Verb.INFORM])
def test_the_first_message_from_staff_ends_the_form(verb: Verb) -> None:
    facts = {"needed_by": "2026-11-09", "next_date": "2026-11-09"}
    words = {"text": "Thank you.", "done": "Read.", "left": "Ask."}
    assert not a_received_case().do(verb, ALICE, facts, words).case.form_open


@clause("7.4")
def test_each_level_is_acknowledged_once() -> None:
    complaint = acknowledged(a_received_case())
    assert set(complaint.case.acks) == {1}
    with pytest.raises(AlreadyDone):
        complaint.do(Verb.ACKNOWLEDGE, SYSTEM)
    with pytest.raises(BadFacts, match="has not reached level 2"):
        complaint.do(Verb.ACKNOWLEDGE, SYSTEM, {"level": 2})


@clause("7.4")
def test_an_acknowledgement_by_phone_needs_time_and_source_and_counts_as_contact() -> None:
    complaint = a_received_case()
    with pytest.raises(BadFacts, match="Say when this was heard"):
        complaint.do(Verb.ACKNOWLEDGE, ALICE)
    with pytest.raises(BadFacts, match="Say who told it"):
        complaint.do(Verb.ACKNOWLEDGE, ALICE, phone_facts(complaint))
    by_voice = complaint.do(
        Verb.ACKNOWLEDGE, ALICE, phone_facts(complaint), {"by_whom": "Alice to the complainant."}
    )
    assert by_voice.case.contacted
    assert not acknowledged(complaint).case.contacted


def test_a_contact_by_phone_in_the_future_is_refused() -> None:
    complaint = a_received_case()
    with pytest.raises(BadFacts, match="lies in the future"):
        complaint.do(Verb.ACKNOWLEDGE, ALICE, phone_facts(complaint.later(hours=2)), {"by_whom": "Alice."})


@clause("7.5")
def test_the_first_assessment_moves_a_received_complaint_to_assessed() -> None:
    assert an_assessed_case().case.state is State.ASSESSED


def test_an_assessment_during_the_investigation_keeps_the_state() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.INVESTIGATE, ALICE, {"evidence": []})
    assert assessed(complaint).case.state is State.INVESTIGATING


@clause("7.5")
def test_a_complaint_made_only_in_media_is_listened_to_before_assessment() -> None:
    complaint = a_received_case(has_words=False, media=1, audible=1)
    with pytest.raises(BadFacts, match="listen or look first"):
        assessed(complaint)
    listened = assessed(complaint, media_heard=True)
    assert listened.case.media_heard
    assert not has(listened, Flag.MEDIA_UNHEARD)


def test_words_sent_after_media_are_enough_for_an_assessment() -> None:
    complaint = a_received_case(has_words=False, media=1).do(Verb.ADD, ANNA, a_message())
    assert assessed(complaint).case.state is State.ASSESSED


@clause("7.5")
def test_an_impossible_immediate_action_makes_the_complaint_significant() -> None:
    # An unknown possibility counts as impossible: better to inform top management too often.
    assert has(an_assessed_case(immediate_needed="yes"), Flag.SIGNIFICANT)
    assert not has(an_assessed_case(immediate_needed="yes", immediate_possible="yes"), Flag.SIGNIFICANT)
    assert has(an_assessed_case(immediate_needed="yes", immediate_possible="no"), Flag.SIGNIFICANT)


def test_a_second_initial_assessment_is_refused() -> None:
    with pytest.raises(BadFacts, match="assess it again"):
        an_assessed_case().do(Verb.ASSESS, ALICE, CRITERIA)


def test_a_reassessment_needs_a_first_assessment() -> None:
    with pytest.raises(BadFacts, match="is not assessed yet"):
        a_received_case().do(Verb.REASSESS, ALICE, CRITERIA)


@clause("7.5")
def test_a_first_assessment_below_the_models_proposal_needs_no_manager() -> None:
    complaint = proposed(acknowledged(a_received_case()), severity=5, safety=2)
    assert assessed(complaint).case.severity == 2


@clause("7.5")
def test_only_a_manager_with_a_reason_assesses_below_a_fired_safety_rule() -> None:
    complaint = acknowledged(a_received_case(signs=(a_sign(severity=4, safety=2),)))
    with pytest.raises(NotAllowed, match="Only a manager may lower"):
        assessed(complaint, ALICE, LOWER)
    with pytest.raises(BadFacts, match="Say why"):
        assessed(complaint, MONA)
    assert assessed(complaint, MONA, LOWER).case.severity == 2
    assert assessed(complaint, ALICE, severity=4, safety=2).case.severity == 4


@clause("7.5")
@pytest.mark.parametrize(
    ("before", "lower"),
    [
        ({"severity": 3}, {"severity": 2}),
        ({"safety": 1}, {"safety": 0}),
        ({"severity": 3, "recurrence": 3}, {"recurrence": 1}),
        ({"severity": 2, "reach": 3}, {"reach": 1}),
        ({"complexity": 1}, {"complexity": 3}),
    ],
)
def test_only_a_manager_lowers_a_rating_or_extends_by_complexity_later(
    before: dict[str, int], lower: dict[str, int]
) -> None:
    complaint = an_assessed_case(**before)
    with pytest.raises(NotAllowed, match="Only a manager may lower"):
        assessed(complaint, ALICE, LOWER, **{**before, **lower})
    assert assessed(complaint, MONA, LOWER, **{**before, **lower}).last.verb is Verb.REASSESS


@clause("7.5")
def test_a_handler_assesses_freely_where_a_sign_is_only_likely() -> None:
    likely = a_sign(severity=4, safety=2, look=True)
    complaint = acknowledged(a_received_case(signs=(likely,)))
    assert (complaint.case.severity, complaint.case.safety) == (2, 0)
    assert assessed(complaint, ALICE).case.severity == 2
    later = an_assessed_case().do(Verb.ADD, ANNA, a_message(signs=(likely,)))
    assert later.case.severity == 2
    assert assessed(later, ALICE).case.overruled_signs == ()


def test_any_handler_may_raise_the_severity() -> None:
    assert assessed(an_assessed_case(), BURAK, severity=4).case.severity == 4


@clause("7.5")
def test_a_safety_rule_that_fires_later_raises_the_rating_until_reassessment() -> None:
    complaint = an_assessed_case().do(
        Verb.ADD, ANNA, a_message(signs=(a_sign(severity=5, safety=3, danger=True),))
    )
    assert (complaint.case.severity, complaint.case.safety) == (5, 3)
    assert has(complaint, Flag.SIGNIFICANT)
    with pytest.raises(NotAllowed, match="Only a manager may lower"):
        assessed(complaint, ALICE, LOWER)
    assert assessed(complaint, MONA, LOWER).case.severity == 2


def test_a_handler_may_keep_a_rating_that_a_manager_set_below_a_rule() -> None:
    complaint = acknowledged(a_received_case(signs=(a_sign(severity=4, safety=2),)))
    lowered = assessed(complaint, MONA, LOWER)
    assert assessed(lowered, ALICE, category="service").case.severity == 2


@clause("7.5")
def test_issues_are_set_by_the_assessment_and_kept_unless_new_ones_are_given() -> None:
    complaint = an_assessed_case(issues=[{"category": "money"}, {"category": "service"}])
    assert [issue.category for issue in complaint.case.issues] == ["money", "service"]
    assert [issue.category for issue in assessed(complaint).case.issues] == ["money", "service"]
    assert [issue.category for issue in assessed(complaint, issues=[{}]).case.issues] == ["money"]


TWO_ISSUES = [{"category": "money"}, {"category": "service"}]
NAMED = [
    {"items": [{"step": "records_checked", "issue": "1"}]},
    {
        "items": [{"step": "records_checked"}],
        "findings": [{"issue": "1", "finding": "partly", "basis": ["new"]}],
    },
]


@clause("7.6")
@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("categories", [["money"], ["service"], ["service", "money"], ["money", "goods"]])
def test_issues_may_only_be_added_once_evidence_or_a_finding_names_them(
    named: dict[str, Any], categories: list[str]
) -> None:
    complaint = an_assessed_case(issues=TWO_ISSUES).do(Verb.INVESTIGATE, ALICE, {"evidence": [], **named})
    with pytest.raises(BadFacts) as refused:
        assessed(complaint, issues=[{"category": category} for category in categories])
    assert refused.value.code == "issues_investigated"
    added = assessed(complaint, issues=[*TWO_ISSUES, {"category": "goods"}])
    assert [issue.category for issue in added.case.issues] == ["money", "service", "goods"]
    assert added.case.evidence_items == complaint.case.evidence_items
    assert added.case.issue_findings == complaint.case.issue_findings


def test_an_assessment_that_leaves_out_every_issue_is_refused() -> None:
    with pytest.raises(BadFacts) as refused:
        assessed(an_assessed_case(issues=TWO_ISSUES), issues=[])
    assert (refused.value.code, refused.value.field) == ("issues_left_out", "issues.0.category")
    single = assessed(an_assessed_case(issues=[{"category": "money"}]), issues=[], category="service")
    assert [issue.category for issue in single.case.issues] == ["service"]


def test_the_words_of_the_issues_are_those_of_the_last_assessment_that_gave_them() -> None:
    words = {"issues.0.text": "The bill", "issues.1.text": "Nobody answered"}
    complaint = assessed(acknowledged(a_received_case()), words=words, issues=TWO_ISSUES)
    kept = assessed(complaint)
    assert issue_texts(kept.case, kept.events) == ("The bill", "Nobody answered")
    fewer = assessed(kept, words={"issues.0.text": "Nobody answered"}, issues=[{"category": "service"}])
    assert issue_texts(fewer.case, fewer.events) == ("Nobody answered",)


def test_issues_do_not_change_after_a_decision() -> None:
    with pytest.raises(BadFacts, match="leave their rows as they are"):
        assessed(a_communicated_case(), issues=[{"category": "money"}, {"category": "service"}])


def test_issues_do_not_change_while_a_draft_decision_is_pending() -> None:
    drafted = decided(an_assessed_case(severity=4).do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE}))
    with pytest.raises(BadFacts, match="leave their rows as they are"):
        assessed(drafted, ALICE, severity=4, issues=[{"category": "service"}])
    assert assessed(drafted, ALICE, severity=5).case.drafted is not None


PRAISE = {"kind": "praise"}
WHY = {"reason": "She only says thank you."}
YES, NO = {"agreed": "yes"}, {"agreed": "no"}


@clause("3")
def test_reclassification_as_no_complaint_needs_a_second_person() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    assert complaint.case.state is State.RECEIVED
    closed = complaint.do(Verb.APPROVE, MONA, YES)
    assert (closed.case.state, closed.case.close_code) == (State.CLOSED, CloseCode.NOT_COMPLAINT)
    assert closed.case.kind is ContactKind.PRAISE


@clause("3")
def test_the_proposer_cannot_approve_a_reclassification() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.RECLASSIFY, MONA, PRAISE, WHY)
    with pytest.raises(NotAllowed, match="a second person approves"):
        complaint.do(Verb.APPROVE, MONA, YES)


@clause("3")
def test_a_refused_reclassification_leaves_it_a_complaint() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    with pytest.raises(BadFacts, match="Say why not"):
        complaint.do(Verb.APPROVE, MONA, NO)
    kept = complaint.do(Verb.APPROVE, MONA, NO, {"reason": "She asks for an answer."})
    assert (kept.case.state, kept.case.kind) == (State.RECEIVED, ContactKind.COMPLAINT)
    assert kept.case.reclassification is None


@clause("3")
def test_a_harmful_complaint_is_not_reclassified() -> None:
    with pytest.raises(NotAllowed, match="severity 3"):
        an_assessed_case(severity=3).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    with pytest.raises(NotAllowed, match="severity 4"):
        a_received_case(signs=(a_sign(),)).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)


def test_harm_reported_after_the_proposal_blocks_the_reclassification() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY)
    harmed = complaint.do(Verb.ADD, ANNA, a_message(signs=(a_sign(),)))
    with pytest.raises(NotAllowed, match="by now"):
        harmed.do(Verb.APPROVE, MONA, YES)


def test_the_models_severity_does_not_block_a_reclassification() -> None:
    complaint = proposed(acknowledged(a_received_case()), severity=4)
    assert complaint.do(Verb.RECLASSIFY, ALICE, PRAISE, WHY).case.reclassification is not None


def test_a_reclassification_to_complaint_a_second_one_or_a_late_one_is_refused() -> None:
    complaint = acknowledged(a_received_case())
    with pytest.raises(BadFacts, match="is a complaint already"):
        complaint.do(Verb.RECLASSIFY, ALICE, {"kind": "complaint"}, WHY)
    with pytest.raises(OutOfOrder, match="waits for approval"):
        complaint.do(Verb.RECLASSIFY, ALICE, PRAISE, WHY).do(Verb.RECLASSIFY, BURAK, PRAISE, WHY)
    with pytest.raises(OutOfOrder, match="decided as a complaint"):
        a_case_at_level_two().do(Verb.RECLASSIFY, METE, PRAISE, WHY)


@clause("3")
def test_insisting_turns_it_back_into_a_complaint() -> None:
    complaint = (
        acknowledged(a_received_case()).do(Verb.RECLASSIFY, ALICE, PRAISE, WHY).do(Verb.APPROVE, MONA, YES)
    )
    back = complaint.do(Verb.REOPEN, ANNA, {}, {"reason": "I do want an answer."})
    assert (back.case.state, back.case.kind) == (State.INVESTIGATING, ContactKind.COMPLAINT)


def test_only_a_manager_with_a_reason_refuses_to_accept_a_complaint() -> None:
    complaint = acknowledged(a_received_case())
    with pytest.raises(NotAllowed):
        complaint.do(Verb.NOT_ACCEPT, ALICE, {}, WHY)
    with pytest.raises(BadFacts, match="the complainant is told"):
        complaint.do(Verb.NOT_ACCEPT, MONA)
    refused = complaint.do(Verb.NOT_ACCEPT, MONA, {}, WHY)
    assert (refused.case.state, refused.case.close_code) == (State.CLOSED, CloseCode.NOT_ACCEPTED)


def test_a_decided_complaint_cannot_be_not_accepted_at_the_next_level() -> None:
    with pytest.raises(OutOfOrder, match="decided before"):
        a_case_at_level_two().do(Verb.NOT_ACCEPT, TUGBA, {}, WHY)


@clause("5.3")
def test_receipts_by_top_management_and_for_danger_are_separate() -> None:
    complaint = a_received_case(signs=(a_sign("gas.gas_smell", 5, 3, danger=True),))
    by_manager = complaint.do(Verb.RECEIPT, MONA)
    assert by_manager.case.unseen_alarm is None
    assert by_manager.case.executive_receipt_at is None
    by_top = by_manager.do(Verb.RECEIPT, TUGBA)
    assert by_top.case.executive_receipt_at is not None
    assert by_top.case.alarms == by_manager.case.alarms


def test_a_manager_may_give_the_executive_receipt() -> None:
    complaint = an_assessed_case(severity=4).do(Verb.RECEIPT, MONA, {"of": "executive"})
    assert complaint.case.executive_receipt_at is not None


def test_a_receipt_that_was_not_requested_is_refused() -> None:
    with pytest.raises(OutOfOrder, match="open it instead"):
        an_assessed_case().do(Verb.RECEIPT, MONA)


def test_a_new_danger_needs_a_new_receipt() -> None:
    danger = a_sign("gas.gas_smell", 5, 3, danger=True)
    complaint = a_received_case(signs=(danger,)).do(Verb.RECEIPT, MONA)
    again = complaint.do(Verb.ADD, ANNA, a_message(signs=(danger,)))
    assert again.case.unseen_alarm is not None
    assert again.case.unseen_alarm.certain_at == again.at
