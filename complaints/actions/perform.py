"""Doing one verb to a complaint: the entry point of the rules for the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from complaints.actions.authorisation import require_permission, require_state
from complaints.actions.fold import apply_event, begin
from complaints.actions.intake import Arrival, check_receive
from complaints.actions.registry import ACTIONS, Action, Dates
from complaints.actions.request import ActionRequest
from complaints.actors import Actor
from complaints.case import Case, Event, Facts, Words
from complaints.deadlines.targets import revise
from complaints.errors import NotAllowed, OutOfOrder
from complaints.event_facts import check_facts, check_wordless
from complaints.obligations.kinds import NewObligation
from complaints.obligations.per_event import event_obligations
from complaints.obligations.standing import current_obligations
from complaints.rulebook import Rulebook, require_known_categories
from complaints.vocabulary import Verb


@dataclass(frozen=True)
class ActResult:
    """An act as it goes into the record: the event with its dates, the case after it, the obligations it leaves."""

    event: Event
    case: Case
    owed: tuple[NewObligation, ...]


def receive(arrival: Arrival, *, at: datetime, by: Actor, facts: Facts, words: Words) -> ActResult:
    """Open a record (7.2); raises NotAllowed or BadFacts."""
    action = ACTIONS[Verb.RECEIVE]
    facts = _without_none(facts)
    check_facts(Verb.RECEIVE, facts, action.facts)
    require_known_categories(facts, arrival.rules)
    role = by.least(action.roles)
    if role is None:
        raise NotAllowed(
            "A complaint is received from its complainant or logged by staff: ask a handler to log it.",
            code="not_allowed.role",
        )
    request = ActionRequest(Verb.RECEIVE, at, by, role, facts, words)
    event = _event(1, action, request, check_receive(arrival, request))
    case = begin(event, arrival.rules)
    check_wordless(event.facts)
    dates = revise(case, at)
    if dates:
        event = _with_dates(event, dates)
        case = begin(event, arrival.rules)
    return _result(case, event)


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
    """Do one verb to a complaint; raises ComplaintError with the reason and the remedy.

    `rules` are the rules to move the complaint to, for `redate` alone.
    """
    action = ACTIONS[verb]
    if action.moves.begins is not None:
        raise OutOfOrder(f"{case.ref} was received already: add to it instead.", code="received_before")
    # Permission comes first: a person without it must not learn from other errors what is in the case.
    role = require_permission(case, verb, by)
    require_state(case, verb)
    facts = _without_none(facts or {})
    check_facts(verb, facts, action.facts)
    require_known_categories(facts, case.rules)
    request = ActionRequest(verb, at, by, role, facts, words or {}, rules)
    event = _event(case.version + 1, action, request, action.check(case, request))
    case_after = apply_event(case, event)
    check_wordless(event.facts)
    dates = action.dates(case, case_after, event)
    if dates:
        event = _with_dates(event, dates)
        case_after = apply_event(case, event)
    return _result(case_after, event)


def _without_none(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if value is not None}


def _event(seq: int, action: Action, request: ActionRequest, facts: Facts) -> Event:
    return Event(
        seq=seq,
        verb=request.verb,
        at=request.at,
        by=request.actor.id,
        role=request.role,
        facts=dict(facts),
        words={path: text for path, text in request.words.items() if text.strip()},
        rules=request.rules if action.changes_rules else None,
    )


def _with_dates(event: Event, dates: Dates) -> Event:
    return replace(event, facts={**event.facts, **dates})


def _result(case: Case, event: Event) -> ActResult:
    return ActResult(event, case, (*current_obligations(case), *event_obligations(case, event)))
