"""Clause 7, communication to closing: the evidence for each part."""

from collections.abc import Iterator
from itertools import pairwise

from complaints.actions.evidence import open_steps, required_evidence
from complaints.actions.registry import MESSAGE_VERBS
from complaints.case import Case, Event
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.measures.clocks import clocks, endings, first_human_priority
from complaints.measures.marks import CLOSING, UNANSWERED, kept, on_the_spot
from complaints.priorities import priority_of
from complaints.vocabulary import WITH_DECISION, CloseCode, ContactKind, Flag, Role, State, Target, Verb
from reports.clauses.clause_evidence import OrganisationFacts, Point, fault_if, hours, must, violated
from reports.clauses.delivery import DELIVERED, delivered_at, heard_between, was_delivered
from reports.clauses.principles import HUMAN, NOTICES, READ_BACK, chain_fault

_MAY_LOWER = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})


def communication(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.1: before Send the complainant was shown the read-back, with dates, rights and that it is free."""
    for event in history.of_verb(Verb.CONFIRM):
        read_backs = [
            message
            for message in history.messages
            if message.direction == "out"
            and message.template in READ_BACK
            and message.at <= event.at
            and message.state in ("sent", "uncertain", "sending")
        ]
        yield must("sent after the notices were shown", bool(read_backs), (event.seq,))
        last = read_backs[-1] if read_backs else None
        if last is not None and last.version is not None:
            current = house.versions.get((str(last.language), str(last.template)))
            yield Point("shown in the wording now in force", (event.seq,), hit=last.version == current)


def texts(house: OrganisationFacts) -> Iterator[Point]:
    """7.1: the texts about the process exist in every language."""
    for language in house.rules.languages:
        for id_ in NOTICES:
            exists = bool(house.texts.get(language, {}).get(id_, "").strip())
            yield must("texts that tell how it goes", exists, id=id_, language=language)


def receipt(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.2: recorded under a reference with words, time and channel, and with no event missing."""
    case, first = history.case, history.events[0]
    missing = [
        name
        for name in ("ref", "complainant", "channel", "language", "received_at")
        if not first.facts.get(name)
    ]
    with_words = (event for event in history.events if event.verb in MESSAGE_VERBS)
    has_words = any(history.fields.get(event.seq) for event in with_words)
    if not has_words and not case.media and case.erased_at is None:
        missing.append("description")
    if case.assessment is not None and not case.issues:
        missing.append("issues")
    fault = f"without {', '.join(missing)}: ask for it and add it" if missing else None
    if fault is None and case.received_at > case.logged_at:
        fault = "logged before it was received: correct the time"
    yield Point("records with everything that must be there", (first.seq,), hit=fault is None, fault=fault)
    gaps = [later.seq for event, later in pairwise(history.events) if later.seq != event.seq + 1]
    if first.seq != 1 or gaps:
        yield violated("gaps", tuple(gaps))


def whole(house: OrganisationFacts) -> Iterator[Point]:
    """7.2: no complaint without its events and no event without its complaint."""
    if house.proof is not None:
        yield Point("the record is whole", fault=chain_fault(house.proof))


def tracking(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.3: the complainant got a message by every preset deadline; every due time has its reason."""
    case, ended = history.case, endings(history.case)
    for clock in clocks(case, Target.UPDATE):
        if clock.met_at in ended:
            continue
        late = due(clock.due, "1 bd", case.rules.calendar).at
        until = clock.met_at or case.closed_at or house.now
        never_arrived = clock.met_at is not None and not heard_between(
            history, clock.start, clock.met_at, house.now
        )
        is_silent = (late < until or never_arrived) and _can_be_reached(history)
        is_past = clock.due < until
        yield Point(
            "deadlines with a message",
            hit=not is_silent if is_past or clock.met_at else None,
            fault=fault_if("deadlines with a message", is_silent),
        )
    for target in case.targets:
        has_reason = bool(target.basis and target.span)
        yield must("due times that explain themselves", has_reason)


def _can_be_reached(history: CaseHistory) -> bool:
    """False if the complaint was withdrawn or no message reaches the complainant; other points show that."""
    return not history.case.flags & {Flag.UNREACHABLE, Flag.WITHDRAWN, Flag.NO_CONTACT}


def acknowledgement(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.4: acknowledged within the target; complaints that were never acknowledged count too."""
    case = history.case
    for clock in clocks(case, Target.ACK):
        ack_times = [
            moment
            for moment in case.acks.values()
            if clock.start <= moment and (clock.next_start is None or moment < clock.next_start)
        ]
        delivered = [at for at in ack_times if delivered_at(history, Verb.ACKNOWLEDGE, at)]
        first = min(delivered, default=None)
        is_met = kept(clock.due, first, clock.next_start or clock.met_at or case.closed_at, house.now)
        is_lost = first is None and bool(ack_times)
        if is_lost or (is_met is None and first is None and case.close_code not in (None, *UNANSWERED)):
            is_met = False
        if is_met is None:
            continue
        has_other_route = case.delivery_failed_at is not None and case.other_route
        is_missing = not is_met and first is None and not has_other_route
        yield Point(
            "acknowledged in time",
            tuple(event.seq for event in history.of_verb(Verb.ACKNOWLEDGE) if event.at == first),
            hit=is_met,
            fault=_not_acknowledged(is_missing=is_missing, is_lost=is_lost),
        )


def _not_acknowledged(*, is_missing: bool, is_lost: bool) -> str | None:
    if is_missing and is_lost:
        return "acknowledged, but no delivered message shows it: acknowledge it again"
    return "never acknowledged: acknowledge it now, by phone if necessary" if is_missing else None


def assessment(history: CaseHistory, house: OrganisationFacts) -> Iterator[Point]:
    """7.5: assessed by a person who had read and listened; a safety rule was lowered only by a permitted role."""
    case = history.case
    assessments = history.of_verb(Verb.ASSESS, Verb.REASSESS)
    for event in assessments:
        fault = _assessment_fault(history, event, house)
        yield Point("assessed by a person who had read", (event.seq,), hit=fault is None, fault=fault)
    if assessments:
        first_hours = max(0.0, hours(case.received_at, assessments[0].at))
        yield Point("hours to the first assessment", measure=first_hours)
    if case.decisions and not assessments:
        yield violated("decided without assessment")
    first = first_human_priority(case)
    if first is not None and not case.is_open:
        yield Point("first priority kept to the end", hit=first is priority_of(case))


def _assessment_fault(history: CaseHistory, event: Event, house: OrganisationFacts) -> str | None:
    before = history.before(event)
    if event.role not in HUMAN:
        return "assessed without a person: assess it"
    is_first = before.assessment is None
    has_logged = history.events[0].by == event.by
    has_read = any(entry.by == event.by and entry.at <= event.at for entry in history.reads)
    if is_first and not has_read and not has_logged:
        return "assessed by a person who had not opened it: open it and assess it again"
    if before.only_in_media and not (before.media_heard or event.facts.get("media_heard")):
        return "assessed before a person listened to the recordings: listen and assess it again"
    severity = max((sign.severity for sign in before.fresh_signs), default=0)
    safety = max((sign.safety for sign in before.fresh_signs), default=0)
    is_lowered = int(event.facts["severity"]) < severity or int(event.facts["safety"]) < safety
    if is_lowered and not house.roles_at(event.by, event.at, event.role) & _MAY_LOWER:
        return "set below a safety rule by a person without that role: a manager must check it"
    if is_lowered and not history.has_words(event, "override_reason") and history.case.erased_at is None:
        return "set below a safety rule without a reason: a manager must check it"
    return None


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
