"""Who may see a complaint and how long it is kept from change (4.5, 4.7, 8.1, C).

What changes when people are named, step aside, or were given what they are owed (4.5, C).

Belonging to an incident: each complaint keeps its own clock, answer and recourse all the same.
"""

from __future__ import annotations

from datetime import date, datetime

from complaints.actions.common import VerbFunction, Words, allowed, happened, need_words
from complaints.actors import Actor
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Fairness, RecordedSign
from complaints.deadlines.working_time import closing_time, due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed
from complaints.incidents import joining
from complaints.permissions import is_excluded, manages, may_read
from complaints.references import parse_reference
from complaints.timestamps import parse_time
from complaints.vocabulary import Flag, Role, Verb

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
        if facts.get(name) and parse_time(str(facts[name])) > at:
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
        mine: parse_time(str(facts[fact]))
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


def linked(case: Case, event: Event) -> Case:
    """It joins an incident, or leaves it; or it is tied to another complaint."""
    facts = event.facts
    if facts.get("incident") is None:
        return _tied(case, event)
    if facts.get("left"):
        return changed(case, incident=None, second_issue=False)
    return changed(case, incident=int(facts["incident"]), second_issue=bool(facts.get("second_issue")))


def _tied(case: Case, event: Event) -> Case:
    """Same incident, other people: nothing changes. About our handling: other people deal with it, apart."""
    other = str(event.facts["other_ref"])
    match event.facts.get("relation"):
        case "about_handling_of":
            apart = case.flags | {Flag.RESTRICTED, Flag.ABOUT_HANDLING}
            return conflicted(changed(case, about=(*case.about, other), flags=apart), event)
        case "merged":
            return _taken_in(case, event, other)
        case _:
            return case


def _taken_in(case: Case, event: Event, other: str) -> Case:
    """The earliest receipt wins, and whatever was seen in the other is seen here: it can only raise."""
    facts = event.facts
    received = min(case.received_at, parse_time(str(facts["received_at"])))
    signs = tuple(
        RecordedSign(one["rule"], one["severity"], one["safety"], one["danger"], event.at, event.seq)
        for one in facts.get("signs", ())
    )
    whole = changed(
        case,
        merged=(*case.merged, other),
        received_at=received,
        level_started_at=received if case.level_started_at == case.received_at else case.level_started_at,
        signs=case.signs + signs,
        danger_at=event.at if any(one.danger for one in signs) else case.danger_at,
        danger_receipt_at=None if any(one.danger for one in signs) else case.danger_receipt_at,
        flags=case.flags | ({Flag.RESTRICTED} if facts.get("restricted") else set()),
    )
    return conflicted(named(whole, event), event)
