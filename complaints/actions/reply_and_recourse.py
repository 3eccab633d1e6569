"""The complainant's reply to the decision, the offer of outside steps, and what an outside body decides (7.9).

If staff record a reply given by voice, the complainant must know the decision. So the complaint can continue
although no channel took the letter.
"""

from collections.abc import Mapping
from datetime import date, datetime

from complaints.actions.action import (
    BY_COMPLAINANT,
    BY_SYSTEM,
    NOBODY,
    STAFF_AND_COMPLAINANT,
    Action,
    ActionRequest,
    Fetched,
    WordKind,
    goes,
    require_offline_source,
    require_words,
    stays,
)
from complaints.actions.closing import drop_pending
from complaints.actions.decision import mark_communicated, remedy_due, start_remedying, told_at
from complaints.actors import HANDLERS
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Improvement, OutsideDecision, RemedyOwed
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.periods import settled_early
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, BadFacts, OutOfOrder
from complaints.event_facts import OFFLINE, whole
from complaints.obligations import per_event
from complaints.vocabulary import ANSWERED, EVERY, Flag, Role, State, Verb

# accept and disagree


def check_accept(case: Case, request: ActionRequest) -> Facts:
    """Record an explicit yes; silence is never one.

    Within the scheme's fast track the event says how the acceptance is confirmed.
    """
    require_offline_source(case, request)
    _require_communicated(case, request)
    if case.reply == "accept":
        raise AlreadyDone.worded("accepted_before", ref=case.ref)
    early = settled_early(case, request.facts, request.at)
    facts = {**request.facts, **told_at(case, request)}
    return {**facts, "settled_early": early} if early is not None else facts


def apply_accept(case: Case, event: Event) -> Case:
    """Offers become owed; after `resolve`, acceptance also verifies what was done."""
    case = _communicated_by_voice(case, event)
    decision = case.decision
    remedies = tuple(accepted_remedy(case, remedy, event.at) for remedy in case.remedies)
    if decision is not None and decision.short:
        remedies = tuple(
            changed(remedy, verified_at=event.at, verified_by=event.by)
            if remedy.done_at is not None and remedy.verified_at is None
            else remedy
            for remedy in remedies
        )
    early = event.facts.get("settled_early")
    return start_remedying(
        changed(case, reply="accept", reply_at=event.at, settled_early=early, remedies=remedies)
    )


def accepted_remedy(case: Case, remedy: RemedyOwed, at: datetime) -> RemedyOwed:
    """A remedy once the decision is accepted: an offer becomes owed."""
    if not remedy.offered:
        return remedy
    # The time to carry out an offer counts from its acceptance, unless the day promised is still to come.
    keeps_day = remedy.promised_by is not None and remedy.due > at
    return changed(remedy, accepted_at=at, due=remedy.due if keeps_day else remedy_due(case, at))


def check_disagree(case: Case, request: ActionRequest) -> Facts:
    """Record a no: the complaint goes to other people at the next level, or outside (7.9, F).

    `facts["reviewers"]` is the number of people who could review it at the next level. With none, or at the
    top level, the outside is offered at once.
    """
    require_offline_source(case, request)
    _require_communicated(case, request)
    next_level = case.level + 1
    has_review = next_level <= case.rules.top_level and int(request.facts.get("reviewers") or 0) > 0
    return {**request.facts, **told_at(case, request), "to_level": next_level if has_review else None}


def apply_disagree(case: Case, event: Event) -> Case:
    """Offers end, promises stay; the complaint is at the next level, or waits for the outside steps."""
    case = _communicated_by_voice(case, event)
    refused = changed(
        case,
        remedies=tuple(
            changed(remedy, ended_at=event.at) if remedy.offered else remedy for remedy in case.remedies
        ),
        question_at=None,
        flags=case.flags - {Flag.QUESTION_OPEN},
    )
    to_level = event.facts.get("to_level")
    if to_level is None:
        return changed(refused, state=State.DISAGREED, reply="disagree", reply_at=event.at)
    return changed(
        refused,
        state=State.ESCALATED,
        level=int(to_level),
        level_started_at=event.at,
        reply=None,
        reply_at=event.at,
        owner=None,
        evidence=frozenset(),
        issue_findings=(),
    )


def _require_communicated(case: Case, request: ActionRequest) -> None:
    decision = case.decision
    if decision is None or (decision.communicated_at is None and not request.actor.is_staff):
        raise OutOfOrder.worded("not_communicated", ref=case.ref)


def _communicated_by_voice(case: Case, event: Event) -> Case:
    """A reply that staff record shows that the complainant knows the decision."""
    if case.decision is None or case.decision.communicated_at or event.role is Role.COMPLAINANT:
        return case
    return mark_communicated(case, event.told_at)


# offer_recourse


def check_offer_recourse(case: Case, request: ActionRequest) -> Facts:
    """A channel accepted the notice of the outside steps, or staff gave it by voice or letter (7.9)."""
    require_offline_source(case, request)
    return request.facts


def apply_offer_recourse(case: Case, event: Event) -> Case:
    return changed(case, state=State.RECOURSE_OFFERED, recourse_at=event.at)


# notify_external and conclude_external


def check_notify_external(case: Case, request: ActionRequest) -> Facts:
    """An outside body deals with the complaint; possible in every state, also when closed."""
    require_words(request, "body", BadFacts.worded("required:notify_external", ref=case.ref))
    step = request.facts["event"]
    if step in ("final", "complied"):
        raise BadFacts.worded("not_an_option:notify_external", field="event", step=step, ref=case.ref)
    return request.facts


def apply_notify_external(case: Case, event: Event) -> Case:
    """Flag that an outside body is at work; the state stays."""
    refused = event.facts.get("complainant_accepts") == "no"
    asked_at = event.at if case.body_asked_at is None else case.body_asked_at
    return changed(
        case,
        external_open=True,
        body_asked_at=asked_at if event.facts.get("event") == "notified" else None,
        outside_refused=case.outside_refused + refused,
        flags=case.flags | {Flag.EXTERNAL},
    )


def check_conclude_external(case: Case, request: ActionRequest) -> Facts:
    """The outside body decided, or we complied; its order binds us even against our own decision."""
    require_words(request, "body", BadFacts.worded("required:conclude_external", ref=case.ref))
    step = request.facts["event"]
    if step not in ("final", "complied"):
        raise BadFacts.worded("not_an_option:conclude_external", field="event", step=step, ref=case.ref)
    facts = dict(request.facts)
    if step == "final":
        # A body that orders something has found that we did not put it right.
        facts.setdefault("overturned", "yes" if facts.get("comply_by") else None)
    return {name: value for name, value in facts.items() if value is not None}


def apply_conclude_external(case: Case, event: Event) -> Case:
    """The outside decision ranks above ours, which stay in the record; complying carries out its orders."""
    concluded = changed(apply_notify_external(case, event), external_open=False)
    if event.facts.get("event") == "complied":
        return changed(
            concluded,
            remedies=tuple(
                changed(remedy, done_at=event.at, done_by=event.by)
                if remedy.external and remedy.done_at is None
                else remedy
                for remedy in concluded.remedies
            ),
        )
    return _add_order(_add_outside_decision(concluded, event), event)


def _add_outside_decision(case: Case, event: Event) -> Case:
    """Keep the decision; where it overturns ours, it opens a corrective action."""
    overturned = event.facts.get("overturned")
    decision = OutsideDecision(
        seq=event.seq,
        at=event.at,
        by=event.by,
        level=case.level,
        overturned=None if overturned is None else overturned == "yes",
        refused=event.facts.get("complainant_accepts") == "no",
    )
    improvements = case.improvements
    if decision.overturned:
        last = case.decisions[-1] if case.decisions else None
        improvement = Improvement(
            seq=event.seq,
            opened_at=event.at,
            due=due(event.at, case.rules.targets.improvement, case.rules.calendar).at,
            cause_class=last.cause_class if last else None,
        )
        improvements = (*improvements, improvement)
    return changed(
        case, external_final_at=event.at, outside=(*case.outside, decision), improvements=improvements
    )


def _add_order(case: Case, event: Event) -> Case:
    """An order becomes a remedy that we owe, unless the complainant refuses the decision."""
    comply_by = event.facts.get("comply_by")
    if not comply_by or event.facts.get("complainant_accepts") == "no":
        return case
    order = RemedyOwed(
        n=len(case.remedies),
        type="other",
        level=case.level,
        due=closing_time(date.fromisoformat(comply_by), case.rules.calendar),
        promised_by=date.fromisoformat(comply_by),
        promised_at=event.at,
        external=True,
    )
    return changed(
        drop_pending(case),
        remedies=(*case.remedies, order),
        state=State.REMEDYING,
        close_code=None,
        closed_at=None,
    )


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.ACCEPT: Action(
        "7.9", BY_COMPLAINANT | HANDLERS, goes(ANSWERED, State.REMEDYING, or_stays=True),
        check=check_accept, apply=apply_accept,
        words=WordKind.STATEMENT, form="given", spoken=("accept",), facts=OFFLINE,
        raises_work_version=STAFF_AND_COMPLAINANT, leaves=(per_event.confirmation, per_event.summary),
        done="accept",
    ),
    Verb.DISAGREE: Action(
        "7.9", BY_COMPLAINANT | HANDLERS, goes(ANSWERED, State.ESCALATED, State.DISAGREED),
        check=check_disagree, apply=apply_disagree,
        words=WordKind.STATEMENT, spoken=("disagree",), facts=OFFLINE.plus(reviewers=whole(0)),
        raises_work_version=STAFF_AND_COMPLAINANT, leaves=(per_event.confirmation,), fetches=Fetched.REVIEWERS,
        raises_level=True, done="disagree",
    ),
    Verb.OFFER_RECOURSE: Action(
        "7.9", BY_SYSTEM | HANDLERS, goes((State.DISAGREED,), State.RECOURSE_OFFERED),
        check=check_offer_recourse, apply=apply_offer_recourse,
        words=WordKind.INTERNAL, spoken=("recourse",), facts=OFFLINE, raises_work_version=NOBODY,
        leaves=(per_event.confirmation,), records="recourse", done="offer_recourse",
    ),
    Verb.NOTIFY_EXTERNAL: Action(
        "7.9", HANDLERS, stays(EVERY),
        check=check_notify_external, apply=apply_notify_external,
        words=WordKind.NOTE, form="external", leaves=(per_event.outside_body,), done="notify_external",
    ),
    Verb.CONCLUDE_EXTERNAL: Action(
        "7.9", HANDLERS, goes(EVERY, State.REMEDYING, or_stays=True),
        check=check_conclude_external, apply=apply_conclude_external,
        words=WordKind.NOTE, form="external", chosen_by=("event", ("final", "complied")),
        shown_in=("remedy", "verify"), leaves=(per_event.outside_decision, per_event.outside_body),
        done="conclude_external",
    ),
}
# fmt: on
