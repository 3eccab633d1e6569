"""Putting an open complaint under other rules, recorded and for a reason (7.3): the only way in which a change of
calendar, preset or jurisdiction reaches what was received before it.

A promise that was given stands: no promised date moves later unless that is said (`later`), and then the complainant
is told. What the law sets (the legal maximum, the answer about personal data) is corrected both ways.

What changes when a complaint goes on under other rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from complaints.actions.common import Words, allowed, happened, need_words
from complaints.actors import Actor
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import TargetSet
from complaints.deadlines.targets import (
    CAPPED_BY_LAW,
    GIVEN,
    KEPT,
    MISSED,
    REDATED,
    Wanted,
    due_row,
    met_rows,
    same,
    wanted,
)
from complaints.errors import AlreadyDone, BadFacts, OutOfOrder
from complaints.rulebook import Rulebook
from complaints.timestamps import format_time
from complaints.vocabulary import Target, Verb

#: Dates of the law: nobody's promise, so that they are corrected whichever way.
OF_THE_LAW: frozenset[Target] = frozenset({Target.LEGAL, Target.PRIVACY})
#: Days that an act gave by itself (promised in a decision, asked of the complainant): no rule computed them.
_GIVEN: frozenset[Target] = frozenset({Target.REMEDY, Target.WAITING})
#: What the complainant was told by a date, and is told again when that moves later.
TOLD_BY_DATE: tuple[Target, ...] = (Target.DECIDE, Target.UPDATE)


def redate(
    case: Case, *, at: datetime, by: Actor, facts: Facts, words: Words, rules: Rulebook | None = None
) -> Event:
    """Go on under these rules; every live date is counted anew from its own start.

    `facts["later"]` lets promised dates move later. Raises AlreadyDone where the rules say the same, OutOfOrder
    where they lack the level that the complaint has reached.
    """
    role = allowed(case, Verb.REDATE, by)
    if rules is None:
        raise BadFacts(
            f"'redate' on {case.ref} needs the rules to go on under: use `amends case redate`.",
            field="rulebook",
            code="required",
        )
    need_words(words, "reason", f"Say why {case.ref} goes on under other rules.")
    later = bool(facts.get("later")) and any(keeps_a_promise(one) for one in case.current_targets())
    if case.rules.says_as(rules) and not later:
        raise AlreadyDone(f"{case.ref} is under these rules: nothing to do.", code="already_so")
    if case.level > rules.top_level:
        raise OutOfOrder(
            f"{case.ref} is at level {case.level}, which these rules do not have: decide it under its own.",
        )
    event = happened(case, Verb.REDATE, at=at, by=by, role=role, facts=facts, words=words)
    return Event(event.seq, event.verb, event.at, event.by, event.role, event.facts, event.words, rules)


def keeps_a_promise(one: TargetSet) -> bool:
    """The rules ask for a later date, and the promised one stands."""
    return one.met_at is None and KEPT in one.basis.split(";")


def redated(case: Case, at: datetime, *, later: bool) -> dict[str, list[dict[str, Any]]]:
    """The dates as they go into the event's facts; `case` has its new rules and its old dates."""
    asked = {(one.target, one.of): one for one in wanted(case)}
    new = list(_rows(case, asked.values(), at, later=later))
    return {name: rows for name, rows in (("targets", new), ("met", met_rows(case, asked))) if rows}


def _rows(case: Case, asked: Any, at: datetime, *, later: bool) -> Iterator[dict[str, Any]]:
    for one in asked:
        latest = case.target(one.target, one.of)
        if latest is None or latest.met_at is not None:
            yield due_row(case, one, latest)
        elif one.target not in _GIVEN:
            row = _moved(case, one, latest, at, later=later)
            dates = (row["internal_due"], row["promised_due"])
            moves = dates != (format_time(latest.internal_due), format_time(latest.promised_due))
            # A promise that holds a later date back is said on the record, though no date moves.
            if moves or not same(latest, one) or KEPT in row["basis"].split(";"):
                yield row


def _moved(case: Case, one: Wanted, latest: TargetSet, at: datetime, *, later: bool) -> dict[str, Any]:
    """The next version of a live date: what the rules ask for, held back by what was missed or promised."""
    row = due_row(case, one, latest, anew=True)
    internal = datetime.fromisoformat(row["internal_due"])
    promised = datetime.fromisoformat(row["promised_due"])
    notes = [REDATED]
    if latest.basis.startswith("extend"):
        # A date that a manager moved stands, inside what the law allows.
        internal = _inside_the_law(case, latest.internal_due)
        promised = _inside_the_law(case, latest.promised_due)
        capped = internal < latest.internal_due
        row["basis"] = f"extend;{CAPPED_BY_LAW}" if capped else "extend"
    if (one.fixed is None or one.target is Target.UPDATE) and one.target not in OF_THE_LAW:
        if latest.internal_due <= at and internal > latest.internal_due:
            # As with an extension: what was missed is not mended afterwards.
            internal, notes = latest.internal_due, [*notes, MISSED]
        theirs = one.target is Target.LAPSE
        if theirs and internal < latest.internal_due:
            # The time that the complainant was given to answer does not get shorter.
            internal = promised = latest.internal_due
            notes = [*notes, GIVEN]
        if promised > latest.promised_due and not later:
            promised = latest.promised_due
            internal, notes = min(internal, promised), [*notes, KEPT]
    return row | {
        "internal_due": format_time(internal),
        "promised_due": format_time(max(promised, internal)),
        "basis": ";".join((row["basis"], *notes)),
    }


def _inside_the_law(case: Case, at: datetime) -> datetime:
    legal = next((one for one in wanted(case) if one.target is Target.LEGAL), None)
    if legal is None:
        return at
    return min(at, datetime.fromisoformat(due_row(case, legal, None)["internal_due"]))


def promised_later(case: Case, event: Event) -> tuple[Target, ...]:
    """Which dates that the complainant knows this event moved later; `case` is as the event left it."""
    new = {
        (str(one["target"]), int(one["of"])): int(one["version"]) for one in event.facts.get("targets", ())
    }
    found = []
    for target in TOLD_BY_DATE:
        version = new.get((target.value, 0), 0)
        versions = {one.version: one for one in case.targets if one.target is target and one.of == 0}
        before, after = versions.get(version - 1), versions.get(version)
        # The start may have moved too: a scheme may count from the acknowledgement, another from receipt.
        if before is None or after is None or before.met_at is not None:
            continue
        if target is Target.UPDATE and case.assessment is None:
            # Only the letter after the assessment says when they hear next.
            continue
        if before.promised_due < after.promised_due:
            found.append(target)
    return tuple(found)


def apply_redate(case: Case, event: Event) -> Case:
    """The new rules; what was counted by the old ones keeps them for its explanation.

    Raises ValueError for an event that comes without its rules: whoever reads it from the store adds them.
    """
    if event.rules is None:
        raise ValueError(f"event {event.seq} of {case.ref} changes the rules and comes without them")
    return changed(case, rules=event.rules, rules_before=(*case.rules_before, case.rules))
