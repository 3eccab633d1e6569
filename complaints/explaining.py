"""How each due time was computed, step by step (demand 21; `amends case due`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from complaints.because import Step, explain_step, reached
from complaints.doing import stamp
from complaints.hours import closing_time
from complaints.level_times import extension_span
from complaints.localtime import wall
from complaints.particulars import TargetSet
from complaints.record import Case, Event
from complaints.spans import Span
from complaints.targets import (
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
)
from complaints.vocabulary import Role, Target
from complaints.worktime import due, rolled


def steps_of(case: Case, one: TargetSet, events: Sequence[Event] = ()) -> tuple[Step, ...]:
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
        steps = (*steps, Step("recorded", local=_local(case, one.internal_due)))
    return (*steps, *(Step(_NOTED[note]) for note in one.basis.split(";")[1:] if note in _NOTED))


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


def _steps(case: Case, one: TargetSet, cause: Event | None, events: Sequence[Event]) -> Iterator[Step]:
    if one.basis.startswith("extend"):
        yield from _extended(case, one, cause, events)
        return
    if cause is not None:
        yield Step("set", local=_local(case, cause.at), name=cause.verb.value, by=_who(cause))
    yield from _fixed(case, one) or _counted(case, one)


def _fixed(case: Case, one: TargetSet) -> tuple[Step, ...]:
    """A day that somebody named is due at its closing time; nothing where the date was counted."""
    day = _local(case, one.internal_due).date()
    closing = Step("closing", local=_local(case, one.internal_due))
    if one.target is Target.WAITING:
        return Step("asked_for", day=_day_closed(case, one.internal_due, day)), closing
    remedy = next((owed for owed in case.remedies if owed.n == one.of), None)
    if one.target is Target.REMEDY and remedy is not None and remedy.promised_by is not None:
        return Step("in_decision", day=remedy.promised_by), closing
    if one.target is Target.UPDATE and one.basis.split(";")[0] == NEXT_DATE:
        return Step("next_news", day=_day_closed(case, one.internal_due, day)), closing
    if one.target is Target.SUBJECT and one.of == 0:
        counted = due(one.start, one.span, case.rules.calendar).at
        if one.internal_due != counted:
            return Step("review", day=_day_closed(case, one.internal_due, day)), closing
    return ()


def _day_closed(case: Case, at: datetime, day: date) -> date:
    """The day that ends at this closing time; 24:00 is the end of the day before."""
    eve = date.fromordinal(day.toordinal() - 1)
    return eve if closing_time(eve, case.rules.calendar) == at else day


def _counted(case: Case, one: TargetSet) -> Iterator[Step]:
    ruled, *notes = one.basis.split(";")
    rule, _, promised = ruled.partition(", promised ")
    calendar = case.rules.calendar
    yield Step("rule", name=rule, span=one.span)
    if _doubled(case, rule, one.span):
        yield Step("doubled", span=one.span)
    if promised and one.promised_due != one.internal_due:
        yield Step("promised", span=promised, local=_local(case, one.promised_due))
    if one.target is Target.PRIVACY:
        yield Step("day_after_receipt")
        yield from rolled(due(one.start, one.span, calendar), calendar).because
        return
    yield from compute(case, Wanted(one.target, one.of, one.start, one.span, rule)).because
    if CAPPED_BY_LAW in notes:
        yield from _capping(case, one)


def _capping(case: Case, one: TargetSet) -> Iterator[Step]:
    """The legal maximum that held then: taking in an earlier complaint may have moved the receipt since."""
    held = (legal for legal in case.targets if legal.target is Target.LEGAL)
    legal = next((each for each in held if each.internal_due == one.internal_due), None)
    start, span = (case.received_at, case.rules.targets.legal) if legal is None else (legal.start, legal.span)
    if span is not None:
        yield Step("legal", span=span)
        yield from due(start, span, case.rules.calendar).because


def _doubled(case: Case, rule: str, span: str) -> bool:
    priority, _, key = rule.partition(".")
    plain = case.rules.targets.by_priority.get(priority)
    return key == "decide" and plain is not None and span == str(Span.parse(plain.decide) * 2)


def _extended(case: Case, one: TargetSet, cause: Event | None, events: Sequence[Event]) -> Iterator[Step]:
    """Who moved it, when, for which reason, within which bounds, from what to what."""
    before = case.version_of(one.target, one.of, one.version - 1)
    if cause is not None:
        yield Step("extended", local=_local(case, cause.at), by=_who(cause))
        asked = next((each for each in events if each.seq == _asked_in(cause)), None)
        if asked is not None:
            yield Step("asked_by", local=_local(case, asked.at), by=_who(asked))
        reason = (asked or cause).words.get("reason", "").strip()
        if reason:
            yield Step("reason", name=" ".join(reason.split()))
    if one.target in CAPPED:
        cap, legal = extension_cap(case, one), case.target(Target.LEGAL)
        if cap is not None:
            yield Step("extension_cap", local=_local(case, cap), span=str(extension_span(case, one)))
        if legal is not None and one.start == legal.start:
            yield Step("legal_cap", local=_local(case, legal.internal_due), span=legal.span)
    start = before.internal_due if before is not None else one.start
    yield Step("moved", local=_local(case, start), until=_local(case, one.internal_due))


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
        "start": stamp(one.start),
        "internal_due": stamp(one.internal_due),
        "promised_due": stamp(one.promised_due),
        "basis": one.basis,
        "span": one.span,
        "met_at": stamp(one.met_at) if one.met_at else None,
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
