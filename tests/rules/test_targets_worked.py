"""Due times as docs/surfaces.md works them out, and the presets: what starts, caps and meets them (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from amends.settings.rulebook import preset_targets
from complaints.actors import SYSTEM
from complaints.case_values import TargetSet
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
    Told,
    a_closed_case,
    a_message,
    a_received_case,
    a_refund,
    a_sign,
    a_told_case,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    proposed,
    remedied,
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
    told = proposed(a_received_case(), severity=severity)
    dues = [due(told, one) for one in (Target.LOOK, Target.FIRST_ACTION, Target.UPDATE, Target.DECIDE)]
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
def test_the_most_urgent_runs_by_the_clock_where_somebody_is_on_call_else_in_working_time(
    on_call: OnCall, look: str
) -> None:
    rules = replace(RULES, on_call=on_call)
    told = a_received_case(rules=rules, at=at("2026-11-03 20:00"), signs=(a_sign(severity=5, safety=3),))
    assert due(told, Target.LOOK) == at(look)


def test_every_day_works_where_work_is_always_done() -> None:
    rules = replace(RULES, calendar=Calendar("Europe/London", {}, always=True))
    told = a_received_case(rules=rules, at=at("2026-11-07 12:00"))
    assert due(told, Target.ACK) == at("2026-11-09 00:00")


@clause("7.1")
def test_before_the_assessment_only_the_outer_date_is_promised() -> None:
    told = a_received_case()
    assert due(told, Target.DECIDE) == at("2026-11-17 17:30")
    assert the(told, Target.DECIDE).promised_due == at("2026-12-01 17:30")
    lawful = a_received_case(rules=rules_with(legal="8 weeks"))
    assert the(lawful, Target.DECIDE).promised_due == at("2026-12-29 10:00")
    known = an_assessed_case()
    assert the(known, Target.DECIDE).promised_due == due(known, Target.DECIDE)


@clause("7.5")
def test_complexity_doubles_the_time_to_decide_and_nothing_else() -> None:
    plain, hard = an_assessed_case(), an_assessed_case(complexity=3)
    assert due(hard, Target.DECIDE) == at("2026-12-01 17:30")
    assert due(hard, Target.FIRST_ACTION) == due(plain, Target.FIRST_ACTION)
    assert due(hard, Target.UPDATE) == due(plain, Target.UPDATE)


@clause("7.3")
def test_a_new_priority_counts_from_the_same_start_as_a_new_version() -> None:
    told = an_assessed_case()
    raised = assessed(told.later(days=2), severity=4)
    before, after = the(told, Target.DECIDE), the(raised, Target.DECIDE)
    assert (after.start, after.version) == (before.start, before.version + 1)
    assert after.internal_due == at("2026-11-10 17:30")
    assert before in raised.case.targets


@clause("7.3")
def test_the_update_runs_from_the_last_word_we_sent() -> None:
    told = an_assessed_case().later(days=2).do(Verb.REPLY, ALICE, {}, {"text": "We look into it."})
    assert the(told, Target.UPDATE).start == told.at
    assert due(told, Target.UPDATE) == at("2026-11-12 17:30")
    noticed = told.later(days=7).do(Verb.INFORM, SYSTEM)
    assert due(noticed, Target.UPDATE) == at("2026-11-19 17:30")
    met = [one.met_at for one in noticed.case.targets if one.target is Target.UPDATE]
    assert met[-2:] == [noticed.at, None]


def test_the_first_human_contact_is_met_by_a_person_not_by_the_bot() -> None:
    told = an_assessed_case()
    assert the(told, Target.FIRST_ACTION).met_at is None
    assert the(told.do(Verb.INFORM, SYSTEM), Target.FIRST_ACTION).met_at is None
    replied = told.do(Verb.REPLY, ALICE, {}, {"text": "Hello."})
    assert the(replied, Target.FIRST_ACTION).met_at == replied.at


def test_looking_is_met_by_the_assessment_and_deciding_by_the_decision() -> None:
    told = an_assessed_case()
    assert the(told, Target.LOOK).met_at == told.at
    after = decided(told.do(Verb.INVESTIGATE, ALICE, {"evidence": ALL_EVIDENCE}))
    assert the(after, Target.DECIDE).met_at == after.at


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
    ],
)
def test_the_presets_dates(preset: str, ack: str, decide: str, legal: str | None) -> None:
    told = a_received_case(rules=_preset(preset))
    assert (due(told, Target.ACK), due(told, Target.DECIDE)) == (at(ack), at(decide))
    found = told.case.target(Target.LEGAL)
    assert (found.internal_due if found else None) == (at(legal) if legal else None)


@clause("7.4")
def test_where_a_scheme_counts_from_the_acknowledgement_the_urgent_still_count_from_receipt() -> None:
    told = a_received_case(rules=_preset("municipality")).later(days=2).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert the(told, Target.DECIDE).start == told.at
    assert due(told, Target.DECIDE) == at("2026-11-19 17:30")
    urgent = assessed(told, severity=4)
    assert the(urgent, Target.DECIDE).start == urgent.case.received_at
    assert due(urgent, Target.DECIDE) == at("2026-11-10 17:30")


@clause("7.4")
def test_the_acknowledgement_promises_the_date_that_its_own_arrival_sets() -> None:
    told = a_received_case(rules=_preset("municipality"))
    when = at("2026-11-05 10:00")
    assert answer_by(told.case) == at("2026-11-17 17:30")
    assert answer_by(told.case, when) == at("2026-11-19 17:30")
    acked = replace(told, at=when).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert answer_by(acked.case) == answer_by(told.case, when)
    assert answer_by(a_received_case().case, when) == at("2026-12-01 17:30")


@clause("7.5")
def test_a_schemes_own_time_is_not_doubled_for_a_complex_matter() -> None:
    assert due(an_assessed_case(rules=_preset("municipality"), complexity=3), Target.DECIDE) == at(
        "2026-11-17 17:30"
    )


def _preset(name: str) -> Rulebook:
    return replace(RULES, targets=preset_targets(name))


@clause("7.9")
def test_the_reply_is_waited_for_from_the_day_the_channel_took_the_decision() -> None:
    told = a_told_case()
    assert due(told, Target.REPLY_REMINDER) == at("2026-11-17 17:30")
    assert due(told, Target.LAPSE) == at("2026-12-01 17:30")
    accepted = told.do(Verb.ACCEPT, ANNA)
    assert the(accepted, Target.LAPSE).met_at == accepted.at


@clause("7.7")
def test_a_remedy_is_due_on_the_day_promised_else_in_ten_days_and_checked_five_after() -> None:
    told = a_told_case(remedies=[{"type": "repair"}, a_refund()])
    assert due(told, Target.REMEDY, 0) == at("2026-11-17 17:30")
    assert due(told, Target.REMEDY, 1) == at("2026-11-17 17:30")
    done = told.later(days=2).do(Verb.REMEDY_DONE, ALICE, {"remedy": "1", "done_at": told.at.isoformat()})
    assert the(done, Target.REMEDY, 1).met_at == done.at
    assert due(done, Target.VERIFY, 1) == at("2026-11-10 17:30")
    assert the(remedied(told), Target.VERIFY, 0).met_at is not None


def test_the_time_to_carry_out_counts_from_the_approval() -> None:
    drafted = decided(an_investigated_case(severity=4), remedies=[{"type": "repair"}])
    told = drafted.later(days=7).do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert due(told, Target.REMEDY, 0) == at("2026-11-24 17:30")


@clause("7.7")
def test_approval_has_a_day_and_ends_with_the_answer() -> None:
    drafted = decided(an_investigated_case(severity=4))
    assert due(drafted, Target.APPROVE) == at("2026-11-04 17:30")
    back = drafted.do(Verb.APPROVE, MONA, {"agreed": "no"}, WHY)
    assert the(back, Target.APPROVE).met_at == back.at
    assert the(back, Target.DECIDE).met_at is None
    again = decided(back)
    assert the(again, Target.APPROVE).version == 2


@clause("7.3")
def test_a_question_is_answered_within_the_first_action() -> None:
    asked = a_told_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert due(asked, Target.REPLY) == at("2026-11-06 17:30")
    replied = asked.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert the(replied, Target.REPLY).met_at == replied.at
    closed = a_closed_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert the(closed, Target.REPLY).met_at is None


@clause("7.6")
def test_waiting_for_the_complainant_is_a_date_of_its_own_and_stops_no_other() -> None:
    told = an_investigated_case()
    asked = told.do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert due(asked, Target.WAITING) == at("2026-11-09 17:30")
    assert due(asked, Target.DECIDE) == due(told, Target.DECIDE)
    answered = asked.do(Verb.ANSWER, ANNA, a_message())
    assert the(answered, Target.WAITING).met_at == answered.at


def test_a_withdrawn_complaint_that_goes_on_has_no_dates_towards_the_complainant() -> None:
    told = an_assessed_case(safety=1).do(Verb.WITHDRAW, ANNA)
    live = {one.target for one in told.case.current_targets() if one.met_at is None}
    assert live == {Target.DECIDE}


def test_what_is_next_is_ours_before_what_we_wait_for() -> None:
    told = an_assessed_case(rules=rules_with(legal="10 bd"))
    soonest = next_due(told.case)
    assert soonest is not None
    assert soonest.target is Target.FIRST_ACTION
    waiting = next_due(a_told_case().case)
    assert waiting is not None
    assert waiting.target is Target.REPLY_REMINDER
    assert next_due(a_closed_case().case) is None


def test_a_closed_complaint_has_no_open_date() -> None:
    assert all(one.met_at is not None for one in a_closed_case().case.current_targets())
    assert a_closed_case().case.state is State.CLOSED


def test_lowering_by_a_manager_gives_the_later_date() -> None:
    told = assessed(an_assessed_case(severity=4), MONA, LOWER_REASON, severity=1)
    assert due(told, Target.DECIDE) == at("2026-12-01 17:30")
