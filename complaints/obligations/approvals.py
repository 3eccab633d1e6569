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
    if awaits_reader(case):
        return Verb.CHECK_DECISION
    return Verb.APPROVE if case.awaits_approval else None


def awaits_reader(case: Case) -> bool:
    """True where a second reader answers next."""
    draft = case.drafted
    if draft is None or case.reclassification is not None:
        return False
    return not draft.needs_approval and not is_for_two(case, draft.findings)


def awaits_approver(case: Case) -> bool:
    """True where an approval comes next."""
    return case.awaits_approval and not awaits_reader(case)


def proposal(case: Case) -> tuple[str, str] | None:
    """What a second person answers first (`asks` in the row of its verb), and who proposed it; None if nothing waits.

    A draft from before a reclassification waits for that.
    """
    if case.reclassification is not None:
        return "reclassify", case.reclassification[1]
    if case.drafted is not None:
        return "respond", case.drafted.by
    if case.extension is not None:
        return "extend", case.extension.by
    limit = case.conduct.pending
    return None if limit is None else ("limit_contact", limit.asked_by)
