"""What an outside body does to a complaint: a flag beside the state, and a decision above ours (7.9)."""

from __future__ import annotations

from datetime import date

from complaints.changes.ending import nothing_pending
from complaints.copying import changed
from complaints.outside import Improvement, OutsideDecision
from complaints.particulars import RemedyOwed
from complaints.record import Case, Event
from complaints.vocabulary import Flag, State
from complaints.worktime import closing_time, due


def external(case: Case, event: Event) -> Case:
    """An outside body is at work: a flag beside the state."""
    refused = event.facts.get("complainant_accepts") == "no"
    return changed(
        case,
        external_open=True,
        outside_refused=case.outside_refused + refused,
        flags=case.flags | {Flag.EXTERNAL},
    )


def external_concluded(case: Case, event: Event) -> Case:
    """Its decision stands above ours, which stay as they are; having complied carries its orders out."""
    flagged = changed(external(case, event), external_open=False)
    if event.facts.get("event") == "complied":
        return changed(
            flagged,
            remedies=tuple(
                changed(one, done_at=event.at, done_by=event.by)
                if one.external and one.done_at is None
                else one
                for one in flagged.remedies
            ),
        )
    return _ordered(_decided(flagged, event), event)


def _decided(case: Case, event: Event) -> Case:
    """The decision itself, and where it overturns ours what we must improve."""
    overturned = event.facts.get("overturned")
    decision = OutsideDecision(
        seq=event.seq,
        at=event.at,
        by=event.by,
        level=case.level,
        overturned=None if overturned is None else overturned == "yes",
        refused=event.facts.get("complainant_accepts") == "no",
    )
    improvements = case.improvements
    if decision.overturned:
        last = case.decisions[-1] if case.decisions else None
        opened = Improvement(
            seq=event.seq,
            opened_at=event.at,
            due=due(event.at, case.rules.targets.improvement, case.rules.calendar).at,
            cause_class=last.cause_class if last else None,
        )
        improvements = (*improvements, opened)
    return changed(
        case, external_final_at=event.at, outside=(*case.outside, decision), improvements=improvements
    )


def _ordered(case: Case, event: Event) -> Case:
    """What it orders is owed, whatever we decided; one that the complainant refuses binds nobody."""
    comply_by = event.facts.get("comply_by")
    if not comply_by or event.facts.get("complainant_accepts") == "no":
        return case
    ordered = RemedyOwed(
        n=len(case.remedies),
        type="other",
        level=case.level,
        due=closing_time(date.fromisoformat(comply_by), case.rules.calendar),
        promised_by=date.fromisoformat(comply_by),
        promised_at=event.at,
        external=True,
    )
    return changed(
        nothing_pending(case),
        remedies=(*case.remedies, ordered),
        state=State.REMEDYING,
        close_code=None,
        closed_at=None,
    )
