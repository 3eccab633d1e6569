"""Doing what was promised, and checking that it was done (7.7, Annex D)."""

from __future__ import annotations

from datetime import datetime

from complaints.doing import Words, allowed, happened, instant, need_words
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.people import Actor
from complaints.priorities import priority_of
from complaints.record import Case, Event, Facts, RemedyOwed
from complaints.vocabulary import Priority, Verb


def _find(case: Case, facts: Facts) -> RemedyOwed:
    n = int(facts["remedy"])
    found = next((one for one in case.remedies if one.n == n), None)
    if found is None:
        raise BadFacts(f"{case.ref} has no remedy {n}.", field="remedy", code="not_an_option")
    return found


def remedy_done(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Record that a remedy was carried out, when, and by which proof."""
    role = allowed(case, Verb.REMEDY_DONE, by)
    remedy = _find(case, facts)
    if remedy.done_at is not None:
        raise BadFacts("This remedy was done before.", field="remedy", code="done_before")
    if remedy.needs_acceptance and case.reply != "accept":
        raise OutOfOrder(f"This is an offer: it waits for the complainant of {case.ref}.", code="open_offer")
    if instant(facts["done_at"]) > at:
        raise BadFacts("It cannot have been done in the future.", field="done_at", code="ahead")
    return happened(case, Verb.REMEDY_DONE, at=at, by=by, role=role, facts=facts, words=words)


def verify(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Check a done remedy; at P1 and P2, and above the limit, by another person than did it."""
    role = allowed(case, Verb.VERIFY, by)
    remedy = _find(case, facts)
    need_words(words, "how", "Say how you checked it.")
    if remedy.done_at is None:
        raise OutOfOrder("This remedy is not done yet: record it as done first.", code="not_done")
    if remedy.verified_at is not None:
        raise BadFacts("This remedy was checked before.", field="remedy", code="verified_before")
    urgent = priority_of(case) in (Priority.P1, Priority.P2)
    if (urgent or remedy.separate_verifier) and remedy.done_by == by.id:
        raise NotAllowed("Another person than did it must check it.", code="not_allowed.second_person")
    return happened(case, Verb.VERIFY, at=at, by=by, role=role, facts=facts, words=words)
