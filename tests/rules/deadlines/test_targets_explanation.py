"""Every due time can be explained (docs/design.md, rule 5)."""

from __future__ import annotations

from dataclasses import replace

from complaints.deadlines.explanation import due_record, explained
from complaints.vocabulary import Target, Verb
from tests.rules.builders import (
    ALICE,
    MONA,
    RULES,
    BuiltComplaint,
    a_communicated_case,
    a_received_case,
    a_refund,
    an_assessed_case,
    an_investigated_case,
    rules_with,
)


def _why(complaint: BuiltComplaint, target: Target, of: int = 0) -> list[str]:
    target_set = complaint.case.target(target, of)
    assert target_set is not None
    return explained(complaint.case, target_set, complaint.events)


def test_a_date_names_its_author_its_rule_and_the_days_counted() -> None:
    by, rule, calendar, *steps = _why(an_assessed_case(), Target.DECIDE)
    assert by == "Set Tue 3 Nov 2026 10:03: assess (U0000001)."
    assert rule == "Rule P3.decide: 10 bd."
    assert calendar == "By the calendar of the law and of the desk: they have the same days off."
    assert steps[0] == "Starts Tue 3 Nov 2026 10:00 (Europe/London)."
    assert steps[-1] == "Due at closing time, Tue 17 Nov 2026 17:30."


def test_before_the_assessment_the_promised_date_is_explained_too() -> None:
    complaint = a_received_case()
    assert "Outside Tue 1 Dec 2026 17:30 is promised (20 bd)." in _why(complaint, Target.DECIDE)
    assert _why(complaint, Target.DECIDE)[0] == "Set Tue 3 Nov 2026 10:00: receive (complainant)."


def test_a_complex_complaint_explains_its_doubled_time() -> None:
    assert "Complex, so twice the time: 20 bd." in _why(an_assessed_case(complexity=3), Target.DECIDE)


def test_a_capped_date_explains_its_cap() -> None:
    lines = _why(an_assessed_case(rules=rules_with(legal="3 days")), Target.DECIDE)
    assert "The legal maximum (3 days) ends earlier:" in lines
    assert lines[-1] == "3 days on, at the same local time: Fri 6 Nov 2026 10:00."


def test_an_extension_explains_author_time_reason_limits_and_change() -> None:
    complaint = an_assessed_case(rules=rules_with(legal="20 bd", extension_cap="10 bd"))
    later = {"target": "decide", "extended_to": "2026-11-24"}
    extended = complaint.do(Verb.EXTEND, MONA, later, {"reason": "Two more readings."})
    assert _why(extended, Target.DECIDE) == [
        "Extended Tue 3 Nov 2026 10:04 by U0000003; the complainant is told, with the reason.",
        "Reason: Two more readings.",
        "All extensions together end Tue 1 Dec 2026 17:30 at the latest (10 bd).",
        "No extension passes the legal maximum, Tue 1 Dec 2026 17:30 (20 bd).",
        "Moved from Tue 17 Nov 2026 17:30 to Tue 24 Nov 2026 17:30.",
    ]
    target_set = extended.case.target(Target.DECIDE)
    assert target_set is not None
    assert explained(extended.case, target_set)[-1] == _why(extended, Target.DECIDE)[-1]


def test_an_approved_extension_names_who_requested_and_who_approved_it() -> None:
    later = {"target": "decide", "extended_to": "2026-11-24"}
    requested = an_assessed_case().do(Verb.EXTEND, ALICE, later, {"reason": "Two more readings."})
    assert _why(requested.do(Verb.APPROVE, MONA, {"agreed": "yes"}), Target.DECIDE)[:3] == [
        "Extended Tue 3 Nov 2026 10:05 by U0000003; the complainant is told, with the reason.",
        "U0000001 had asked for it Tue 3 Nov 2026 10:04.",
        "Reason: Two more readings.",
    ]


def test_a_date_named_by_a_person_says_who_named_it() -> None:
    promised = a_communicated_case(remedies=[a_refund()])
    assert _why(promised, Target.REMEDY)[1:] == [
        "Promised for Tue 17 Nov 2026 in the decision.",
        "Due at closing time, Tue 17 Nov 2026 17:30.",
    ]
    assert "Rule remedy: 10 bd." in _why(a_communicated_case(remedies=[{"type": "repair"}]), Target.REMEDY)
    waiting = an_investigated_case().do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert _why(waiting, Target.WAITING)[1] == (
        "Asked of the complainant for Mon 9 Nov 2026; no other date waits for it."
    )


def test_a_last_day_on_a_day_off_rolls_to_the_next_working_day() -> None:
    complaint = an_assessed_case(rules=rules_with(privacy="5 days"), category="privacy")
    assert _why(complaint, Target.PRIVACY)[1:] == [
        "Rule privacy: 5 days.",
        "Counted from the day after receipt.",
        "By the calendar of the law and of the desk: they have the same days off.",
        "Starts Tue 3 Nov 2026 10:00 (Europe/London).",
        "5 days on, at the same local time: Sun 8 Nov 2026 10:00.",
        "A day off, so the next working day counts: Mon 9 Nov 2026.",
        "Due at closing time, Mon 9 Nov 2026 17:30.",
    ]


def test_a_date_computed_by_earlier_rules_is_shown_as_recorded() -> None:
    complaint = an_assessed_case()
    target_set = complaint.case.target(Target.DECIDE)
    assert target_set is not None
    moved = replace(
        complaint.case, rules=replace(RULES, calendar=replace(RULES.calendar, zone="Europe/Istanbul"))
    )
    assert explained(moved, target_set)[-1] == (
        "The record holds Tue 17 Nov 2026 20:30, computed by the rules in force then."
    )


def test_every_version_of_every_target_is_on_the_record() -> None:
    complaint = an_assessed_case(severity=4)
    rows = due_record(complaint.case)
    assert len(rows) == len(complaint.case.targets)
    assert [row["internal_due"] for row in rows] == sorted(row["internal_due"] for row in rows)
    assert all(row["because"] and row["steps"] for row in rows)
    replaced = [row for row in rows if row["superseded"]]
    assert len(rows) - len(replaced) == len(complaint.case.current_targets())
    assert {"target", "version", "start", "internal_due", "promised_due", "basis", "met_at"} <= set(rows[0])
