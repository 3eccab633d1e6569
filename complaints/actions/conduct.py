"""Unreasonable conduct of a complainant: a limit on contact after a warning, an appeal, a review (4.3, 4.5).

A limit names what it limits. Every message is received and recorded, and a new complaint or a sign of danger is
handled as ever. Only the answer to repeated messages about the closed matter may come later.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from complaints.actions.action import (
    BY_COMPLAINANT,
    BY_SYSTEM,
    STAFF_AND_COMPLAINANT,
    Action,
    ActionRequest,
    WordKind,
    require_words,
    something_waits,
    stays,
)
from complaints.actors import HANDLERS, MANAGERS, Actor
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Conduct, ContactLimit
from complaints.deadlines.periods import limit_ends
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import form_facts, one_of
from complaints.obligations import per_event
from complaints.times import local_time
from complaints.vocabulary import EVERY, Role, Verb

#: The longest time until the review of a limit.
LONGEST = timedelta(days=183)
#: The outcome that only the system records, on the last day.
LAPSED = "lapsed"


def require_limitable(case: Case) -> None:
    """Raise OutOfOrder before a warning was delivered, under a limit, or while something waits for approval."""
    _require_warned(case)
    if case.conduct.limit is not None:
        raise OutOfOrder.worded("already_so:limit", ref=case.ref)
    if case.awaits_approval:
        raise something_waits(case)


def check_limit(case: Case, request: ActionRequest) -> Facts:
    """Ask for a limit on contact; a second person approves it."""
    require_words(request, "reason", BadFacts.worded("required:reason_of_limit", ref=case.ref))
    limits, days = request.facts["limits"], request.facts.get("reply_days")
    if not limits or ("fewer_replies" in limits) != (days is not None):
        field = "reply_days" if limits else "limits"
        raise BadFacts.worded("required:limit", field=field, ref=case.ref)
    require_last_day(case, request)
    return request.facts


def _require_warned(case: Case) -> None:
    """Raise OutOfOrder until the complainant has a warning: written is not enough."""
    if case.conduct.warned_at is not None:
        return
    if any(letter.is_warning for letter in case.unsent):
        raise OutOfOrder.worded("warning_unsent", ref=case.ref)
    raise OutOfOrder.worded("no_warning", ref=case.ref)


def require_last_day(case: Case, request: ActionRequest) -> None:
    """Raise BadFacts unless the limit ends on a later day, within half a year."""
    until, today = request.facts.get("until"), local_time(request.at, case.rules.calendar.zone).date()
    day = date.fromisoformat(until) if until else None
    code = "required" if day is None else "not_ahead" if day <= today else "too_far"
    if day is None or not today < day <= today + LONGEST:
        raise BadFacts.worded("too_far:limit", code=code, field="until", ref=case.ref)


def apply_limit(case: Case, event: Event) -> Case:
    facts = event.facts
    days = int(facts["reply_days"]) if facts.get("reply_days") else None
    until = date.fromisoformat(facts["until"])
    pending = ContactLimit(event.seq, tuple(facts["limits"]), days, until, event.at, event.by)
    return changed(case, conduct=changed(case.conduct, pending=pending))


def approve_limit(case: Case, event: Event) -> Case:
    """The limit begins with the approval, or is dropped."""
    pending = case.conduct.pending
    if pending is None or event.facts["agreed"] != "yes":
        return changed(case, conduct=changed(case.conduct, pending=None))
    limit = changed(pending, agreed_by=(event.by,), since=event.at)
    return changed(case, conduct=Conduct(case.conduct.warned_at, limit=limit))


def require_appealable(case: Case) -> None:
    """Raise OutOfOrder without a limit, and after an appeal against it."""
    require_limit(case)
    if case.conduct.appealed:
        raise OutOfOrder.worded("already_so:appeal", ref=case.ref)


def check_appeal(case: Case, request: ActionRequest) -> Facts:
    """The complainant disagrees with the limit; staff may record it for them. Once for each limit."""
    if request.actor.is_staff:
        require_words(request, "reason", BadFacts.worded("required:appeal", ref=case.ref))
    return request.facts


def apply_appeal(case: Case, event: Event) -> Case:
    return changed(case, conduct=changed(case.conduct, appeal_at=event.at, appealed=True))


def check_review(case: Case, request: ActionRequest) -> Facts:
    """Decide the appeal, or keep, end or renew the limit; the system lets it end on its last day.

    A person decides who neither asked for the limit nor approved it; anybody of these may still end it.
    """
    limit, outcome = require_limit(case), request.facts["outcome"]
    if (outcome == LAPSED) != (request.role is Role.SYSTEM):
        raise BadFacts.worded("not_an_option:review_outcome", field="outcome", ref=case.ref)
    if outcome == LAPSED and request.at < limit_ends(case, limit):
        raise OutOfOrder.worded("too_early:review", ref=case.ref)
    if outcome == LAPSED:
        return request.facts
    require_words(request, "reason", BadFacts.worded("required:review", ref=case.ref))
    if outcome != "ended" or case.conduct.appeal_at is not None:
        require_no_part(case, request.actor)
    if outcome == "kept" and case.conduct.appeal_at is None:
        raise OutOfOrder.worded("not_an_option:no_appeal", ref=case.ref)
    if outcome == "renewed":
        require_last_day(case, request)
        return request.facts
    return {name: value for name, value in request.facts.items() if name != "until"}


def require_no_part(case: Case, actor: Actor) -> None:
    """Raise NotAllowed for a person who asked for the limit, approved it or renewed it."""
    limit = case.conduct.limit
    if limit is not None and actor.id in limit.people:
        raise NotAllowed.worded("not_allowed.second_person:limit", field="outcome", ref=case.ref)


def require_appeal_reviewer(case: Case, actor: Actor) -> None:
    """Raise NotAllowed for a person who took part in the limit, while an appeal against it is open."""
    if case.conduct.appeal_at is not None:
        require_no_part(case, actor)


def apply_review(case: Case, event: Event) -> Case:
    limit, outcome = case.conduct.limit, event.facts["outcome"]
    if limit is None or outcome in ("ended", LAPSED):
        return changed(case, conduct=Conduct(case.conduct.warned_at), reply_held_until=None)
    if outcome == "renewed":
        until = date.fromisoformat(event.facts["until"])
        agreed_by = (*limit.agreed_by, event.by)
        limit = changed(limit, until=until, since=event.at, seq=event.seq, agreed_by=agreed_by)
        return changed(case, conduct=Conduct(case.conduct.warned_at, limit=limit))
    return changed(case, conduct=changed(case.conduct, appeal_at=None))


def require_limit(case: Case) -> ContactLimit:
    if case.conduct.limit is None:
        raise OutOfOrder.worded("no_limit", ref=case.ref)
    return case.conduct.limit


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.LIMIT_CONTACT: Action(
        "4.3", HANDLERS, stays(EVERY),
        requires=require_limitable, check=check_limit, apply=apply_limit,
        words=WordKind.NOTE, form="limit_contact", leaves=(per_event.second_person,), asks="limit_contact",
    ),
    Verb.APPEAL_LIMIT: Action(
        "4.5", BY_COMPLAINANT | HANDLERS, stays(EVERY),
        requires=require_appealable, check=check_appeal, apply=apply_appeal,
        words=WordKind.NOTE, form="appeal_limit", raises_work_version=STAFF_AND_COMPLAINANT,
        leaves=(per_event.second_person,),
    ),
    Verb.REVIEW_LIMIT: Action(
        "4.5", MANAGERS | BY_SYSTEM, stays(EVERY),
        requires=require_limit, requires_actor=require_appeal_reviewer, check=check_review, apply=apply_review,
        words=WordKind.LETTER, form="review_limit",
        facts=form_facts("review_limit").plus(outcome=one_of("kept", "ended", "renewed", LAPSED)),
        leaves=(per_event.contact_limit,), manager_only=True,
    ),
}
# fmt: on
