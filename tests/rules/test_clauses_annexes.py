"""Clause 8 and the annexes: a record that breaks one turns it red."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actors import SYSTEM
from complaints.case_values import Decision
from complaints.vocabulary import Finding, Verb
from reports.clauses.clause import ClauseStatus
from reports.clauses.count import count, shown
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, BURAK, MONA, TUGBA
from tests.rules.clause_records import HOUSE, Change, by, facts, is_red, seen, stands, then, without, wordless


@clause("8.1")
def test_erasing_what_the_law_holds_turns_8_1_red() -> None:
    held = b.an_assessed_case().do(Verb.HOLD, MONA, words={"reason": "A claim."})
    assert stands("8.1", seen(held)).standing is ClauseStatus.NOT_YET
    assert "erased although" in is_red("8.1", [seen(held, then(Verb.ERASE, TUGBA))])


@clause("8.2")
def test_a_closing_without_its_cause_turns_8_2_red() -> None:
    told = b.a_closed_case()
    assert stands("8.2", seen(told)).standing is ClauseStatus.NOT_YET
    assert "without category or cause" in is_red("8.2", [seen(told, facts(Verb.RESOLVE, cause_class=""))])


@clause("8.3")
def test_an_ending_that_nobody_asked_about_turns_8_3_red() -> None:
    told = b.a_closed_case()
    asked = told.later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert stands("8.3", seen(asked), days=30).standing is ClauseStatus.MET
    assert stands("8.3", seen(told), days=1).standing is ClauseStatus.NO_EVIDENCE
    assert "never asked" in is_red("8.3", [seen(told)], days=30)


@clause("8.4")
def test_a_complaint_past_its_legal_maximum_turns_8_4_red() -> None:
    told = b.an_assessed_case(rules=b.rules_with(legal="10 bd"))
    assert stands("8.4", seen(told), days=3).standing is ClauseStatus.MET
    assert "past the legal maximum" in is_red("8.4", [seen(told)], days=30)


@clause("A")
def test_a_step_of_a_small_business_that_is_broken_turns_annex_a_red() -> None:
    assert stands("A", seen(b.acknowledged(b.a_received_case()))).standing is ClauseStatus.NOT_YET
    assert stands("A", seen(b.a_received_case()), days=30).standing is ClauseStatus.VIOLATED


@clause("B")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(wordless(Verb.RECEIVE), "without a description", id="empty"),
        pytest.param(by(Verb.CONFIRM, ALICE), "not signed by the complainant", id="signed by staff"),
    ],
)
def test_a_form_that_is_not_the_complainants_turns_annex_b_red(wrong: Change, says: str) -> None:
    told = b.acknowledged(b.a_received_case())
    assert stands("B", seen(told)).standing is ClauseStatus.MET
    assert says in is_red("B", [seen(told, wrong)])


@clause("C")
def test_a_decision_before_the_person_complained_about_was_heard_turns_annex_c_red() -> None:
    told = b.a_told_case()
    assert stands("C", seen(told)).standing is ClauseStatus.NOT_YET
    assert "informed and could reply" in is_red("C", [seen(told, facts(Verb.RECEIVE, subjects=[BURAK.id]))])


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
    told = b.a_closed_case()
    assert stands("D", seen(told)).standing is ClauseStatus.MET
    assert says in is_red("D", [seen(told, wrong)])


@clause("D")
def test_a_correction_checked_by_the_one_who_did_it_turns_annex_d_red() -> None:
    told = b.a_told_case(remedies=[b.a_refund()], severity=3, recurrence=4)
    checked = b.remedied(told)
    assert stands("D", seen(checked)).standing is not ClauseStatus.VIOLATED
    assert "by the person who did it" in is_red("D", [seen(checked, by(Verb.VERIFY, ALICE))])


@clause("E")
def test_a_decision_that_asks_nobody_else_turns_annex_e_red() -> None:
    told = b.a_told_case()
    assert stands("E", seen(told)).standing is ClauseStatus.MET
    assert "who else is affected" in is_red("E", [seen(told, facts(Verb.RESPOND, others_affected=""))])
    unknown = facts(Verb.RESPOND, others_affected="unknown")
    assert stands("E", seen(told, unknown)).standing is ClauseStatus.MET
    urgent = b.a_told_case(severity=3, recurrence=4)
    assert is_red("E", [seen(urgent, unknown)])


@clause("E")
def test_a_grant_above_the_limit_without_a_second_person_turns_annex_e_red() -> None:
    small = b.a_told_case(remedies=[b.a_refund("50.00")])
    assert stands("E", seen(small)).standing is ClauseStatus.MET
    large = facts(Verb.RESPOND, remedies=[{"type": "refund", "amount": "5000.00", "currency": "GBP"}])
    assert "above the limit" in is_red("E", [seen(small, large)])


@clause("E")
def test_a_grant_above_the_limit_that_a_second_person_agreed_to_breaks_nothing() -> None:
    drafted = b.decided(b.an_investigated_case(), remedies=[b.a_refund("500.00")])
    agreed = drafted.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert stands("E", seen(agreed)).standing is ClauseStatus.MET
    assert is_red("E", [seen(agreed, by(Verb.APPROVE, ALICE))])


def at_level_two() -> b.Told:
    """Mona has decided at the second level."""
    told = b.a_case_at_level_two().do(Verb.ASSIGN, MONA)
    looked = told.do(Verb.INVESTIGATE, MONA, {"evidence": b.ALL_EVIDENCE})
    return b.decided(looked, MONA)


@clause("F")
def test_one_person_deciding_two_levels_turns_annex_f_red() -> None:
    told = at_level_two()
    assert stands("F", seen(told)).standing is ClauseStatus.MET
    assert "decided two levels" in is_red("F", [seen(told, by(Verb.RESPOND, MONA))])


@clause("F")
def test_a_level_left_out_turns_annex_f_red() -> None:
    assert "left out" in is_red("F", [seen(at_level_two(), facts(Verb.DISAGREE, to_level=3))])


@clause("F")
def test_going_down_again_turns_annex_f_red() -> None:
    told = seen(at_level_two())
    lower = Decision(1, TUGBA.id, told.case.received_at, False, (Finding.UPHELD,), "single", "none", seq=99)
    case = replace(told.case, decisions=(*told.case.decisions, lower))
    assert "lower level" in is_red("F", [replace(told, case=case)])


@clause("G")
def test_priorities_that_do_not_hold_turn_annex_g_red() -> None:
    held = b.a_closed_case()
    assert stands("G", *[seen(held)] * 10).standing is ClauseStatus.NOT_YET
    raised = b.assessed(b.an_assessed_case(), severity=4)
    ended = raised.do(Verb.WITHDRAW, ANNA)
    assert ended.case.close_code is not None
    assert is_red("G", [seen(ended)] * 10) == "first priority kept to the end"


def test_a_simulated_contact_is_counted_and_asked_nothing() -> None:
    told = seen(b.a_received_case())
    tested = replace(told, case=replace(told.case, is_simulation=True))
    found = count([tested], replace(HOUSE, now=HOUSE.now + timedelta(days=30)))
    assert (found.complaints, found.simulations, found.violated) == (0, 1, ())
    assert [one.n for one in found.of("8.3").evidence.figures if one.what == "simulated contacts"] == [1]


def test_a_past_complaint_is_counted_and_asked_nothing() -> None:
    told = seen(b.a_received_case())
    past = replace(told, case=replace(told.case, imported=True))
    found = count([past], replace(HOUSE, now=HOUSE.now + timedelta(days=30)))
    assert (found.complaints, found.past, found.violated) == (0, 1, ())


def test_one_complaint_shows_only_what_it_has_come_to() -> None:
    found = {one.number: one for one in shown(seen(b.an_assessed_case()), HOUSE)}
    assert {"7.4", "7.5"} <= set(found)
    assert "7.8" not in found
    assert not any(one.broken for one in found.values())
    (made,) = (one for one in found["7.5"].points if one.seqs)
    assert made.what == "assessed by a person who had read"
