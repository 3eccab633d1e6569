"""Working on a complaint between assessment and decision (7.3, 7.6): talk, evidence, dates, levels."""

from __future__ import annotations

from datetime import date, datetime

from complaints.doing import Words, allowed, happened, need_words, plain, stamp
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.people import Actor
from complaints.record import Case, Event, Facts
from complaints.vocabulary import Target, Verb
from complaints.worktime import closing_time

note = plain(Verb.NOTE)
receipt = plain(Verb.RECEIPT)
remedy_late = plain(Verb.REMEDY_LATE)
survey = plain(Verb.SURVEY)
bind = plain(Verb.BIND)
inform = plain(Verb.INFORM)


def reply(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Write to the complainant; the exact letter is among the words as it was previewed."""
    role = allowed(case, Verb.REPLY, by)
    need_words(words, "text", "Write the reply.")
    return happened(case, Verb.REPLY, at=at, by=by, role=role, facts=facts, words=words)


def ask(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Ask the complainant for something by a day; no clock stops meanwhile (design.md, rule 5)."""
    role = allowed(case, Verb.ASK, by)
    need_words(words, "text", "Write what you need.")
    if date.fromisoformat(facts["needed_by"]) <= at.date():
        raise BadFacts("Ask for a day to come.", field="needed_by", code="not_ahead")
    return happened(case, Verb.ASK, at=at, by=by, role=role, facts=facts, words=words)


def investigate(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Begin or go on looking into it; the evidence adds up over several acts (7.6)."""
    role = allowed(case, Verb.INVESTIGATE, by)
    return happened(case, Verb.INVESTIGATE, at=at, by=by, role=role, facts=facts, words=words)


def extend(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Move one due time, before it passed, with a reason; the legal maximum is never passed.

    A pause does not exist: this is the only act that moves a date (iso10002.md section 3).
    """
    role = allowed(case, Verb.EXTEND, by)
    need_words(words, "reason", "Say why more time is needed: the complainant is told.")
    target = case.target(Target(facts["target"]), int(facts.get("of", 0)))
    if target is None or target.met_at is not None:
        raise OutOfOrder(f"{case.ref} has no open {facts['target']} date to extend.", code="no_such_target")
    if at > target.internal_due:
        raise OutOfOrder(
            f"The {facts['target']} date of {case.ref} has passed: it cannot be extended.", code="expired"
        )
    wanted = closing_time(date.fromisoformat(facts["extended_to"]), case.rules.calendar)
    legal = case.target(Target.LEGAL)
    if wanted <= target.internal_due:
        raise BadFacts(
            "The new date must be later than the one in force.", field="extended_to", code="not_ahead"
        )
    if legal is not None and wanted > legal.internal_due:
        raise NotAllowed(
            f"The legal maximum of {case.ref} ends earlier: no extension passes it.",
            code="not_allowed.legal_cap",
        )
    return happened(
        case, Verb.EXTEND, at=at, by=by, role=role, facts={**facts, "due": stamp(wanted)}, words=words
    )


def escalate(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """One level up before a decision (Annex F); it excludes nobody, for nobody has judged yet."""
    role = allowed(case, Verb.ESCALATE, by)
    need_words(words, "reason", "Say why the next level should take it.")
    if case.level >= case.rules.top_level:
        raise OutOfOrder(f"{case.ref} is at the top level.", code="top_level")
    return happened(case, Verb.ESCALATE, at=at, by=by, role=role, facts=facts, words=words)
