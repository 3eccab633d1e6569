"""Deadlines of schemes without a preset, each as a small rulebook with exact dates (docs/domain.md, section
7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from amends.settings.rulebook import preset_targets
from amends.settings.sections import PRESETS
from bots.letters import progress_letters
from bots.letters.composer import Composer
from bots.letters.letter import Letter
from complaints.actors import SYSTEM
from complaints.deadlines.opening_hours import parse_hours
from complaints.errors import NotAllowed
from complaints.rulebook import Calendar, PriorityTargets, Rulebook
from complaints.vocabulary import Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ANNA,
    MONA,
    RULES,
    SECTION_4,
    BuiltComplaint,
    a_case_at_level_two,
    a_case_offered_recourse,
    a_communicated_case,
    a_received_case,
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
    """The UTC instant of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def rules(
    zone: str = "Europe/London", holidays: dict[date, str] | None = None, decide: str = "", **targets: Any
) -> Rulebook:
    """A scheme in a few words; `decide` is the time for P3 and P4."""
    spans = dict(SECTION_4)
    if decide:
        spans |= {priority: replace(SECTION_4[priority], decide=decide) for priority in ("P3", "P4")}
    rulebook = rules_with(by_priority=spans, **targets)
    return replace(rulebook, calendar=Calendar(zone, HOURS, holidays=holidays or {}))


def due(complaint: BuiltComplaint, target: Target, of: int = 0) -> datetime:
    """The internal due time."""
    target_set = complaint.case.target(target, of)
    assert target_set is not None
    return target_set.internal_due


@clause("7.3")
def test_us_consumer_finance_decides_in_15_days_with_60_as_the_legal_maximum() -> None:
    zone = "America/New_York"
    scheme = rules(zone, decide="15 days", legal="60 days", complex_doubles=False, delay_notice="1 bd")
    complaint = assessed(acknowledged(a_received_case(rules=scheme, at=on("2026-03-03 10:00", zone))))
    # The clocks went forward on 8 March: the local time stays the same.
    assert due(complaint, Target.DECIDE) == on("2026-03-18 10:00", zone)
    assert due(complaint, Target.LEGAL) == on("2026-05-02 10:00", zone)
    assert complaint.obligation("delay").due == on("2026-03-17 09:00", zone)
    assert complaint.obligation("legal_passed").due == on("2026-05-02 10:00", zone)
    why = {"reason": "In progress: the bank's records are awaited."}
    moved = complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-05-01"}, why)
    assert due(moved, Target.DECIDE) == on("2026-05-01 17:30", zone)
    with pytest.raises(NotAllowed, match="no extension passes it"):
        complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-05-04"}, why)


@clause("7.3")
def test_uk_telecoms_open_the_ombudsman_after_six_weeks_since_8_april_2026() -> None:
    before = rules(holidays=EASTER, legal="8 weeks")
    since = rules(holidays=EASTER, legal="6 weeks")
    old = a_received_case(rules=before, at=on("2026-04-07 10:00"))
    new = a_received_case(rules=since, at=on("2026-04-08 10:00"))
    assert due(old, Target.LEGAL) == on("2026-06-02 10:00")
    assert due(new, Target.LEGAL) == on("2026-05-20 10:00")
    # The rules at receipt apply, even after the settings changed.
    assert due(assessed(acknowledged(old)), Target.LEGAL) == on("2026-06-02 10:00")


@clause("7.3")
def test_australian_telecoms_acknowledge_in_2_decide_in_10_and_remedy_in_5_days() -> None:
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
    complaint = assessed(acknowledged(received))
    # The clocks went forward on 4 October.
    assert due(complaint, Target.DECIDE) == on("2026-10-15 17:30", zone)
    assert due(assessed(acknowledged(received), severity=5), Target.DECIDE) == on("2026-10-05 17:30", zone)
    investigated = complaint.do(
        Verb.INVESTIGATE, MONA, {"evidence": ["complainant_heard", "records_checked"]}
    )
    offered = decided(investigated, MONA, remedies=[{"type": "repair", "needs_acceptance": True}])
    sent = offered.do(Verb.COMMUNICATE_DECISION, SYSTEM)
    agreed = replace(sent, at=on("2026-10-14 11:00", zone)).do(Verb.ACCEPT, ANNA)
    assert due(agreed, Target.REMEDY) == on("2026-10-21 17:30", zone)


@clause("7.3")
def test_the_english_health_service_acknowledges_in_3_days_and_explains_at_6_months() -> None:
    scheme = rules(holidays=CHRISTMAS, ack="3 bd", legal="6 months", decide="40 bd", delay_notice="1 bd")
    complaint = a_received_case(rules=scheme, at=on("2026-12-23 10:00"))
    assert due(complaint, Target.ACK) == on("2026-12-30 17:30")
    assessed_case = assessed(acknowledged(complaint))
    assert due(assessed_case, Target.LEGAL) == on("2027-06-23 10:00")
    assert assessed_case.obligation("legal_passed").due == on("2027-06-23 10:00")


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
def test_uk_privacy_has_30_days_from_the_next_day_rolling_to_a_working_day(
    received: str, answer_by: str
) -> None:
    scheme = rules(holidays=CHRISTMAS, privacy="30 days")
    complaint = assessed(a_received_case(rules=scheme, at=on(received)), category="privacy")
    assert due(complaint, Target.PRIVACY) == on(answer_by)


@clause("7.9")
def test_uk_finance_opens_the_ombudsman_at_8_weeks_over_easter_and_clock_change() -> None:
    scheme = replace(RULES, targets=preset_targets("uk_fca_disp"))
    scheme = replace(scheme, calendar=Calendar("Europe/London", HOURS, holidays=EASTER))
    complaint = a_received_case(rules=scheme, at=on("2026-02-09 10:00"))
    assert complaint.obligation("legal_passed").due == on("2026-04-06 10:00")
    # A working day before: Good Friday and Easter Monday are not.
    assert complaint.obligation("delay").due == on("2026-04-02 09:00")


@clause("7.9")
@pytest.mark.parametrize(
    ("preset", "told_of", "ends"),
    [
        ("au_rg271", "2026-04-14 09:00", "2026-04-15 10:00"),
        ("au_rg271_super", "2026-04-29 09:00", "2026-04-30 10:00"),
        ("au_rg271_hardship", "2026-04-03 09:00", "2026-04-06 10:00"),
    ],
)
def test_australian_finance_announces_the_delay_first_and_recourse_at_the_limit(
    preset: str, told_of: str, ends: str
) -> None:
    zone = "Australia/Sydney"
    scheme = replace(RULES, targets=preset_targets(preset), calendar=Calendar(zone, HOURS))
    complaint = a_received_case(rules=scheme, at=on("2026-03-16 10:00", zone))
    assert complaint.obligation("legal_passed").due == on(ends, zone)
    assert complaint.obligation("delay").due == on(told_of, zone)
    assert scheme.targets.delay_outside


@clause("7.9")
@pytest.mark.parametrize(
    ("preset", "passed"),
    [("uk_water", "2026-11-17 17:30"), ("small_business", "2026-11-10 17:30"), ("spso", None)],
)
def test_a_missed_second_stage_opens_recourse_where_the_scheme_says_so(
    preset: str, passed: str | None
) -> None:
    scheme = replace(RULES, targets=preset_targets(preset))
    complaint = a_case_at_level_two(rules=scheme)
    notices = [obligation for obligation in complaint.obligations if obligation.kind == "legal_passed"]
    assert [obligation.due for obligation in notices] == ([on(passed)] if passed else [])
    assert [obligation.key for obligation in notices] == (["legal_passed:decide:3"] if passed else [])
    letter = Letter(complaint.case, TEXTS, "en")
    late = due(complaint, Target.DECIDE) + timedelta(days=1)
    for obligation in notices:
        message = Composer(letter, complaint.events, lambda seq: {}, late).compose(
            "legal_passed", obligation.facts
        )
        assert message is not None
        assert letter.due_day(obligation.due) in message.text
        assert letter.body_list() in message.text
    # Later progress letters name the bodies too; before the second stage was missed none does.
    news = progress_letters.progress(letter, late)
    assert (letter.body_list() in news) is (passed is not None)
    assert letter.body_list() not in progress_letters.progress(letter, complaint.at + timedelta(days=6))
    assert "legal_passed" not in a_case_offered_recourse(rules=scheme).kinds


@clause("7.9")
def test_a_missed_legal_maximum_keeps_recourse_open_and_a_kept_one_does_not() -> None:
    scheme = rules_with(legal="10 bd")
    later = due(a_communicated_case(rules=scheme), Target.LEGAL) + timedelta(days=1)
    kept = Letter(a_case_at_level_two(rules=scheme).case, TEXTS, "en")
    assert kept.body_list() not in progress_letters.progress(kept, later)
    decided_late = replace(an_investigated_case(rules=scheme), at=later)
    missed = (
        decided(decided_late).do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.DISAGREE, ANNA, {"reviewers": 2})
    )
    letter = Letter(missed.case, TEXTS, "en")
    assert letter.body_list() in progress_letters.progress(letter, later)


@clause("7.9")
def test_no_text_refers_to_the_closed_odr_platform() -> None:
    files = [*PRESETS.rglob("*.toml"), *(PRESETS.parent / "settings").glob("*.toml")]
    texts = [file.read_text(encoding="utf-8").lower() for file in files]
    assert any("ombudsman" in text for text in texts)
    assert not any("consumers/odr" in text or "odr platform" in text for text in texts)
