"""A second person agrees to a draft, a reclassification, a later date or a limit, or sends it back (Annex E)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from complaints.actions import conduct
from complaints.actions.action import (
    BY_SYSTEM,
    Action,
    ActionRequest,
    Move,
    WordKind,
    goes,
    require_words,
    stays,
)
from complaints.actions.assessment import harm_of
from complaints.actions.closing import drop_pending, end_handling
from complaints.actions.correspondence import counts_delivered
from complaints.actions.decision import grants_of, is_above_limit, take_draft
from complaints.actions.investigation import (
    moved_dates,
    require_not_passed,
    require_within_caps,
    target_to_extend,
)
from complaints.actions.quality_check import require_answers
from complaints.actors import HANDLERS, MANAGERS, Actor, is_excluded, level_roles
from complaints.case import Case, Event, Facts, changed
from complaints.deadlines.quiet_hours import checked_by
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import FactShapes, form_facts
from complaints.obligations import per_event
from complaints.obligations.approvals import awaits_approver, awaits_reader, proposal
from complaints.times import format_time
from complaints.vocabulary import DECIDABLE, OPEN, CloseCode, Role, State, Verb

_RANKS = {Role.HANDLER: 0, Role.MANAGER: 1, Role.TOP_MANAGEMENT: 2}


def check_approve(case: Case, request: ActionRequest) -> Facts:
    """Agree to the drafted decision, to the reclassification or to a later date, or send it back.

    The approver has a role of the level or a higher one and is not the person who proposed it. The sum lies
    within the approver's own limit.
    """
    agreed = request.facts["agreed"] == "yes"
    if not agreed:
        require_words(request, "reason", BadFacts.worded("required:approve", ref=case.ref))
    require_second_person(case, request.actor)
    about, _ = proposal(case) or ("extend", "")
    if about == "reclassify" and agreed and harm_of(case) >= 3:
        raise NotAllowed.worded(
            "not_allowed.severity:approve", field="agreed", ref=case.ref, severity=harm_of(case)
        )
    subject: dict[str, Any] = {"of": about}
    if about == "respond":
        if case.drafted is not None and case.drafted.checked:
            require_answers(case, request)
        if agreed:
            require_within_limit(case, request.actor)
            subject |= counts_delivered(case)
    if about == "extend":
        subject["extends"] = _extension(case, request.at) if agreed else None
    return {**request.facts, **subject}


def require_approver_awaited(case: Case) -> None:
    """Raise OutOfOrder unless an approval comes next."""
    if awaits_approver(case):
        return
    if awaits_reader(case):
        raise OutOfOrder.worded("nothing_to_approve:unread", ref=case.ref)
    raise OutOfOrder.worded("nothing_to_approve:extension", ref=case.ref)


def require_reader_awaited(case: Case) -> None:
    """Raise OutOfOrder unless a second reader answers next."""
    if awaits_reader(case):
        return
    if case.drafted is not None:
        raise OutOfOrder.worded("needs_approver", ref=case.ref)
    raise OutOfOrder.worded("nothing_to_approve:check_decision", ref=case.ref)


def require_second_person(case: Case, actor: Actor) -> None:
    """Raise NotAllowed if this person cannot be the second one for what waits."""
    _, author = proposal(case) or ("", None)
    if author == actor.id:
        raise NotAllowed.worded("not_allowed.second_person:proposal", field="agreed", ref=case.ref)
    needed = [_RANKS[role] for role in level_roles(case, case.level) if role in _RANKS]
    if max((_RANKS.get(role, -1) for role in actor.roles), default=-1) < min(needed, default=0):
        raise NotAllowed.worded(
            "not_allowed.level_role:approve",
            field="agreed",
            ref=case.ref,
            roles=", ".join(case.rules.levels[case.level]),
        )


def require_within_limit(case: Case, actor: Actor) -> None:
    """Raise NotAllowed if the drafter has a conflict by now, or the sum is above the approver's limit."""
    _require_author(case)
    if is_above_limit(case, actor, grants_of(case.drafted_remedies)):
        raise NotAllowed.worded("not_allowed.limit:for_one", field="agreed", ref=case.ref)


def _require_author(case: Case) -> None:
    if case.drafted is not None and is_excluded(case, case.drafted.by):
        raise NotAllowed.worded("not_allowed.subject:author", field="agreed", ref=case.ref)


def _extension(case: Case, at: datetime) -> dict[str, Any]:
    """The later date that was asked for.

    Raises OutOfOrder where the date passed, was met, or became as late for another reason while this waited;
    NotAllowed where its caps moved closer.
    """
    wish = case.extension
    if wish is None:
        raise OutOfOrder.worded("nothing_to_approve:extension", ref=case.ref)
    moved = {"target": wish.target.value, "of": wish.of, "due": format_time(wish.until), "seq": wish.seq}
    target = target_to_extend(case, moved)
    require_not_passed(case, target, at)
    if wish.until <= target.internal_due:
        raise OutOfOrder.worded("as_late_already", field="agreed", target=target.target.value, ref=case.ref)
    require_within_caps(case, target, wish.until)
    return moved


def apply_approve(case: Case, event: Event) -> Case:
    agreed = event.facts["agreed"] == "yes"
    if event.facts["of"] == "limit_contact":
        return conduct.approve_limit(case, event)
    if event.facts["of"] == "extend":
        return changed(case, extension=None)
    if event.facts["of"] == "reclassify":
        if not agreed or case.reclassification is None:
            return changed(case, reclassification=None)
        kind = case.reclassification[0]
        return end_handling(changed(case, kind=kind), event, CloseCode.NOT_COMPLAINT)
    if case.drafted is None:
        return case
    if not agreed:
        return changed(drop_pending(case), state=State.INVESTIGATING)
    return take_draft(case, event, approved_by=event.by)


# check_decision


def check_check_decision(case: Case, request: ActionRequest) -> Facts:
    """Read a decision that was drawn before it is sent: it passes, or it goes back with a note (4.5, 8.4).

    The system sends it unread when the promised date would be missed (`checked_by`), and the event says so.
    """
    until = checked_by(case)
    is_system = request.role is Role.SYSTEM
    if is_system and (until is None or request.at < until):
        raise OutOfOrder.worded("nothing_to_approve:check_decision", ref=case.ref)
    if is_system:
        return {"agreed": "yes", "skipped": "no_time", **counts_delivered(case)}
    require_second_person(case, request.actor)
    require_answers(case, request)
    if request.facts["agreed"] != "yes":
        return request.facts
    _require_author(case)
    return {**request.facts, **counts_delivered(case)}


def apply_check_decision(case: Case, event: Event) -> Case:
    if event.facts["agreed"] == "no":
        return changed(drop_pending(case), state=State.INVESTIGATING)
    return take_draft(case, event)


def approve_dates(before: Case, after: Case, event: Event) -> dict[str, list[dict[str, Any]]]:
    """The dates after an approval; where a later date was agreed to, that date moves."""
    return moved_dates(before, after, event, event.facts.get("extends"))


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.APPROVE: Action(
        "7.7", MANAGERS,
        Move({
            **stays(OPEN).ways,
            **goes(DECIDABLE, State.DECIDED, State.INVESTIGATING, State.CLOSED, or_stays=True).ways,
            State.RECEIVED: (State.CLOSED, State.RECEIVED),
            # A limit on contact may also be about a closed matter.
            State.CLOSED: (State.CLOSED,),
        }),
        requires=require_approver_awaited, requires_actor=require_second_person,
        check=check_approve, apply=apply_approve, dates=approve_dates,
        words=WordKind.INTERNAL, form="approve", shown_in=("extend", "reclassify"),
        leaves=(per_event.answer,), manager_only=True, judges=True, needs_independence=True, needs_latest=True,
        is_handling=True, ends=True, is_second_person=True, decided_together=True,
    ),
    # BY_SYSTEM: sends it unread when the promised date would be missed.
    Verb.CHECK_DECISION: Action(
        "4.5", HANDLERS | BY_SYSTEM, goes(DECIDABLE, State.DECIDED, State.INVESTIGATING, or_stays=True),
        requires=require_reader_awaited, requires_actor=require_second_person,
        check=check_check_decision, apply=apply_check_decision,
        words=WordKind.NOTE, form="check_decision", facts=FactShapes(shapes=form_facts("check_decision").shapes),
        leaves=(per_event.answer,), judges=True, needs_independence=True, needs_level_role=True, needs_latest=True,
        is_second_person=True, is_second_reader=True,
    ),
}
# fmt: on
