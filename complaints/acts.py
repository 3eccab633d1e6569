"""The one entrance to the rules: which function carries out which verb, and what every act brings about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from complaints import (
    answering,
    approving,
    assessing,
    custody,
    deciding,
    ending,
    handling,
    intake,
    redating,
    remedying,
)
from complaints.categories import need_known
from complaints.doing import VerbFunction, Words, allowed
from complaints.duties import Owed
from complaints.errors import OutOfOrder
from complaints.facts import check, check_wordless
from complaints.folding import after, begin
from complaints.intake import Arrival
from complaints.once import following
from complaints.owing import standing
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.rulebook import Rulebook
from complaints.targets import extended, revise
from complaints.vocabulary import Verb

VERBS: Mapping[Verb, VerbFunction] = {
    Verb.ADD: intake.add,
    Verb.CONFIRM: intake.confirm,
    Verb.END_FORM: intake.end_form,
    Verb.ACKNOWLEDGE: intake.acknowledge,
    Verb.FAIL_DELIVERY: intake.fail_delivery,
    Verb.PROPOSE: intake.propose,
    Verb.ASSESS: assessing.assess,
    Verb.REASSESS: assessing.reassess,
    Verb.RECLASSIFY: assessing.reclassify,
    Verb.ASSIGN: assessing.assign,
    Verb.NOTE: handling.note,
    Verb.REPLY: handling.reply,
    Verb.ASK: handling.ask,
    Verb.ANSWER: intake.answer,
    Verb.INFORM: handling.inform,
    Verb.INVESTIGATE: handling.investigate,
    Verb.RESOLVE: deciding.resolve,
    Verb.RESPOND: deciding.respond,
    Verb.APPROVE: approving.approve,
    Verb.COMMUNICATE_DECISION: deciding.communicate_decision,
    Verb.ACCEPT: answering.accept,
    Verb.DISAGREE: answering.disagree,
    Verb.ESCALATE: handling.escalate,
    Verb.OFFER_RECOURSE: answering.offer_recourse,
    Verb.NOTIFY_EXTERNAL: answering.notify_external,
    Verb.CONCLUDE_EXTERNAL: answering.conclude_external,
    Verb.REMEDY_DONE: remedying.remedy_done,
    Verb.REMEDY_LATE: remedying.remedy_late,
    Verb.VERIFY: remedying.verify,
    Verb.EXTEND: handling.extend,
    Verb.REDATE: redating.redate,
    Verb.CLOSE: ending.close,
    Verb.LAPSE: ending.lapse,
    Verb.WITHDRAW: ending.withdraw,
    Verb.REOPEN: ending.reopen,
    Verb.NOT_ACCEPT: ending.not_accept,
    Verb.LINK: custody.link,
    Verb.MERGE: ending.merge,
    Verb.BIND: handling.bind,
    Verb.RESTRICT: custody.restrict,
    Verb.UNRESTRICT: custody.unrestrict,
    Verb.DECLARE_CONFLICT: custody.declare_conflict,
    Verb.HOLD: custody.hold,
    Verb.RELEASE: custody.release,
    Verb.RECEIPT: handling.receipt,
    Verb.SURVEY: handling.survey,
    Verb.ERASE: ending.erase,
}


@dataclass(frozen=True)
class Done:
    """An act as it goes into the record: event with dates, the case after it, the duties it leaves."""

    event: Event
    case: Case
    owed: tuple[Owed, ...]


def receive(arrival: Arrival, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Done:
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
) -> Done:
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
        event = redating.redate(case, at=at, by=by, facts=told, words=words or {}, rules=rules)
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


def _complete(case: Case, event: Event, before: Case | None) -> Done:
    check_wordless(event.facts)
    if event.verb is Verb.REDATE:
        dates = redating.redated(case, event.at, later=bool(event.facts.get("later")))
    else:
        dates = revise(case, event.at)
    moved = _moved(event)
    if moved is not None and before is not None:
        dates["targets"] = extended(before, moved) + dates.get("targets", [])
    if dates:
        event = replace(event, facts={**event.facts, **dates})
        case = begin(event, case.rules) if before is None else after(before, event)
    return Done(event, case, (*standing(case), *following(case, event)))
