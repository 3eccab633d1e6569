"""The explanation of each due time, step by step (`amends case due`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import DueStep, explain_step, reached
from complaints.deadlines.legal_time import legal_time
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.targets import (
    CAPPED,
    CAPPED_BY_LAW,
    GIVEN,
    KEPT,
    MISSED,
    NEXT_DATE,
    REDATED,
    WantedTarget,
    compute,
    extension_cap,
    extension_span,
)
from complaints.deadlines.working_time import Span, due, rolled_to_working_day
from complaints.times import json_fields, local_time
from complaints.vocabulary import Role, Target


def explanation_steps(case: Case, target: TargetSet, events: Sequence[Event] = ()) -> tuple[DueStep, ...]:
    """The steps from the act that set this version of a target to its due time.

    `events` are those of the case: they show who set or moved the date, and with their words also the reason for an
    extension. If the present rules lead to another time, the last step gives the time in the record.
    """
    case = replace(case, rules=case.rules_for(target))
    cause = _cause(target, events)
    steps = tuple(_steps(case, target, cause, events))
    end = reached(steps)
    if end is None or end != target.internal_due:
        steps = (*steps, DueStep("recorded", local=_local(case, target.internal_due)))
    return (
        *steps,
        *(DueStep(NOTE_STEPS[note]) for note in target.basis.split(";")[1:] if note in NOTE_STEPS),
    )


#: Notes of a basis, and the code of the step that explains each.
NOTE_STEPS: Mapping[str, str] = {
    REDATED: "redated",
    MISSED: "missed_stands",
    GIVEN: "given_stands",
    KEPT: "promise_stands",
}


#: Steps of a length that no calendar counts.
_ELAPSED = frozenset({"elapsed", "same_local_time"})


def explained(case: Case, target: TargetSet, events: Sequence[Event] = ()) -> list[str]:
    return [explain_step(step) for step in explanation_steps(case, target, events)]


def _steps(case: Case, target: TargetSet, cause: Event | None, events: Sequence[Event]) -> Iterator[DueStep]:
    if target.basis.startswith("extend"):
        yield from _extended(case, target, cause, events)
        return
    if cause is not None:
        yield DueStep("set", local=_local(case, cause.at), name=cause.verb.value, by=_who(cause))
    yield from _fixed(case, target) or _counted(case, target)


def _fixed(case: Case, target: TargetSet) -> tuple[DueStep, ...]:
    """A day that a person named is due at its closing time; empty where the date was counted."""
    day = _local(case, target.internal_due).date()
    closing = DueStep("closing", local=_local(case, target.internal_due))
    if target.target is Target.WAITING:
        return DueStep("asked_for", day=_day_closed(case, target.internal_due, day)), closing
    is_limit = target.basis == Target.CONDUCT.value and (target.target, target.of) != (Target.CONDUCT, 1)
    if is_limit and target.target is Target.REPLY:
        return (DueStep("recorded", local=_local(case, target.internal_due)),)
    if is_limit or target.target is Target.STATEMENT:
        return (closing,)
    remedy = next((owed for owed in case.remedies if owed.n == target.of), None)
    if target.target is Target.REMEDY and remedy is not None and remedy.promised_by is not None:
        return DueStep("in_decision", day=remedy.promised_by), closing
    if target.target is Target.UPDATE and target.basis.split(";")[0] == NEXT_DATE:
        return DueStep("next_news", day=_day_closed(case, target.internal_due, day)), closing
    if target.target is Target.SUBJECT and target.of == 0:
        counted = due(target.start, target.span, case.rules.calendar).at
        if target.internal_due != counted:
            return DueStep("review", day=_day_closed(case, target.internal_due, day)), closing
    return ()


def _day_closed(case: Case, at: datetime, day: date) -> date:
    """The day that ends at this closing time; 24:00 ends the day before."""
    eve = date.fromordinal(day.toordinal() - 1)
    return eve if closing_time(eve, case.rules.calendar) == at else day


def _counted(case: Case, target: TargetSet) -> Iterator[DueStep]:
    ruled, *notes = target.basis.split(";")
    rule, _, promised = ruled.partition(", promised ")
    calendar = case.rules.calendar_of(rule)
    yield DueStep("rule", name=rule, span=target.span)
    yield from _subject_steps(case, target, rule)
    if _doubled(case, rule, target.span):
        yield DueStep("doubled", span=target.span)
    if promised and target.promised_due != target.internal_due:
        yield DueStep("promised", span=promised, local=_local(case, target.promised_due))
    if target.target in (Target.PRIVACY, Target.DATA_REQUEST):
        if target.target is Target.PRIVACY:
            yield DueStep("day_after_receipt")
        yield _calendar_step(case, rule)
        yield from rolled_to_working_day(due(target.start, target.span, calendar), calendar).because
        return
    counted = compute(case, WantedTarget(target.target, target.of, target.start, target.span, rule)).because
    if not _ELAPSED & {step.code for step in counted}:
        yield _calendar_step(case, rule)
    yield from counted
    if CAPPED_BY_LAW in notes:
        yield from _capping(case, target)


def _subject_steps(case: Case, target: TargetSet, rule: str) -> Iterator[DueStep]:
    """Why a time of the law has another length or start than the usual one."""
    clock = next((clock for clock in case.rules.targets.clocks if clock.rule == rule), None)
    if clock is not None and clock.about:
        yield DueStep("subject")
    if case.completed_at is not None and target.start >= case.completed_at and (clock or rule == "legal"):
        yield DueStep("completed", local=_local(case, case.completed_at))
    if clock is not None and clock.after is not None:
        yield DueStep("period_first", span=clock.after)


def _capping(case: Case, target: TargetSet) -> Iterator[DueStep]:
    """The legal maximum in force then: a merge with an earlier complaint may have moved the receipt since."""
    versions = (legal for legal in case.targets if legal.target is Target.LEGAL)
    legal = next((version for version in versions if version.internal_due == target.internal_due), None)
    time = legal or legal_time(case, proposed=True)
    if time is not None:
        yield DueStep("legal", span=time.span)
        counted = due(time.start, time.span, case.rules.calendar_of("legal")).because
        if not _ELAPSED & {step.code for step in counted}:
            yield _calendar_step(case, "legal")
        yield from counted


def _calendar_step(case: Case, rule: str) -> DueStep:
    """Names the calendar by which the days of a rule are counted."""
    own = case.rules.calendar
    if own.by_law is own:
        return DueStep("calendar")
    return DueStep("calendar_own" if case.rules.calendar_of(rule) is own else "calendar_law")


def _doubled(case: Case, rule: str, span: str) -> bool:
    priority, _, key = rule.partition(".")
    plain = case.rules.targets.by_priority.get(priority)
    return key == "decide" and plain is not None and span == str(Span.parse(plain.decide) * 2)


def _extended(
    case: Case, target: TargetSet, cause: Event | None, events: Sequence[Event]
) -> Iterator[DueStep]:
    """Who moved it, when, for which reason, within which caps, from which date to which."""
    before = case.version_of(target.target, target.of, target.version - 1)
    if cause is not None:
        yield DueStep("extended", local=_local(case, cause.at), by=_who(cause))
        request = next((event for event in events if event.seq == _request_seq(cause)), None)
        if request is not None:
            yield DueStep("asked_by", local=_local(case, request.at), by=_who(request))
        reason = (request or cause).words.get("reason", "").strip()
        if reason:
            yield DueStep("reason", name=" ".join(reason.split()))
    if target.target in CAPPED:
        cap, legal = extension_cap(case, target), case.target(Target.LEGAL)
        if cap is not None:
            yield DueStep("extension_cap", local=_local(case, cap), span=str(extension_span(case, target)))
        if legal is not None and target.start == legal.start:
            yield DueStep("legal_cap", local=_local(case, legal.internal_due), span=legal.span)
    start = before.internal_due if before is not None else target.start
    yield DueStep("moved", local=_local(case, start), until=_local(case, target.internal_due))


def _request_seq(cause: Event) -> int | None:
    extends = cause.facts.get("extends")
    return int(extends["seq"]) if extends else None


def _cause(target: TargetSet, events: Sequence[Event]) -> Event | None:
    version_key = (target.target.value, target.of, target.version)
    for event in events:
        for row in event.facts.get("targets", ()):
            if (row["target"], int(row["of"]), int(row["version"])) == version_key:
                return event
    return None


def _who(event: Event) -> str:
    return event.role.value if event.role is Role.COMPLAINANT else event.by


def _local(case: Case, at: datetime) -> datetime:
    return local_time(at, case.rules.calendar.zone)


def target_record(target: TargetSet) -> dict[str, Any]:
    """One version of a target as JSON values."""
    return json_fields(target, "target version of start internal_due promised_due basis span met_at")


def due_record(case: Case, events: Sequence[Event] = ()) -> list[Mapping[str, Any]]:
    """Every version of every target with its dates and its explanation, in order of their due times.

    `because` has the steps in English, `steps` in codes; `superseded` marks a version that a later one replaced.
    """
    rows: list[Mapping[str, Any]] = []
    for target in targets_in_order(case):
        steps = explanation_steps(case, target, events)
        rows.append(
            {
                **target_record(target),
                "superseded": case.target(target.target, target.of) != target,
                "because": [explain_step(step) for step in steps],
                "steps": [step.as_json() for step in steps],
            }
        )
    return rows


def targets_in_order(case: Case) -> list[TargetSet]:
    return sorted(
        case.targets, key=lambda target: (target.internal_due, target.target, target.of, target.version)
    )
