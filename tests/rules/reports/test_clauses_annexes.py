"""Clause 8 and the annexes: a record that violates a clause turns it red."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actors import SYSTEM
from complaints.case_values import Decision
from complaints.vocabulary import Finding, Verb
from reports.clauses.clause_evidence import ClauseStatus
from reports.clauses.count import count, list_case_evidence
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, BURAK, MONA, TUGBA
from tests.rules.clause_records import (
    HOUSE,
    Change,
    clause_result,
    done_by,
    history_of,
    is_red,
    with_act,
    with_facts,
    without,
    without_words,
)


@clause("8.1")
def test_erasing_a_complaint_on_hold_turns_8_1_red() -> None:
    on_hold = b.an_assessed_case().do(Verb.HOLD, MONA, words={"reason": "A claim."})
    assert clause_result("8.1", history_of(on_hold)).status is ClauseStatus.NO_EVIDENCE
    assert "erased although" in is_red("8.1", [history_of(on_hold, with_act(Verb.ERASE, TUGBA))])


@clause("8.2")
def test_a_closing_without_its_cause_turns_8_2_red() -> None:
    complaint = b.a_closed_case()
    assert clause_result("8.2", history_of(complaint)).status is ClauseStatus.NO_EVIDENCE
    assert "without category or cause" in is_red(
        "8.2", [history_of(complaint, with_facts(Verb.RESOLVE, cause_class=""))]
    )


@clause("8.3")
def test_a_closing_without_a_survey_turns_8_3_red() -> None:
    complaint = b.a_closed_case()
    surveyed = complaint.later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert clause_result("8.3", history_of(surveyed), days=30).status is ClauseStatus.MET
    assert clause_result("8.3", history_of(complaint), days=1).status is ClauseStatus.NO_EVIDENCE
    assert "never asked" in is_red("8.3", [history_of(complaint)], days=30)


@clause("8.4")
def test_a_complaint_past_its_legal_maximum_turns_8_4_red() -> None:
    complaint = b.an_assessed_case(rules=b.rules_with(legal="10 bd"))
    assert clause_result("8.4", history_of(complaint), days=3).status is ClauseStatus.MET
    assert "past the legal maximum" in is_red("8.4", [history_of(complaint)], days=30)


@clause("A")
def test_a_broken_step_of_a_small_business_turns_annex_a_red() -> None:
    assert (
        clause_result("A", history_of(b.acknowledged(b.a_received_case()))).status is ClauseStatus.NO_EVIDENCE
    )
    assert clause_result("A", history_of(b.a_received_case()), days=30).status is ClauseStatus.VIOLATED


@clause("B")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(without_words(Verb.RECEIVE), "without a description", id="empty"),
        pytest.param(done_by(Verb.CONFIRM, ALICE), "not signed by the complainant", id="signed by staff"),
    ],
)
def test_a_form_that_is_not_the_complainants_turns_annex_b_red(wrong: Change, says: str) -> None:
    complaint = b.acknowledged(b.a_received_case())
    assert clause_result("B", history_of(complaint)).status is ClauseStatus.MET
    assert says in is_red("B", [history_of(complaint, wrong)])


@clause("C")
def test_a_decision_before_the_subject_was_heard_turns_annex_c_red() -> None:
    complaint = b.a_communicated_case()
    assert clause_result("C", history_of(complaint)).status is ClauseStatus.NO_EVIDENCE
    assert "informed and could reply" in is_red(
        "C", [history_of(complaint, with_facts(Verb.RECEIVE, subjects=[BURAK.id]))]
    )


@clause("D")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(without(Verb.ACKNOWLEDGE), "without acknowledgement", id="no acknowledgement"),
        pytest.param(
            without(Verb.COMMUNICATE_DECISION), "delivery of the decision", id="a decision not told"
        ),
        pytest.param(without(Verb.ACCEPT), "correction checked", id="a correction that nobody checked"),
    ],
)
def test_a_step_log_with_a_gap_turns_annex_d_red(wrong: Change, says: str) -> None:
    complaint = b.a_closed_case()
    assert clause_result("D", history_of(complaint)).status is ClauseStatus.MET
    assert says in is_red("D", [history_of(complaint, wrong)])


@clause("D")
def test_a_remedy_verified_by_the_person_who_did_it_turns_annex_d_red() -> None:
    complaint = b.a_communicated_case(remedies=[b.a_refund()], severity=3, recurrence=4)
    checked = b.remedied(complaint)
    assert clause_result("D", history_of(checked)).status is not ClauseStatus.VIOLATED
    assert "by the person who did it" in is_red("D", [history_of(checked, done_by(Verb.VERIFY, ALICE))])


@clause("E")
def test_a_decision_that_names_no_others_affected_turns_annex_e_red() -> None:
    complaint = b.a_communicated_case()
    assert clause_result("E", history_of(complaint)).status is ClauseStatus.MET
    assert "who else is affected" in is_red(
        "E", [history_of(complaint, with_facts(Verb.RESPOND, others_affected=""))]
    )
    unknown = with_facts(Verb.RESPOND, others_affected="unknown")
    assert clause_result("E", history_of(complaint, unknown)).status is ClauseStatus.MET
    urgent = b.a_communicated_case(severity=3, recurrence=4)
    assert is_red("E", [history_of(urgent, unknown)])


@clause("E")
def test_an_amount_above_the_limit_without_approval_turns_annex_e_red() -> None:
    small = b.a_communicated_case(remedies=[b.a_refund("50.00")])
    assert clause_result("E", history_of(small)).status is ClauseStatus.MET
    large = with_facts(Verb.RESPOND, remedies=[{"type": "refund", "amount": "5000.00", "currency": "GBP"}])
    assert "above the limit" in is_red("E", [history_of(small, large)])


@clause("E")
def test_an_approved_amount_above_the_limit_violates_nothing() -> None:
    drafted = b.decided(b.an_investigated_case(), remedies=[b.a_refund("500.00")])
    agreed = drafted.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert clause_result("E", history_of(agreed)).status is ClauseStatus.MET
    assert is_red("E", [history_of(agreed, done_by(Verb.APPROVE, ALICE))])


def at_level_two() -> b.BuiltComplaint:
    """Mona has decided at the second level."""
    complaint = b.a_case_at_level_two().do(Verb.ASSIGN, MONA)
    looked = complaint.do(Verb.INVESTIGATE, MONA, {"evidence": b.ALL_EVIDENCE})
    return b.decided(looked, MONA)


@clause("F")
def test_one_person_deciding_at_two_levels_turns_annex_f_red() -> None:
    complaint = at_level_two()
    assert clause_result("F", history_of(complaint)).status is ClauseStatus.MET
    assert "decided two levels" in is_red("F", [history_of(complaint, done_by(Verb.RESPOND, MONA))])


@clause("F")
def test_a_skipped_level_turns_annex_f_red() -> None:
    assert "left out" in is_red("F", [history_of(at_level_two(), with_facts(Verb.DISAGREE, to_level=3))])


@clause("F")
def test_a_decision_at_a_lower_level_afterwards_turns_annex_f_red() -> None:
    history = history_of(at_level_two())
    lower = Decision(
        1, TUGBA.id, history.case.received_at, False, (Finding.UPHELD,), "single", "none", seq=99
    )
    case = replace(history.case, decisions=(*history.case.decisions, lower))
    assert "lower level" in is_red("F", [replace(history, case=case)])


@clause("G")
def test_priorities_that_change_turn_annex_g_red() -> None:
    kept = b.a_closed_case()
    assert clause_result("G", *[history_of(kept)] * 10).status is ClauseStatus.NO_EVIDENCE
    raised = b.assessed(b.an_assessed_case(), severity=4)
    ended = raised.do(Verb.WITHDRAW, ANNA)
    assert ended.case.close_code is not None
    assert is_red("G", [history_of(ended)] * 10) == "first priority kept to the end"


def test_a_simulated_contact_is_counted_and_violates_nothing() -> None:
    history = history_of(b.a_received_case())
    tested = replace(history, case=replace(history.case, is_simulation=True))
    result = count([tested], replace(HOUSE, now=HOUSE.now + timedelta(days=30)))
    assert (result.complaints, result.simulations, result.violated) == (0, 1, ())
    assert [
        figure.n for figure in result.of("8.3").evidence.figures if figure.what == "simulated contacts"
    ] == [1]


def test_an_imported_past_complaint_is_counted_and_violates_nothing() -> None:
    history = history_of(b.a_received_case())
    past = replace(history, case=replace(history.case, imported=True))
    result = count([past], replace(HOUSE, now=HOUSE.now + timedelta(days=30)))
    assert (result.complaints, result.past, result.violated) == (0, 1, ())


def test_one_complaint_shows_only_the_clauses_it_has_reached() -> None:
    clauses = {
        clause_count.number: clause_count
        for clause_count in list_case_evidence(history_of(b.an_assessed_case()), HOUSE)
    }
    assert {"7.4", "7.5"} <= set(clauses)
    assert "7.8" not in clauses
    assert not any(clause_count.broken for clause_count in clauses.values())
    (assessed_point,) = (point for point in clauses["7.5"].points if point.seqs)
    assert assessed_point.what == "assessed by a person who had read"
