"""Working on a complaint between assessment and decision (7.3, 7.6): talk, evidence, dates, levels."""

from __future__ import annotations

from datetime import date, datetime

from complaints.actions.access import fair_dates
from complaints.actions.common import Words, allowed, happened, need_given, need_words, plain
from complaints.actors import Actor
from complaints.case import Case, Event, Facts
from complaints.case_values import TargetSet
from complaints.deadlines.targets import CAPPED, extension_cap, extension_span
from complaints.deadlines.working_time import closing_time, due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.permissions import manages
from complaints.timestamps import format_time
from complaints.vocabulary import Flag, Role, Target, Verb

survey = plain(Verb.SURVEY)

#: The targets that a manager may move; the others follow from what is done.
EXTENDABLE: frozenset[Target] = frozenset({Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION})


def bind(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Show a code for a complaint without a chat; the complainant hands it to the chat that redeems it (4.3).

    `facts["person"]` is the person of that chat. Raises AlreadyDone where a chat takes our letters already.
    """
    role = allowed(case, Verb.BIND, by)
    if case.has_chat:
        raise AlreadyDone(f"{case.ref} has a chat already: write there.", code="already_so")
    return happened(case, Verb.BIND, at=at, by=by, role=role, facts=facts, words=words)


def note(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Keep something with the case that the complainant is not told.

    As what was `given` (letter) it says when and to whom that was told which we wrote and no chat takes;
    (authority) when and by whom it was shown that the affected person agrees, or
    that the representative may act for them.
    """
    role = allowed(case, Verb.NOTE, by)
    if facts.get("what") == "authority":
        if role is Role.INTAKE:
            raise NotAllowed(
                f"Who may speak for another on {case.ref} is judged by a handler: ask one.",
                code="not_allowed.role",
            )
        if Flag.FOR_ANOTHER not in case.flags:
            raise AlreadyDone(
                f"{case.ref} waits for nobody's authority: nothing more is needed.", code="already_so"
            )
        need_given(case, at=at, by=by, facts=facts, words=words)
    elif facts.get("what") == "letter":
        need_given(case, at=at, by=by, facts=facts, words=words)
    else:
        need_words(words, "text", f"Write the note on {case.ref}.")
    fair_dates(case, at=at, by=by, facts=facts)
    return happened(case, Verb.NOTE, at=at, by=by, role=role, facts=facts, words=words)


def reply(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Write to the complainant; the exact letter is among the words as it was previewed."""
    role = allowed(case, Verb.REPLY, by)
    need_words(words, "text", f"Write the reply on {case.ref}.")
    return happened(case, Verb.REPLY, at=at, by=by, role=role, facts=facts, words=words)


def ask(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Ask the complainant for something by a day; no clock stops meanwhile (docs/design.md, rule 5).

    Waiting has a limit of its own, `waiting_limit`.
    """
    role = allowed(case, Verb.ASK, by)
    need_words(words, "text", f"Write what {case.ref} needs from the complainant.")
    _ahead(case, at, facts["needed_by"], "needed_by")
    until = closing_time(date.fromisoformat(facts["needed_by"]), case.rules.calendar)
    if until > due(at, case.rules.targets.waiting_limit, case.rules.calendar).at:
        raise BadFacts(
            f"{case.ref} may wait {case.rules.targets.waiting_limit} at most: ask for an earlier day.",
            field="needed_by",
            code="too_far",
        )
    return happened(case, Verb.ASK, at=at, by=by, role=role, facts=facts, words=words)


def inform(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Tell how far it is: what is done, what is left, when they hear next.

    By the system it is the progress notice that a channel accepted. With `batch` it is an update on an
    incident to everybody in it: one text, no date of this complaint's own.
    """
    role = allowed(case, Verb.INFORM, by)
    if by.is_staff and facts.get("batch"):
        need_words(words, "text", f"Write what {case.ref} is told of the incident.")
    elif by.is_staff:
        need_words(words, "done", f"Say what was done on {case.ref}.")
        need_words(words, "left", f"Say what is left to do on {case.ref}.")
        _ahead(case, at, facts.get("next_date"), "next_date")
    return happened(case, Verb.INFORM, at=at, by=by, role=role, facts=facts, words=words)


def _ahead(case: Case, at: datetime, day: object, field: str) -> None:
    if not day:
        raise BadFacts(f"'{field}' of {case.ref} is missing: give a day.", field=field, code="required")
    if closing_time(date.fromisoformat(str(day)), case.rules.calendar) <= at:
        raise BadFacts(f"That day is over for {case.ref}: give a day to come.", field=field, code="not_ahead")


def investigate(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Begin or go on looking into it; the evidence adds up over several acts (7.6)."""
    role = allowed(case, Verb.INVESTIGATE, by)
    fair_dates(case, at=at, by=by, facts=facts)
    return happened(case, Verb.INVESTIGATE, at=at, by=by, role=role, facts=facts, words=words)


def extend(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Move one due time, before it passed, with a reason, within the legal maximum and the preset's cap.

    A pause does not exist: this is the only act that moves a date (docs/domain.md, section 3). Of several
    remedies the one due first is meant unless `of` gives its number. A handler asks (`asks` in the event);
    the date moves when a manager agrees.
    """
    role = allowed(case, Verb.EXTEND, by)
    need_words(words, "reason", f"Say why {case.ref} needs more time: the complainant is told.")
    asks = not manages(case, by)
    if asks and case.awaits_approval:
        raise OutOfOrder(
            f"Something on {case.ref} waits for approval: approve it or send it back first.",
            code="waits_for_approval",
        )
    target = to_extend(case, facts)
    in_time(case, target, at)
    wanted = closing_time(date.fromisoformat(facts["extended_to"]), case.rules.calendar)
    if wanted <= target.internal_due:
        raise BadFacts(
            f"That is no later than the date of {case.ref} in force: give a later one.",
            field="extended_to",
            code="not_ahead",
        )
    within_bounds(case, target, wanted)
    told = {**facts, "target": target.target.value, "of": target.of, "due": format_time(wanted), "asks": asks}
    return happened(case, Verb.EXTEND, at=at, by=by, role=role, facts=told, words=words)


def within_bounds(case: Case, target: TargetSet, wanted: datetime) -> None:
    """Raise NotAllowed where an extension would pass the legal maximum, or all of them together the cap."""
    legal = case.target(Target.LEGAL)
    capped = target.target in CAPPED
    if capped and legal is not None and legal.met_at is None and wanted > legal.internal_due:
        raise NotAllowed(
            f"The legal maximum of {case.ref} ends earlier: no extension passes it.",
            code="not_allowed.legal_cap",
        )
    cap = extension_cap(case, target) if capped else None
    if cap is not None and wanted > cap:
        raise NotAllowed(
            f"{case.ref} may be extended by {extension_span(case, target)} in all: give an earlier date.",
            code="not_allowed.extension_cap",
        )


def in_time(case: Case, target: TargetSet, at: datetime) -> None:
    """Raise OutOfOrder once the date has passed: an extension never mends a missed one."""
    if at > target.internal_due:
        raise OutOfOrder(
            f"The {target.target.value} date of {case.ref} has passed: it cannot be extended; do it now.",
            code="expired",
        )


def to_extend(case: Case, facts: Facts) -> TargetSet:
    """The open date that is meant; OutOfOrder where there is none, BadFacts where it is none of these."""
    name = Target(facts["target"])
    if name not in EXTENDABLE:
        raise BadFacts(
            f"The {name.value} date is not extended: choose one of {', '.join(sorted(EXTENDABLE))}.",
            field="target",
            code="not_an_option",
        )
    of = facts.get("of")
    live = [
        one
        for one in case.current_targets()
        if one.target is name and one.met_at is None and (of is None or one.of == int(of))
    ]
    if not live:
        raise OutOfOrder(
            f"{case.ref} has no open {name.value} date to extend: choose another.", code="no_such_target"
        )
    return min(live, key=lambda one: (one.internal_due, one.of))


def escalate(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """One level up before a decision (Annex F); it excludes nobody, for nobody has judged yet.

    A draft that waits for approval is dropped: the way out where no second person is left at this level.
    """
    role = allowed(case, Verb.ESCALATE, by)
    need_words(words, "reason", f"Say why the next level should take {case.ref}.")
    if case.level >= case.rules.top_level:
        raise OutOfOrder(f"{case.ref} is at the top level: decide it here.", code="top_level")
    return happened(case, Verb.ESCALATE, at=at, by=by, role=role, facts=facts, words=words)


def receipt(case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words) -> Event:
    """Somebody has seen it (5.3): an open danger, and, from the top, a significant complaint.

    A manager speaks for the top where `of` says "executive" (the button stands in its channel). A press made
    again, because nobody answered the first, is AlreadyDone.
    """
    role = allowed(case, Verb.RECEIPT, by)
    danger = case.danger_at is not None and case.danger_receipt_at is None
    significant = Flag.SIGNIFICANT in case.flags
    if case.danger_at is None and not significant:
        raise OutOfOrder(f"{case.ref} asks nobody for a receipt: open it instead.", code="nothing_to_receive")
    deputy = facts.get("of") == "executive" and by.has(Role.MANAGER)
    executive = significant and case.executive_receipt_at is None and (by.has(Role.TOP_MANAGEMENT) or deputy)
    if not danger and not executive:
        raise AlreadyDone(
            f"Somebody has said before that {case.ref} was seen: nothing to do.", code="already_so"
        )
    told = {**facts, "danger": danger, "executive": executive}
    return happened(case, Verb.RECEIPT, at=at, by=by, role=role, facts=told, words=words)
