"""Targets as docs/subsystems/deadlines.md computes them, and the presets: what starts, caps and meets them (7.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amends.settings.rulebook import preset_targets
from complaints.actors import SYSTEM
from complaints.deadlines.targets import answer_by, next_due
from complaints.rulebook import Calendar, OnCall, Rulebook
from complaints.vocabulary import State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    LOWER_REASON,
    MONA,
    RULES,
    a_closed_case,
    a_communicated_case,
    a_message,
    a_received_case,
    a_refund,
    a_sign,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    proposed,
    remedied,
    rules_with,
)
from tests.rules.target_dates import BRITISH, due, latest_target

WHY = {"reason": "Two more readings are needed."}


@clause("7.4")
@pytest.mark.parametrize(
    ("received", "acknowledged_by"),
    [
        ("2026-11-03 10:00", "2026-11-04 17:30"),
        ("2026-11-03 17:30", "2026-11-04 17:30"),
        ("2026-11-03 17:31", "2026-11-05 17:30"),
        ("2026-11-07 12:00", "2026-11-10 17:30"),
        ("2026-12-24 10:00", "2026-12-29 17:30"),
    ],
)
def test_the_acknowledgement_is_due_at_closing_time_of_the_next_working_day(
    received: str, acknowledged_by: str
) -> None:
    assert due(a_received_case(rules=BRITISH, at=at(received)), Target.ACK) == at(acknowledged_by)


@clause("7.5")
@pytest.mark.parametrize(
    ("severity", "look", "first_action", "update", "decide"),
    [
        (1, "2026-11-05 17:30", "2026-11-10 17:30", "2026-11-17 17:30", "2026-12-01 17:30"),
        (2, "2026-11-04 17:30", "2026-11-06 17:30", "2026-11-10 17:30", "2026-11-17 17:30"),
        (4, "2026-11-03 14:00", "2026-11-04 17:30", "2026-11-05 17:30", "2026-11-10 17:30"),
        (5, "2026-11-03 10:30", "2026-11-03 14:00", "2026-11-04 10:00", "2026-11-10 17:30"),
    ],
)
def test_the_priority_sets_look_first_action_update_and_decision(
    severity: int, look: str, first_action: str, update: str, decide: str
) -> None:
    complaint = proposed(a_received_case(), severity=severity)
    dues = [
        due(complaint, target) for target in (Target.LOOK, Target.FIRST_ACTION, Target.UPDATE, Target.DECIDE)
    ]
    assert dues == [at(look), at(first_action), at(update), at(decide)]


@clause("7.5")
@pytest.mark.parametrize(
    ("on_call", "look"),
    [
        (OnCall(always=True, people=("U1",)), "2026-11-03 20:30"),
        (OnCall(always=True), "2026-11-04 09:30"),
        (OnCall(), "2026-11-04 09:30"),
    ],
)
def test_p1_counts_elapsed_time_with_on_call_cover_and_working_time_without(
    on_call: OnCall, look: str
) -> None:
    rules = replace(RULES, on_call=on_call)
    complaint = a_received_case(rules=rules, at=at("2026-11-03 20:00"), signs=(a_sign(severity=5, safety=3),))
    assert due(complaint, Target.LOOK) == at(look)


def test_a_calendar_that_is_always_open_has_no_day_off() -> None:
    rules = replace(RULES, calendar=Calendar("Europe/London", {}, always=True))
    complaint = a_received_case(rules=rules, at=at("2026-11-07 12:00"))
    assert due(complaint, Target.ACK) == at("2026-11-09 00:00")


@clause("7.1")
def test_before_the_assessment_only_the_outer_date_is_promised() -> None:
    complaint = a_received_case()
    assert due(complaint, Target.DECIDE) == at("2026-11-17 17:30")
    assert latest_target(complaint, Target.DECIDE).promised_due == at("2026-12-01 17:30")
    lawful = a_received_case(rules=rules_with(legal="8 weeks"))
    assert latest_target(lawful, Target.DECIDE).promised_due == at("2026-12-29 10:00")
    assessed_case = an_assessed_case()
    assert latest_target(assessed_case, Target.DECIDE).promised_due == due(assessed_case, Target.DECIDE)


@clause("7.5")
def test_complexity_doubles_the_time_to_decide_and_nothing_else() -> None:
    plain, hard = an_assessed_case(), an_assessed_case(complexity=3)
    assert due(hard, Target.DECIDE) == at("2026-12-01 17:30")
    assert due(hard, Target.FIRST_ACTION) == due(plain, Target.FIRST_ACTION)
    assert due(hard, Target.UPDATE) == due(plain, Target.UPDATE)


@clause("7.3")
def test_a_new_priority_creates_a_new_version_with_the_same_start() -> None:
    complaint = an_assessed_case()
    raised = assessed(complaint.later(days=2), severity=4)
    before, after = latest_target(complaint, Target.DECIDE), latest_target(raised, Target.DECIDE)
    assert (after.start, after.version) == (before.start, before.version + 1)
    assert after.internal_due == at("2026-11-10 17:30")
    assert before in raised.case.targets


@clause("7.3")
def test_the_update_target_runs_from_the_last_message_sent() -> None:
    complaint = an_assessed_case().later(days=2).do(Verb.REPLY, ALICE, {}, {"text": "We look into it."})
    assert latest_target(complaint, Target.UPDATE).start == complaint.at
    assert due(complaint, Target.UPDATE) == at("2026-11-12 17:30")
    noticed = complaint.later(days=7).do(Verb.INFORM, SYSTEM)
    assert due(noticed, Target.UPDATE) == at("2026-11-19 17:30")
    met = [target.met_at for target in noticed.case.targets if target.target is Target.UPDATE]
    assert met[-2:] == [noticed.at, None]


def test_first_contact_is_met_by_a_person_and_not_by_the_bot() -> None:
    complaint = an_assessed_case()
    assert latest_target(complaint, Target.FIRST_ACTION).met_at is None
    assert latest_target(complaint.do(Verb.INFORM, SYSTEM), Target.FIRST_ACTION).met_at is None
    replied = complaint.do(Verb.REPLY, ALICE, {}, {"text": "Hello."})
    assert latest_target(replied, Target.FIRST_ACTION).met_at == replied.at


def test_the_look_target_is_met_by_the_assessment_and_decide_by_the_decision() -> None:
    complaint = an_assessed_case()
    assert latest_target(complaint, Target.LOOK).met_at == complaint.at
    after = decided(complaint.do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE}))
    assert latest_target(after, Target.DECIDE).met_at == after.at


@clause("7.3")
@pytest.mark.parametrize(
    ("preset", "ack", "decide", "legal"),
    [
        ("small_business", "2026-11-04 17:30", "2026-11-10 17:30", "2026-11-17 17:30"),
        ("uk_fca_disp", "2026-11-04 17:30", "2026-11-17 17:30", "2026-12-29 10:00"),
        ("au_rg271", "2026-11-04 17:30", "2026-11-17 17:30", "2026-12-03 10:00"),
        ("uk_fca_disp_payments", "2026-11-04 17:30", "2026-11-24 17:30", "2026-12-22 17:30"),
        ("au_rg271_super", "2026-11-04 17:30", "2026-11-17 17:30", "2026-12-18 10:00"),
        ("au_rg271_hardship", "2026-11-04 17:30", "2026-11-17 17:30", "2026-11-24 10:00"),
        ("municipality", "2026-11-10 17:30", "2026-11-17 17:30", None),
        ("spso", "2026-11-04 17:30", "2026-11-10 17:30", None),
        ("uk_water", "2026-11-04 17:30", "2026-11-17 17:30", "2026-11-17 17:30"),
        ("tr_public", "2026-11-04 17:30", "2026-11-17 17:30", "2026-12-03 10:00"),
        ("uk_ofcom", "2026-11-04 17:30", "2026-11-17 17:30", "2026-12-15 10:00"),
    ],
)
def test_each_preset_gives_its_dates(preset: str, ack: str, decide: str, legal: str | None) -> None:
    complaint = a_received_case(rules=_preset(preset))
    assert (due(complaint, Target.ACK), due(complaint, Target.DECIDE)) == (at(ack), at(decide))
    target_set = complaint.case.target(Target.LEGAL)
    assert (target_set.internal_due if target_set else None) == (at(legal) if legal else None)


@clause("7.4")
def test_urgent_complaints_count_from_receipt_even_if_the_scheme_counts_from_ack() -> None:
    complaint = a_received_case(rules=_preset("municipality")).later(days=2).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert latest_target(complaint, Target.DECIDE).start == complaint.at
    assert due(complaint, Target.DECIDE) == at("2026-11-19 17:30")
    urgent = assessed(complaint, severity=4)
    assert latest_target(urgent, Target.DECIDE).start == urgent.case.received_at
    assert due(urgent, Target.DECIDE) == at("2026-11-10 17:30")


@clause("7.4")
def test_the_acknowledgement_states_the_date_that_its_delivery_sets() -> None:
    complaint = a_received_case(rules=_preset("municipality"))
    when = at("2026-11-05 10:00")
    assert answer_by(complaint.case) == at("2026-11-17 17:30")
    assert answer_by(complaint.case, when) == at("2026-11-19 17:30")
    acked = replace(complaint, at=when).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert answer_by(acked.case) == answer_by(complaint.case, when)
    assert answer_by(a_received_case().case, when) == at("2026-12-01 17:30")


@clause("7.5")
def test_a_schemes_own_time_is_not_doubled_for_a_complex_complaint() -> None:
    assert due(an_assessed_case(rules=_preset("municipality"), complexity=3), Target.DECIDE) == at(
        "2026-11-17 17:30"
    )


def _preset(name: str) -> Rulebook:
    return replace(RULES, targets=preset_targets(name))


@clause("7.9")
def test_the_reply_time_runs_from_delivery_of_the_decision() -> None:
    complaint = a_communicated_case()
    assert due(complaint, Target.REPLY_REMINDER) == at("2026-11-17 17:30")
    assert due(complaint, Target.LAPSE) == at("2026-12-01 17:30")
    accepted = complaint.do(Verb.ACCEPT, ANNA)
    assert latest_target(accepted, Target.LAPSE).met_at == accepted.at


@clause("7.7")
def test_a_remedy_is_due_on_its_promised_day_or_in_ten_and_verified_five_later() -> None:
    complaint = a_communicated_case(remedies=[{"type": "repair"}, a_refund()])
    assert due(complaint, Target.REMEDY, 0) == at("2026-11-17 17:30")
    assert due(complaint, Target.REMEDY, 1) == at("2026-11-17 17:30")
    done = complaint.later(days=2).do(
        Verb.REMEDY_DONE, ALICE, {"remedy": "1", "done_at": complaint.at.isoformat()}
    )
    assert latest_target(done, Target.REMEDY, 1).met_at == done.at
    assert due(done, Target.VERIFY, 1) == at("2026-11-10 17:30")
    assert latest_target(remedied(complaint), Target.VERIFY, 0).met_at is not None


def test_the_time_for_a_remedy_counts_from_the_approval() -> None:
    drafted = decided(an_investigated_case(severity=4), remedies=[{"type": "repair"}])
    complaint = drafted.later(days=7).do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert due(complaint, Target.REMEDY, 0) == at("2026-11-24 17:30")


@clause("7.7")
def test_approval_is_due_in_one_day_and_ends_with_its_answer() -> None:
    drafted = decided(an_investigated_case(severity=4))
    assert due(drafted, Target.APPROVE) == at("2026-11-04 17:30")
    back = drafted.do(Verb.APPROVE, MONA, {"agreed": "no"}, WHY)
    assert latest_target(back, Target.APPROVE).met_at == back.at
    assert latest_target(back, Target.DECIDE).met_at is None
    again = decided(back)
    assert latest_target(again, Target.APPROVE).version == 2


@clause("7.3")
def test_a_question_is_answered_within_the_first_action_target() -> None:
    questioned = a_communicated_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert due(questioned, Target.REPLY) == at("2026-11-06 17:30")
    replied = questioned.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert latest_target(replied, Target.REPLY).met_at == replied.at
    closed = a_closed_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert latest_target(closed, Target.REPLY).met_at is None


@clause("7.6")
def test_waiting_for_the_complainant_has_a_target_and_stops_no_other() -> None:
    complaint = an_investigated_case()
    waiting = complaint.do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert due(waiting, Target.WAITING) == at("2026-11-09 17:30")
    assert due(waiting, Target.DECIDE) == due(complaint, Target.DECIDE)
    answered = waiting.do(Verb.ANSWER, ANNA, a_message())
    assert latest_target(answered, Target.WAITING).met_at == answered.at


def test_a_withdrawn_complaint_that_continues_has_no_dates_for_the_complainant() -> None:
    complaint = an_assessed_case(safety=1).do(Verb.WITHDRAW, ANNA)
    live = {target.target for target in complaint.case.current_targets() if target.met_at is None}
    assert live == {Target.DECIDE}


def test_the_next_due_date_prefers_our_targets_over_the_complainants() -> None:
    complaint = an_assessed_case(rules=rules_with(legal="10 bd"))
    soonest = next_due(complaint.case)
    assert soonest is not None
    assert soonest.target is Target.FIRST_ACTION
    waiting = next_due(a_communicated_case().case)
    assert waiting is not None
    assert waiting.target is Target.REPLY_REMINDER
    assert next_due(a_closed_case().case) is None


def test_a_closed_complaint_has_no_open_date() -> None:
    assert all(target.met_at is not None for target in a_closed_case().case.current_targets())
    assert a_closed_case().case.state is State.CLOSED


def test_a_priority_lowered_by_a_manager_gives_the_later_date() -> None:
    complaint = assessed(an_assessed_case(severity=4), MONA, LOWER_REASON, severity=1)
    assert due(complaint, Target.DECIDE) == at("2026-12-01 17:30")
