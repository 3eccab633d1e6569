"""The one entrance to the rules: which function carries out which verb, and what every act brings about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from complaints.actions import (
    access,
    assessment,
    closing,
    decision,
    intake,
    investigation,
    redate,
    remedies,
    reply_and_recourse,
)
from complaints.actions.common import VerbFunction, Words, allowed
from complaints.actions.fold import after, begin
from complaints.actions.intake import Arrival
from complaints.actors import Actor
from complaints.case import Case, Event, Facts
from complaints.deadlines.targets import extended, revise
from complaints.errors import OutOfOrder
from complaints.event_facts import check, check_wordless
from complaints.obligations.kinds import NewObligation
from complaints.obligations.per_event import event_obligations
from complaints.obligations.standing import current_obligations
from complaints.rulebook import Rulebook, need_known
from complaints.vocabulary import Verb

VERBS: Mapping[Verb, VerbFunction] = {
    Verb.ADD: intake.add,
    Verb.CONFIRM: intake.confirm,
    Verb.END_FORM: intake.end_form,
    Verb.ACKNOWLEDGE: intake.acknowledge,
    Verb.FAIL_DELIVERY: intake.fail_delivery,
    Verb.PROPOSE: intake.propose,
    Verb.ASSESS: assessment.assess,
    Verb.REASSESS: assessment.reassess,
    Verb.RECLASSIFY: assessment.reclassify,
    Verb.ASSIGN: assessment.assign,
    Verb.NOTE: investigation.note,
    Verb.REPLY: investigation.reply,
    Verb.ASK: investigation.ask,
    Verb.ANSWER: intake.answer,
    Verb.INFORM: investigation.inform,
    Verb.INVESTIGATE: investigation.investigate,
    Verb.RESOLVE: decision.resolve,
    Verb.RESPOND: decision.respond,
    Verb.APPROVE: decision.approve,
    Verb.COMMUNICATE_DECISION: decision.communicate_decision,
    Verb.ACCEPT: reply_and_recourse.accept,
    Verb.DISAGREE: reply_and_recourse.disagree,
    Verb.ESCALATE: investigation.escalate,
    Verb.OFFER_RECOURSE: reply_and_recourse.offer_recourse,
    Verb.NOTIFY_EXTERNAL: reply_and_recourse.notify_external,
    Verb.CONCLUDE_EXTERNAL: reply_and_recourse.conclude_external,
    Verb.REMEDY_DONE: remedies.remedy_done,
    Verb.REMEDY_LATE: remedies.remedy_late,
    Verb.VERIFY: remedies.verify,
    Verb.EXTEND: investigation.extend,
    Verb.REDATE: redate.redate,
    Verb.CLOSE: closing.close,
    Verb.LAPSE: closing.lapse,
    Verb.WITHDRAW: closing.withdraw,
    Verb.REOPEN: closing.reopen,
    Verb.NOT_ACCEPT: closing.not_accept,
    Verb.LINK: access.link,
    Verb.MERGE: closing.merge,
    Verb.BIND: investigation.bind,
    Verb.RESTRICT: access.restrict,
    Verb.UNRESTRICT: access.unrestrict,
    Verb.DECLARE_CONFLICT: access.declare_conflict,
    Verb.HOLD: access.hold,
    Verb.RELEASE: access.release,
    Verb.RECEIPT: investigation.receipt,
    Verb.SURVEY: investigation.survey,
    Verb.ERASE: closing.erase,
}


@dataclass(frozen=True)
class ActResult:
    """An act as it goes into the record: event with dates, the case after it, the duties it leaves."""

    event: Event
    case: Case
    owed: tuple[NewObligation, ...]


def receive(arrival: Arrival, *, at: datetime, by: Actor, facts: Facts, words: Words) -> ActResult:
    """Open a record (7.2)."""
    facts = _given(facts)
    check(Verb.RECEIVE, facts)
    need_known(facts, arrival.rules)
    event = intake.receive(arrival, at=at, by=by, facts=facts, words=words)
    return _complete(begin(event, arrival.rules), event, None)


def perform(
    case: Case,
    verb: Verb,
    *,
    at: datetime,
    by: Actor,
    facts: Facts | None = None,
    words: Words | None = None,
    rules: Rulebook | None = None,
) -> ActResult:
    """Do one verb to a case; raises ComplaintError with the reason and the remedy, or leaves a legal case.

    `rules` are those to go on under, for `redate` alone.
    """
    if verb not in VERBS:
        raise OutOfOrder(f"{case.ref} was received already: add to it instead.", code="received_before")
    # Who may not do it hears that first, whatever the form says.
    allowed(case, verb, by)
    told = _given(facts or {})
    check(verb, told)
    need_known(told, case.rules)
    if verb is Verb.REDATE:
        event = redate.redate(case, at=at, by=by, facts=told, words=words or {}, rules=rules)
    else:
        event = VERBS[verb](case, at=at, by=by, facts=told, words=words or {})
    return _complete(after(case, event), event, case)


def _given(facts: Facts) -> Facts:
    """A fact that is None was not given."""
    return {name: value for name, value in facts.items() if value is not None}


def _moved(event: Event) -> Facts | None:
    """The date that this event moves: a manager's extension, or one that a manager agreed to."""
    if event.verb is Verb.EXTEND and not event.facts.get("asks"):
        return event.facts
    moved: Facts | None = event.facts.get("extends") if event.verb is Verb.APPROVE else None
    return moved


def _complete(case: Case, event: Event, before: Case | None) -> ActResult:
    check_wordless(event.facts)
    if event.verb is Verb.REDATE:
        dates = redate.redated(case, event.at, later=bool(event.facts.get("later")))
    else:
        dates = revise(case, event.at)
    moved = _moved(event)
    if moved is not None and before is not None:
        dates["targets"] = extended(before, moved) + dates.get("targets", [])
    if dates:
        event = replace(event, facts={**event.facts, **dates})
        case = begin(event, case.rules) if before is None else after(before, event)
    return ActResult(event, case, (*current_obligations(case), *event_obligations(case, event)))
