"""A complaint that was over before this desk began: what the file said of it, and nothing made up."""

from __future__ import annotations

from complaints.changes.ending import closed
from complaints.copying import changed
from complaints.doing import instant
from complaints.particulars import Assessment, Issue
from complaints.record import Case, Event
from complaints.vocabulary import CloseCode, Finding

#: Where the file says none: the severity of a complaint that nobody has judged.
USUAL_SEVERITY = 2


def imported(case: Case, event: Event) -> Case:
    """Closed as the file says; criteria that it does not give stand at their least, the by-line says whose."""
    told = event.facts["imported"]
    past = changed(
        closed(case, event, CloseCode(told["close_code"])),
        imported=True,
        closed_at=instant(told["closed_at"]),
    )
    category, finding = told.get("category"), told.get("finding")
    if category is None:
        return past
    return changed(
        past,
        issues=(Issue(0, category, None if finding is None else Finding(finding)),),
        assessment=Assessment(
            at=event.at,
            by=event.by,
            category=category,
            severity=int(told.get("severity", USUAL_SEVERITY)),
            safety=0,
            complexity=1,
            reach=1,
            recurrence=1,
            immediate_needed=False,
            immediate_possible=False,
            compensation_likely=False,
            seq=event.seq,
        ),
    )
