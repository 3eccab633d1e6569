"""Legal dates count public holidays only; the organisation's own closures move its own dates (7.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from complaints.deadlines.explanation import explained
from complaints.deadlines.periods import early_until
from complaints.deadlines.targets import extension_cap
from complaints.rulebook import FastTrack, LevelTargets, Rulebook, as_json, from_json
from complaints.vocabulary import Target
from tests.clauses import clause
from tests.rules.builders import (
    RULES,
    BuiltComplaint,
    a_case_at_level_two,
    a_received_case,
    acknowledged,
    an_assessed_case,
    at,
    rules_with,
)
from tests.rules.deadlines.test_redate import redated

#: A public holiday on Thursday 5 November, and own closures on the Friday after it and a week in between.
HOLIDAY = {date(2026, 11, 5): "Founders' Day"}
CLOSED = {date(2026, 11, 6): "Bridge day"} | {date(2026, 11, day): "Stocktaking" for day in range(9, 14)}


def closing(rules: Rulebook) -> Rulebook:
    return replace(rules, calendar=replace(rules.calendar, holidays={**HOLIDAY, **CLOSED}, closures=CLOSED))


def due_day(complaint: BuiltComplaint, target: Target) -> str:
    target_set = complaint.case.target(target)
    assert target_set is not None
    return target_set.internal_due.date().isoformat()


@clause("7.3")
@pytest.mark.parametrize(("legal", "day"), [("3 bd", "2026-11-09"), ("12 bd", "2026-11-20")])
def test_a_legal_date_waits_for_public_holidays_and_not_for_own_closures(legal: str, day: str) -> None:
    assert due_day(a_received_case(rules=closing(rules_with(legal=legal))), Target.LEGAL) == day


@clause("7.3")
def test_own_closures_move_the_own_target_up_to_the_legal_maximum() -> None:
    complaint = an_assessed_case(rules=closing(rules_with(legal="12 bd")))
    assert due_day(complaint, Target.DECIDE) == "2026-11-20"
    assert due_day(an_assessed_case(rules=closing(RULES)), Target.DECIDE) == "2026-11-26"


@clause("7.3")
def test_the_promised_date_is_the_legal_one_without_own_closures() -> None:
    target_set = a_received_case(rules=closing(rules_with(legal="12 bd"))).case.target(Target.DECIDE)
    assert target_set is not None
    assert target_set.promised_due == at("2026-11-20 17:30")


@clause("7.3")
def test_the_times_that_a_scheme_sets_ignore_own_closures() -> None:
    scheme = closing(rules_with(law=("ack", "decide", "extension_cap"), ack="4 bd", extension_cap="2 bd"))
    complaint = an_assessed_case(rules=scheme)
    assert due_day(complaint, Target.ACK) == "2026-11-10"
    assert due_day(complaint, Target.DECIDE) == "2026-11-18"
    target_set = complaint.case.target(Target.DECIDE)
    assert target_set is not None
    assert extension_cap(complaint.case, target_set) == at("2026-11-20 17:30")
    fast = a_received_case(rules=replace(closing(RULES), fast_track=FastTrack("3 bd")))
    assert early_until(fast.case) == at("2026-11-09 17:30")


@clause("7.3")
def test_an_answer_about_personal_data_rolls_over_weekends_and_not_over_own_closures() -> None:
    rules = closing(rules_with(privacy="6 days"))
    assert due_day(an_assessed_case(rules=rules, category="privacy"), Target.PRIVACY) == "2026-11-09"


@clause("7.3")
def test_a_weekday_on_which_only_we_are_closed_counts_for_the_law() -> None:
    mon_to_wed = {day: spans for day, spans in RULES.calendar.hours.items() if day < 3}
    part_time = replace(RULES.calendar, hours=mon_to_wed, closed_weekdays=(3, 4))
    rules = replace(rules_with(legal="6 bd"), calendar=part_time)
    assert due_day(a_received_case(rules=rules), Target.LEGAL) == "2026-11-11"


@clause("7.3")
def test_a_legal_date_on_a_day_without_hours_ends_at_midnight() -> None:
    mon_to_wed = {day: spans for day, spans in RULES.calendar.hours.items() if day < 3}
    part_time = replace(RULES.calendar, hours=mon_to_wed, closed_weekdays=(3, 4))
    complaint = a_received_case(rules=replace(rules_with(legal="2 bd"), calendar=part_time))
    target_set = complaint.case.target(Target.LEGAL)
    assert target_set is not None
    assert target_set.internal_due == at("2026-11-06 00:00")


@clause("7.3")
def test_an_explanation_names_the_calendar_of_each_date() -> None:
    complaint = an_assessed_case(rules=closing(rules_with(legal="12 bd")))

    def why(target: Target) -> list[str]:
        target_set = complaint.case.target(target)
        assert target_set is not None
        return explained(complaint.case, target_set)

    of_law = "By the calendar of the law: days on which only we are closed move no legal date."
    own = "By our own calendar: public holidays, and days on which only we are closed."
    assert of_law in why(Target.LEGAL)
    assert own not in why(Target.LEGAL)
    assert not any("Stocktaking" in line for line in why(Target.LEGAL))
    decide = why(Target.DECIDE)
    assert decide.index(own) < decide.index("The legal maximum (12 bd) ends earlier:") < decide.index(of_law)


@clause("7.3")
def test_open_complaints_keep_their_legal_date_until_they_are_redated() -> None:
    merged = replace(
        rules_with(legal="12 bd"),
        calendar=replace(RULES.calendar, holidays={**HOLIDAY, **CLOSED}),
    )
    complaint = an_assessed_case(rules=merged)
    assert due_day(complaint, Target.LEGAL) == "2026-11-30"
    assert due_day(redated(complaint, closing(rules_with(legal="12 bd"))), Target.LEGAL) == "2026-11-20"


def test_rules_that_differ_only_in_own_closures_are_other_rules() -> None:
    new = closing(RULES)
    old = replace(new, calendar=replace(new.calendar, closures={}))
    assert old.edition == new.edition
    assert not old.says_as(new)
    assert from_json(as_json(new)) == new
    assert from_json(as_json(old)).calendar.by_law == old.calendar


@clause("7.3")
def test_the_second_stage_of_the_english_councils_counts_from_its_acknowledgement() -> None:
    level = LevelTargets(ack="5 bd", decide="20 bd")
    rules = rules_with(by_level={2: level}, decide_from="acknowledged", law=("level.2.decide",))
    complaint = a_case_at_level_two(rules=rules).later(days=2)
    second = acknowledged(complaint)
    target_set = second.case.target(Target.DECIDE)
    assert target_set is not None
    assert target_set.start == second.at
