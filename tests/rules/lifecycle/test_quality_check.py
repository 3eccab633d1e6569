"""Which decisions a second person reads before they are sent, and who reviews closed complaints (4.5, Annex C)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from complaints.actions.authorisation import file_reviewers, second_readers
from complaints.deadlines.quiet_hours import checked_by
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.forms import DECISION_QUESTIONS, REVIEW_QUESTIONS
from complaints.obligations.approvals import awaited_act
from complaints.vocabulary import Role, State, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    BURAK,
    MONA,
    RULES,
    SYSTEM,
    TUGBA,
    BuiltComplaint,
    a_closed_case,
    a_refund,
    an_investigated_case,
)

SHARE = replace(RULES, check_share=0.1)
YES = dict.fromkeys(DECISION_QUESTIONS, "yes")
WORDS = {"issues.0.reasons": "We erred.", "remedies.0.text": "Money", "root_cause": "A slip"}


def decided(
    draw: int,
    *,
    amount: str | None = None,
    readers: int = 1,
    finding: str = "upheld",
    held: int | None = None,
    **criteria: Any,
) -> BuiltComplaint:
    complaint = an_investigated_case(rules=SHARE, **criteria)
    facts = {
        "issues": [{"finding": finding}],
        "remedies": [a_refund(amount)] if amount else [],
        "others_affected": "none",
        "cause_class": "single",
        "draw": draw,
        "readers": readers,
        "is_new": False,
        **({"held": held} if held else {}),
    }
    return complaint.do(Verb.RESPOND, ALICE, facts, {**WORDS, "changes": "A second look."})


@clause("4.5")
@pytest.mark.parametrize(
    ("draw", "more", "is_read"),
    [
        (999, {}, True),
        (1000, {}, False),
        (1999, {"amount": "20.00"}, True),
        (2000, {"amount": "20.00"}, False),
        (1999, {"severity": 3}, True),
        (2999, {"severity": 3, "amount": "20.00"}, True),
    ],
)
def test_the_share_of_decisions_that_are_read_first_grows_with_the_risk(
    draw: int, more: dict[str, Any], is_read: bool
) -> None:
    assert (awaited_act(decided(draw, **more).case) is Verb.CHECK_DECISION) is is_read


def test_a_severity_that_was_lowered_before_the_decision_still_counts() -> None:
    lowered = {"category": "money", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 2}
    complaint = an_investigated_case(rules=SHARE, severity=3)
    complaint = complaint.do(
        Verb.REASSESS,
        MONA,
        {**lowered, "immediate_needed": "no"},
        {"override_reason": "Less than it seemed."},
    )
    assert (complaint.case.severity, complaint.case.highest_severity) == (2, 3)


def test_a_drawn_decision_is_sent_at_once_where_no_other_person_could_read_it() -> None:
    complaint = decided(0, readers=0)
    assert (complaint.case.state, complaint.last.facts["check"]) == (State.DECIDED, "no_reader")


def test_a_decision_cannot_pass_with_a_no_and_a_return_needs_a_note() -> None:
    complaint = decided(0)
    for facts in ({**YES, "check_tone": "no", "agreed": "yes"}, {**YES, "agreed": "no"}, {"agreed": "yes"}):
        with pytest.raises(BadFacts):
            complaint.do(Verb.CHECK_DECISION, BURAK, facts)
    with pytest.raises(NotAllowed):
        complaint.do(Verb.CHECK_DECISION, ALICE, {**YES, "agreed": "yes"})


def test_a_drawn_decision_that_needs_an_approval_gets_both_from_one_person() -> None:
    complaint = decided(0, amount="5000.00")
    with pytest.raises(BadFacts):
        complaint.do(Verb.APPROVE, TUGBA, {"agreed": "yes"})
    approved = complaint.do(Verb.APPROVE, TUGBA, {**YES, "agreed": "yes"}).case

    assert awaited_act(complaint.case) is Verb.APPROVE
    assert approved.decisions[0].approved_by == TUGBA.id


@clause("4.5")
@pytest.mark.parametrize("graver", [{"severity": 4}, {"severity": 3, "safety": 1}])
def test_a_draft_that_became_graver_while_it_waited_for_a_reader_needs_an_approval(
    graver: dict[str, int],
) -> None:
    waiting = decided(0)
    grades = {"category": "money", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 2}
    complaint = waiting.do(Verb.REASSESS, ALICE, {**grades, **graver, "immediate_needed": "no"})
    until = checked_by(complaint.case)
    assert until is not None
    for actor, facts in ((BURAK, {**YES, "agreed": "yes"}), (SYSTEM, {})):
        with pytest.raises(OutOfOrder):
            replace(complaint, at=until).do(Verb.CHECK_DECISION, actor, facts)
    with pytest.raises(NotAllowed):
        complaint.do(Verb.APPROVE, BURAK, {**YES, "agreed": "yes"})
    approved = complaint.do(Verb.APPROVE, MONA, {**YES, "agreed": "yes"}).case

    assert waiting.obligation("ask_approval").key != complaint.obligation("ask_approval").key
    assert "check_late" not in complaint.kinds
    assert (approved.state, approved.decisions[0].approved_by) == (State.DECIDED, MONA.id)


def test_a_refusal_at_a_higher_priority_needs_an_approval_too() -> None:
    refused = decided(0, finding="not_upheld")
    grades = {"category": "money", "severity": 3, "safety": 0, "complexity": 1, "reach": 3, "recurrence": 2}
    complaint = refused.do(Verb.REASSESS, ALICE, {**grades, "immediate_needed": "no"})
    assert [awaited_act(built.case) for built in (refused, complaint)] == [Verb.CHECK_DECISION, Verb.APPROVE]


def test_a_decision_leaves_unread_two_hours_before_its_date_and_only_by_the_system() -> None:
    complaint = decided(0)
    until = checked_by(complaint.case)
    late = next(duty for duty in complaint.obligations if duty.kind == "check_late")

    assert until == late.due
    assert late.facts == {}


def test_the_only_reviewer_left_is_not_asked_to_read() -> None:
    case = decided(0).case
    members = {ALICE.id: frozenset({Role.HANDLER}), MONA.id: frozenset({Role.MANAGER})}
    assert second_readers(case, ALICE.id, members) == frozenset()
    assert second_readers(case, ALICE.id, {**members, TUGBA.id: frozenset({Role.TOP_MANAGEMENT})}) == {
        MONA.id
    }


@clause("C")
def test_only_the_person_drawn_reviews_and_only_without_a_part_in_it() -> None:
    complaint = a_closed_case()
    roles = {actor.id: actor.roles for actor in (ALICE, BURAK, TUGBA)}
    drawn = {"reviewer": TUGBA.id, "due": "2026-12-15T17:00:00Z", "period": "2026-11"}
    answers = dict.fromkeys(REVIEW_QUESTIONS, "yes")
    with pytest.raises(NotAllowed):
        complaint.do(Verb.DRAW_REVIEW, SYSTEM, {**drawn, "reviewer": ALICE.id})
    review_drawn = complaint.do(Verb.DRAW_REVIEW, SYSTEM, drawn)
    with pytest.raises(NotAllowed):
        review_drawn.do(Verb.REVIEW_CASE, BURAK, answers)
    with pytest.raises(BadFacts):
        review_drawn.do(Verb.REVIEW_CASE, TUGBA, {**answers, "review_open": "no"})
    case = review_drawn.do(Verb.REVIEW_CASE, TUGBA, answers).case

    assert file_reviewers(complaint.case, roles) == {BURAK.id, TUGBA.id}
    assert case.open_review is None
    assert TUGBA.id not in case.participants
