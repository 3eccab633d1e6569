"""Every due time of a complaint: its start, its span, its caps, and when it is met (7.3).

`revise` compares what the rules ask for with the record and returns only the differences. They go into the event
that caused them, so the record has a cause for each date.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import Due
from complaints.deadlines.legal_time import all_levels_passed, legal_runs, legal_time, news_time
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.periods import limit_ends, reply_held_until
from complaints.deadlines.working_time import Span, due, due_where_on_call, rolled_to_working_day
from complaints.priorities import priority_of
from complaints.rulebook import LevelTargets, PriorityTargets, Rulebook
from complaints.times import format_time, parse_time
from complaints.vocabulary import ANSWERED, RESTRICTING, UNDECIDED, Category, Flag, Priority, Target

_URGENT = frozenset({Priority.P1, Priority.P2})


@dataclass(frozen=True)
class DecideTime:
    """When to decide; `rule` is the setting for it, `outer` the longest span that may be promised."""

    start: datetime
    span: str
    rule: str
    outer: str


def ack_time(case: Case, start: datetime) -> tuple[str, str]:
    """Span and rule of the acknowledgement; a disagreement is acknowledged in the time of the next level."""
    rules, own = case.rules.targets, _own_level(case, start)
    if own.ack is not None:
        return own.ack, f"level.{case.level}.ack"
    if start == case.received_at:
        return rules.ack, "ack"
    return rules.escalated_ack, "escalated_ack"


def decide_time(case: Case, priority: Priority, start: datetime) -> DecideTime:
    """The time to decide: that of the priority, or from the second level on the scheme's own time for the level.

    A scheme never makes P1 and P2 later: they always count from `start` and keep the earlier of two times.
    """
    rules, own = case.rules.targets, _own_level(case, start).decide
    span, rule = _of_priority(case, priority), f"{priority}.decide"
    if own is not None:
        own_rule = f"level.{case.level}.decide"
        own_due = due(start, own, case.rules.calendar_of(own_rule)).at
        if priority not in _URGENT or own_due < due(start, span, case.rules.calendar_of(rule)).at:
            span, rule = own, own_rule
    acked = case.acks.get(case.level)
    if rules.decide_from == "acknowledged" and priority not in _URGENT and acked is not None:
        start = max(start, acked)
    return DecideTime(start, span, rule, own or rules.by_priority[Priority.P4].decide)


def decide_due(case: Case) -> datetime:
    """When a decision is due under the present criteria, before caps and extensions."""
    time = decide_time(case, priority_of(case), case.level_started_at or case.received_at)
    return due(time.start, time.span, case.rules.calendar_of(time.rule)).at


def extension_span(case: Case, target: TargetSet) -> str | None:
    """How far all extensions together may move a target at the level of the case, or None."""
    return _own_level(case, target.start).extension_cap or case.rules.targets.extension_cap


def outside_when_missed(case: Case, decide: TargetSet) -> bool:
    """True when the scheme opens the outside if this time of a later level passes without an answer (7.9)."""
    return _own_level(case, decide.start).outside_when_missed


def _own_level(case: Case, start: datetime) -> LevelTargets:
    """The scheme's times for the present level. A clock that began before the level keeps its own."""
    began = case.level_started_at
    if case.level == 1 or began is None or began == case.received_at or start < began:
        return LevelTargets()
    return case.rules.targets.at_level(case.level)


def _of_priority(case: Case, priority: Priority) -> str:
    """The span of the priority. Complexity 3 doubles it; a scheme's own time is never doubled."""
    rules = case.rules.targets
    span = rules.by_priority[priority].decide
    if case.assessment is None or case.assessment.complexity < 3 or not rules.complex_doubles:
        return span
    return str(Span.parse(span) * 2)


#: Targets that the legal maximum caps; everything after the decision has its own time.
CAPPED: frozenset[Target] = frozenset(
    {Target.ACK, Target.LOOK, Target.FIRST_ACTION, Target.DECIDE, Target.APPROVE}
)
#: Notes in a basis after its rule. The law capped it; it was computed again under other rules; and then a promise or
#: an earlier miss prevented a later date, or the time given to the complainant prevented an earlier one.
CAPPED_BY_LAW, REDATED = "capped by legal", "redated"
KEPT, MISSED, GIVEN = "promise kept", "missed before", "time given"
#: The basis of an update on a day that a member of staff named.
NEXT_DATE = "next_date"
#: If staff did nothing since a notice, the next one would say the same. It follows after this time, and the notice
#: names that date, so a P1 does not bring the same text every day.
REPEATED_NEWS = "5 bd"
#: Dates that concern the complainant; a withdrawal ends them.
_FOR_COMPLAINANT: frozenset[Target] = frozenset(
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
#: The time to decide an appeal against a limit on contact.
APPEAL_SPAN = "10 bd"
#: The settings of the answer to an outside body by the number of its target; the second is for exceptional cases.
BODY_REPLY_RULES = ("reply_to_body", "reply_to_body_at_most")


@dataclass(frozen=True)
class WantedTarget:
    """A target that the rules ask for now. `rule` names the setting that the span came from."""

    target: Target
    of: int
    start: datetime
    span: str
    rule: str
    promised_span: str | None = None
    fixed: datetime | None = None


def wanted_targets(case: Case) -> Iterator[WantedTarget]:
    """The targets that the rules ask for in this state; a decision counts once it is delivered.

    After a withdrawal with more work to do, only that work has dates: the complainant does not wait.
    """
    if case.erased_at is not None:
        return
    case = case.as_delivered
    priority = priority_of(case)
    if case.question_at is not None:
        yield _reply(case, priority, case.question_at, case.reply_held_until)
    if case.data_request_at is not None:
        start, span, rule = case.data_request_at, DATA_REQUEST_SPAN, Target.DATA_REQUEST.value
        end = data_request_due(case.rules, start)
        yield WantedTarget(Target.DATA_REQUEST, 0, start, span, rule, fixed=end)
    for number, rule in enumerate(BODY_REPLY_RULES):
        span = getattr(case.rules.targets, rule)
        if case.body_asked_at is not None and span is not None:
            yield WantedTarget(Target.BODY_REPLY, number, case.body_asked_at, span, rule)
    yield from _for_subjects(case)
    yield from _conduct(case)
    if not case.is_open:
        return
    withdrawn = Flag.WITHDRAWN in case.flags
    for target in _while_open(case, priority):
        if not (withdrawn and target.target in _FOR_COMPLAINANT):
            yield target


def _reply(case: Case, priority: Priority, start: datetime, held_until: datetime | None) -> WantedTarget:
    """The answer to a question, in the time of a first contact, or when a limit on contact allows it."""
    span, rule = case.rules.targets.by_priority[priority].first_action, f"{priority}.first_action"
    usual = WantedTarget(Target.REPLY, 0, start, span, rule)
    if held_until is None or held_until <= compute(case, usual).at:
        return usual
    return replace(usual, rule=Target.CONDUCT.value, fixed=held_until)


def _conduct(case: Case) -> Iterator[WantedTarget]:
    """A limit on contact: its review, the appeal against it, and its approval (4.5)."""
    conduct, rule = case.conduct, Target.CONDUCT.value
    if conduct.limit is not None:
        start = conduct.limit.since or conduct.limit.asked_at
        end = limit_ends(case, conduct.limit)
        yield WantedTarget(Target.CONDUCT, 0, start, APPEAL_SPAN, rule, fixed=end)
    if conduct.appeal_at is not None:
        yield WantedTarget(Target.CONDUCT, 1, conduct.appeal_at, APPEAL_SPAN, rule)
    if conduct.pending is not None:
        yield WantedTarget(Target.CONDUCT, 2, conduct.pending.asked_at, case.rules.targets.approve, "approve")


def data_request_due(rules: Rulebook, start: datetime) -> datetime:
    """By when a request about personal data is answered: closing time, and the next working day after a day off."""
    calendar = rules.calendar_of(Target.DATA_REQUEST)
    return rolled_to_working_day(due(start, DATA_REQUEST_SPAN, calendar), calendar).at


def _while_open(case: Case, priority: Priority) -> Iterator[WantedTarget]:
    rules, start = case.rules.targets, case.level_started_at or case.received_at
    if case.level not in case.acks:
        span, rule = ack_time(case, start)
        yield WantedTarget(Target.ACK, 0, start, span, rule)
    if case.state in UNDECIDED:
        yield from _before_decision(case, priority, start)
        for statement in case.statements:
            if statement.is_open:
                end = closing_time(statement.due_on, case.rules.calendar)
                start, span = statement.asked_at, rules.waiting_limit
                yield WantedTarget(Target.STATEMENT, statement.n, start, span, "statement", fixed=end)
    elif case.next_news_by is not None and case.next_news_by > (case.last_contact_at or case.received_at):
        span, contact = rules.by_priority[priority].update_every, case.last_contact_at or case.received_at
        yield WantedTarget(Target.UPDATE, 0, contact, span, NEXT_DATE, fixed=case.next_news_by)
    if case.drafted is not None:
        yield WantedTarget(Target.APPROVE, 0, case.drafted.at, rules.approve, "approve")
    if case.asked_at is not None and case.asked_until is not None:
        until = case.asked_until
        yield WantedTarget(
            Target.WAITING, 0, case.asked_at, rules.waiting_limit, "waiting_limit", fixed=until
        )
    for remedy in case.owed_remedies:
        if remedy.done_at is None:
            promised_at = remedy.accepted_at or remedy.promised_at or case.received_at
            yield WantedTarget(Target.REMEDY, remedy.n, promised_at, rules.remedy, "remedy", fixed=remedy.due)
        elif remedy.verified_at is None:
            yield WantedTarget(Target.VERIFY, remedy.n, remedy.done_at, rules.verify, "verify")
    yield from _privacy(case)
    communicated_at = _awaiting_reply(case)
    if communicated_at is not None:
        yield WantedTarget(Target.REPLY_REMINDER, 0, communicated_at, rules.reply_reminder, "reply_reminder")
        yield WantedTarget(Target.LAPSE, 0, communicated_at, rules.lapse, "lapse")
    closable_since = _closable_since(case)
    if closable_since is not None:
        yield WantedTarget(Target.CLOSE, 0, closable_since, rules.verify, "verify")


def _for_subjects(case: Case) -> Iterator[WantedTarget]:
    """Staff complained about are informed at once or on the day of the review, and later of the outcome (C)."""
    fairness, assessment = case.fairness, case.assessment
    if not case.subjects or not (case.restricted or case.category in RESTRICTING):
        return
    span = case.rules.targets.subject
    if assessment is not None and fairness.informed_at is None and case.is_open:
        review = None if fairness.review_by is None else closing_time(fairness.review_by, case.rules.calendar)
        named = fairness.named_at or case.logged_at
        running = case.target(Target.SUBJECT)
        # A reassessment does not restart this target; naming another person does.
        is_running = running is not None and running.met_at is None and running.start >= named
        start = running.start if running is not None and is_running else max(assessment.at, named)
        yield WantedTarget(Target.SUBJECT, 0, start, span, "subject", fixed=review)
    communicated_at = case.decision.communicated_at if case.decision is not None else None
    if communicated_at is not None and (fairness.outcome_at is None or fairness.outcome_at < communicated_at):
        # Who is named after the decision is informed of it from then on: the date must not begin in the past.
        since = max(communicated_at, fairness.named_at or communicated_at)
        yield WantedTarget(Target.SUBJECT, 1, since, span, "subject")


def _privacy(case: Case) -> Iterator[WantedTarget]:
    """The part about personal data has its own clock and does not wait for the rest of the complaint.

    The days run from the one after receipt; the last rolls to the next working day (docs/domain.md, section 3).
    """
    span = case.rules.targets.privacy
    if span is None or case.privacy_answered_at is not None or not is_about_privacy(case):
        return
    if any(decision.communicated_at is not None for decision in case.decisions):
        return
    calendar = case.rules.calendar_of("privacy")
    end = rolled_to_working_day(due(case.received_at, span, calendar), calendar).at
    yield WantedTarget(Target.PRIVACY, 0, case.received_at, span, "privacy", fixed=end)


def is_about_privacy(case: Case) -> bool:
    """True once a person assessed the complaint, or an issue of it, as a matter of personal data."""
    if case.assessment is None:
        return False
    return Category.PRIVACY in (case.assessment.category, *(issue.category for issue in case.issues))


def _awaiting_reply(case: Case) -> datetime | None:
    """Since when the complainant can reply to the decision; None without a decision or after a reply."""
    decision = case.decision
    if case.state not in ANSWERED or decision is None or case.reply is not None:
        return None
    return decision.communicated_at


def _closable_since(case: Case) -> datetime | None:
    """Since when an accepted complaint only has to be closed; None while other work is open (7.9)."""
    if case.state in UNDECIDED or case.reply_at is None or not case.accepted:
        return None
    if case.question_at is not None or not case.everything_verified:
        return None
    moments = (
        case.reply_at,
        case.question_answered_at,
        *(remedy.verified_at for remedy in case.owed_remedies),
    )
    return max(moment for moment in moments if moment is not None)


def _before_decision(case: Case, priority: Priority, start: datetime) -> Iterator[WantedTarget]:
    rule: PriorityTargets = case.rules.targets.by_priority[priority]
    legal = legal_time(case) if legal_runs(case) else None
    if legal is not None and all_levels_passed(case, legal):
        legal = None
    if case.assessment is None or (start != case.received_at and case.owner is None):
        yield WantedTarget(Target.LOOK, 0, start, rule.look, f"{priority}.look")
    if case.assessment is None and start == case.received_at and logged_late(case):
        yield WantedTarget(Target.ACT_BY, 0, case.logged_at, rule.look, f"{priority}.look")
    if not case.contacted or (case.last_contact_at is not None and case.last_contact_at < start):
        yield _first_action(case, start, rule.first_action, f"{priority}.first_action")
    contact = max(case.last_contact_at or case.received_at, start)
    yield _update(case, contact, rule.update_every, f"{priority}.update_every")
    decide = decide_time(case, priority, start)
    promised = None if case.assessment is not None else legal.span if legal is not None else decide.outer
    yield WantedTarget(Target.DECIDE, 0, decide.start, decide.span, decide.rule, promised_span=promised)
    if legal is not None:
        yield WantedTarget(Target.LEGAL, 0, legal.start, legal.span, legal.rule)


def _first_action(case: Case, start: datetime, span: str, rule: str) -> WantedTarget:
    """The first contact by a person: in the time of the priority, or earlier where the law wants a first answer."""
    usual = WantedTarget(Target.FIRST_ACTION, 0, start, span, rule)
    news = news_time(case) if case.level == 1 else None
    if news is None or compute(case, usual).at <= news.due:
        return usual
    return replace(usual, start=news.start, span=news.span, rule=news.rule)


def _update(case: Case, contact: datetime, span: str, rule: str) -> WantedTarget:
    """The next news: as often as the rules ask, and at the latest on the day that a member of staff named."""
    named = case.next_news_by
    if case.noticed_at_version == case.work_version:
        span = _repeated_span(case, contact, span)
    if named is not None and contact < named < due(contact, span, case.rules.calendar).at:
        return WantedTarget(Target.UPDATE, 0, contact, span, NEXT_DATE, fixed=named)
    return WantedTarget(Target.UPDATE, 0, contact, span, rule)


def logged_late(case: Case) -> bool:
    """True if it was logged after its acknowledgement was due (docs/domain.md, section 4, "Raised late").

    The missed dates still count from receipt; `act_by` counts from the logging.
    """
    if case.logged_at <= case.received_at:
        return False
    return due(case.received_at, case.rules.targets.ack, case.rules.calendar_of("ack")).at <= case.logged_at


def answer_by(case: Case, acknowledged: datetime | None = None) -> datetime:
    """The promised date of the answer; with `acknowledged`, the date after an acknowledgement at that time.

    Some schemes count from the acknowledgement. So the letter that acknowledges must give the date that its own
    delivery will set.
    """
    latest = case.target(Target.DECIDE)
    if acknowledged is None or case.rules.targets.decide_from == "received":
        return latest.promised_due if latest is not None else case.received_at
    acknowledged_case = replace(case, acks={**case.acks, case.level: case.acks.get(case.level, acknowledged)})
    target = next(
        (target for target in wanted_targets(acknowledged_case) if target.target is Target.DECIDE), None
    )
    if target is None or (latest is not None and is_same_target(latest, target)):
        return latest.promised_due if latest is not None else case.received_at
    return parse_time(due_row(acknowledged_case, target, latest)["promised_due"])


def question_due(case: Case, at: datetime) -> datetime:
    """By when a person answers words that come at `at`: the date of the open question, or that of a new one."""
    running = case.target(Target.REPLY)
    if case.question_at is not None and running is not None and running.met_at is None:
        return running.promised_due
    target = _reply(case, priority_of(case), at, reply_held_until(case, at))
    return target.fixed or compute(case, target).at


def next_news(case: Case, after: datetime) -> datetime:
    """When the next news is due after a notice at `after`, by the priority of the case, if staff do nothing."""
    span = case.rules.targets.by_priority[priority_of(case)].update_every
    return due(after, _repeated_span(case, after, span), case.rules.calendar).at


def _repeated_span(case: Case, after: datetime, span: str) -> str:
    """The later of the usual time between two updates and `REPEATED_NEWS`."""
    calendar = case.rules.calendar
    return max(span, REPEATED_NEWS, key=lambda length: due(after, length, calendar).at)


def lapses_at(case: Case) -> datetime | None:
    """When silence ends the complaint; None unless we wait for a reply.

    This is after the last remedy was verified, and at least the time of a reminder after a question of the
    complainant was answered.
    """
    lapse = case.target(Target.LAPSE)
    if lapse is None or lapse.met_at is not None:
        return None
    moments = [lapse.internal_due]
    moments += [remedy.verified_at for remedy in case.owed_remedies if remedy.verified_at is not None]
    answered = case.question_answered_at
    if answered is not None and answered > lapse.start:
        moments.append(due(answered, case.rules.targets.reply_reminder, case.rules.calendar).at)
    return max(moments)


def extension_cap(case: Case, target: TargetSet) -> datetime | None:
    """The latest time to which all extensions together may move a target; None without a cap."""
    span = extension_span(case, target)
    if span is None:
        return None
    unmoved = [
        version
        for version in case.targets
        if (version.target, version.of, version.start) == (target.target, target.of, target.start)
        and not version.basis.startswith("extend")
    ]
    first = max(unmoved, key=lambda version: version.version, default=target)
    own = _own_level(case, target.start).extension_cap is not None
    rule = f"level.{case.level}.extension_cap" if own else "extension_cap"
    return due(first.internal_due, span, case.rules.calendar_of(rule)).at


def compute(case: Case, target: WantedTarget) -> Due:
    """The due time of a wanted target before caps, with its steps, by the calendar of its rule."""
    calendar = case.rules.calendar_of(target.rule)
    if target.rule.startswith("P1."):
        return due_where_on_call(target.start, target.span, calendar, case.rules.on_call)
    return due(target.start, target.span, calendar)


def revise(case: Case) -> dict[str, list[dict[str, Any]]]:
    """New versions of targets, and targets that are now met, as they go into the facts of the event.

    A target is new when its start or its rule differs from the latest version. An extension stays until the start
    moves or the priority asks for another span. A live target that the rules no longer ask for is met.
    """
    case = case.as_delivered
    new: list[dict[str, Any]] = []
    met: list[dict[str, Any]] = []
    wanted_now = {(target.target, target.of): target for target in wanted_targets(case)}
    for (name, number), target in wanted_now.items():
        latest = case.target(name, number)
        if latest is not None and latest.met_at is None:
            if is_same_target(latest, target) and not _cap_moved(case, target, latest):
                continue
            if name is Target.UPDATE and latest.start != target.start:
                met.append(_met(latest))
        new.append(due_row(case, target, latest))
    met += met_rows(case, wanted_now)
    return {name: rows for name, rows in (("targets", new), ("met", met)) if rows}


def _cap_moved(case: Case, target: WantedTarget, latest: TargetSet) -> bool:
    """True if the legal maximum changed with the subject or the completion, so that a date under it changes too."""
    rules = case.rules.targets
    if target.target not in CAPPED or not (rules.clocks or rules.completion):
        return False
    row = due_row(case, target, latest)
    dates = (parse_time(row["internal_due"]), parse_time(row["promised_due"]))
    if latest.basis.startswith("extend"):
        return CAPPED_BY_LAW in row["basis"] and dates[0] < latest.internal_due
    return dates != (latest.internal_due, latest.promised_due)


def met_rows(case: Case, wanted_now: Container[tuple[Target, int]]) -> list[dict[str, Any]]:
    """The live targets that the rules no longer ask for."""
    return [
        _met(latest)
        for latest in case.current_targets()
        if latest.met_at is None and (latest.target, latest.of) not in wanted_now
    ]


def is_same_target(latest: TargetSet, target: WantedTarget) -> bool:
    """True if this version has the start and the rule that the rules ask for now."""
    extended = latest.basis.startswith("extend")
    if target.target is Target.UPDATE and latest.start != target.start:
        return False
    if target.fixed is not None:
        return latest.internal_due == target.fixed or (extended and latest.internal_due > target.fixed)
    ruled = extended or latest.basis.split(";")[0] == _basis(target)
    return latest.start == target.start and latest.span == target.span and ruled


def _basis(target: WantedTarget) -> str:
    return target.rule if target.promised_span is None else f"{target.rule}, promised {target.promised_span}"


def _met(latest: TargetSet) -> dict[str, Any]:
    return {"target": latest.target.value, "of": latest.of, "version": latest.version}


def due_row(
    case: Case, target: WantedTarget, latest: TargetSet | None, *, is_recount: bool = False
) -> dict[str, Any]:
    """The next version of a target, as it goes into the facts of an event.

    A promise or a miss that limited a date when the rules changed still limits it, if the start is the same; not
    with `is_recount`.
    """
    internal = target.fixed or compute(case, target).at
    legal = legal_time(case) if target.target in CAPPED and legal_runs(case) else None
    promised_rule = legal.rule if legal and target.promised_span == legal.span else target.rule
    promised = (
        internal
        if target.promised_span is None
        else due(target.start, target.promised_span, case.rules.calendar_of(promised_rule)).at
    )
    basis = _basis(target)
    if legal is not None and not all_levels_passed(case, legal):
        # Staff work to the time of the proposed subject; the complainant is promised that of an assessed one.
        inner = legal_time(case, proposed=True) or legal
        if internal > inner.due:
            basis += f";{CAPPED_BY_LAW}"
        internal, promised = min(internal, inner.due), min(promised, legal.due)
    if latest is not None and not is_recount and latest.start == target.start:
        notes = latest.basis.split(";")
        if KEPT in notes:
            promised = min(promised, latest.promised_due)
            internal, basis = min(internal, promised), f"{basis};{KEPT}"
        if MISSED in notes and internal > latest.internal_due:
            internal, basis = latest.internal_due, f"{basis};{MISSED}"
    promised = max(promised, internal)
    return {
        "target": target.target.value,
        "of": target.of,
        "version": 1 if latest is None else latest.version + 1,
        "start": format_time(target.start),
        "internal_due": format_time(internal),
        "promised_due": format_time(promised),
        "basis": basis,
        "span": target.span,
    }


def extended(case: Case, facts: Any) -> list[dict[str, Any]]:
    """The new version that an `extend` sets, with the start and the span of the version before."""
    target, number = Target(facts["target"]), int(facts["of"])
    latest = case.target(target, number)
    if latest is None:
        return []
    # Before an assessment the promised date is later than the internal one: it must not come closer.
    promised = max(latest.promised_due, parse_time(facts["due"]))
    return [
        {
            "target": target.value,
            "of": number,
            "version": latest.version + 1,
            "start": format_time(latest.start),
            "internal_due": facts["due"],
            "promised_due": format_time(promised),
            "basis": "extend",
            "span": latest.span,
        }
    ]


def next_due(case: Case) -> TargetSet | None:
    """The earliest open target that staff work towards, or without one the date of the awaited reply.

    For a complaint that was raised late, dates from before its logging are left out.
    """
    waits = {Target.REPLY_REMINDER, Target.LAPSE, Target.WAITING}
    live = [target for target in case.current_targets() if target.met_at is None]
    for_staff = [
        target for target in live if target.target not in waits and target.target is not Target.LEGAL
    ] or live
    if any(target.target is Target.ACT_BY for target in live):
        for_staff = [target for target in for_staff if target.internal_due > case.logged_at]
    return min(for_staff, key=lambda target: target.internal_due, default=None)
