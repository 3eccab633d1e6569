"""How each due time was computed, step by step (demand 21; `amends case due`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import DueStep, explain_step, reached
from complaints.deadlines.durations import Span
from complaints.deadlines.local_time import wall
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.targets import (
    CAPPED,
    CAPPED_BY_LAW,
    GIVEN,
    KEPT,
    MISSED,
    NEXT_DATE,
    REDATED,
    Wanted,
    compute,
    extension_cap,
    extension_span,
)
from complaints.deadlines.working_time import due, rolled
from complaints.timestamps import format_time
from complaints.vocabulary import Role, Target


def steps_of(case: Case, one: TargetSet, events: Sequence[Event] = ()) -> tuple[DueStep, ...]:
    """The steps from the act that set this version of a target to its due time.

    `events` are those of the case; without them nothing is said of who set or moved it, and a reason only where
    the event of the extension holds its words. Where the rules as the case has them now lead elsewhere, the last
    step says what the record holds.
    """
    case = replace(case, rules=case.rules_for(one))
    cause = _cause(one, events)
    steps = tuple(_steps(case, one, cause, events))
    end = reached(steps)
    if end is None or end != one.internal_due:
        steps = (*steps, DueStep("recorded", local=_local(case, one.internal_due)))
    return (*steps, *(DueStep(_NOTED[note]) for note in one.basis.split(";")[1:] if note in _NOTED))


#: What else a basis says, by the code of the step that tells it.
_NOTED: Mapping[str, str] = {
    REDATED: "redated",
    MISSED: "missed_stands",
    GIVEN: "given_stands",
    KEPT: "promise_stands",
}


def explained(case: Case, one: TargetSet, events: Sequence[Event] = ()) -> list[str]:
    """The same in plain English."""
    return [explain_step(step) for step in steps_of(case, one, events)]


def _steps(case: Case, one: TargetSet, cause: Event | None, events: Sequence[Event]) -> Iterator[DueStep]:
    if one.basis.startswith("extend"):
        yield from _extended(case, one, cause, events)
        return
    if cause is not None:
        yield DueStep("set", local=_local(case, cause.at), name=cause.verb.value, by=_who(cause))
    yield from _fixed(case, one) or _counted(case, one)


def _fixed(case: Case, one: TargetSet) -> tuple[DueStep, ...]:
    """A day that somebody named is due at its closing time; nothing where the date was counted."""
    day = _local(case, one.internal_due).date()
    closing = DueStep("closing", local=_local(case, one.internal_due))
    if one.target is Target.WAITING:
        return DueStep("asked_for", day=_day_closed(case, one.internal_due, day)), closing
    remedy = next((owed for owed in case.remedies if owed.n == one.of), None)
    if one.target is Target.REMEDY and remedy is not None and remedy.promised_by is not None:
        return DueStep("in_decision", day=remedy.promised_by), closing
    if one.target is Target.UPDATE and one.basis.split(";")[0] == NEXT_DATE:
        return DueStep("next_news", day=_day_closed(case, one.internal_due, day)), closing
    if one.target is Target.SUBJECT and one.of == 0:
        counted = due(one.start, one.span, case.rules.calendar).at
        if one.internal_due != counted:
            return DueStep("review", day=_day_closed(case, one.internal_due, day)), closing
    return ()


def _day_closed(case: Case, at: datetime, day: date) -> date:
    """The day that ends at this closing time; 24:00 is the end of the day before."""
    eve = date.fromordinal(day.toordinal() - 1)
    return eve if closing_time(eve, case.rules.calendar) == at else day


def _counted(case: Case, one: TargetSet) -> Iterator[DueStep]:
    ruled, *notes = one.basis.split(";")
    rule, _, promised = ruled.partition(", promised ")
    calendar = case.rules.calendar
    yield DueStep("rule", name=rule, span=one.span)
    if _doubled(case, rule, one.span):
        yield DueStep("doubled", span=one.span)
    if promised and one.promised_due != one.internal_due:
        yield DueStep("promised", span=promised, local=_local(case, one.promised_due))
    if one.target is Target.PRIVACY:
        yield DueStep("day_after_receipt")
        yield from rolled(due(one.start, one.span, calendar), calendar).because
        return
    yield from compute(case, Wanted(one.target, one.of, one.start, one.span, rule)).because
    if CAPPED_BY_LAW in notes:
        yield from _capping(case, one)


def _capping(case: Case, one: TargetSet) -> Iterator[DueStep]:
    """The legal maximum that held then: taking in an earlier complaint may have moved the receipt since."""
    held = (legal for legal in case.targets if legal.target is Target.LEGAL)
    legal = next((each for each in held if each.internal_due == one.internal_due), None)
    start, span = (case.received_at, case.rules.targets.legal) if legal is None else (legal.start, legal.span)
    if span is not None:
        yield DueStep("legal", span=span)
        yield from due(start, span, case.rules.calendar).because


def _doubled(case: Case, rule: str, span: str) -> bool:
    priority, _, key = rule.partition(".")
    plain = case.rules.targets.by_priority.get(priority)
    return key == "decide" and plain is not None and span == str(Span.parse(plain.decide) * 2)


def _extended(case: Case, one: TargetSet, cause: Event | None, events: Sequence[Event]) -> Iterator[DueStep]:
    """Who moved it, when, for which reason, within which bounds, from what to what."""
    before = case.version_of(one.target, one.of, one.version - 1)
    if cause is not None:
        yield DueStep("extended", local=_local(case, cause.at), by=_who(cause))
        asked = next((each for each in events if each.seq == _asked_in(cause)), None)
        if asked is not None:
            yield DueStep("asked_by", local=_local(case, asked.at), by=_who(asked))
        reason = (asked or cause).words.get("reason", "").strip()
        if reason:
            yield DueStep("reason", name=" ".join(reason.split()))
    if one.target in CAPPED:
        cap, legal = extension_cap(case, one), case.target(Target.LEGAL)
        if cap is not None:
            yield DueStep("extension_cap", local=_local(case, cap), span=str(extension_span(case, one)))
        if legal is not None and one.start == legal.start:
            yield DueStep("legal_cap", local=_local(case, legal.internal_due), span=legal.span)
    start = before.internal_due if before is not None else one.start
    yield DueStep("moved", local=_local(case, start), until=_local(case, one.internal_due))


def _asked_in(cause: Event) -> int | None:
    extends = cause.facts.get("extends")
    return int(extends["seq"]) if extends else None


def _cause(one: TargetSet, events: Sequence[Event]) -> Event | None:
    """The event in whose facts this version was set."""
    wanted = (one.target.value, one.of, one.version)
    for event in events:
        for row in event.facts.get("targets", ()):
            if (row["target"], int(row["of"]), int(row["version"])) == wanted:
                return event
    return None


def _who(event: Event) -> str:
    return event.role.value if event.role is Role.COMPLAINANT else event.by


def _local(case: Case, at: datetime) -> datetime:
    return wall(at, case.rules.calendar.zone)


def target_record(one: TargetSet) -> dict[str, Any]:
    """One version of a target as JSON values."""
    return {
        "target": one.target.value,
        "version": one.version,
        "of": one.of,
        "start": format_time(one.start),
        "internal_due": format_time(one.internal_due),
        "promised_due": format_time(one.promised_due),
        "basis": one.basis,
        "span": one.span,
        "met_at": format_time(one.met_at) if one.met_at else None,
    }


def due_record(case: Case, events: Sequence[Event] = ()) -> list[Mapping[str, Any]]:
    """Every version of every target with its dates and its explanation, in order of their due times.

    `because` says it in words, `steps` in codes; `superseded` is true of a version that a later one replaced.
    """
    rows: list[Mapping[str, Any]] = []
    for one in in_order(case):
        steps = steps_of(case, one, events)
        rows.append(
            {
                **target_record(one),
                "superseded": case.target(one.target, one.of) != one,
                "because": [explain_step(step) for step in steps],
                "steps": [step.as_json() for step in steps],
            }
        )
    return rows


def in_order(case: Case) -> list[TargetSet]:
    """Every version of every target in order of their due times."""
    return sorted(case.targets, key=lambda one: (one.internal_due, one.target, one.of, one.version))
