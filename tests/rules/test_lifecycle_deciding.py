"""Investigating, resolving, responding, approving, telling: the guards of 7.6 to 7.8 (docs/domain.md, section 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from complaints.actions.decision import required_evidence
from complaints.actors import SYSTEM
from complaints.errors import BadFacts, OutOfOrder
from complaints.vocabulary import CloseCode, Finding, Flag, State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    MONA,
    RESOLUTION,
    RESOLVED,
    RULES,
    a_case_at_level_two,
    a_decided_case,
    a_received_case,
    a_refund,
    a_resolved_case,
    a_told_case,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    decided,
    has,
    heard_at,
)

ONLY_TOP_AT_TWO = replace(RULES, levels={1: ("handler", "manager"), 2: ("top_management",)})
YES, NO = {"agreed": "yes"}, {"agreed": "no"}
WHY_NOT = {"reason": "The letter does not answer the second matter."}


@clause("7.7")
def test_resolving_decides_in_one_act() -> None:
    told = an_assessed_case().do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    assert told.case.state is State.DECIDED
    (decision,) = told.case.decisions
    assert (decision.short, decision.findings) == (True, (Finding.UPHELD,))


@clause("7.7")
@pytest.mark.parametrize(
    "criteria",
    [{"severity": 3}, {"safety": 1}, {"issues": [{"category": "money"}, {"category": "service"}]}],
)
def test_the_short_road_is_for_one_small_safe_matter(criteria: dict[str, Any]) -> None:
    with pytest.raises(OutOfOrder, match="investigate and decide"):
        an_assessed_case(**criteria).do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)


def test_the_short_road_is_of_the_front_line_only() -> None:
    told = assessed(a_case_at_level_two(), MONA)
    with pytest.raises(OutOfOrder, match="the next level decides"):
        told.do(Verb.RESOLVE, MONA, RESOLUTION, RESOLVED)
    begun = told.do(Verb.INVESTIGATE, MONA, {"evidence": []})
    with pytest.raises(OutOfOrder, match="investigate and decide"):
        begun.do(Verb.RESOLVE, MONA, RESOLUTION, RESOLVED)


def test_the_short_road_needs_what_was_done_why_and_how_it_was_agreed() -> None:
    for path in ("done", "cause", "agreed_how"):
        with pytest.raises(BadFacts) as refused:
            an_assessed_case().do(Verb.RESOLVE, ALICE, RESOLUTION, {**RESOLVED, path: " "})
        assert refused.value.field == path


def test_a_refusal_of_an_urgent_complaint_is_not_made_on_the_spot() -> None:
    told = an_assessed_case(severity=2, recurrence=5)
    with pytest.raises(OutOfOrder, match="second person's approval"):
        told.do(Verb.RESOLVE, ALICE, {**RESOLUTION, "finding": "not_upheld"}, RESOLVED)
    assert told.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED).case.state is State.DECIDED


@clause("7.5")
def test_nothing_is_decided_before_it_was_assessed() -> None:
    told = acknowledged(a_received_case()).do(Verb.ASSIGN, ALICE)
    with pytest.raises(OutOfOrder, match="assess it first"):
        told.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED)
    with pytest.raises(OutOfOrder, match="assess it first"):
        decided(told)


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
def test_the_evidence_needed_follows_the_seriousness(criteria: dict[str, Any], needed: set[str]) -> None:
    told = an_assessed_case(**criteria)
    assert required_evidence(told.case) == needed
    with pytest.raises(OutOfOrder, match="record it with 'investigate'"):
        decided(told)
    for one in sorted(needed):
        told = told.do(Verb.INVESTIGATE, ALICE, {"evidence": [one]})
    assert decided(told).last.verb is Verb.RESPOND


def test_the_subject_is_not_informed_in_the_future() -> None:
    told = an_assessed_case()
    later = told.later(days=1).at.isoformat()
    with pytest.raises(BadFacts, match="in the future"):
        told.do(Verb.INVESTIGATE, ALICE, {"evidence": [], "subject_informed_at": later})


@clause("7.8")
def test_every_issue_has_its_finding_and_reasons() -> None:
    told = an_investigated_case(issues=[{"category": "money"}, {"category": "service"}])
    one = {"issues": [{"finding": "upheld"}], "others_affected": "none", "cause_class": "single"}
    with pytest.raises(BadFacts, match="2 issue"):
        told.do(Verb.RESPOND, ALICE, one, {"issues.0.reasons": "So.", "root_cause": "That."})
    two = {**one, "issues": [{"finding": "upheld"}, {"finding": "not_upheld"}]}
    with pytest.raises(BadFacts) as refused:
        told.do(Verb.RESPOND, ALICE, two, {"issues.0.reasons": "So.", "root_cause": "That."})
    assert refused.value.field == "issues.1.reasons"
    assert [one.finding for one in decided(told, finding="partly").case.issues] == [Finding.PARTLY] * 2


@clause("8.2")
def test_a_decision_names_the_root_cause() -> None:
    told = an_investigated_case()
    facts = {"issues": [{"finding": "upheld"}], "others_affected": "none", "cause_class": "single"}
    with pytest.raises(BadFacts) as refused:
        told.do(Verb.RESPOND, ALICE, facts, {"issues.0.reasons": "So."})
    assert refused.value.field == "root_cause"


@clause("E")
def test_others_affected_are_looked_for_where_it_is_urgent_and_helped_where_there_are_some() -> None:
    assert decided(an_investigated_case(), others_affected="unknown").case.state is State.DECIDED
    with pytest.raises(BadFacts, match="find out"):
        decided(an_investigated_case(recurrence=5), others_affected="unknown")
    told = an_investigated_case()
    facts = {"issues": [{"finding": "upheld"}], "others_affected": "some", "cause_class": "single"}
    with pytest.raises(BadFacts) as refused:
        told.do(Verb.RESPOND, ALICE, facts, {"issues.0.reasons": "So.", "root_cause": "That."})
    assert refused.value.field == "others_action"


@pytest.mark.parametrize(
    ("remedy", "field"),
    [
        ({"amount": "5.00", "currency": "GBP"}, "remedies.0.type"),
        ({"type": "refund", "amount": "5.00"}, "remedies.0.currency"),
        ({"type": "refund", "currency": "GBP"}, "remedies.0.amount"),
        ({"type": "refund", "amount": "5.00", "currency": "gbp"}, "remedies.0.currency"),
        ({"type": "repair", "promised_by_date": "2026-11-02"}, "remedies.0.promised_by_date"),
    ],
)
def test_a_remedy_is_complete(remedy: dict[str, str], field: str) -> None:
    with pytest.raises(BadFacts) as refused:
        decided(an_investigated_case(), remedies=[remedy])
    assert refused.value.field == field


def test_a_remedy_may_be_promised_for_today() -> None:
    told = decided(an_investigated_case(), remedies=[{"type": "repair", "promised_by_date": "2026-11-03"}])
    assert told.case.state is State.DECIDED


def test_the_top_level_is_not_escalated() -> None:
    with pytest.raises(OutOfOrder, match="decide it here"):
        a_case_at_level_two().do(Verb.ESCALATE, MONA, {}, {"reason": "Too hard."})


@clause("7.8")
def test_remedying_begins_with_the_communicated_decision_where_something_is_owed() -> None:
    assert a_decided_case(remedies=[a_refund()]).case.state is State.DECIDED
    assert a_told_case(remedies=[a_refund()]).case.state is State.REMEDYING
    assert a_told_case().case.state is State.DECIDED
    assert a_told_case(remedies=[a_refund(needs_acceptance=True)]).case.state is State.DECIDED


@clause("7.8")
def test_a_decision_is_told_once_and_only_the_one_that_was_taken() -> None:
    told = a_decided_case()
    with pytest.raises(OutOfOrder, match="waits to be told"):
        told.do(Verb.COMMUNICATE_DECISION, SYSTEM, {"seq": 2})
    after = told.do(Verb.COMMUNICATE_DECISION, SYSTEM, {"seq": told.last.seq})
    with pytest.raises(OutOfOrder, match="waits to be told"):
        after.do(Verb.COMMUNICATE_DECISION, SYSTEM)


@clause("7.8")
def test_a_decision_may_be_told_by_voice_or_letter_with_when_and_to_whom() -> None:
    told = a_decided_case()
    with pytest.raises(BadFacts, match="Say when"):
        told.do(Verb.COMMUNICATE_DECISION, ALICE)
    spoken = told.do(Verb.COMMUNICATE_DECISION, ALICE, heard_at(told), {"by_whom": "Alice, on the phone."})
    assert spoken.case.decisions[0].communicated_at == spoken.at


def test_an_answer_that_is_waited_for_is_no_longer_after_the_decision() -> None:
    told = an_investigated_case().do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert has(told, Flag.WAITING_COMPLAINANT)
    assert not has(decided(told), Flag.WAITING_COMPLAINANT)


@clause("7.6")
def test_waiting_for_the_complainant_has_a_limit_and_ends_with_any_word() -> None:
    told = an_investigated_case()
    with pytest.raises(BadFacts, match="ask for an earlier day"):
        told.do(Verb.ASK, ALICE, {"needed_by": "2026-11-18"}, {"text": "The bill?"})
    with pytest.raises(BadFacts, match="give a day to come"):
        told.do(Verb.ASK, ALICE, {"needed_by": "2026-11-02"}, {"text": "The bill?"})
    asked = told.do(Verb.ASK, ALICE, {"needed_by": "2026-11-17"}, {"text": "The bill?"})
    said = {"field": "description", "has_words": True}
    for verb in (Verb.ANSWER, Verb.ADD):
        assert not has(asked.do(verb, ANNA, said), Flag.WAITING_COMPLAINANT)
    edit = asked.do(Verb.ADD, ANNA, {"field": "edit", "has_words": True})
    assert has(edit, Flag.WAITING_COMPLAINANT)


def test_progress_told_by_a_person_says_what_is_done_left_and_when_they_hear_next() -> None:
    told, words = an_investigated_case(), {"done": "Read.", "left": "Ask."}
    with pytest.raises(BadFacts, match="Say what was done"):
        told.do(Verb.INFORM, ALICE, {"next_date": "2026-11-09"}, {"left": "Ask."})
    with pytest.raises(BadFacts, match="Say what is left"):
        told.do(Verb.INFORM, ALICE, {"next_date": "2026-11-09"}, {"done": "Read."})
    with pytest.raises(BadFacts, match="is missing"):
        told.do(Verb.INFORM, ALICE, {}, words)
    assert told.do(Verb.INFORM, ALICE, {"next_date": "2026-11-09"}, words).last.verb is Verb.INFORM
    assert told.do(Verb.INFORM, SYSTEM).last.verb is Verb.INFORM


@pytest.mark.parametrize("verb", [Verb.NOTE, Verb.REPLY, Verb.ASK])
def test_what_is_written_has_words(verb: Verb) -> None:
    with pytest.raises(BadFacts) as refused:
        an_assessed_case().do(verb, ALICE, {"needed_by": "2026-11-09"}, {"text": "  "})
    assert refused.value.field == "text"


def test_an_answer_of_the_complainant_verifies_what_was_resolved_and_nothing_else() -> None:
    told = a_resolved_case()
    assert not told.case.everything_verified
    accepted = told.do(Verb.ACCEPT, ANNA)
    assert accepted.case.remedies[0].verified_by == ANNA.id
    long_way = a_told_case(remedies=[a_refund()]).do(Verb.ACCEPT, ANNA)
    assert long_way.case.remedies[0].verified_at is None
    assert long_way.case.close_code is not CloseCode.RESOLVED
