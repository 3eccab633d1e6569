"""Every due time of a complaint: what it starts from, its span, its caps, and when it is met (7.3).

`revise` compares what the rules ask for with what the record holds and returns only the differences; these
go into the event that caused them, so that each date stands in the record with its cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.because import Due
from complaints.doing import stamp
from complaints.priorities import priority_of
from complaints.record import Case, TargetSet
from complaints.rulebook import PriorityTargets
from complaints.spans import Span
from complaints.vocabulary import Priority, State, Target
from complaints.worktime import due, due_where_on_call

#: Targets that the legal maximum caps; what follows the decision has its own time.
CAPPED: frozenset[Target] = frozenset(
    {Target.ACK, Target.LOOK, Target.FIRST_ACTION, Target.DECIDE, Target.APPROVE}
)
_UNDECIDED = frozenset({State.RECEIVED, State.ASSESSED, State.INVESTIGATING, State.ESCALATED})


@dataclass(frozen=True)
class Wanted:
    """A target as the rules ask for it now. `rule` names the setting that the span came from."""

    target: Target
    of: int
    start: datetime
    span: str
    rule: str
    promised_span: str | None = None
    fixed: datetime | None = None


def wanted(case: Case) -> Iterator[Wanted]:
    """The targets that live in this state, each with its start event."""
    rules, start = case.rules.targets, case.level_started_at or case.received_at
    if not case.is_open:
        return
    if case.level not in case.acks:
        name = "ack" if case.level == 1 else "escalated_ack"
        yield Wanted(Target.ACK, 0, start, getattr(rules, name), name)
    if case.state in _UNDECIDED:
        yield from _before_decision(case, start)
    if case.drafted is not None:
        yield Wanted(Target.APPROVE, 0, case.drafted.at, rules.approve, "approve")
    for remedy in case.owed_remedies:
        if remedy.done_at is None:
            yield Wanted(Target.REMEDY, remedy.n, case.received_at, rules.remedy, "remedy", fixed=remedy.due)
        elif remedy.verified_at is None:
            yield Wanted(Target.VERIFY, remedy.n, remedy.done_at, rules.verify, "verify")
    decision = case.decision
    answered = case.state in (State.DECIDED, State.REMEDYING)
    if answered and decision is not None and decision.communicated_at is not None and case.reply is None:
        told = decision.communicated_at
        yield Wanted(Target.REPLY_REMINDER, 0, told, rules.reply_reminder, "reply_reminder")
        yield Wanted(Target.LAPSE, 0, told, rules.lapse, "lapse")


def _before_decision(case: Case, start: datetime) -> Iterator[Wanted]:
    priority = priority_of(case)
    rule: PriorityTargets = case.rules.targets.by_priority[priority]
    outer: PriorityTargets = case.rules.targets.by_priority[Priority.P4]
    if case.assessment is None or (case.level > 1 and case.owner is None):
        yield Wanted(Target.LOOK, 0, start, rule.look, f"{priority}.look")
    if not case.contacted or (case.last_contact_at is not None and case.last_contact_at < start):
        yield Wanted(Target.FIRST_ACTION, 0, start, rule.first_action, f"{priority}.first_action")
    contact = max(case.last_contact_at or case.received_at, start)
    yield Wanted(Target.UPDATE, 0, contact, rule.update_every, f"{priority}.update_every")
    decide = rule.decide
    if case.assessment is not None and case.assessment.complexity == 3:
        decide = _doubled(decide)
    promised = None if case.assessment is not None else case.rules.targets.legal or outer.decide
    yield Wanted(Target.DECIDE, 0, start, decide, f"{priority}.decide", promised_span=promised)
    legal = case.rules.targets.legal
    if legal is not None:
        yield Wanted(Target.LEGAL, 0, case.received_at, legal, "legal")


def _doubled(span: str) -> str:
    """Complexity 3 doubles the decide target, never the first action."""
    number, unit = span.split(maxsplit=1)
    return str(Span.parse(f"{int(number) * 2} {unit}"))


def compute(case: Case, one: Wanted, span: str | None = None) -> Due:
    """The due time of a wanted target before caps, with its counted steps."""
    calendar = case.rules.calendar
    length = span or one.span
    if one.rule.startswith("P1."):
        return due_where_on_call(one.start, length, calendar, case.rules.on_call)
    return due(one.start, length, calendar)


def revise(case: Case, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """New versions of targets and those met by what just happened, as they go into the event's facts.

    A target is new when its start or its rule differs from the latest version; an extension stands until the
    start moves. A live target that the rules no longer ask for is met when its case went on.
    """
    new: list[dict[str, Any]] = []
    met: list[dict[str, Any]] = []
    asked = {(one.target, one.of): one for one in wanted(case)}
    for (target, of), one in asked.items():
        latest = case.target(target, of)
        if latest is not None and latest.met_at is None and _same(latest, one):
            continue
        if (
            latest is not None
            and latest.met_at is None
            and target is Target.UPDATE
            and latest.start != one.start
        ):
            met.append(_met(latest))
        new.append(_new(case, one, latest))
    met += [
        _met(latest)
        for latest in case.current_targets()
        if latest.met_at is None and (latest.target, latest.of) not in asked
    ]
    return {name: rows for name, rows in (("targets", new), ("met", met)) if rows}


def _same(latest: TargetSet, one: Wanted) -> bool:
    if one.fixed is not None:
        return latest.internal_due >= one.fixed
    moved = latest.start != one.start
    extended = latest.basis.startswith("extend")
    return not moved and (extended or (latest.span == one.span and latest.basis.split(";")[0] == _basis(one)))


def _basis(one: Wanted) -> str:
    return one.rule if one.promised_span is None else f"{one.rule}, promised {one.promised_span}"


def _met(latest: TargetSet) -> dict[str, Any]:
    return {"target": latest.target.value, "of": latest.of, "version": latest.version}


def _new(case: Case, one: Wanted, latest: TargetSet | None) -> dict[str, Any]:
    internal = one.fixed or compute(case, one).at
    promised = (
        internal if one.promised_span is None else due(one.start, one.promised_span, case.rules.calendar).at
    )
    basis = _basis(one)
    legal = case.rules.targets.legal
    if legal is not None and one.target in CAPPED:
        cap = due(case.received_at, legal, case.rules.calendar).at
        if internal > cap:
            basis += ";capped by legal"
        internal, promised = min(internal, cap), min(promised, cap)
    promised = max(promised, internal)
    return {
        "target": one.target.value,
        "of": one.of,
        "version": 1 if latest is None else latest.version + 1,
        "start": stamp(one.start),
        "internal_due": stamp(internal),
        "promised_due": stamp(promised),
        "basis": basis,
        "span": one.span,
    }


def extended(case: Case, facts: Any) -> list[dict[str, Any]]:
    """The new version that an `extend` sets; the start and the span it grew from are kept."""
    target, of = Target(facts["target"]), int(facts.get("of", 0))
    latest = case.target(target, of)
    if latest is None:
        return []
    return [
        {
            "target": target.value,
            "of": of,
            "version": latest.version + 1,
            "start": stamp(latest.start),
            "internal_due": facts["due"],
            "promised_due": facts["due"],
            "basis": "extend",
            "span": latest.span,
        }
    ]


def next_due(case: Case) -> TargetSet | None:
    """The earliest open target that staff work towards; else until when the reply is waited for."""
    waits = {Target.REPLY_REMINDER, Target.LAPSE}
    live = [one for one in case.current_targets() if one.met_at is None]
    ours = [one for one in live if one.target not in waits and one.target is not Target.LEGAL] or live
    return min(ours, key=lambda one: one.internal_due, default=None)
