"""The times that a scheme sets for a level, beside those of the priority: acknowledge, decide, extend (Annex F).

Every due time of a complaint: what it starts from, its span, its caps, and when it is met (7.3).

`revise` compares what the rules ask for with what the record holds and returns only the differences; these
go into the event that caused them, so that each date stands in the record with its cause.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import Due
from complaints.deadlines.durations import Span
from complaints.deadlines.working_time import closing_time, due, due_where_on_call, rolled
from complaints.priorities import priority_of
from complaints.rulebook import LevelTargets, PriorityTargets
from complaints.timestamps import format_time, parse_time
from complaints.vocabulary import RESTRICTING, Category, Flag, Priority, State, Target

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


#: Targets that the legal maximum caps; what follows the decision has its own time.
CAPPED: frozenset[Target] = frozenset(
    {Target.ACK, Target.LOOK, Target.FIRST_ACTION, Target.DECIDE, Target.APPROVE}
)
#: What a basis says besides its rule: the law ended it earlier; it was counted anew under other rules; and what then
#: held a later date back (a promise, its having been missed) or an earlier one (the time given to the complainant).
CAPPED_BY_LAW, REDATED = "capped by legal", "redated"
KEPT, MISSED, GIVEN = "promise kept", "missed before", "time given"
#: The basis of an update by a day that a person named, not the rules.
NEXT_DATE = "next_date"
#: What the complainant waits for or is waited for; after a withdrawal nobody does.
TOLD: frozenset[Target] = frozenset(
    {
        Target.ACK,
        Target.FIRST_ACTION,
        Target.UPDATE,
        Target.LEGAL,
        Target.WAITING,
        Target.REPLY_REMINDER,
        Target.LAPSE,
        Target.PRIVACY,
    }
)
#: Access, correction and erasure are answered within one month (docs/domain.md, section 6, Data protection).
DATA_REQUEST_SPAN = "1 months"
_UNDECIDED = frozenset({State.RECEIVED, State.ASSESSED, State.INVESTIGATING, State.ESCALATED})
_ANSWERED = frozenset({State.DECIDED, State.REMEDYING})


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
    """The targets that live in this state, each with its start event.

    After a withdrawal that the matter outlives only our own work has dates: nobody waits for us outside.
    """
    if case.erased_at is not None:
        return
    priority = priority_of(case)
    if case.question_at is not None:
        rule = case.rules.targets.by_priority[priority]
        yield Wanted(Target.REPLY, 0, case.question_at, rule.first_action, f"{priority}.first_action")
    if case.data_request_at is not None:
        yield Wanted(Target.DATA_REQUEST, 0, case.data_request_at, DATA_REQUEST_SPAN, "data_request")
    yield from _owed_to_staff(case)
    if not case.is_open:
        return
    withdrawn = Flag.WITHDRAWN in case.flags
    for one in _living(case, priority):
        if not (withdrawn and one.target in TOLD):
            yield one


def _living(case: Case, priority: Priority) -> Iterator[Wanted]:
    rules, start = case.rules.targets, case.level_started_at or case.received_at
    if case.level not in case.acks:
        span, rule = ack_time(case, start)
        yield Wanted(Target.ACK, 0, start, span, rule)
    if case.state in _UNDECIDED:
        yield from _before_decision(case, priority, start)
    elif case.next_news_by is not None and case.next_news_by > (case.last_contact_at or case.received_at):
        span, contact = rules.by_priority[priority].update_every, case.last_contact_at or case.received_at
        yield Wanted(Target.UPDATE, 0, contact, span, NEXT_DATE, fixed=case.next_news_by)
    if case.drafted is not None:
        yield Wanted(Target.APPROVE, 0, case.drafted.at, rules.approve, "approve")
    if case.asked_at is not None and case.asked_until is not None:
        until = case.asked_until
        yield Wanted(Target.WAITING, 0, case.asked_at, rules.waiting_limit, "waiting_limit", fixed=until)
    for remedy in case.owed_remedies:
        if remedy.done_at is None:
            begun = remedy.accepted_at or remedy.promised_at or case.received_at
            yield Wanted(Target.REMEDY, remedy.n, begun, rules.remedy, "remedy", fixed=remedy.due)
        elif remedy.verified_at is None:
            yield Wanted(Target.VERIFY, remedy.n, remedy.done_at, rules.verify, "verify")
    yield from _privacy(case)
    told = _awaiting_reply(case)
    if told is not None:
        yield Wanted(Target.REPLY_REMINDER, 0, told, rules.reply_reminder, "reply_reminder")
        yield Wanted(Target.LAPSE, 0, told, rules.lapse, "lapse")


def _owed_to_staff(case: Case) -> Iterator[Wanted]:
    """Whoever is complained about is told at once, or on the day of the review, and later of the outcome (C)."""
    fair, made = case.fairness, case.assessment
    if not case.subjects or not (case.restricted or case.category in RESTRICTING):
        return
    span = case.rules.targets.subject
    if made is not None and fair.informed_at is None and case.is_open:
        review = None if fair.review_by is None else closing_time(fair.review_by, case.rules.calendar)
        named = fair.named_at or case.logged_at
        running = case.target(Target.SUBJECT)
        # Assessing again gives no new day for it; naming somebody else does.
        on = running is not None and running.met_at is None and running.start >= named
        start = running.start if running is not None and on else max(made.at, named)
        yield Wanted(Target.SUBJECT, 0, start, span, "subject", fixed=review)
    told = case.decision.communicated_at if case.decision is not None else None
    if told is not None and (fair.outcome_at is None or fair.outcome_at < told):
        yield Wanted(Target.SUBJECT, 1, told, span, "subject")


def _privacy(case: Case) -> Iterator[Wanted]:
    """The part about personal data has a clock of its own and is not held back for the wider matter.

    The days run from the one after receipt; the last rolls to the next working day (docs/domain.md, section 3).
    """
    span = case.rules.targets.privacy
    if span is None or case.privacy_answered_at is not None or not is_about_privacy(case):
        return
    if any(one.communicated_at is not None for one in case.decisions):
        return
    end = rolled(due(case.received_at, span, case.rules.calendar), case.rules.calendar).at
    yield Wanted(Target.PRIVACY, 0, case.received_at, span, "privacy", fixed=end)


def is_about_privacy(case: Case) -> bool:
    """True once a person has assessed it, or an issue of it, as a matter of personal data."""
    if case.assessment is None:
        return False
    return Category.PRIVACY in (case.assessment.category, *(one.category for one in case.issues))


def _awaiting_reply(case: Case) -> datetime | None:
    """Since when the complainant can answer the decision, while they have not."""
    decision = case.decision
    if case.state not in _ANSWERED or decision is None or case.reply is not None:
        return None
    return decision.communicated_at


def _before_decision(case: Case, priority: Priority, start: datetime) -> Iterator[Wanted]:
    rule: PriorityTargets = case.rules.targets.by_priority[priority]
    legal = case.rules.targets.legal if first_answer_owed(case) else None
    if case.assessment is None or (start != case.received_at and case.owner is None):
        yield Wanted(Target.LOOK, 0, start, rule.look, f"{priority}.look")
    if case.assessment is None and start == case.received_at and logged_late(case):
        yield Wanted(Target.ACT_BY, 0, case.logged_at, rule.look, f"{priority}.look")
    if not case.contacted or (case.last_contact_at is not None and case.last_contact_at < start):
        yield Wanted(Target.FIRST_ACTION, 0, start, rule.first_action, f"{priority}.first_action")
    contact = max(case.last_contact_at or case.received_at, start)
    yield _update(case, contact, rule.update_every, f"{priority}.update_every")
    decide = decide_time(case, priority, start)
    promised = None if case.assessment is not None else legal or decide.outer
    yield Wanted(Target.DECIDE, 0, decide.start, decide.span, decide.rule, promised_span=promised)
    if legal is not None:
        yield Wanted(Target.LEGAL, 0, case.received_at, legal, "legal")


def _update(case: Case, contact: datetime, span: str, rule: str) -> Wanted:
    """The next news: as often as the rules ask, and no later than the day that somebody of staff named."""
    named = case.next_news_by
    if named is not None and contact < named < due(contact, span, case.rules.calendar).at:
        return Wanted(Target.UPDATE, 0, contact, span, NEXT_DATE, fixed=named)
    return Wanted(Target.UPDATE, 0, contact, span, rule)


def logged_late(case: Case) -> bool:
    """Written down when its acknowledgement was due already: what was missed counts from receipt, and
    `act_by` begins anew (docs/domain.md, section 4, "Raised late")."""
    if case.logged_at <= case.received_at:
        return False
    return due(case.received_at, case.rules.targets.ack, case.rules.calendar).at <= case.logged_at


def first_answer_owed(case: Case) -> bool:
    """The legal maximum runs from receipt to our first decision; a later level has its own times."""
    return not case.decisions


def answer_by(case: Case, acknowledged: datetime | None = None) -> datetime:
    """The date of the answer that is promised outside; with `acknowledged` as it is once that is so.

    A scheme may count from the acknowledgement: the letter that is one promises what its own arrival sets.
    """
    held = case.target(Target.DECIDE)
    if acknowledged is None or case.rules.targets.decide_from == "received":
        return held.promised_due if held is not None else case.received_at
    told = replace(case, acks={**case.acks, case.level: case.acks.get(case.level, acknowledged)})
    one = next((each for each in wanted(told) if each.target is Target.DECIDE), None)
    if one is None or (held is not None and same(held, one)):
        return held.promised_due if held is not None else case.received_at
    return parse_time(due_row(told, one, held)["promised_due"])


def next_news(case: Case, after: datetime) -> datetime:
    """By when somebody who heard from us at `after` hears again, by the case's priority."""
    span = case.rules.targets.by_priority[priority_of(case)].update_every
    return due(after, span, case.rules.calendar).at


def lapses_at(case: Case) -> datetime | None:
    """When silence ends the complaint; None while nothing is waited for.

    Not before the last remedy was checked, nor before the time of a reminder has passed since a question of
    theirs was answered.
    """
    lapse = case.target(Target.LAPSE)
    if lapse is None or lapse.met_at is not None:
        return None
    moments = [lapse.internal_due]
    moments += [one.verified_at for one in case.owed_remedies if one.verified_at is not None]
    answered = case.question_answered_at
    if answered is not None and answered > lapse.start:
        moments.append(due(answered, case.rules.targets.reply_reminder, case.rules.calendar).at)
    return max(moments)


def extension_cap(case: Case, target: TargetSet) -> datetime | None:
    """The latest day to which all extensions together may move a target; None without a cap."""
    span = extension_span(case, target)
    if span is None:
        return None
    unmoved = [
        one
        for one in case.targets
        if (one.target, one.of, one.start) == (target.target, target.of, target.start)
        and not one.basis.startswith("extend")
    ]
    first = max(unmoved, key=lambda one: one.version, default=target)
    return due(first.internal_due, span, case.rules.calendar).at


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
    start moves or the priority asks for another span. A live target that the rules no longer ask for is met
    when its case went on.
    """
    new: list[dict[str, Any]] = []
    met: list[dict[str, Any]] = []
    asked = {(one.target, one.of): one for one in wanted(case)}
    for (target, of), one in asked.items():
        latest = case.target(target, of)
        if latest is not None and latest.met_at is None and same(latest, one):
            continue
        if (
            latest is not None
            and latest.met_at is None
            and target is Target.UPDATE
            and latest.start != one.start
        ):
            met.append(_met(latest))
        new.append(due_row(case, one, latest))
    met += met_rows(case, asked)
    return {name: rows for name, rows in (("targets", new), ("met", met)) if rows}


def met_rows(case: Case, asked: Container[tuple[Target, int]]) -> list[dict[str, Any]]:
    """The live targets that are asked for no longer."""
    return [
        _met(latest)
        for latest in case.current_targets()
        if latest.met_at is None and (latest.target, latest.of) not in asked
    ]


def same(latest: TargetSet, one: Wanted) -> bool:
    """Is this version counted from the start and by the rule that are asked for?"""
    extended = latest.basis.startswith("extend")
    if one.target is Target.UPDATE and latest.start != one.start:
        return False
    if one.fixed is not None:
        return latest.internal_due == one.fixed or (extended and latest.internal_due > one.fixed)
    ruled = extended or latest.basis.split(";")[0] == _basis(one)
    return latest.start == one.start and latest.span == one.span and ruled


def _basis(one: Wanted) -> str:
    return one.rule if one.promised_span is None else f"{one.rule}, promised {one.promised_span}"


def _met(latest: TargetSet) -> dict[str, Any]:
    return {"target": latest.target.value, "of": latest.of, "version": latest.version}


def due_row(case: Case, one: Wanted, latest: TargetSet | None, *, anew: bool = False) -> dict[str, Any]:
    """The next version of a target, as it goes into the facts of an event.

    What held a date back when the rules were changed goes on to, from the same start, but where it is counted `anew`.
    """
    internal = one.fixed or compute(case, one).at
    promised = (
        internal if one.promised_span is None else due(one.start, one.promised_span, case.rules.calendar).at
    )
    basis = _basis(one)
    legal = case.rules.targets.legal
    if legal is not None and one.target in CAPPED and first_answer_owed(case):
        cap = due(case.received_at, legal, case.rules.calendar).at
        if internal > cap:
            basis += f";{CAPPED_BY_LAW}"
        internal, promised = min(internal, cap), min(promised, cap)
    if latest is not None and not anew and latest.start == one.start:
        notes = latest.basis.split(";")
        if KEPT in notes:
            promised = min(promised, latest.promised_due)
            internal, basis = min(internal, promised), f"{basis};{KEPT}"
        if MISSED in notes and internal > latest.internal_due:
            internal, basis = latest.internal_due, f"{basis};{MISSED}"
    promised = max(promised, internal)
    return {
        "target": one.target.value,
        "of": one.of,
        "version": 1 if latest is None else latest.version + 1,
        "start": format_time(one.start),
        "internal_due": format_time(internal),
        "promised_due": format_time(promised),
        "basis": basis,
        "span": one.span,
    }


def extended(case: Case, facts: Any) -> list[dict[str, Any]]:
    """The new version that an `extend` sets; the start and the span it grew from are kept."""
    target, of = Target(facts["target"]), int(facts["of"])
    latest = case.target(target, of)
    if latest is None:
        return []
    # Before an assessment the outer date is promised: moving the inner one never brings that nearer.
    promised = max(latest.promised_due, parse_time(facts["due"]))
    return [
        {
            "target": target.value,
            "of": of,
            "version": latest.version + 1,
            "start": format_time(latest.start),
            "internal_due": facts["due"],
            "promised_due": format_time(promised),
            "basis": "extend",
            "span": latest.span,
        }
    ]


def next_due(case: Case) -> TargetSet | None:
    """The earliest open target that staff work towards; else until when the reply is waited for.

    Of one raised late what had passed before anybody here knew of it is a figure, not a date to work to.
    """
    waits = {Target.REPLY_REMINDER, Target.LAPSE, Target.WAITING}
    live = [one for one in case.current_targets() if one.met_at is None]
    ours = [one for one in live if one.target not in waits and one.target is not Target.LEGAL] or live
    if any(one.target is Target.ACT_BY for one in live):
        ours = [one for one in ours if one.internal_due > case.logged_at]
    return min(ours, key=lambda one: one.internal_due, default=None)
