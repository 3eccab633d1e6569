"""Clauses 7.6 to 7.9, investigation to closing: the evidence for each."""

from collections.abc import Iterator

from complaints.actions.evidence import open_steps, required_evidence
from complaints.case import Case, Event
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.measures.marks import CLOSING, UNANSWERED, on_the_spot
from complaints.vocabulary import WITH_DECISION, CloseCode, ContactKind, Flag, Role, State, Target, Verb
from reports.clauses.delivery import DELIVERED, delivered_at, heard_between, was_delivered
from reports.clauses.evidence import OrganisationFacts, Point, fault_if, hours, must, violated


def investigation(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.6: a decision had the evidence that its level requires; statements came in time."""
    for event in history.of_verb(Verb.RESPOND):
        before = history.before(event)
        missing = required_evidence(before) - before.evidence
        yield must(
            "decided with the evidence that its level asks for",
            not missing,
            (event.seq,),
            missing=", ".join(sorted(missing)),
        )
        yield Point("decisions with every step of the plan done", (event.seq,), hit=not open_steps(before))
    for statement in history.case.statements:
        if statement.dropped:
            continue
        is_waiting = history.case.is_open and house.now.date() <= statement.due_on
        in_time = statement.received_on is not None and statement.received_on <= statement.due_on
        if statement.received_on is not None or not is_waiting:
            yield Point("statements received by the day asked for", (statement.seq,), hit=in_time)


def response(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.7: every decision names its cause; each remedy was done as promised, or the delay was announced."""
    case = history.case
    for event in history.of_verb(Verb.RESPOND, Verb.RESOLVE):
        has_cause = history.has_words(event, "root_cause", "cause") or case.erased_at is not None
        yield must("decisions that name the cause", has_cause, (event.seq,))
    for event in history.of_verb(Verb.RESPOND):
        yield Point("decisions that change something", (event.seq,), hit=history.has_words(event, "changes"))
    announced = {
        int(event.facts["remedy"])
        for event in history.of_verb(Verb.REMEDY_LATE)
        if heard_between(history, event.at, event.at, house.now)
    }
    for remedy in case.owed_remedies:
        if on_the_spot(case, remedy):
            continue
        is_done = remedy.done_at is not None
        is_overdue = not is_done and due(remedy.due, "1 bd", case.rules.calendar).at < house.now
        is_in_time = remedy.done_at is not None and remedy.done_at <= remedy.due
        is_unannounced = is_overdue and remedy.n not in announced and case.is_open
        yield Point(
            "remedies done by the promised day",
            hit=is_in_time if is_done or is_overdue else None,
            fault=fault_if("remedies done by the promised day", is_unannounced),
        )


def communication_of_the_decision(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.8: communicated as soon as it was taken, with reasons for every issue."""
    case = history.case
    for event in history.of_verb(Verb.RESPOND):
        issues = range(len(event.facts.get("findings", ())))
        unexplained = [
            number for number in issues if not history.has_words(event, f"issues.{number}.reasons")
        ]
        fault = "a finding without reasons: write them and send them" if unexplained else None
        if case.erased_at is None:
            yield Point(
                "decisions with reasons for each issue", (event.seq,), hit=not unexplained, fault=fault
            )
    for decision in case.decisions:
        communicated_at = decision.communicated_at
        latest = due(decision.at, "1 bd", case.rules.calendar).at
        is_over = (
            case.close_code in UNANSWERED or Flag.WITHDRAWN in case.flags or Flag.NO_CONTACT in case.flags
        )
        is_waiting = communicated_at is None and latest < house.now and decision is case.decision
        fault = None
        if is_waiting and not is_over:
            fault = "decided a working day ago and not communicated: communicate it, by phone if necessary"
        is_lost = communicated_at is not None and not delivered_at(
            history, Verb.COMMUNICATE_DECISION, communicated_at
        )
        if is_lost:
            fault = "communicated, but no delivered message shows it: send the decision again"
        yield Point(
            "hours from decision to delivery",
            (decision.seq,),
            measure=None if communicated_at is None or is_lost else hours(decision.at, communicated_at),
            fault=fault,
        )


def closing(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.9: closed only by acceptance, exhaustion, silence after a reminder, or another code; no remedy open."""
    case = history.case
    for event, after in zip(history.events, history.stages, strict=True):
        if event.verb in CLOSING and after.state is State.CLOSED and after.closed_at == event.at:
            fault = _closing_fault(history, event, after)
            yield Point(f"ended as {after.close_code}", (event.seq,), hit=fault is None, fault=fault)
    for event in history.of_verb(Verb.OFFER_RECOURSE):
        yield must("outside bodies named in a delivered message", was_delivered(history, event), (event.seq,))
    if case.state is State.CLOSED and case.close_code is None:
        yield violated("ended without a code")
    if case.state is State.DISAGREED and case.reply_at is not None:
        is_late = due(case.reply_at, "1 bd", case.rules.calendar).at < house.now
        is_silent = is_late and Flag.UNREACHABLE not in case.flags
        yield Point("refused at the last level", fault=fault_if("refused at the last level", is_silent))


def _closing_fault(history: CaseHistory, event: Event, after: Case) -> str | None:
    before = history.before(event)
    code = after.close_code
    if code in WITH_DECISION and not before.everything_verified:
        return "closed while a remedy was not done and checked: open it again, do and check it"
    if code is CloseCode.RESOLVED and before.reply != "accept":
        return "closed as resolved without the complainant's yes: open it again"
    if code is CloseCode.EXHAUSTED and not (before.recourse_at or before.external_final_at):
        return "closed as exhausted although no outside body was offered: open it again and offer one"
    if code in (CloseCode.LAPSED, CloseCode.ANSWERED_NO_REPLY) and not _has_waited(before, event):
        return "closed without a reply before the time for one was over: open it again"
    if code in (CloseCode.LAPSED, CloseCode.ANSWERED_NO_REPLY) and not _was_reminded(history, before):
        return "closed without a reply and without a delivered reminder: open it again and remind"
    if code is CloseCode.NOT_ACCEPTED and not (
        history.has_words(event, "reason") or history.case.erased_at is not None
    ):
        return "refused without a reason: open it again, or give the reason and the outside bodies"
    if code is CloseCode.WITHDRAWN and not _is_withdrawn_by_complainant(history, event):
        return "closed as withdrawn without the complainant's request: open it again"
    if code is CloseCode.NOT_COMPLAINT and after.kind is ContactKind.COMPLAINT:
        return "closed as no complaint but still classified as one: open it again"
    return None


def _has_waited(before: Case, event: Event) -> bool:
    lapse = before.target(Target.LAPSE)
    is_communicated = before.decision is not None and before.decision.communicated_at is not None
    return is_communicated and before.reply is None and lapse is not None and lapse.internal_due <= event.at


def _was_reminded(history: CaseHistory, before: Case) -> bool:
    """True if a reminder arrived after the decision; without a chat or against their wish none is expected."""
    decision = before.decision
    if not before.has_chat or before.flags & {Flag.UNREACHABLE, Flag.NO_CONTACT}:
        return True
    since = decision.communicated_at if decision is not None else None
    return since is None or any(
        message.direction == "out"
        and message.template == "reply_reminder"
        and message.state in DELIVERED
        and message.at >= since
        for message in history.messages
    )


def _is_withdrawn_by_complainant(history: CaseHistory, event: Event) -> bool:
    withdrawals = (earlier for earlier in history.of_verb(Verb.WITHDRAW) if earlier.seq <= event.seq)
    return any(
        withdrawal.role is Role.COMPLAINANT or withdrawal.facts.get("given_at") for withdrawal in withdrawals
    )
