"""Doing what was promised, and checking that it was done (7.7, Annex D)."""

from __future__ import annotations

from datetime import datetime

from complaints.actions.common import Words, allowed, happened, need_words
from complaints.actors import Actor
from complaints.case import Case, Event, Facts
from complaints.case_values import RemedyOwed
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.obligations.delay_notices import remedy_notice_at
from complaints.priorities import priority_of
from complaints.timestamps import parse_time
from complaints.vocabulary import Priority, Target, Verb


def _find(case: Case, facts: Facts) -> RemedyOwed:
    n = int(facts["remedy"])
    found = next((one for one in case.remedies if one.n == n), None)
    if found is None:
        raise BadFacts(
            f"{case.ref} has no remedy {n}: choose one of its own.", field="remedy", code="not_an_option"
        )
    if not found.owed:
        raise OutOfOrder(
            f"Remedy {n} of {case.ref} is an offer that was not accepted: it waits for the complainant.",
            code="open_offer",
        )
    return found


def remedy_done(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Record that a remedy was carried out, when, and by which proof."""
    role = allowed(case, Verb.REMEDY_DONE, by)
    remedy = _find(case, facts)
    if remedy.done_at is not None:
        raise BadFacts(
            f"Remedy {remedy.n} of {case.ref} was done before: choose another.",
            field="remedy",
            code="done_before",
        )
    if parse_time(facts["done_at"]) > at:
        raise BadFacts(
            f"A remedy of {case.ref} cannot have been done in the future: give the time it was done.",
            field="done_at",
            code="ahead",
        )
    return happened(case, Verb.REMEDY_DONE, at=at, by=by, role=role, facts=facts, words=words)


def remedy_late(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The time promised for a remedy passed, or is about to, and it is not done; it stays owed."""
    role = allowed(case, Verb.REMEDY_LATE, by)
    remedy = _find(case, facts)
    target = case.target(Target.REMEDY, remedy.n)
    if remedy.done_at is not None or target is None or at < remedy_notice_at(case, target):
        raise OutOfOrder(f"Remedy {remedy.n} of {case.ref} is not late: wait for its date.", code="not_late")
    return happened(case, Verb.REMEDY_LATE, at=at, by=by, role=role, facts=facts, words=words)


def verify(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Check a done remedy; at P1 and P2, and above the limit, by another person than did it."""
    role = allowed(case, Verb.VERIFY, by)
    remedy = _find(case, facts)
    need_words(words, "how", f"Say how you checked remedy {remedy.n} of {case.ref}.")
    if remedy.done_at is None:
        raise OutOfOrder(
            f"Remedy {remedy.n} of {case.ref} is not done yet: record it as done first.", code="not_done"
        )
    if remedy.verified_at is not None:
        raise BadFacts(
            f"Remedy {remedy.n} of {case.ref} was checked before: choose another.",
            field="remedy",
            code="verified_before",
        )
    urgent = priority_of(case) in (Priority.P1, Priority.P2)
    if (urgent or remedy.separate_verifier) and remedy.done_by == by.id:
        raise NotAllowed(
            f"You carried out this remedy of {case.ref} yourself: another person checks it.",
            code="not_allowed.second_person",
        )
    return happened(case, Verb.VERIFY, at=at, by=by, role=role, facts=facts, words=words)
