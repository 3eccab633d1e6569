"""Who may see a complaint and how long it is kept from change (4.5, 4.7, 8.1, C)."""

from __future__ import annotations

from datetime import date, datetime

from complaints.doing import VerbFunction, Words, allowed, happened, instant, need_words
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.incidents import joining
from complaints.people import Actor
from complaints.permissions import is_excluded, manages, may_read
from complaints.record import Case, Event, Facts
from complaints.references import parse_reference
from complaints.vocabulary import Flag, Role, Verb
from complaints.worktime import closing_time, due

#: How long a person complained about may be left untold before somebody looks at it again (C).
REVIEW_WITHIN = "5 bd"


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


unrestrict = _flagging(Verb.UNRESTRICT, Flag.RESTRICTED, sets=False)
hold = _flagging(Verb.HOLD, Flag.LEGAL_HOLD, sets=True)
release = _flagging(Verb.RELEASE, Flag.LEGAL_HOLD, sets=False)


def restrict(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Work it in the restricted place from now on; a manager may name whom it is about (`subject`)."""
    role = allowed(case, Verb.RESTRICT, by)
    if by.is_staff:
        need_words(words, "reason", f"Give the reason for 'restrict' on {case.ref}.")
    told = {name: value for name, value in facts.items() if name != "subject"}
    subject = facts.get("subject")
    if subject is not None:
        if not manages(case, by):
            raise NotAllowed(
                f"Only a manager names whom {case.ref} is about: ask one.", code="not_allowed.manager"
            )
        told["subjects"] = [str(subject)]
    new = frozenset(told.get("subjects", ())) - case.subjects
    if not new and Flag.RESTRICTED in case.flags:
        raise AlreadyDone(f"{case.ref} is restricted already: nothing to do.", code="already_so")
    return happened(case, Verb.RESTRICT, at=at, by=by, role=role, facts=told, words=words)


def fair_dates(case: Case, *, at: datetime, by: Actor, facts: Facts) -> None:
    """What the people complained about were given lies behind us; not telling them yet is a manager's act.

    It is looked at again within five working days. Raises BadFacts or NotAllowed.
    """
    for name in ("subject_informed_at", "subject_heard_at", "subject_supported_at", "subject_outcome_at"):
        if facts.get(name) and instant(str(facts[name])) > at:
            raise BadFacts(
                f"What the person complained about in {case.ref} was given cannot lie in the future: give the "
                "time.",
                field=name,
                code="ahead",
            )
    if not facts.get("subject_not_yet"):
        return
    if not manages(case, by):
        raise NotAllowed(
            f"Only a manager puts off telling the person complained about in {case.ref}: ask one.",
            code="not_allowed.manager",
        )
    review = facts.get("subject_review_by")
    if not review:
        raise BadFacts(
            f"Say when this is looked at again on {case.ref}.", field="subject_review_by", code="required"
        )
    until = closing_time(date.fromisoformat(str(review)), case.rules.calendar)
    if until <= at:
        raise BadFacts(
            f"That day is over for {case.ref}: give a day to come.",
            field="subject_review_by",
            code="not_ahead",
        )
    if until > due(at, REVIEW_WITHIN, case.rules.calendar).at:
        raise BadFacts(
            f"{case.ref} is looked at again within {REVIEW_WITHIN}: give an earlier day.",
            field="subject_review_by",
            code="too_far",
        )


def declare_conflict(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Step aside, or name one who must: that person no longer acts nor sees (4.5)."""
    role = allowed(case, Verb.DECLARE_CONFLICT, by)
    need_words(words, "reason", f"Give the reason for the conflict on {case.ref}.")
    if by.is_staff and str(facts["who"]) != by.id and not may_read(case, by):
        # Else whoever is not cleared could find out by asking whom it is about.
        raise NotAllowed(
            f"{case.ref} is restricted: here you may only step aside yourself.", code="not_allowed.restricted"
        )
    if is_excluded(case, str(facts["who"])):
        raise AlreadyDone(
            f"{facts['who']} is kept from {case.ref} already: nothing to do.", code="already_so"
        )
    return happened(case, Verb.DECLARE_CONFLICT, at=at, by=by, role=role, facts=facts, words=words)


def link(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Tie two complaints together, or one to an incident; each keeps its own clock, answer and recourse.

    The complainant may only say that it is the incident they were asked about.
    """
    role = allowed(case, Verb.LINK, by)
    told = dict(facts)
    joins = told.get("incident") is not None
    if joins:
        told.update(joining(case, facts, by))
    elif role is Role.COMPLAINANT:
        raise NotAllowed(
            f"Staff link {case.ref} to another complaint: write to them.", code="not_allowed.role"
        )
    if not joins or told.get("other_ref"):
        told["other_ref"] = other_reference(case, facts)
    if told.get("relation") == "merged" and told.get("other_complainant") != case.complainant:
        raise NotAllowed(
            f"{case.ref} and {told['other_ref']} are of two people: link them instead.",
            code="not_allowed.other_person",
        )
    return happened(case, Verb.LINK, at=at, by=by, role=role, facts=told, words=words)


def other_reference(case: Case, facts: Facts) -> str:
    """The other complaint's reference as it is written; raises BadFacts where it is none, or this one."""
    if not facts.get("other_ref"):
        raise BadFacts(
            f"'link' on {case.ref} needs the other reference: give it.", field="other_ref", code="required"
        )
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
