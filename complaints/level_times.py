"""The times that a scheme sets for a level, beside those of the priority: acknowledge, decide, extend (Annex F)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from complaints.particulars import TargetSet
from complaints.priorities import priority_of
from complaints.record import Case
from complaints.rulebook import LevelTargets
from complaints.spans import Span
from complaints.vocabulary import Priority
from complaints.worktime import due

_URGENT = frozenset({Priority.P1, Priority.P2})


@dataclass(frozen=True)
class DecideTime:
    """When to decide, and `rule`, the setting that says so; `outer` is the span that may be promised at most."""

    start: datetime
    span: str
    rule: str
    outer: str


def ack_time(case: Case, start: datetime) -> tuple[str, str]:
    """Span and rule of the acknowledgement, of a disagreement in the time of the level that it goes to."""
    rules, own = case.rules.targets, _own_level(case, start)
    if own.ack is not None:
        return own.ack, f"level.{case.level}.ack"
    if start == case.received_at:
        return rules.ack, "ack"
    return rules.escalated_ack, "escalated_ack"


def decide_time(case: Case, priority: Priority, start: datetime) -> DecideTime:
    """In the priority's time, from the second level on in the scheme's own for that level.

    A scheme makes P1 and P2 no later: these count from `start` in any case, and keep the earlier of two times.
    """
    rules, own = case.rules.targets, _own_level(case, start).decide
    span, rule = _of_priority(case, priority), f"{priority}.decide"
    if own is not None:
        theirs, ours = (due(start, each, case.rules.calendar).at for each in (own, span))
        if priority not in _URGENT or theirs < ours:
            span, rule = own, f"level.{case.level}.decide"
    acked = case.acks.get(case.level)
    if rules.decide_from == "acknowledged" and priority not in _URGENT and acked is not None:
        start = max(start, acked)
    return DecideTime(start, span, rule, own or rules.by_priority[Priority.P4].decide)


def decide_due(case: Case) -> datetime:
    """When the present criteria ask for a decision, before caps and extensions."""
    one = decide_time(case, priority_of(case), case.level_started_at or case.received_at)
    return due(one.start, one.span, case.rules.calendar).at


def extension_span(case: Case, target: TargetSet) -> str | None:
    """By how much all extensions of a target together may move it, at the level of the case; None: no cap."""
    return _own_level(case, target.start).extension_cap or case.rules.targets.extension_cap


def outside_when_missed(case: Case, decide: TargetSet) -> bool:
    """Does the scheme open the outside when this time of a later level passes unanswered (7.9)?"""
    return _own_level(case, decide.start).outside_when_missed


def _own_level(case: Case, start: datetime) -> LevelTargets:
    """What the scheme asks of the present level of clocks that began with it: escalating moves none."""
    began = case.level_started_at
    if case.level == 1 or began is None or began == case.received_at or start < began:
        return LevelTargets()
    return case.rules.targets.at_level(case.level)


def _of_priority(case: Case, priority: Priority) -> str:
    """Complexity 3 doubles the time to decide, never the first action, nor a time that a scheme sets."""
    rules = case.rules.targets
    span = rules.by_priority[priority].decide
    if case.assessment is None or case.assessment.complexity < 3 or not rules.complex_doubles:
        return span
    return str(Span.parse(span) * 2)
