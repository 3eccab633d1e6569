"""Extending, capping, levels and reopening: what may move a date and what may not (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from amends.settings.rulebook import preset_targets
from complaints.actors import SYSTEM
from complaints.case_values import TargetSet
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.rulebook import LevelTargets, Rulebook
from complaints.vocabulary import Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    LOWER_REASON,
    MONA,
    RULES,
    Told,
    a_case_at_level_two,
    a_closed_case,
    a_received_case,
    a_refund,
    a_told_case,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    rules_with,
)

HOLIDAYS = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 28): "Boxing Day"}
BRITISH = replace(RULES, calendar=replace(RULES.calendar, holidays=HOLIDAYS))
WHY = {"reason": "Two more readings are needed."}


def the(told: Told, target: Target, of: int = 0) -> TargetSet:
    """The latest version of a target, which must be there."""
    found = told.case.target(target, of)
    assert found is not None
    return found


def due(told: Told, target: Target, of: int = 0) -> datetime:
    """When it is due inside."""
    return the(told, target, of).internal_due


def _preset(name: str) -> Rulebook:
    return replace(RULES, targets=preset_targets(name))


@clause("7.3")
def test_the_legal_maximum_caps_inside_and_outside() -> None:
    told = a_received_case(rules=rules_with(legal="3 days"))
    assert due(told, Target.DECIDE) == at("2026-11-06 10:00")
    assert the(told, Target.DECIDE).promised_due == at("2026-11-06 10:00")
    assert the(told, Target.DECIDE).basis.endswith(";capped by legal")
    assert due(told, Target.ACK) == at("2026-11-04 17:30")


def test_the_legal_maximum_runs_from_receipt_to_the_first_decision() -> None:
    rules = rules_with(legal="10 bd")
    told = a_told_case(rules=rules)
    assert the(told, Target.LEGAL).met_at is not None
    second = told.later(days=25).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    assert the(second, Target.LEGAL).met_at is not None
    assert due(second, Target.DECIDE) == at("2026-12-14 17:30")


@clause("F")
def test_the_next_level_has_clocks_of_its_own_from_the_disagreement() -> None:
    told = a_told_case().later(days=7).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    assert due(told, Target.ACK) == at("2026-11-11 17:30")
    assert the(told, Target.ACK).basis == "escalated_ack"
    assert due(told, Target.LOOK) == at("2026-11-11 17:30")
    assert due(told, Target.FIRST_ACTION) == at("2026-11-13 17:30")
    assert due(told, Target.DECIDE) == at("2026-11-24 17:30")
    assert told.case.current_targets()
    taken = told.do(Verb.ASSIGN, MONA)
    assert the(taken, Target.LOOK).met_at == taken.at


def test_the_municipalitys_second_level_is_acknowledged_in_its_own_time() -> None:
    told = a_case_at_level_two(rules=_preset("municipality"))
    assert due(told, Target.ACK) == at("2026-11-10 17:30")


@clause("F")
def test_the_municipalitys_second_level_has_twenty_days_from_its_acknowledgement_and_twenty_more() -> None:
    told = a_case_at_level_two(rules=_preset("municipality"))
    assert due(told, Target.DECIDE) == at("2026-12-01 17:30")
    assert the(told, Target.DECIDE).basis == "level.2.decide"
    acked = told.later(days=2).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert the(acked, Target.DECIDE).start == acked.at
    assert due(acked, Target.DECIDE) == at("2026-12-03 17:30")
    taken = acked.do(Verb.ASSIGN, MONA)
    later = {"target": "decide", "extended_to": "2026-12-31"}
    assert due(taken.do(Verb.EXTEND, MONA, later, WHY), Target.DECIDE) == at("2026-12-31 17:30")
    with pytest.raises(NotAllowed, match="by 20 bd in all"):
        taken.do(Verb.EXTEND, MONA, {**later, "extended_to": "2027-01-04"}, WHY)


@clause("F")
def test_a_scheme_makes_the_second_level_of_an_urgent_one_no_later() -> None:
    rules = rules_with(by_level={2: LevelTargets(decide="20 bd")})
    urgent = a_told_case(rules=rules, severity=3, recurrence=3).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    assert (the(urgent, Target.DECIDE).basis, due(urgent, Target.DECIDE)) == (
        "P2.decide",
        at("2026-11-10 17:30"),
    )
    sooner = rules_with(by_level={2: LevelTargets(decide="3 bd")})
    urgent = a_told_case(rules=sooner, severity=3, recurrence=3).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    assert the(urgent, Target.DECIDE).basis == "level.2.decide"


def test_a_scheme_without_a_third_stage_gives_no_more_days_at_its_second() -> None:
    told = a_case_at_level_two(rules=_preset("uk_water")).do(Verb.ASSIGN, MONA)
    assert due(told, Target.DECIDE) == at("2026-11-17 17:30")
    with pytest.raises(NotAllowed, match="by 0 bd in all"):
        told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-18"}, WHY)


@clause("F")
def test_escalating_before_a_decision_moves_no_clock() -> None:
    told = an_assessed_case()
    up = told.later(days=3).do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."})
    assert due(up, Target.DECIDE) == due(told, Target.DECIDE)
    assert the(up, Target.ACK).met_at is not None
    late = assessed(a_received_case()).later(days=3).do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."})
    assert due(late, Target.ACK) == at("2026-11-04 17:30")


def test_escalating_before_a_decision_gives_none_of_the_next_levels_times() -> None:
    told = an_assessed_case(rules=_preset("municipality"))
    up = told.later(days=3).do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."})
    assert the(up, Target.DECIDE) == the(told, Target.DECIDE)
    taken = up.do(Verb.ASSIGN, MONA)
    with pytest.raises(NotAllowed, match="by 10 bd in all"):
        taken.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-12-15"}, WHY)


def test_reopening_starts_the_clocks_anew() -> None:
    told = a_closed_case().later(days=7).do(Verb.REOPEN, ANNA, {}, {"reason": "It came back."})
    assert due(told, Target.DECIDE) == at("2026-11-24 17:30")
    assert the(told, Target.DECIDE).met_at is None


@clause("7.3")
def test_a_day_named_for_the_next_news_before_the_end_is_no_date_of_the_reopened_complaint() -> None:
    named = an_investigated_case().do(
        Verb.INFORM, ALICE, {"next_date": "2026-11-05"}, {"done": "A.", "left": "B."}
    )
    ended = named.do(Verb.WITHDRAW, ANNA)
    again = ended.later(days=7).do(Verb.REOPEN, ANNA, {}, {"reason": "It came back."})
    answered = decided(again.later(days=1))
    update = the(answered, Target.UPDATE)
    assert (update.met_at, update.start) == (answered.last.at, again.last.at)


@clause("7.3")
def test_a_handler_asks_for_a_later_date_and_a_manager_moves_it_by_agreeing() -> None:
    told = an_assessed_case()
    before = the(told, Target.DECIDE)
    asked = told.do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert the(asked, Target.DECIDE) == before
    assert asked.case.extension is not None

    with pytest.raises(NotAllowed):
        asked.do(Verb.APPROVE, ALICE, {"agreed": "yes"})
    with pytest.raises(OutOfOrder, match="waits for approval"):
        asked.do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-25"}, WHY)
    agreed = asked.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert due(agreed, Target.DECIDE) == at("2026-11-24 17:30")
    assert agreed.case.extension is None
    assert [one.facts["seq"] for one in agreed.owed if one.kind == "dates"] == [asked.last.seq]


def test_a_refused_extension_moves_nothing_and_may_be_asked_for_again() -> None:
    asked = an_assessed_case().do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    refused = asked.do(Verb.APPROVE, MONA, {"agreed": "no"}, {"reason": "Enough was gathered."})
    assert due(refused, Target.DECIDE) == due(asked, Target.DECIDE)
    assert refused.case.extension is None
    assert [one for one in refused.owed if one.kind == "dates"] == []
    assert refused.do(
        Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    ).case.extension


def test_agreeing_after_the_date_passed_moves_nothing() -> None:
    asked = an_assessed_case().do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    with pytest.raises(OutOfOrder, match="has passed"):
        asked.later(days=15).do(Verb.APPROVE, MONA, {"agreed": "yes"})


@clause("7.3")
def test_agreeing_brings_no_date_nearer_that_moved_on_meanwhile() -> None:
    asked = an_assessed_case().do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    doubled = assessed(asked, MONA, LOWER_REASON, complexity=3)
    assert due(doubled, Target.DECIDE) == at("2026-12-01 17:30")
    with pytest.raises(OutOfOrder, match="as late by now"):
        doubled.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    refused = doubled.do(Verb.APPROVE, MONA, {"agreed": "no"}, {"reason": "There is time."})
    assert due(refused, Target.DECIDE) == at("2026-12-01 17:30")


@clause("7.3")
def test_agreeing_keeps_to_the_cap_of_all_extensions_as_it_is_by_then() -> None:
    rules = rules_with(extension_cap="10 bd")
    later = {"target": "decide", "extended_to": "2026-12-01"}
    asked = an_assessed_case(rules=rules).do(Verb.EXTEND, ALICE, later, WHY)
    raised = assessed(asked, severity=4)
    with pytest.raises(NotAllowed, match="by 10 bd in all"):
        raised.do(Verb.APPROVE, MONA, {"agreed": "yes"})


def test_a_decision_makes_a_date_that_was_asked_for_moot() -> None:
    asked = an_assessed_case().do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    closed = asked.do(Verb.NOT_ACCEPT, MONA, {}, {"reason": "Out of scope."})
    assert closed.case.extension is None


def test_a_date_is_extended_before_it_passed_and_with_a_reason() -> None:
    told = an_assessed_case()
    later = {"target": "decide", "extended_to": "2026-11-24"}
    with pytest.raises(BadFacts, match="the complainant is told"):
        told.do(Verb.EXTEND, MONA, later)
    with pytest.raises(OutOfOrder, match="has passed"):
        told.later(days=15).do(Verb.EXTEND, MONA, later, WHY)
    extended = told.do(Verb.EXTEND, MONA, later, WHY)
    assert due(extended, Target.DECIDE) == at("2026-11-24 17:30")
    assert the(extended, Target.DECIDE).promised_due == at("2026-11-24 17:30")
    assert (the(extended, Target.DECIDE).basis, the(extended, Target.DECIDE).version) == ("extend", 3)


def test_an_extension_goes_forward_and_to_a_target_that_lives() -> None:
    told = an_assessed_case()
    with pytest.raises(BadFacts, match="give a later one"):
        told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-17"}, WHY)
    with pytest.raises(BadFacts, match="choose one of"):
        told.do(Verb.EXTEND, MONA, {"target": "ack", "extended_to": "2026-11-24"}, WHY)
    with pytest.raises(OutOfOrder, match="no open remedy date"):
        told.do(Verb.EXTEND, MONA, {"target": "remedy", "extended_to": "2026-11-24"}, WHY)


@clause("7.3")
def test_no_extension_passes_the_legal_maximum() -> None:
    told = an_assessed_case(rules=rules_with(legal="15 bd"))
    with pytest.raises(NotAllowed, match="no extension passes it"):
        told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-25"}, WHY)
    assert told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY).last.facts[
        "due"
    ]


@clause("7.3")
def test_all_extensions_together_stay_within_the_presets_cap() -> None:
    told = an_assessed_case(rules=_preset("municipality"))
    once = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    with pytest.raises(NotAllowed, match="by 10 bd in all"):
        once.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-12-02"}, WHY)
    assert due(
        once.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-12-01"}, WHY), Target.DECIDE
    )


def test_a_remedy_may_be_extended_past_the_legal_maximum_of_the_decision() -> None:
    told = a_told_case(rules=rules_with(legal="10 bd"), remedies=[a_refund(), {"type": "repair"}])
    later = {"target": "remedy", "extended_to": "2026-12-08"}
    first = told.do(Verb.EXTEND, MONA, later, WHY)
    assert due(first, Target.REMEDY, 0) == at("2026-12-08 17:30")
    assert due(first, Target.REMEDY, 1) == at("2026-11-17 17:30")
    second = first.do(Verb.EXTEND, MONA, {**later, "of": 1}, WHY)
    assert due(second, Target.REMEDY, 1) == at("2026-12-08 17:30")


def test_an_extension_stands_until_the_priority_asks_for_another_span() -> None:
    told = an_assessed_case().do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert due(assessed(told, category="service"), Target.DECIDE) == at("2026-11-24 17:30")
    assert due(assessed(told, severity=4), Target.DECIDE) == at("2026-11-10 17:30")


def test_extending_inside_before_the_assessment_brings_the_promise_no_nearer() -> None:
    told = acknowledged(a_received_case())
    extended = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert due(extended, Target.DECIDE) == at("2026-11-24 17:30")
    assert the(extended, Target.DECIDE).promised_due == at("2026-12-01 17:30")
