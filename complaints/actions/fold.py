"""The case is the fold of its events: what the event's verb changes, and what every event changes."""

from __future__ import annotations

from collections.abc import Iterable

from complaints.actions.intake import apply_end_form
from complaints.actions.registry import ACTIONS, raises_work_version
from complaints.case import Case, Event, changed
from complaints.case_values import TargetSet
from complaints.priorities import is_significant
from complaints.rulebook import Rulebook
from complaints.timestamps import parse_time
from complaints.vocabulary import Flag, Role, State, Target, Verb


def fold(events: Iterable[Event], rules: Rulebook) -> Case:
    """The case that these events add up to; the first must be `receive`."""
    case: Case | None = None
    for event in events:
        case = begin(event, rules) if case is None else apply_event(case, event)
    if case is None:
        raise ValueError("a complaint has at least the event by which it was received")
    return case


def begin(event: Event, rules: Rulebook) -> Case:
    """The case after its first event."""
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
    )
    return _after_any_event(ACTIONS[Verb.RECEIVE].apply(case, event), event)


def apply_event(case: Case, event: Event) -> Case:
    """The case after one more event."""
    return _after_any_event(ACTIONS[event.verb].apply(case, event), event)


def _after_any_event(case: Case, event: Event) -> Case:
    """Count the event, remember who judged, take over its due times, end the questions, flag significance."""
    action = ACTIONS[event.verb]
    acted_at = case.acted_at
    if action.judges:
        # Judging never changes the level, so this is the level that was judged.
        acted_at = {**acted_at, case.level: acted_at.get(case.level, frozenset()) | {event.by}}
    # The first message of staff ends the questions. So the acknowledgement is due before that message leaves.
    staff_wrote = action.is_staff_message and event.role is not Role.SYSTEM
    if case.form_open and (staff_wrote or case.state is State.DECIDED):
        case = apply_end_form(case, event)
    case = changed(
        case,
        version=event.seq,
        work_version=case.work_version + raises_work_version(event),
        acted_at=acted_at,
        targets=_targets(case, event),
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
            changed(target, met_at=event.at) if (target.target, target.of, target.version) in met else target
            for target in case.targets
        )
        + new
    )
