"""Investigating, resolving, deciding and communicating: the checks of 7.6 to 7.8 (docs/domain.md, section 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bots.slack.views.refusals import refusal_text
from complaints.actions.evidence import (
    investigation_level,
    missing_evidence,
    open_statements,
    open_steps,
    required_evidence,
)
from complaints.actors import SYSTEM
from complaints.errors import BadFacts, OutOfOrder
from complaints.rulebook import InvestigationPlan, as_json, from_json
from complaints.vocabulary import CloseCode, Finding, Flag, State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    MONA,
    RESOLUTION,
    RESOLVED,
    RULES,
    a_case_at_level_two,
    a_communicated_case,
    a_decided_case,
    a_received_case,
    a_refund,
    a_resolved_case,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    decided,
    has,
    phone_facts,
    rules_with,
)
from tests.rules.slack_cases import voice

ONLY_TOP_AT_TWO = replace(RULES, levels={1: ("handler", "manager"), 2: ("top_management",)})
YES, NO = {"agreed": "yes"}, {"agreed": "no"}
WHY_NOT = {"reason": "The letter does not answer the second matter."}


@clause("7.7")
def test_resolving_takes_the_decision_in_one_act() -> None:
    complaint = an_assessed_case().do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    assert complaint.case.state is State.DECIDED
    (decision,) = complaint.case.decisions
    assert (decision.short, decision.findings) == (True, (Finding.UPHELD,))


@clause("7.7")
@pytest.mark.parametrize(
    "criteria",
    [{"severity": 3}, {"safety": 1}, {"issues": [{"category": "money"}, {"category": "service"}]}],
)
def test_resolving_is_only_for_one_minor_safe_issue(criteria: dict[str, Any]) -> None:
    with pytest.raises(OutOfOrder, match="investigate and decide"):
        an_assessed_case(**criteria).do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)


def test_resolving_is_only_possible_at_the_first_level() -> None:
    complaint = assessed(a_case_at_level_two(), MONA)
    with pytest.raises(OutOfOrder, match="the next level decides"):
        complaint.do(Verb.RESOLVE, MONA, RESOLUTION, RESOLVED)
    begun = complaint.do(Verb.INVESTIGATE, MONA, {"evidence": []})
    with pytest.raises(OutOfOrder, match="investigate and decide"):
        begun.do(Verb.RESOLVE, MONA, RESOLUTION, RESOLVED)


def test_resolving_needs_the_action_the_cause_and_the_agreement() -> None:
    for path in ("done", "cause", "agreed_how"):
        with pytest.raises(BadFacts) as refused:
            an_assessed_case().do(Verb.RESOLVE, ALICE, RESOLUTION, {**RESOLVED, path: " "})
        assert refused.value.field == path


def test_an_urgent_complaint_is_not_refused_by_resolving() -> None:
    complaint = an_assessed_case(severity=2, recurrence=5)
    with pytest.raises(OutOfOrder, match="second person's approval"):
        complaint.do(Verb.RESOLVE, ALICE, {**RESOLUTION, "finding": "not_upheld"}, RESOLVED)
    assert complaint.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED).case.state is State.DECIDED


@clause("7.5")
def test_a_decision_needs_an_assessment() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.ASSIGN, ALICE)
    with pytest.raises(OutOfOrder, match="assess it first"):
        complaint.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    with pytest.raises(OutOfOrder, match="assess it first"):
        decided(complaint)


@clause("7.6")
@pytest.mark.parametrize(
    ("criteria", "needed"),
    [
        ({}, {"complainant_heard", "records_checked"}),
        (
            {"complexity": 2},
            {"complainant_heard", "records_checked", "staff_statement", "rule_or_contract"},
        ),
        (
            {"severity": 4},
            {"complainant_heard", "records_checked", "staff_statement", "rule_or_contract"},
        ),
    ],
)
def test_the_required_evidence_depends_on_the_severity(criteria: dict[str, Any], needed: set[str]) -> None:
    complaint = an_assessed_case(**criteria)
    assert required_evidence(complaint.case) == needed
    with pytest.raises(OutOfOrder, match="record it with 'investigate'"):
        decided(complaint)
    for evidence in sorted(needed):
        complaint = complaint.do(Verb.INVESTIGATE, ALICE, {"evidence": [evidence]})
    assert decided(complaint).last.verb is Verb.RESPOND


def test_informing_the_subject_in_the_future_is_refused() -> None:
    complaint = an_assessed_case()
    later = complaint.later(days=1).at.isoformat()
    with pytest.raises(BadFacts, match="in the future"):
        complaint.do(Verb.INVESTIGATE, ALICE, {"evidence": [], "subject_informed_at": later})


@clause("7.8")
def test_every_issue_needs_a_finding_and_reasons() -> None:
    complaint = an_investigated_case(issues=[{"category": "money"}, {"category": "service"}])
    one_finding = {"issues": [{"finding": "upheld"}], "others_affected": "none", "cause_class": "single"}
    with pytest.raises(BadFacts, match="2 issue"):
        complaint.do(Verb.RESPOND, ALICE, one_finding, {"issues.0.reasons": "So.", "root_cause": "That."})
    two = {**one_finding, "issues": [{"finding": "upheld"}, {"finding": "not_upheld"}]}
    with pytest.raises(BadFacts) as refused:
        complaint.do(Verb.RESPOND, ALICE, two, {"issues.0.reasons": "So.", "root_cause": "That."})
    assert refused.value.field == "issues.1.reasons"
    assert [issue.finding for issue in decided(complaint, finding="partly").case.issues] == [
        Finding.PARTLY
    ] * 2


@clause("8.2")
def test_a_decision_needs_a_root_cause() -> None:
    complaint = an_investigated_case()
    facts = {"issues": [{"finding": "upheld"}], "others_affected": "none", "cause_class": "single"}
    with pytest.raises(BadFacts) as refused:
        complaint.do(Verb.RESPOND, ALICE, facts, {"issues.0.reasons": "So."})
    assert refused.value.field == "root_cause"


@clause("E")
def test_others_affected_must_be_investigated_when_urgent_and_helped_when_found() -> None:
    assert decided(an_investigated_case(), others_affected="unknown").case.state is State.DECIDED
    with pytest.raises(BadFacts, match="find out"):
        decided(an_investigated_case(recurrence=5), others_affected="unknown")
    complaint = an_investigated_case()
    facts = {"issues": [{"finding": "upheld"}], "others_affected": "some", "cause_class": "single"}
    with pytest.raises(BadFacts) as refused:
        complaint.do(Verb.RESPOND, ALICE, facts, {"issues.0.reasons": "So.", "root_cause": "That."})
    assert refused.value.field == "others_action"


@pytest.mark.parametrize(
    ("remedy", "field"),
    [
        ({"amount": "5.00", "currency": "GBP"}, "remedies.0.type"),
        ({"type": "refund", "amount": "5.00"}, "remedies.0.currency"),
        ({"type": "refund", "amount": "5.00", "currency": "gbp"}, "remedies.0.currency"),
        ({"type": "repair", "promised_by_date": "2026-11-02"}, "remedies.0.promised_by_date"),
    ],
)
def test_an_incomplete_remedy_is_refused(remedy: dict[str, str], field: str) -> None:
    with pytest.raises(BadFacts) as refused:
        decided(an_investigated_case(), remedies=[remedy])
    assert refused.value.field == field


def test_a_remedy_may_be_promised_for_today() -> None:
    complaint = decided(
        an_investigated_case(), remedies=[{"type": "repair", "promised_by_date": "2026-11-03"}]
    )
    assert complaint.case.state is State.DECIDED


def test_the_top_level_cannot_escalate() -> None:
    with pytest.raises(OutOfOrder, match="decide it here"):
        a_case_at_level_two().do(Verb.ESCALATE, MONA, {}, {"reason": "Too hard."})


@clause("7.8")
def test_remedying_starts_when_a_decision_with_a_due_remedy_is_communicated() -> None:
    assert a_decided_case(remedies=[a_refund()]).case.state is State.DECIDED
    assert a_communicated_case(remedies=[a_refund()]).case.state is State.REMEDYING
    assert a_communicated_case().case.state is State.DECIDED
    assert a_communicated_case(remedies=[a_refund(needs_acceptance=True)]).case.state is State.DECIDED


@clause("7.8")
def test_a_decision_is_communicated_once_and_only_the_one_taken() -> None:
    complaint = a_decided_case()
    with pytest.raises(OutOfOrder, match="waits to be told"):
        complaint.do(Verb.COMMUNICATE_DECISION, SYSTEM, {"seq": 2})
    after = complaint.do(Verb.COMMUNICATE_DECISION, SYSTEM, {"seq": complaint.last.seq})
    with pytest.raises(OutOfOrder, match="waits to be told"):
        after.do(Verb.COMMUNICATE_DECISION, SYSTEM)


@clause("7.8")
def test_a_decision_by_phone_or_letter_records_time_and_recipient() -> None:
    complaint = a_decided_case()
    with pytest.raises(BadFacts, match="Say when"):
        complaint.do(Verb.COMMUNICATE_DECISION, ALICE)
    spoken = complaint.do(
        Verb.COMMUNICATE_DECISION, ALICE, phone_facts(complaint), {"by_whom": "Alice, on the phone."}
    )
    assert spoken.case.decisions[0].communicated_at == complaint.at


def test_the_decision_ends_waiting_for_the_complainant() -> None:
    complaint = an_investigated_case().do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert has(complaint, Flag.WAITING_COMPLAINANT)
    assert not has(decided(complaint), Flag.WAITING_COMPLAINANT)


@clause("7.6")
def test_waiting_for_the_complainant_is_limited_and_ends_with_any_message() -> None:
    complaint = an_investigated_case()
    with pytest.raises(BadFacts, match="ask for an earlier day"):
        complaint.do(Verb.ASK, ALICE, {"needed_by": "2026-11-18"}, {"text": "The bill?"})
    with pytest.raises(BadFacts, match="give a day to come"):
        complaint.do(Verb.ASK, ALICE, {"needed_by": "2026-11-02"}, {"text": "The bill?"})
    waiting = complaint.do(Verb.ASK, ALICE, {"needed_by": "2026-11-17"}, {"text": "The bill?"})
    facts = {"field": "description", "has_words": True}
    for verb in (Verb.ANSWER, Verb.ADD):
        assert not has(waiting.do(verb, ANNA, facts), Flag.WAITING_COMPLAINANT)
    edit = waiting.do(Verb.ADD, ANNA, {"field": "edit", "has_words": True})
    assert has(edit, Flag.WAITING_COMPLAINANT)


def test_a_progress_report_by_staff_needs_done_left_and_next_date() -> None:
    complaint, words = an_investigated_case(), {"done": "Read.", "left": "Ask."}
    with pytest.raises(BadFacts, match="Say what was done"):
        complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-09"}, {"left": "Ask."})
    with pytest.raises(BadFacts, match="Say what is left"):
        complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-09"}, {"done": "Read."})
    with pytest.raises(BadFacts, match="is missing"):
        complaint.do(Verb.INFORM, ALICE, {}, words)
    assert complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-09"}, words).last.verb is Verb.INFORM
    assert complaint.do(Verb.INFORM, SYSTEM).last.verb is Verb.INFORM


def test_the_next_news_are_not_promised_for_a_day_after_the_legal_maximum() -> None:
    complaint, words = an_investigated_case(rules=rules_with(legal="6 bd")), {"done": "Read.", "left": "Ask."}
    with pytest.raises(BadFacts, match="by its legal maximum") as refused:
        complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-12"}, words)
    assert (refused.value.field, refused.value.code) == ("next_date", "after_legal")
    assert complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-11"}, words).last.verb is Verb.INFORM
    overdue = complaint.later(days=20).do(Verb.INFORM, ALICE, {"next_date": "2026-11-27"}, words)
    assert overdue.last.verb is Verb.INFORM, "once it is missed, news are owed all the more"


@pytest.mark.parametrize("verb", [Verb.NOTE, Verb.REPLY, Verb.ASK])
def test_notes_and_messages_need_words(verb: Verb) -> None:
    with pytest.raises(BadFacts) as refused:
        an_assessed_case().do(verb, ALICE, {"needed_by": "2026-11-09"}, {"text": "  "})
    assert refused.value.field == "text"


def test_acceptance_verifies_a_resolved_remedy_and_no_other() -> None:
    complaint = a_resolved_case()
    assert not complaint.case.everything_verified
    accepted = complaint.do(Verb.ACCEPT, ANNA)
    assert accepted.case.remedies[0].verified_by == ANNA.id
    long_way = a_communicated_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA)
    assert long_way.case.remedies[0].verified_at is None
    assert long_way.case.close_code is not CloseCode.RESOLVED


LATE_STATEMENT = {
    "evidence": [],
    "items": [{"step": "records_checked", "dated": "2026-11-02"}],
    "statements": [{"inside": "yes", "due_on": "2026-11-05"}],
}


@clause("7.6")
def test_a_statement_has_a_due_time_until_it_comes_and_is_evidence_then() -> None:
    complaint = an_assessed_case().do(Verb.INVESTIGATE, ALICE, LATE_STATEMENT)
    target = complaint.case.target(Target.STATEMENT, 1)
    assert target is not None
    assert target.internal_due.isoformat() == "2026-11-05T17:30:00+00:00"
    assert "remind:statement:1:1:due" in complaint.keys
    later = complaint.later(days=7)
    received = {"received": [{"statement": "1", "received_on": later.at.date().isoformat()}]}
    answered = later.do(Verb.INVESTIGATE, ALICE, received)
    assert [item.kind for item in answered.case.evidence_items] == ["records_checked", "staff_statement"]
    assert "staff_statement" in answered.case.evidence
    met = answered.case.target(Target.STATEMENT, 1)
    assert met is not None
    assert met.met_at == answered.at
    with pytest.raises(BadFacts):
        answered.do(Verb.INVESTIGATE, ALICE, received)


@clause("7.6")
def test_a_statement_that_is_no_longer_needed_is_dropped_with_a_reason() -> None:
    two = {**LATE_STATEMENT, "statements": LATE_STATEMENT["statements"] * 2}
    complaint = an_assessed_case().do(Verb.INVESTIGATE, ALICE, two)
    with pytest.raises(BadFacts) as refused:
        complaint.do(Verb.INVESTIGATE, ALICE, {"received": [{"statement": "1"}]})
    assert (refused.value.code, refused.value.field) == ("required", "received.0.received_on")
    assert "the day it came, or the reason" in refusal_text(refused.value, voice())
    rows = [{"statement": "1"}, {"statement": "2", "received_on": "2026-11-03"}]
    finding = {"issue": "0", "finding": "partly", "basis": ["new"]}
    dropped = complaint.do(
        Verb.INVESTIGATE, ALICE, {"received": rows, "findings": [finding]},
        {"received.0.not_needed": "She left the company."},
    )  # fmt: skip
    assert open_statements(dropped.case) == ()
    assert [item.n for item in dropped.case.evidence_items] == [1, 2]
    assert dropped.case.issue_findings[0].basis == (2,)
    met = dropped.case.target(Target.STATEMENT, 1)
    assert met is not None
    assert met.met_at == dropped.at
    with pytest.raises(BadFacts):
        dropped.do(Verb.INVESTIGATE, ALICE, {"received": [{"statement": "1", "received_on": "2026-11-03"}]})


@clause("7.6")
def test_a_finding_rests_on_evidence_that_is_on_record() -> None:
    complaint = an_assessed_case()
    finding = {"issue": "0", "finding": "partly", "basis": ["new"]}
    for basis, code in (([], "required"), (["3"], "not_an_option")):
        with pytest.raises(BadFacts) as refused:
            complaint.do(Verb.INVESTIGATE, ALICE, {"findings": [{**finding, "basis": basis}]})
        assert refused.value.code == code
    both = complaint.do(Verb.INVESTIGATE, ALICE, {"items": LATE_STATEMENT["items"], "findings": [finding]})
    (row,) = both.case.issue_findings
    assert (row.finding, row.basis) == ("partly", (1,))


@clause("7.6")
def test_a_step_that_was_recorded_by_mistake_is_withdrawn() -> None:
    complaint = an_investigated_case()
    without = complaint.do(Verb.INVESTIGATE, ALICE, {"withdrawn": ["records_checked", "similar_cases"]})
    assert without.case.evidence == complaint.case.evidence - {"records_checked"}
    assert without.last.facts["withdrawn"] == ["records_checked"]
    assert missing_evidence(without.case) == ("records_checked",)
    again = without.do(Verb.INVESTIGATE, ALICE, {"evidence": ["records_checked"]})
    assert again.case.evidence == complaint.case.evidence


def test_no_step_is_withdrawn_while_a_decision_waits_for_approval() -> None:
    drafted = decided(an_investigated_case(severity=4))
    assert drafted.case.drafted is not None
    with pytest.raises(OutOfOrder) as refused:
        drafted.do(Verb.INVESTIGATE, ALICE, {"withdrawn": ["records_checked"]})
    assert refused.value.code == "waits_for_approval"


@clause("C")
def test_a_withdrawn_hearing_is_no_hearing() -> None:
    heard = an_assessed_case().do(Verb.INVESTIGATE, ALICE, {"evidence": ["subject_heard"]})
    assert heard.case.fairness.heard_at is not None
    assert heard.do(Verb.INVESTIGATE, ALICE, {"withdrawn": ["subject_heard"]}).case.fairness.heard_at is None


@clause("7.6")
def test_the_plan_of_the_settings_replaces_the_built_in_one() -> None:
    plan = InvestigationPlan(("similar_cases",), ("third_party",))
    rules = replace(RULES, investigation={1: plan})
    assert from_json(as_json(rules)) == rules
    complaint = an_assessed_case(rules=rules)
    assert open_steps(complaint.case) == ("third_party", "similar_cases")
    assert open_steps(complaint.do(Verb.INVESTIGATE, ALICE, {"evidence": ["third_party"]}).case) == (
        "similar_cases",
    )
    assert [
        investigation_level(an_assessed_case(**more).case)
        for more in ({}, {"complexity": 2}, {"severity": 4})
    ] == [1, 2, 3]
