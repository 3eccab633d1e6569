"""Carrying out what was promised, and verifying that it was done (7.7, Annex D)."""

from collections.abc import Mapping
from typing import Any

from complaints.actions.action import BY_SYSTEM, NOBODY, Action, ActionRequest, WordKind, require_words, stays
from complaints.actors import HANDLERS
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import RemedyOwed
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import FactShapes, whole
from complaints.obligations import per_event
from complaints.obligations.standing import remedy_notice_at
from complaints.priorities import priority_of
from complaints.times import parse_time
from complaints.vocabulary import OPEN, Flag, Priority, Target, Verb


def check_remedy_done(case: Case, request: ActionRequest) -> Facts:
    """Record that a remedy was carried out, when, and with which proof."""
    remedy = _owed_remedy(case, request.facts)
    if remedy.done_at is not None:
        raise BadFacts.worded("done_before", field="remedy", number=remedy.n, ref=case.ref)
    if parse_time(request.facts["done_at"]) > request.at:
        raise BadFacts.worded("ahead:remedy_done", field="done_at", ref=case.ref)
    return request.facts


def apply_remedy_done(case: Case, event: Event) -> Case:
    """Carried out; it replaces the complainant's answer to an earlier attempt."""
    done_at = parse_time(event.facts["done_at"])
    case = _change_remedy(case, event, done_at=done_at, done_by=event.by, answer=None)
    still_refused = any(remedy.answer == "no" for remedy in case.remedies)
    return case if still_refused else changed(case, flags=case.flags - {Flag.REMEDY_REFUSED})


def check_remedy_late(case: Case, request: ActionRequest) -> Facts:
    """The date of a remedy passed, or is about to, and it is not done; it stays owed."""
    remedy = _owed_remedy(case, request.facts)
    target = case.target(Target.REMEDY, remedy.n)
    if remedy.done_at is not None or target is None or request.at < remedy_notice_at(case, target):
        raise OutOfOrder.worded("not_late", number=remedy.n, ref=case.ref)
    return request.facts


def apply_remedy_late(case: Case, event: Event) -> Case:
    """Counted as late once more; each count leads to one notice."""
    number = int(event.facts["remedy"])
    late = next((remedy.late for remedy in case.remedies if remedy.n == number), 0)
    return _change_remedy(case, event, late=late + 1, late_at=event.at)


def check_verify(case: Case, request: ActionRequest) -> Facts:
    """Verify a remedy that was done; at P1 and P2, and above the limit, another person must do it."""
    remedy = _owed_remedy(case, request.facts)
    require_words(request, "how", BadFacts.worded("required:verify", number=remedy.n, ref=case.ref))
    if remedy.done_at is None:
        raise OutOfOrder.worded("not_done", field="remedy", number=remedy.n, ref=case.ref)
    if remedy.verified_at is not None:
        raise BadFacts.worded("verified_before", field="remedy", number=remedy.n, ref=case.ref)
    urgent = priority_of(case) in (Priority.P1, Priority.P2)
    if (urgent or remedy.separate_verifier) and remedy.done_by == request.actor.id:
        raise NotAllowed.worded("not_allowed.second_person:remedy", field="remedy", ref=case.ref)
    return request.facts


def apply_verify(case: Case, event: Event) -> Case:
    return _change_remedy(case, event, verified_at=event.at, verified_by=event.by)


def _owed_remedy(case: Case, facts: Facts) -> RemedyOwed:
    number = int(facts["remedy"])
    remedy = next((remedy for remedy in case.remedies if remedy.n == number), None)
    if remedy is None:
        raise BadFacts.worded("not_an_option:owed_remedy", field="remedy", ref=case.ref, number=number)
    if not remedy.owed:
        raise OutOfOrder.worded("open_offer", field="remedy", number=number, ref=case.ref)
    return remedy


def _change_remedy(case: Case, event: Event, **fields: Any) -> Case:
    number = int(event.facts["remedy"])
    return changed(
        case,
        remedies=tuple(
            changed(remedy, **fields) if remedy.n == number else remedy for remedy in case.remedies
        ),
    )


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.REMEDY_DONE: Action(
        "7.7", HANDLERS, stays(OPEN),
        check=check_remedy_done, apply=apply_remedy_done,
        words=WordKind.NOTE, form="remedy", shown_in=("verify",), leaves=(per_event.remedy_notice,),
        done="remedy_done",
    ),
    Verb.REMEDY_LATE: Action(
        "7.7", BY_SYSTEM, stays(OPEN),
        check=check_remedy_late, apply=apply_remedy_late,
        words=WordKind.INTERNAL, facts=FactShapes(frozenset({"remedy"}), {"remedy": whole(0)}),
        raises_work_version=NOBODY, leaves=(per_event.remedy_notice,),
    ),
    Verb.VERIFY: Action(
        "D", HANDLERS, stays(OPEN),
        check=check_verify, apply=apply_verify,
        words=WordKind.NOTE, form="verify", done="verify",
    ),
}
# fmt: on
