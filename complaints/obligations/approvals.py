"""What waits for a second person: whose it is, and which act comes next (4.5, Annex E)."""

from collections.abc import Iterable

from complaints.case import Case
from complaints.priorities import priority_of
from complaints.vocabulary import Finding, Priority, Verb


def is_for_two(case: Case, findings: Iterable[Finding]) -> bool:
    """True where a decision with these findings needs an approval, at any amount."""
    none_upheld = not any(finding in (Finding.UPHELD, Finding.PARTLY) for finding in findings)
    is_urgent = priority_of(case) in (Priority.P1, Priority.P2)
    return case.severity >= 4 or case.safety >= 1 or (none_upheld and is_urgent)


def awaited_act(case: Case) -> Verb | None:
    """The act of a second person that comes next, or None.

    A draft needs an approval also if the complaint became graver while it waited for a reader.
    """
    draft = case.drafted
    if draft is None or case.reclassification is not None:
        return Verb.APPROVE if case.awaits_approval else None
    is_approval = draft.needs_approval or is_for_two(case, draft.findings)
    return Verb.APPROVE if is_approval else Verb.CHECK_DECISION


def awaits_reader(case: Case) -> bool:
    """True where a second reader answers next."""
    return awaited_act(case) is Verb.CHECK_DECISION


def awaits_approver(case: Case) -> bool:
    """True where an approval comes next."""
    return awaited_act(case) is Verb.APPROVE


def proposer(case: Case) -> str | None:
    """Who proposed what waits for approval, in the order in which it is answered; None if nothing waits."""
    if case.reclassification is not None:
        return case.reclassification[1]
    if case.drafted is not None:
        return case.drafted.by
    if case.extension is not None:
        return case.extension.by
    return case.conduct.pending.asked_by if case.conduct.pending is not None else None
