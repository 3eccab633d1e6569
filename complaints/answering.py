"""What the complainant makes of the decision (7.9) and what comes from outside."""

from __future__ import annotations

from datetime import datetime

from complaints.doing import Words, allowed, happened, need_words
from complaints.errors import BadFacts, OutOfOrder
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Verb


def _communicated(case: Case) -> None:
    decision = case.decision
    if decision is None or decision.communicated_at is None:
        raise OutOfOrder(
            f"The decision on {case.ref} has not reached the complainant yet.", code="not_communicated"
        )


def accept(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """An explicit yes; silence never is one. On a resolved complaint it also verifies the remedy."""
    role = allowed(case, Verb.ACCEPT, by)
    _communicated(case)
    if case.reply == "accept":
        raise BadFacts(f"{case.ref} was accepted before.", code="accepted_before")
    return happened(case, Verb.ACCEPT, at=at, by=by, role=role, facts=facts, words=words)


def disagree(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """A no: the complaint stays open and goes to the next level with other people, or outside (7.9, F).

    `facts["reviewers"]` is the number of people who could review it at the next level; with none left, or at
    the top, the outside is offered at once.
    """
    role = allowed(case, Verb.DISAGREE, by)
    _communicated(case)
    next_level = case.level + 1
    onward = next_level <= case.rules.top_level and int(facts.get("reviewers", 0)) > 0
    told = {**facts, "to_level": next_level if onward else None}
    return happened(case, Verb.DISAGREE, at=at, by=by, role=role, facts=told, words=words)


def offer_recourse(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The notice of the outside steps was accepted by the channel (7.9)."""
    role = allowed(case, Verb.OFFER_RECOURSE, by)
    return happened(case, Verb.OFFER_RECOURSE, at=at, by=by, role=role, facts=facts, words=words)


def notify_external(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """An outside body stepped in; possible in every state, closed too."""
    role = allowed(case, Verb.NOTIFY_EXTERNAL, by)
    need_words(words, "body", "Name the body.")
    return happened(case, Verb.NOTIFY_EXTERNAL, at=at, by=by, role=role, facts=facts, words=words)


def conclude_external(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The outside body decided: what it orders is owed, whatever we decided before."""
    role = allowed(case, Verb.CONCLUDE_EXTERNAL, by)
    if facts.get("event") == "final":
        need_words(words, "outcome", "Write what was decided outside.")
    return happened(case, Verb.CONCLUDE_EXTERNAL, at=at, by=by, role=role, facts=facts, words=words)
