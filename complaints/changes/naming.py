"""What changes when people are named, step aside, or were given what they are owed (4.5, C)."""

from __future__ import annotations

from datetime import date

from complaints.copying import changed
from complaints.doing import instant
from complaints.fairness import Fairness
from complaints.record import Case, Event
from complaints.vocabulary import Flag

_DATES = {
    "subject_informed_at": "informed_at",
    "subject_heard_at": "heard_at",
    "subject_supported_at": "supported_at",
    "subject_outcome_at": "outcome_at",
}


def named(case: Case, event: Event) -> Case:
    """The members of staff whom this event names are complained about, and their managers kept away too.

    Somebody named for the first time is to be told and heard, whatever others were.
    """
    facts = event.facts
    fresh = frozenset(facts.get("subjects", ())) - case.subjects
    if fresh:
        roles = case.fairness.roles | frozenset(facts.get("subject_roles", ()))
        case = changed(
            case,
            subjects=case.subjects | fresh,
            lines=case.lines | frozenset(facts.get("lines", ())),
            fairness=Fairness(roles=roles, named_at=event.at),
            flags=case.flags | {Flag.RESTRICTED},
        )
    return counted(case, event)


def counted(case: Case, event: Event) -> Case:
    """Nobody denied has it; and was anybody left who could decide it?"""
    left = event.facts.get("eligible")
    return changed(
        case,
        # Whoever is complained about has the complaint no longer (C).
        owner=None if case.owner in case.denied else case.owner,
        nobody_left=case.nobody_left if left is None else int(left) == 0,
    )


def given(case: Case, event: Event) -> Case:
    """Told, heard, supported, told of the outcome, or why not yet; the first time of each stands."""
    facts, before = event.facts, case.fairness
    told = {
        mine: instant(str(facts[fact]))
        for fact, mine in _DATES.items()
        if facts.get(fact) and (getattr(before, mine) is None or mine == "outcome_at")
    }
    if "subject_heard" in facts.get("evidence", ()) and before.heard_at is None:
        told.setdefault("heard_at", event.at)
    after = changed(before, **told)
    if facts.get("subject_not_yet"):
        review = date.fromisoformat(str(facts["subject_review_by"]))
        after = changed(after, not_yet=str(facts["subject_not_yet"]), review_by=review)
    return case if after == before else changed(case, fairness=after)


def conflicted(case: Case, event: Event) -> Case:
    """These people no longer touch nor see it."""
    facts = event.facts
    who = {str(facts["who"])} if facts.get("who") else set()
    return counted(changed(case, conflicted=case.conflicted | who | set(facts.get("handlers", ()))), event)


def restricted(case: Case, event: Event) -> Case:
    """Kept to the restricted place; a manager may name whom it is about."""
    return named(changed(case, flags=case.flags | {Flag.RESTRICTED}), event)
