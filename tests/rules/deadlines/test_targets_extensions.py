"""Extensions, caps, levels and reopening: what may move a date and what may not (7.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amends.settings.rulebook import preset_targets
from complaints.actors import SYSTEM
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
    a_case_at_level_two,
    a_closed_case,
    a_communicated_case,
    a_received_case,
    a_refund,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    rules_with,
)
from tests.rules.target_dates import due, latest_target

WHY = {"reason": "Two more readings are needed."}


def _preset(name: str) -> Rulebook:
    return replace(RULES, targets=preset_targets(name))


@clause("7.3")
def test_the_legal_maximum_caps_the_internal_and_the_promised_date() -> None:
    complaint = a_received_case(rules=rules_with(legal="3 days"))
    assert due(complaint, Target.DECIDE) == at("2026-11-06 10:00")
    assert latest_target(complaint, Target.DECIDE).promised_due == at("2026-11-06 10:00")
    assert latest_target(complaint, Target.DECIDE).basis.endswith(";capped by legal")
    assert due(complaint, Target.ACK) == at("2026-11-04 17:30")


def test_the_legal_maximum_runs_from_receipt_to_the_first_decision() -> None:
    rules = rules_with(legal="10 bd")
    complaint = a_communicated_case(rules=rules)
    assert latest_target(complaint, Target.LEGAL).met_at is not None
    second = complaint.later(days=25).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    assert latest_target(second, Target.LEGAL).met_at is not None
    assert due(second, Target.DECIDE) == at("2026-12-14 17:30")


@clause("F")
def test_the_next_level_has_targets_of_its_own_from_the_disagreement() -> None:
    complaint = a_communicated_case().later(days=7).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    assert due(complaint, Target.ACK) == at("2026-11-11 17:30")
    assert latest_target(complaint, Target.ACK).basis == "escalated_ack"
    assert due(complaint, Target.LOOK) == at("2026-11-11 17:30")
    assert due(complaint, Target.FIRST_ACTION) == at("2026-11-13 17:30")
    assert due(complaint, Target.DECIDE) == at("2026-11-24 17:30")
    assert complaint.case.current_targets()
    taken = complaint.do(Verb.ASSIGN, MONA)
    assert latest_target(taken, Target.LOOK).met_at == taken.at


def test_the_municipality_presets_second_level_has_its_own_acknowledgement_time() -> None:
    complaint = a_case_at_level_two(rules=_preset("municipality"))
    assert due(complaint, Target.ACK) == at("2026-11-10 17:30")


@clause("F")
def test_the_municipality_presets_second_level_has_twenty_days_and_twenty_more() -> None:
    complaint = a_case_at_level_two(rules=_preset("municipality"))
    assert due(complaint, Target.DECIDE) == at("2026-12-01 17:30")
    assert latest_target(complaint, Target.DECIDE).basis == "level.2.decide"
    acked = complaint.later(days=2).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert latest_target(acked, Target.DECIDE).start == acked.at
    assert due(acked, Target.DECIDE) == at("2026-12-03 17:30")
    taken = acked.do(Verb.ASSIGN, MONA)
    later = {"target": "decide", "extended_to": "2026-12-31"}
    assert due(taken.do(Verb.EXTEND, MONA, later, WHY), Target.DECIDE) == at("2026-12-31 17:30")
    with pytest.raises(NotAllowed, match="by 20 bd in all"):
        taken.do(Verb.EXTEND, MONA, {**later, "extended_to": "2027-01-04"}, WHY)


@clause("F")
def test_a_level_target_never_makes_an_urgent_complaint_later() -> None:
    rules = rules_with(by_level={2: LevelTargets(decide="20 bd")})
    urgent = a_communicated_case(rules=rules, severity=3, recurrence=3).do(
        Verb.DISAGREE, ANNA, {"reviewers": 1}
    )
    assert (latest_target(urgent, Target.DECIDE).basis, due(urgent, Target.DECIDE)) == (
        "P2.decide",
        at("2026-11-10 17:30"),
    )
    sooner = rules_with(by_level={2: LevelTargets(decide="3 bd")})
    urgent = a_communicated_case(rules=sooner, severity=3, recurrence=3).do(
        Verb.DISAGREE, ANNA, {"reviewers": 1}
    )
    assert latest_target(urgent, Target.DECIDE).basis == "level.2.decide"


def test_the_uk_water_preset_allows_no_extension_at_level_two() -> None:
    complaint = a_case_at_level_two(rules=_preset("uk_water")).do(Verb.ASSIGN, MONA)
    assert due(complaint, Target.DECIDE) == at("2026-11-17 17:30")
    with pytest.raises(NotAllowed, match="by 0 bd in all"):
        complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-18"}, WHY)


@clause("F")
def test_escalating_before_a_decision_moves_no_date() -> None:
    complaint = an_assessed_case()
    up = complaint.later(days=3).do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."})
    assert due(up, Target.DECIDE) == due(complaint, Target.DECIDE)
    assert latest_target(up, Target.ACK).met_at is not None
    late = assessed(a_received_case()).later(days=3).do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."})
    assert due(late, Target.ACK) == at("2026-11-04 17:30")


def test_escalating_before_a_decision_applies_no_targets_of_the_next_level() -> None:
    complaint = an_assessed_case(rules=_preset("municipality"))
    up = complaint.later(days=3).do(Verb.ESCALATE, ALICE, {}, {"reason": "Too hard."})
    assert latest_target(up, Target.DECIDE) == latest_target(complaint, Target.DECIDE)
    taken = up.do(Verb.ASSIGN, MONA)
    with pytest.raises(NotAllowed, match="by 10 bd in all"):
        taken.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-12-15"}, WHY)


def test_reopening_restarts_the_targets() -> None:
    complaint = a_closed_case().later(days=7).do(Verb.REOPEN, ANNA, {}, {"reason": "It came back."})
    assert due(complaint, Target.DECIDE) == at("2026-11-24 17:30")
    assert latest_target(complaint, Target.DECIDE).met_at is None


@clause("7.3")
def test_a_next_news_date_does_not_survive_reopening() -> None:
    named = an_investigated_case().do(
        Verb.INFORM, ALICE, {"next_date": "2026-11-05"}, {"done": "A.", "left": "B."}
    )
    ended = named.do(Verb.WITHDRAW, ANNA)
    again = ended.later(days=7).do(Verb.REOPEN, ANNA, {}, {"reason": "It came back."})
    answered = decided(again.later(days=1))
    update = latest_target(answered, Target.UPDATE)
    assert (update.met_at, update.start) == (answered.last.at, again.last.at)


@clause("7.3")
def test_a_handler_requests_an_extension_and_a_manager_approves_it() -> None:
    complaint = an_assessed_case()
    before = latest_target(complaint, Target.DECIDE)
    requested = complaint.do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert latest_target(requested, Target.DECIDE) == before
    assert requested.case.extension is not None

    with pytest.raises(NotAllowed):
        requested.do(Verb.APPROVE, ALICE, {"agreed": "yes"})
    with pytest.raises(OutOfOrder, match="waits for approval"):
        requested.do(Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-25"}, WHY)
    agreed = requested.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert due(agreed, Target.DECIDE) == at("2026-11-24 17:30")
    assert agreed.case.extension is None
    assert [obligation.facts["seq"] for obligation in agreed.obligations if obligation.kind == "dates"] == [
        requested.last.seq
    ]


def test_a_refused_extension_moves_no_date_and_may_be_requested_again() -> None:
    requested = an_assessed_case().do(
        Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    )
    refused = requested.do(Verb.APPROVE, MONA, {"agreed": "no"}, {"reason": "Enough was gathered."})
    assert due(refused, Target.DECIDE) == due(requested, Target.DECIDE)
    assert refused.case.extension is None
    assert [obligation for obligation in refused.obligations if obligation.kind == "dates"] == []
    assert refused.do(
        Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    ).case.extension


def test_approving_an_extension_after_the_date_passed_is_refused() -> None:
    requested = an_assessed_case().do(
        Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    )
    with pytest.raises(OutOfOrder, match="has passed"):
        requested.later(days=15).do(Verb.APPROVE, MONA, {"agreed": "yes"})


@clause("7.3")
def test_approving_an_extension_never_moves_a_date_earlier() -> None:
    requested = an_assessed_case().do(
        Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    )
    doubled = assessed(requested, MONA, LOWER_REASON, complexity=3)
    assert due(doubled, Target.DECIDE) == at("2026-12-01 17:30")
    with pytest.raises(OutOfOrder, match="as late by now"):
        doubled.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    refused = doubled.do(Verb.APPROVE, MONA, {"agreed": "no"}, {"reason": "There is time."})
    assert due(refused, Target.DECIDE) == at("2026-12-01 17:30")


@clause("7.3")
def test_an_approved_extension_respects_the_cap_at_that_time() -> None:
    rules = rules_with(extension_cap="10 bd")
    later = {"target": "decide", "extended_to": "2026-12-01"}
    requested = an_assessed_case(rules=rules).do(Verb.EXTEND, ALICE, later, WHY)
    raised = assessed(requested, severity=4)
    with pytest.raises(NotAllowed, match="by 10 bd in all"):
        raised.do(Verb.APPROVE, MONA, {"agreed": "yes"})


def test_closing_cancels_a_requested_extension() -> None:
    requested = an_assessed_case().do(
        Verb.EXTEND, ALICE, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    )
    closed = requested.do(Verb.NOT_ACCEPT, MONA, {}, {"reason": "Out of scope."})
    assert closed.case.extension is None


def test_an_extension_needs_a_reason_and_a_date_not_yet_passed() -> None:
    complaint = an_assessed_case()
    later = {"target": "decide", "extended_to": "2026-11-24"}
    with pytest.raises(BadFacts, match="the complainant is told"):
        complaint.do(Verb.EXTEND, MONA, later)
    with pytest.raises(OutOfOrder, match="has passed"):
        complaint.later(days=15).do(Verb.EXTEND, MONA, later, WHY)
    extended = complaint.do(Verb.EXTEND, MONA, later, WHY)
    assert due(extended, Target.DECIDE) == at("2026-11-24 17:30")
    assert latest_target(extended, Target.DECIDE).promised_due == at("2026-11-24 17:30")
    assert (latest_target(extended, Target.DECIDE).basis, latest_target(extended, Target.DECIDE).version) == (
        "extend",
        3,
    )


def test_an_extension_needs_a_later_date_and_an_open_target() -> None:
    complaint = an_assessed_case()
    with pytest.raises(BadFacts, match="give a later one"):
        complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-17"}, WHY)
    with pytest.raises(BadFacts, match="choose one of"):
        complaint.do(Verb.EXTEND, MONA, {"target": "ack", "extended_to": "2026-11-24"}, WHY)
    with pytest.raises(OutOfOrder, match="no open remedy date"):
        complaint.do(Verb.EXTEND, MONA, {"target": "remedy", "extended_to": "2026-11-24"}, WHY)


@clause("7.3")
def test_no_extension_passes_the_legal_maximum() -> None:
    complaint = an_assessed_case(rules=rules_with(legal="15 bd"))
    with pytest.raises(NotAllowed, match="no extension passes it"):
        complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-25"}, WHY)
    assert complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY).last.facts[
        "due"
    ]


@clause("7.3")
def test_all_extensions_together_respect_the_presets_cap() -> None:
    complaint = an_assessed_case(rules=_preset("municipality"))
    once = complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    with pytest.raises(NotAllowed, match="by 10 bd in all"):
        once.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-12-02"}, WHY)
    assert due(
        once.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-12-01"}, WHY), Target.DECIDE
    )


def test_a_remedy_may_be_extended_past_the_legal_maximum_of_the_decision() -> None:
    complaint = a_communicated_case(
        rules=rules_with(legal="10 bd"), remedies=[a_refund(), {"type": "repair"}]
    )
    later = {"target": "remedy", "extended_to": "2026-12-08"}
    first = complaint.do(Verb.EXTEND, MONA, later, WHY)
    assert due(first, Target.REMEDY, 0) == at("2026-12-08 17:30")
    assert due(first, Target.REMEDY, 1) == at("2026-11-17 17:30")
    second = first.do(Verb.EXTEND, MONA, {**later, "of": 1}, WHY)
    assert due(second, Target.REMEDY, 1) == at("2026-12-08 17:30")


def test_an_extension_holds_until_the_priority_changes_the_time() -> None:
    complaint = an_assessed_case().do(
        Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY
    )
    assert due(assessed(complaint, category="service"), Target.DECIDE) == at("2026-11-24 17:30")
    assert due(assessed(complaint, severity=4), Target.DECIDE) == at("2026-11-10 17:30")


def test_an_extension_before_the_assessment_keeps_the_later_promised_date() -> None:
    complaint = acknowledged(a_received_case())
    extended = complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert due(extended, Target.DECIDE) == at("2026-11-24 17:30")
    assert latest_target(extended, Target.DECIDE).promised_due == at("2026-12-01 17:30")
