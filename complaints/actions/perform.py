"""Doing one verb to a complaint, and the case as the fold of its events: what the store calls."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from complaints.actions.action import Action, ActionRequest, Dates
from complaints.actions.authorisation import authorise, require_possible
from complaints.actions.danger import looked_alarms
from complaints.actions.intake import Arrival, apply_end_form, check_receive
from complaints.actions.registry import ACTIONS, raises_work_version
from complaints.actors import MANAGERS, Actor
from complaints.case import Case, Event, Facts, UnsentLetter, Words, changed
from complaints.case_values import TargetSet
from complaints.deadlines.targets import revise
from complaints.errors import OutOfOrder
from complaints.event_facts import HELD, check_facts, check_wordless
from complaints.obligations.kinds import SENT, NewObligation, give_offline
from complaints.obligations.per_event import after_any_event, thread_line
from complaints.obligations.standing import current_obligations
from complaints.priorities import is_significant
from complaints.rulebook import Rulebook, require_known_categories
from complaints.times import parse_time
from complaints.vocabulary import Flag, Role, State, Target, Verb


@dataclass(frozen=True)
class ActResult:
    """An act as it goes into the record: the event with its dates, the case after it, the obligations it leaves."""

    event: Event
    case: Case
    obligations: tuple[NewObligation, ...]


def receive(arrival: Arrival, *, at: datetime, actor: Actor, facts: Facts, words: Words) -> ActResult:
    """Open a record (7.2); raises NotAllowed or BadFacts."""
    action = ACTIONS[Verb.RECEIVE]
    facts = _without_none(facts)
    check_facts(Verb.RECEIVE, facts, action.shapes)
    require_known_categories(facts, arrival.rules)
    role = authorise(None, Verb.RECEIVE, actor)
    request = ActionRequest(Verb.RECEIVE, at, actor, role, facts, words)
    event = _event(1, action, request, check_receive(arrival, request))
    case = begin(event, arrival.rules)
    check_wordless(event.facts)
    dates = revise(case)
    if dates:
        event = _with_dates(event, dates)
        case = begin(event, arrival.rules)
    return _result(case, event)


def perform(
    case: Case,
    verb: Verb,
    *,
    at: datetime,
    actor: Actor,
    facts: Facts | None = None,
    words: Words | None = None,
    rules: Rulebook | None = None,
) -> ActResult:
    """Do one verb to a complaint; raises ComplaintError with the reason and the remedy.

    `rules` are the rules to move the complaint to, for `redate` alone.
    """
    action = ACTIONS[verb]
    if action.begins:
        raise OutOfOrder.worded("received_before", ref=case.ref)
    role = require_possible(case, verb, actor)
    facts = _without_none(facts or {})
    check_facts(verb, facts, action.shapes)
    require_known_categories(facts, case.rules)
    request = ActionRequest(verb, at, actor, role, facts, words or {}, rules)
    event = _event(case.version + 1, action, request, action.check(case, request))
    case_after = apply_event(case, event)
    check_wordless(event.facts)
    dates = action.dates(case, case_after, event)
    if dates:
        event = _with_dates(event, dates)
        case_after = apply_event(case, event)
    return _result(case_after, event)


def after_approval(request: ActResult) -> ActResult:
    """What follows if a second person agrees to this at once; who it is changes no word of its letters."""
    actor = Actor("", MANAGERS)
    return perform(request.case, Verb.APPROVE, at=request.event.at, actor=actor, facts={"agreed": "yes"})


def fold(events: Iterable[Event], rules: Rulebook) -> Case:
    """The case that these events add up to; the first must be `receive`."""
    case: Case | None = None
    for event in events:
        case = begin(event, rules) if case is None else apply_event(case, event)
    if case is None:
        raise ValueError("a complaint has at least the event by which it was received")
    return case


def begin(event: Event, rules: Rulebook) -> Case:
    facts = event.facts
    case = Case(
        ref=facts["ref"],
        rules=rules,
        received_at=parse_time(facts["received_at"]),
        logged_at=event.at,
        channel=facts["channel"],
        complainant=facts["complainant"],
        language=facts["language"],
        form_open=event.role is Role.COMPLAINANT,
        form_ended_at=None if event.role is Role.COMPLAINANT else event.at,
        level_started_at=parse_time(facts["received_at"]),
        is_simulation=bool(facts.get("is_simulation", False)),
        answer_by=facts.get("answer_by"),
        answer_to=facts.get("answer_to"),
    )
    return _after_any_event(ACTIONS[Verb.RECEIVE].apply(case, event), event)


def apply_event(case: Case, event: Event) -> Case:
    after = _after_any_event(ACTIONS[event.verb].apply(case, event), event)
    if HELD not in event.facts or any(letter.event is event for letter in after.unsent):
        return after
    if after.awaits_approval and not case.awaits_approval:
        # It only asks a second person: nothing is sent.
        return after
    return changed(after, unsent_act=UnsentLetter(event, changed(case, unsent_act=None), after))


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


def event_obligations(case: Case, event: Event) -> Iterator[NewObligation]:
    """What an event leaves to do: a line in the thread, what its verb leaves, and what any event may leave."""
    row = ACTIONS[event.verb]
    if case.is_history or (row.decided_together and event.facts.get("batch")):
        return
    line = thread_line(case, event) if row.in_thread else iter(())
    obligations = chain(line, *(leave(case, event) for leave in row.leaves), after_any_event(case, event))
    yield from give_offline(case, obligations, once=True)


def _result(case: Case, event: Event) -> ActResult:
    obligations = (*current_obligations(case), *event_obligations(case, event))
    if HELD in event.facts:
        # The letters of the act leave after the seconds in which it can be taken back. A reply ends the questions for
        # good, so the acknowledgement that it makes due does not wait.
        leaves_at = event.at + timedelta(seconds=int(event.facts[HELD]))
        at_once = {"acknowledge"} if case.unsent_act is None or case.unsent_act.event is not event else set()
        obligations = tuple(
            replace(row, due=max(row.due, leaves_at)) if row.kind in SENT - at_once else row
            for row in obligations
        )
    return ActResult(event, case, obligations)


def _after_any_event(case: Case, event: Event) -> Case:
    """Count the event, remember who judged, take over its due times, end the questions, flag significance."""
    action = ACTIONS[event.verb]
    acted_at = case.acted_at
    if action.judges:
        # Judging never changes the level, so this is the level that was judged.
        acted_at = {**acted_at, case.level: acted_at.get(case.level, frozenset()) | {event.by}}
    # The first message of staff ends the questions. So the acknowledgement is due before that message leaves.
    is_by_staff = event.role not in (Role.COMPLAINANT, Role.SYSTEM, Role.MODEL)
    # A reviewer stays a person who took no part in it.
    took_part = is_by_staff and not action.reviewer_only
    people = ({event.by} if took_part else set()) | ({case.owner} if case.owner else set())
    staff_wrote = action.is_staff_message and event.role is not Role.SYSTEM
    if case.form_open and (staff_wrote or case.state is State.DECIDED):
        case = apply_end_form(case, event)
    case = changed(
        case,
        version=event.seq,
        work_version=case.work_version + raises_work_version(event),
        acted_at=acted_at,
        workers=case.workers | {event.by} if is_by_staff and action.is_work else case.workers,
        participants=case.participants | people if people else case.participants,
        targets=_targets(case, event),
        survey_concern_at=None if took_part else case.survey_concern_at,
        alarms=looked_alarms(case, event, has_read=action.sees_danger) if is_by_staff else case.alarms,
    )
    significant = Flag.SIGNIFICANT in case.flags or is_significant(case)
    return changed(case, flags=case.flags | {Flag.SIGNIFICANT}) if significant else case


def _targets(case: Case, event: Event) -> tuple[TargetSet, ...]:
    new = tuple(
        TargetSet(
            target=Target(row["target"]),
            version=row["version"],
            of=row["of"],
            start=parse_time(row["start"]),
            internal_due=parse_time(row["internal_due"]),
            promised_due=parse_time(row["promised_due"]),
            basis=row["basis"],
            span=row["span"],
            set_at=event.at,
            under=len(case.rules_before),
        )
        for row in event.facts.get("targets", ())
    )
    met = {(Target(row["target"]), row["of"], row["version"]) for row in event.facts.get("met", ())}
    return (
        tuple(
            changed(target, met_at=max(event.told_at, min(target.start, event.at)))
            if (target.target, target.of, target.version) in met
            else target
            for target in case.targets
        )
        + new
    )
