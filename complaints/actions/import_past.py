"""What may be said of a complaint that was over before this desk began (7.2, 8.2).

A complaint that was over before this desk began: what the file said of it, and nothing made up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from complaints.actions.closing import closed
from complaints.actors import Actor
from complaints.case import Case, Event, changed
from complaints.case_values import Assessment, Issue
from complaints.errors import BadFacts
from complaints.timestamps import parse_time
from complaints.vocabulary import Category, CloseCode, Finding

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "close_code": tuple(one for one in CloseCode if one is not CloseCode.MERGED),
    "finding": tuple(Finding),
}
_REQUIRED = ("closed_at", "close_code")
KNOWN = (*_REQUIRED, "category", "severity", "finding")


def check_past(
    told: Mapping[str, Any],
    *,
    received_at: datetime,
    at: datetime,
    by: Actor,
    categories: Collection[str] = tuple(Category),
) -> None:
    """Raise BadFacts unless `told` (the facts `imported`) is the ending of a closed complaint, from staff.

    `categories` are those of the rules in force.
    """
    choices = {**_CHOICES, "category": tuple(categories)}
    if not by.is_staff or not isinstance(told, Mapping):
        raise BadFacts("Past complaints come from an import alone: use `amends import`.", field="imported")
    for name in _REQUIRED:
        if not told.get(name):
            raise BadFacts(
                f"A past complaint needs '{name}': one that is open is logged.", field=name, code="required"
            )
    for name, value in told.items():
        if name not in KNOWN:
            raise BadFacts(f"'{name}' is not known of a past complaint: leave it out.", field=name)
        if name in choices and value not in choices[name]:
            raise BadFacts(
                f"'{name}' is one of {', '.join(choices[name])}.", field=name, code="not_an_option"
            )
    severity = told.get("severity", 1)
    if isinstance(severity, bool) or not isinstance(severity, int) or not 1 <= severity <= 5:
        raise BadFacts("'severity' is a whole number from 1 to 5.", field="severity", code="not_an_option")
    if told.get("finding") and not told.get("category"):
        raise BadFacts("A finding is on a matter: give its category too.", field="category", code="required")
    closed_at = parse_time(str(told["closed_at"]))
    if not received_at <= closed_at <= at:
        raise BadFacts(
            "It was closed after it was received, and not in the future: look at both times.",
            field="closed_at",
            code="not_an_option",
        )


#: Where the file says none: the severity of a complaint that nobody has judged.
USUAL_SEVERITY = 2


def imported(case: Case, event: Event) -> Case:
    """Closed as the file says; criteria that it does not give stand at their least, the by-line says whose."""
    told = event.facts["imported"]
    past = changed(
        closed(case, event, CloseCode(told["close_code"])),
        imported=True,
        closed_at=parse_time(told["closed_at"]),
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
