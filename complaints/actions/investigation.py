"""Before a decision: later dates, other rules, the next level (7.3, F)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from complaints.actions.action import (
    BY_SYSTEM,
    Action,
    ActionRequest,
    WordKind,
    goes,
    require_words,
    something_waits,
    stays,
)
from complaints.actions.closing import drop_pending
from complaints.actors import HANDLERS, may_manage
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import ExtensionAsked, TargetSet
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.rule_change import dates_under_new_rules, is_limited_by_promise
from complaints.deadlines.targets import CAPPED, extended, extension_cap, extension_span, revise
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import FactShapes, code, flag, form_facts, one_of, whole
from complaints.obligations import per_event
from complaints.times import format_time, parse_time
from complaints.vocabulary import OPEN, UNDECIDED, State, Target, Verb

#: The targets that a manager may move; the others follow from what is done.
EXTENDABLE: frozenset[Target] = frozenset({Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION})


# extend


def check_extend(case: Case, request: ActionRequest) -> Facts:
    """Move one due time before it passes, with a reason, within the legal maximum and the preset's cap.

    There is no pause: only this act moves a date (docs/domain.md, section 3). Without the remedy's number in `of`
    it moves the remedy that is due first. A handler only asks (`asks` in the event); the date moves when a
    manager agrees.
    """
    require_words(request, "reason", BadFacts.worded("required:extend", ref=case.ref))
    asks = not may_manage(case, request.actor)
    if asks and case.awaits_approval:
        raise something_waits(case)
    target = target_to_extend(case, request.facts)
    require_not_passed(case, target, request.at)
    new_due = closing_time(date.fromisoformat(request.facts["extended_to"]), case.rules.calendar)
    if new_due <= target.internal_due:
        raise BadFacts.worded("not_ahead:extend", field="extended_to", ref=case.ref)
    require_within_caps(case, target, new_due)
    return {
        **request.facts,
        "target": target.target.value,
        "of": target.of,
        "due": format_time(new_due),
        "asks": asks,
    }


def apply_extend(case: Case, event: Event) -> Case:
    """A handler's wish waits for approval. A manager's extension moves the date (see `extend_dates`)."""
    facts = event.facts
    if not facts.get("asks"):
        return changed(case, extension=None)
    wish = ExtensionAsked(
        by=event.by,
        target=Target(facts["target"]),
        of=int(facts["of"]),
        until=parse_time(facts["due"]),
        seq=event.seq,
    )
    return changed(case, extension=wish)


def extend_dates(before: Case, after: Case, event: Event) -> dict[str, list[dict[str, Any]]]:
    """The dates after an extension: the moved one, unless a handler only asks for it."""
    return moved_dates(before, after, event, None if event.facts.get("asks") else event.facts)


def moved_dates(
    before: Case, after: Case, event: Event, moved: Facts | None
) -> dict[str, list[dict[str, Any]]]:
    """The date that an extension moves, if any, and all dates that change with the event."""
    dates = revise(after)
    if moved is not None:
        dates["targets"] = extended(before, moved) + dates.get("targets", [])
    return dates


def target_to_extend(case: Case, facts: Facts) -> TargetSet:
    """The open date that the facts name; raises OutOfOrder if there is none, BadFacts if it cannot be moved."""
    name = Target(facts["target"])
    if name not in EXTENDABLE:
        raise BadFacts.worded(
            "not_an_option:target_to_extend",
            field="target",
            name=name.value,
            targets=", ".join(sorted(EXTENDABLE)),
        )
    number = facts.get("of")
    live = [
        target
        for target in case.current_targets()
        if target.target is name and target.met_at is None and (number is None or target.of == int(number))
    ]
    if not live:
        raise OutOfOrder.worded("no_such_target", field="target", ref=case.ref, name=name.value)
    return min(live, key=lambda target: (target.internal_due, target.of))


def require_not_passed(case: Case, target: TargetSet, at: datetime) -> None:
    """Raise OutOfOrder once the date has passed: an extension cannot repair a missed date."""
    if at > target.internal_due:
        raise OutOfOrder.worded("expired", field="target", target=target.target.value, ref=case.ref)


def require_within_caps(case: Case, target: TargetSet, new_due: datetime) -> None:
    """Raise NotAllowed where an extension would pass the legal maximum, or all of them together the cap."""
    legal = case.target(Target.LEGAL)
    capped = target.target in CAPPED
    if capped and legal is not None and legal.met_at is None and new_due > legal.internal_due:
        raise NotAllowed.worded("not_allowed.legal_cap", field="extended_to", ref=case.ref)
    cap = extension_cap(case, target) if capped else None
    if cap is not None and new_due > cap:
        raise NotAllowed.worded(
            "not_allowed.extension_cap", field="extended_to", ref=case.ref, span=extension_span(case, target)
        )


# redate


def check_redate(case: Case, request: ActionRequest) -> Facts:
    """Continue under `request.rules`; every live date is counted again from its own start.

    `facts["later"]` lets promised dates move later. Raises AlreadyDone where the rules say the same, OutOfOrder
    where they lack the level that the complaint has reached.
    """
    rules = request.rules
    if rules is None:
        raise BadFacts.worded("required:redate", field="rulebook", ref=case.ref)
    require_words(request, "reason", BadFacts.worded("required:reason_of_redate", ref=case.ref))
    later = bool(request.facts.get("later")) and any(map(is_limited_by_promise, case.current_targets()))
    if case.rules.says_as(rules) and not later:
        raise AlreadyDone.worded("already_so:redate", ref=case.ref)
    if case.level > rules.top_level:
        raise OutOfOrder.worded("out_of_order", ref=case.ref, level=case.level)
    return request.facts


def apply_redate(case: Case, event: Event) -> Case:
    """The new rules; dates counted under the old ones keep them for their explanation.

    Raises ValueError for an event without its rules: the store adds them when it loads the event.
    """
    if event.rules is None:
        raise ValueError(f"event {event.seq} of {case.ref} changes the rules and comes without them")
    return changed(case, rules=event.rules, rules_before=(*case.rules_before, case.rules))


def redate_dates(before: Case, after: Case, event: Event) -> dict[str, list[dict[str, Any]]]:
    return dates_under_new_rules(after, event.at, later=bool(event.facts.get("later")))


# escalate


def require_next_level(case: Case) -> None:
    if case.level >= case.rules.top_level:
        raise OutOfOrder.worded("top_level", ref=case.ref)


def check_escalate(case: Case, request: ActionRequest) -> Facts:
    """Move up one level before a decision (Annex F).

    A draft that waits for approval is dropped, so this is the way out when no second person is left at this
    level.
    """
    require_words(request, "reason", BadFacts.worded("required:escalate", ref=case.ref))
    return request.facts


def apply_escalate(case: Case, event: Event) -> Case:
    """One level up without a decision, so this excludes no reviewer and restarts no clock.

    Only people who decided here before a reopening stay excluded from the next level.
    """
    level = case.level + 1
    acted_here = case.acted_at.get(case.level, frozenset())
    decisions = [decision for decision in case.decisions if decision.level == case.level]
    deciders = acted_here & {person for row in decisions for person in (row.by, row.approved_by)}
    moved = (acted_here - deciders) | case.acted_at.get(level, frozenset())
    acted_at = {**case.acted_at, case.level: deciders, level: moved}
    acks = {**case.acks, level: case.acks[case.level]} if case.level in case.acks else case.acks
    return changed(
        drop_pending(case),
        state=State.ESCALATED,
        level=level,
        owner=None,
        evidence=frozenset(),
        issue_findings=(),
        acted_at={at_level: people for at_level, people in acted_at.items() if people},
        acks=acks,
    )


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.ESCALATE: Action(
        "F", HANDLERS, goes(UNDECIDED, State.ESCALATED),
        requires=require_next_level, check=check_escalate, apply=apply_escalate,
        words=WordKind.NOTE, form="escalate", raises_level=True, done="escalate",
    ),
    Verb.EXTEND: Action(
        "7.3", HANDLERS, stays(OPEN),
        check=check_extend, apply=apply_extend, dates=extend_dates,
        words=WordKind.NOTE, form="extend", shown_in=("extend",),
        facts=form_facts("extend").plus(target=one_of(*Target), of=whole(0)), leaves=(per_event.extended_date,),
        asks="extend",
    ),
    # BY_SYSTEM: the operator, at the command line.
    Verb.REDATE: Action(
        "7.3", BY_SYSTEM, stays(OPEN),
        check=check_redate, apply=apply_redate, dates=redate_dates,
        facts=FactShapes(
            frozenset({"rulebook", "before", "jurisdiction"}),
            {"rulebook": code, "before": code, "jurisdiction": code, "later": flag},
        ),
        words=WordKind.NOTE, leaves=(per_event.redated,), changes_rules=True, is_work=False,
    ),
}
# fmt: on
