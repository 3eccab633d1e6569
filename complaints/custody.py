"""Who may see a complaint and how long it is kept from change (4.5, 4.7, 8.1, C)."""

from __future__ import annotations

from datetime import datetime

from complaints.doing import VerbFunction, Words, allowed, happened, need_words
from complaints.errors import BadFacts
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Flag, Verb


def _flagging(verb: Verb, flag: Flag, *, sets: bool) -> VerbFunction:
    def act(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
        role = allowed(case, verb, by)
        if by.is_staff:
            need_words(words, "reason", "Give the reason.")
        if (flag in case.flags) is sets:
            raise BadFacts(f"{case.ref} is so already.", code="already_so")
        return happened(case, verb, at=at, by=by, role=role, facts=facts, words=words)

    act.__name__ = verb.value
    return act


restrict = _flagging(Verb.RESTRICT, Flag.RESTRICTED, sets=True)
unrestrict = _flagging(Verb.UNRESTRICT, Flag.RESTRICTED, sets=False)
hold = _flagging(Verb.HOLD, Flag.LEGAL_HOLD, sets=True)
release = _flagging(Verb.RELEASE, Flag.LEGAL_HOLD, sets=False)


def declare_conflict(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Step aside, or name one who must: that person no longer acts nor sees (4.5)."""
    role = allowed(case, Verb.DECLARE_CONFLICT, by)
    need_words(words, "reason", "Give the reason.")
    return happened(case, Verb.DECLARE_CONFLICT, at=at, by=by, role=role, facts=facts, words=words)


def link(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Tie two complaints together; each keeps its own clock, answer and recourse."""
    role = allowed(case, Verb.LINK, by)
    if str(facts["other_ref"]) == case.ref:
        raise BadFacts("A complaint is not linked to itself.", field="other_ref", code="same_reference")
    return happened(case, Verb.LINK, at=at, by=by, role=role, facts=facts, words=words)
