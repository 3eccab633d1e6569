"""What the complainant makes of the decision (7.9) and what comes from outside.

An answer heard by voice is recorded by staff with when and from whom; it also shows that the decision was
known, so that a complaint whose letter no channel took can go on.
"""

from __future__ import annotations

from datetime import datetime

from complaints.doing import Words, allowed, happened, need_given, need_words
from complaints.early import settled_early
from complaints.errors import AlreadyDone, BadFacts, OutOfOrder
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Verb


def _known(case: Case, by: Actor) -> None:
    decision = case.decision
    if decision is None or (decision.communicated_at is None and not by.is_staff):
        raise OutOfOrder(
            f"The decision on {case.ref} has not reached the complainant yet: tell it first.",
            code="not_communicated",
        )


def accept(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """An explicit yes; silence never is one. On a resolved complaint it also verifies the remedy.

    Within the scheme's fast track the event says how that is confirmed.
    """
    role = allowed(case, Verb.ACCEPT, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    _known(case, by)
    if case.reply == "accept":
        raise AlreadyDone(f"{case.ref} was accepted before: nothing more is needed.", code="accepted_before")
    early = settled_early(case, facts, at)
    told = {**facts, "settled_early": early} if early is not None else facts
    return happened(case, Verb.ACCEPT, at=at, by=by, role=role, facts=told, words=words)


def disagree(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """A no: the complaint stays open and goes to the next level with other people, or outside (7.9, F).

    `facts["reviewers"]` is the number of people who could review it at the next level; with none left, or at
    the top, the outside is offered at once.
    """
    role = allowed(case, Verb.DISAGREE, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    _known(case, by)
    next_level = case.level + 1
    onward = next_level <= case.rules.top_level and int(facts.get("reviewers") or 0) > 0
    told = {**facts, "to_level": next_level if onward else None}
    return happened(case, Verb.DISAGREE, at=at, by=by, role=role, facts=told, words=words)


def offer_recourse(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The notice of the outside steps was accepted by the channel, or given by voice or letter (7.9)."""
    role = allowed(case, Verb.OFFER_RECOURSE, by)
    need_given(case, at=at, by=by, facts=facts, words=words)
    return happened(case, Verb.OFFER_RECOURSE, at=at, by=by, role=role, facts=facts, words=words)


def notify_external(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """An outside body stepped in; possible in every state, closed too."""
    role = allowed(case, Verb.NOTIFY_EXTERNAL, by)
    need_words(words, "body", f"Name the body that looks at {case.ref}.")
    if facts["event"] in ("final", "complied"):
        raise BadFacts(
            f"'{facts['event']}' concludes {case.ref} outside: record it as its conclusion.",
            field="event",
            code="not_an_option",
        )
    return happened(case, Verb.NOTIFY_EXTERNAL, at=at, by=by, role=role, facts=facts, words=words)


def conclude_external(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """The outside body decided, or we complied: what it orders is owed, whatever we decided before."""
    role = allowed(case, Verb.CONCLUDE_EXTERNAL, by)
    need_words(words, "body", f"Name the body that looked at {case.ref}.")
    if facts["event"] not in ("final", "complied"):
        raise BadFacts(
            f"'{facts['event']}' concludes nothing on {case.ref}: record it as a notice.",
            field="event",
            code="not_an_option",
        )
    told = dict(facts)
    if facts["event"] == "final":
        # Whoever orders something of us has found that we did not put it right.
        told.setdefault("overturned", "yes" if facts.get("comply_by") else None)
    told = {name: value for name, value in told.items() if value is not None}
    return happened(case, Verb.CONCLUDE_EXTERNAL, at=at, by=by, role=role, facts=told, words=words)
