"""Every due time can say how it came about (design.md, rule 5)."""

from __future__ import annotations

from complaints.explaining import due_record, explained
from complaints.vocabulary import Target, Verb
from tests.rules.builders import (
    ALICE,
    MONA,
    Told,
    a_refund,
    a_told_case,
    an_assessed_case,
    an_investigated_case,
    rules_with,
)


def _why(told: Told, target: Target, of: int = 0) -> list[str]:
    found = told.case.target(target, of)
    assert found is not None
    return explained(told.case, found)


def test_a_date_names_its_rule_and_the_days_counted() -> None:
    first, *steps = _why(an_assessed_case(), Target.DECIDE)
    assert first == "Rule P3.decide: 10 bd."
    assert steps[0] == "Starts Tue 3 Nov 2026 10:00 (Europe/London)."
    assert steps[-1] == "Due at closing time, Tue 17 Nov 2026 17:30."


def test_a_capped_date_says_what_caps_it() -> None:
    lines = _why(an_assessed_case(rules=rules_with(legal="3 days")), Target.DECIDE)
    assert "The legal maximum (3 days) ends earlier:" in lines


def test_an_extension_a_promise_and_a_wait_say_whose_word_it_was() -> None:
    told = an_assessed_case()
    later = {"target": "decide", "extended_to": "2026-11-24"}
    extended = told.do(Verb.EXTEND, MONA, later, {"reason": "Two more readings."})
    assert _why(extended, Target.DECIDE) == ["Extended by a manager, with a reason told to the complainant."]
    promised = a_told_case(remedies=[a_refund()])
    assert _why(promised, Target.REMEDY) == [
        "Promised for this day in the decision: due at its closing time."
    ]
    waiting = an_investigated_case().do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    (line,) = _why(waiting, Target.WAITING)
    assert line.startswith("Asked of the complainant for this day")


def test_every_version_of_every_target_is_on_the_record() -> None:
    told = an_assessed_case(severity=4)
    rows = due_record(told.case)
    assert len(rows) == len(told.case.targets)
    assert [row["internal_due"] for row in rows] == sorted(row["internal_due"] for row in rows)
    assert all(row["because"] for row in rows)
    assert {"target", "version", "start", "internal_due", "promised_due", "basis", "met_at"} <= set(rows[0])
