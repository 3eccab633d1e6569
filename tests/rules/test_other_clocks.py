"""Clocks of schemes that have no preset, each as a small rulebook with its exact dates
(docs/domain.md, section 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amends.settings.rulebook import preset_targets
from amends.settings.sections import PRESETS
from bots.letters import Letter, progress
from bots.letters.composer import Composer
from complaints.actors import SYSTEM
from complaints.deadlines.working_time import parse_hours
from complaints.errors import NotAllowed
from complaints.rulebook import Calendar, PriorityTargets, Rulebook
from complaints.vocabulary import Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ANNA,
    MONA,
    RULES,
    SECTION_4,
    Told,
    a_case_at_level_two,
    a_case_offered_recourse,
    a_received_case,
    a_told_case,
    acknowledged,
    an_investigated_case,
    assessed,
    decided,
    rules_with,
)
from tests.rules.dialogue_play import TEXTS

HOURS = parse_hours("Mon-Fri 09:00-17:30") or {}
CHRISTMAS = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 28): "Boxing Day (observed)"}
EASTER = {date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday"}


def on(text: str, zone: str = "Europe/London") -> datetime:
    """The instant of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def rules(
    zone: str = "Europe/London", holidays: dict[date, str] | None = None, decide: str = "", **targets: Any
) -> Rulebook:
    """A scheme in a few words; `decide` is the time of the two less urgent priorities."""
    spans = dict(SECTION_4)
    if decide:
        spans |= {one: replace(SECTION_4[one], decide=decide) for one in ("P3", "P4")}
    made = rules_with(by_priority=spans, **targets)
    return replace(made, calendar=Calendar(zone, HOURS, holidays=holidays or {}))


def due(told: Told, target: Target, of: int = 0) -> datetime:
    """When it is due inside."""
    found = told.case.target(target, of)
    assert found is not None
    return found.internal_due


@clause("7.3")
def test_us_consumer_finance_answers_in_fifteen_days_or_says_in_progress_and_ends_in_sixty() -> None:
    zone = "America/New_York"
    scheme = rules(zone, decide="15 days", legal="60 days", complex_doubles=False, delay_notice="1 bd")
    told = assessed(acknowledged(a_received_case(rules=scheme, at=on("2026-03-03 10:00", zone))))
    # The clocks went forward on the eighth: the same local time all the same.
    assert due(told, Target.DECIDE) == on("2026-03-18 10:00", zone)
    assert due(told, Target.LEGAL) == on("2026-05-02 10:00", zone)
    assert told.duty("delay").due == on("2026-03-17 09:00", zone)
    assert told.duty("legal_passed").due == on("2026-05-02 10:00", zone)
    why = {"reason": "In progress: the bank's records are awaited."}
    moved = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-05-01"}, why)
    assert due(moved, Target.DECIDE) == on("2026-05-01 17:30", zone)
    with pytest.raises(NotAllowed, match="no extension passes it"):
        told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-05-04"}, why)


@clause("7.3")
def test_uk_telecoms_open_the_ombudsman_after_six_weeks_for_what_came_since_the_eighth_of_april() -> None:
    before = rules(holidays=EASTER, legal="8 weeks")
    since = rules(holidays=EASTER, legal="6 weeks")
    old = a_received_case(rules=before, at=on("2026-04-07 10:00"))
    new = a_received_case(rules=since, at=on("2026-04-08 10:00"))
    assert due(old, Target.LEGAL) == on("2026-06-02 10:00")
    assert due(new, Target.LEGAL) == on("2026-05-20 10:00")
    # The rules in force when it came stand, whatever the settings say by then.
    assert due(assessed(acknowledged(old)), Target.LEGAL) == on("2026-06-02 10:00")


@clause("7.3")
def test_australian_telecoms_acknowledge_in_two_days_plan_in_ten_and_do_it_in_five_after_the_agreement() -> (
    None
):
    zone = "Australia/Sydney"
    scheme = rules(zone, decide="10 bd", ack="2 bd", remedy="5 bd")
    scheme = replace(
        scheme,
        targets=replace(
            scheme.targets,
            by_priority={
                **scheme.targets.by_priority,
                "P1": PriorityTargets("30 min", "4 h", "1 day", "2 bd"),
            },
        ),
    )
    received = a_received_case(rules=scheme, at=on("2026-10-01 10:00", zone))
    assert due(received, Target.ACK) == on("2026-10-05 17:30", zone)
    told = assessed(acknowledged(received))
    # The clocks went forward on the fourth.
    assert due(told, Target.DECIDE) == on("2026-10-15 17:30", zone)
    assert due(assessed(acknowledged(received), severity=5), Target.DECIDE) == on("2026-10-05 17:30", zone)
    found = told.do(Verb.INVESTIGATE, MONA, {"evidence": ["complainant_heard", "records_checked"]})
    offered = decided(found, MONA, remedies=[{"type": "repair", "needs_acceptance": True}])
    sent = offered.do(Verb.COMMUNICATE_DECISION, SYSTEM)
    agreed = replace(sent, at=on("2026-10-14 11:00", zone)).do(Verb.ACCEPT, ANNA)
    assert due(agreed, Target.REMEDY) == on("2026-10-21 17:30", zone)


@clause("7.3")
def test_the_english_health_service_acknowledges_in_three_days_and_explains_after_six_months() -> None:
    scheme = rules(holidays=CHRISTMAS, ack="3 bd", legal="6 months", decide="40 bd", delay_notice="1 bd")
    told = a_received_case(rules=scheme, at=on("2026-12-23 10:00"))
    assert due(told, Target.ACK) == on("2026-12-30 17:30")
    known = assessed(acknowledged(told))
    assert due(known, Target.LEGAL) == on("2027-06-23 10:00")
    assert known.duty("legal_passed").due == on("2027-06-23 10:00")


@clause("7.3")
@pytest.mark.parametrize(
    ("received", "answer_by"),
    [
        ("2026-11-02 10:00", "2026-12-02 17:30"),
        ("2026-11-02 23:59", "2026-12-02 17:30"),
        ("2026-11-05 10:00", "2026-12-07 17:30"),
        ("2026-11-25 10:00", "2026-12-29 17:30"),
    ],
)
def test_uk_privacy_has_thirty_days_from_the_day_after_receipt_and_the_last_rolls_to_a_working_day(
    received: str, answer_by: str
) -> None:
    scheme = rules(holidays=CHRISTMAS, privacy="30 days")
    told = assessed(a_received_case(rules=scheme, at=on(received)), category="privacy")
    assert due(told, Target.PRIVACY) == on(answer_by)


@clause("7.9")
def test_uk_finance_opens_the_ombudsman_to_the_minute_at_eight_weeks_over_easter_and_the_clocks() -> None:
    scheme = replace(RULES, targets=preset_targets("uk_fca_disp"))
    scheme = replace(scheme, calendar=Calendar("Europe/London", HOURS, holidays=EASTER))
    told = a_received_case(rules=scheme, at=on("2026-02-09 10:00"))
    assert told.duty("legal_passed").due == on("2026-04-06 10:00")
    # A working day before: Good Friday and Easter Monday are none.
    assert told.duty("delay").due == on("2026-04-02 09:00")


@clause("7.9")
@pytest.mark.parametrize(
    ("preset", "told_of", "ends"),
    [
        ("au_rg271", "2026-04-14 09:00", "2026-04-15 10:00"),
        ("au_rg271_super", "2026-04-29 09:00", "2026-04-30 10:00"),
        ("au_rg271_hardship", "2026-04-03 09:00", "2026-04-06 10:00"),
    ],
)
def test_australian_finance_tells_of_the_delay_before_the_time_ends_and_of_the_outside_at_it(
    preset: str, told_of: str, ends: str
) -> None:
    zone = "Australia/Sydney"
    scheme = replace(RULES, targets=preset_targets(preset), calendar=Calendar(zone, HOURS))
    told = a_received_case(rules=scheme, at=on("2026-03-16 10:00", zone))
    assert told.duty("legal_passed").due == on(ends, zone)
    assert told.duty("delay").due == on(told_of, zone)
    assert scheme.targets.delay_outside


@clause("7.9")
@pytest.mark.parametrize(
    ("preset", "passed"),
    [("uk_water", "2026-11-17 17:30"), ("small_business", "2026-11-10 17:30"), ("spso", None)],
)
def test_a_second_stage_that_passes_unanswered_opens_the_outside_where_the_scheme_does(
    preset: str, passed: str | None
) -> None:
    scheme = replace(RULES, targets=preset_targets(preset))
    told = a_case_at_level_two(rules=scheme)
    owed = [one for one in told.owed if one.kind == "legal_passed"]
    assert [one.due for one in owed] == ([on(passed)] if passed else [])
    assert [one.key for one in owed] == (["legal_passed:decide:3"] if passed else [])
    letter = Letter(told.case, TEXTS, "en")
    late = due(told, Target.DECIDE) + timedelta(days=1)
    for one in owed:
        said = Composer(letter, told.events, lambda seq: {}, late).compose("legal_passed", one.facts)
        assert said is not None
        assert letter.due_day(one.due) in said.text
        assert letter.body_list() in said.text
    # What is told at the later dates says the same; before the second stage was missed nothing does.
    news = progress.progress(letter, late)
    assert (letter.body_list() in news) is (passed is not None)
    assert letter.body_list() not in progress.progress(letter, told.at + timedelta(days=6))
    assert "legal_passed" not in a_case_offered_recourse(rules=scheme).kinds


@clause("7.9")
def test_a_legal_maximum_that_was_missed_keeps_the_outside_open_and_one_that_was_kept_does_not() -> None:
    scheme = rules_with(legal="10 bd")
    later = due(a_told_case(rules=scheme), Target.LEGAL) + timedelta(days=1)
    kept = Letter(a_case_at_level_two(rules=scheme).case, TEXTS, "en")
    assert kept.body_list() not in progress.progress(kept, later)
    decided_late = replace(an_investigated_case(rules=scheme), at=later)
    missed = (
        decided(decided_late).do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.DISAGREE, ANNA, {"reviewers": 2})
    )
    letter = Letter(missed.case, TEXTS, "en")
    assert letter.body_list() in progress.progress(letter, later)


@clause("7.9")
def test_nothing_sends_anybody_to_the_platform_that_the_union_shut() -> None:
    files = [*PRESETS.glob("*.toml"), *(PRESETS.parent / "settings").glob("*.toml")]
    texts = [file.read_text(encoding="utf-8").lower() for file in files]
    assert any("ombudsman" in text for text in texts)
    assert not any("consumers/odr" in text or "odr platform" in text for text in texts)
