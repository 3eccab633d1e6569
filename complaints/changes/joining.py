"""Belonging to an incident: each complaint keeps its own clock, answer and recourse all the same."""

from __future__ import annotations

from complaints.changes.naming import conflicted, named
from complaints.copying import changed
from complaints.doing import instant
from complaints.particulars import Sign
from complaints.record import Case, Event
from complaints.vocabulary import Flag


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
    received = min(case.received_at, instant(str(facts["received_at"])))
    signs = tuple(
        Sign(one["rule"], one["severity"], one["safety"], one["danger"], event.at, event.seq)
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
