"""How each due time was computed, step by step (demand 21; `amends case due`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from complaints.because import explain
from complaints.doing import stamp
from complaints.particulars import TargetSet
from complaints.record import Case
from complaints.targets import CAPPED_BY_LAW, GIVEN, KEPT, MISSED, REDATED, Wanted, compute
from complaints.vocabulary import Target
from complaints.worktime import due


def explained(case: Case, one: TargetSet) -> list[str]:
    """The steps from the start of a target to its due time, in plain English."""
    case = replace(case, rules=case.rules_for(one))
    basis, *notes = one.basis.split(";")
    return [
        *_counted(case, one, basis.split(",")[0], notes),
        *(_NOTED[note] for note in notes if note in _NOTED),
    ]


#: What else a basis says, in words.
_NOTED: Mapping[str, str] = {
    REDATED: "Counted anew when the complaint went on under other rules, for a reason on the record.",
    MISSED: "It had been missed by then, and what was missed is not mended: it stands.",
    GIVEN: "The complainant was given this time to answer: it does not get shorter.",
    KEPT: "These rules give a later date; what was promised to the complainant stands.",
}


def _counted(case: Case, one: TargetSet, rule: str, notes: Sequence[str]) -> list[str]:
    if rule == "extend":
        return ["Extended by a manager, with a reason told to the complainant."]
    if one.target is Target.WAITING:
        return ["Asked of the complainant for this day: it ends at closing time; no other date waits for it."]
    if one.target is Target.REMEDY:
        return ["Promised for this day in the decision: due at its closing time."]
    if one.target is Target.PRIVACY:
        last = due(one.start, one.span, case.rules.calendar)
        rolls = "Due at the closing time of that day; a day off rolls to the next working day."
        return [f"Rule {rule}: {one.span}, counted from the day after receipt.", *explain(last), rolls]
    if one.target is Target.SUBJECT and one.internal_due != due(one.start, one.span, case.rules.calendar).at:
        return ["A manager recorded why the person complained about is not told yet: reviewed on this day."]
    computed = compute(case, Wanted(one.target, one.of, one.start, one.span, rule))
    lines = [f"Rule {rule}: {one.span}.", *explain(computed)]
    if CAPPED_BY_LAW in notes:
        legal = due(case.received_at, str(case.rules.targets.legal), case.rules.calendar)
        lines += [f"The legal maximum ({case.rules.targets.legal}) ends earlier:", *explain(legal)]
    return lines


def target_record(one: TargetSet) -> dict[str, Any]:
    """One version of a target as JSON values."""
    return {
        "target": one.target.value,
        "version": one.version,
        "of": one.of,
        "start": stamp(one.start),
        "internal_due": stamp(one.internal_due),
        "promised_due": stamp(one.promised_due),
        "basis": one.basis,
        "span": one.span,
        "met_at": stamp(one.met_at) if one.met_at else None,
    }


def due_record(case: Case) -> list[Mapping[str, Any]]:
    """Every version of every target with its dates and its explanation, in order of their due times."""
    return [
        {**target_record(one), "because": explained(case, one)}
        for one in sorted(case.targets, key=lambda one: (one.internal_due, one.version))
    ]
