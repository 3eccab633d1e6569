"""Who may see a complaint and how long it is kept from change (4.5, 4.7, 8.1, C)."""

from __future__ import annotations

from datetime import datetime

from complaints.doing import VerbFunction, Words, allowed, happened, need_words
from complaints.errors import AlreadyDone, BadFacts
from complaints.people import Actor
from complaints.permissions import is_excluded
from complaints.record import Case, Event, Facts
from complaints.references import parse_reference
from complaints.vocabulary import Flag, Verb


def _flagging(verb: Verb, flag: Flag, *, sets: bool) -> VerbFunction:
    def act(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
        role = allowed(case, verb, by)
        if by.is_staff:
            need_words(words, "reason", f"Give the reason for '{verb.value}' on {case.ref}.")
        if (flag in case.flags) is sets:
            raise AlreadyDone(
                f"{case.ref} is {flag.value if sets else 'not ' + flag.value} already: nothing to do.",
                code="already_so",
            )
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
    need_words(words, "reason", f"Give the reason for the conflict on {case.ref}.")
    if is_excluded(case, str(facts["who"])):
        raise AlreadyDone(
            f"{facts['who']} is kept from {case.ref} already: nothing to do.", code="already_so"
        )
    return happened(case, Verb.DECLARE_CONFLICT, at=at, by=by, role=role, facts=facts, words=words)


def link(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Tie two complaints together; each keeps its own clock, answer and recourse."""
    role = allowed(case, Verb.LINK, by)
    other = other_reference(case, facts)
    return happened(
        case, Verb.LINK, at=at, by=by, role=role, facts={**facts, "other_ref": other}, words=words
    )


def other_reference(case: Case, facts: Facts) -> str:
    """The other complaint's reference as it is written; raises BadFacts where it is none, or this one."""
    other = parse_reference(str(facts["other_ref"]))
    if other is None:
        raise BadFacts(
            "That is no reference: write it as in A7K-M3Q-9T.", field="other_ref", code="not_a_reference"
        )
    if other == case.ref:
        raise BadFacts(
            f"That is {case.ref} itself: give the other reference.", field="other_ref", code="same_reference"
        )
    return other
