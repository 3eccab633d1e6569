"""A complaint that was over before this desk began: what the imported file says about its end (7.2, 8.2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from complaints.actions.closing import end_handling
from complaints.actors import Actor
from complaints.case import Case, Event, changed
from complaints.case_values import Assessment, Issue
from complaints.errors import BadFacts
from complaints.rulebook import Rulebook, categories_of
from complaints.times import parse_time
from complaints.vocabulary import CloseCode, Finding

_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "close_code": tuple(code for code in CloseCode if code is not CloseCode.MERGED),
    "finding": tuple(Finding),
}
_REQUIRED = ("closed_at", "close_code")
_FIELDS = (*_REQUIRED, "category", "product", "branch", "severity", "finding")

#: The severity where the file has none.
USUAL_SEVERITY = 2


def check_past(
    past: Mapping[str, Any],
    *,
    received_at: datetime,
    at: datetime,
    actor: Actor,
    rules: Rulebook,
) -> None:
    """Raise BadFacts unless `past` (the fact `imported`) is the ending of a closed complaint, from staff."""
    options = {
        **_OPTIONS, "category": categories_of(rules), "product": rules.products, "branch": rules.branches,
    }  # fmt: skip
    if not actor.is_staff or not isinstance(past, Mapping):
        raise BadFacts.worded("bad_facts:past_imported", field="imported")
    for name in _REQUIRED:
        if not past.get(name):
            raise BadFacts.worded("required:past", field=name, name=name)
    for name, value in past.items():
        if name not in _FIELDS:
            raise BadFacts.worded("bad_facts:past_field", field=name, name=name)
        if name in options and value not in options[name]:
            accepted = ", ".join(options[name])
            if not accepted:
                raise BadFacts.worded("not_an_option:past_unnamed", field=name, name=name)
            raise BadFacts.worded("not_an_option:past", field=name, name=name, options=accepted)
    severity = past.get("severity", 1)
    if isinstance(severity, bool) or not isinstance(severity, int) or not 1 <= severity <= 5:
        raise BadFacts.worded("not_an_option:past_severity", field="severity")
    for name in ("finding", "product", "branch"):
        if past.get(name) and not past.get("category"):
            raise BadFacts.worded("required:past_category", field="category", name=name)
    closed_at = parse_time(str(past["closed_at"]))
    if not received_at <= closed_at <= at:
        raise BadFacts.worded("not_an_option:past_closed_at", field="closed_at")


def apply_import(case: Case, event: Event) -> Case:
    """Closed as the file says; criteria that the file does not give get their lowest value."""
    past = event.facts["imported"]
    closed = changed(
        end_handling(case, event, CloseCode(past["close_code"])),
        imported=True,
        closed_at=parse_time(past["closed_at"]),
    )
    category, finding = past.get("category"), past.get("finding")
    if category is None:
        return closed
    return changed(
        closed,
        issues=(Issue(0, category, None if finding is None else Finding(finding)),),
        assessment=Assessment(
            at=event.at,
            by=event.by,
            category=category,
            product=past.get("product"),
            branch=past.get("branch"),
            severity=int(past.get("severity", USUAL_SEVERITY)),
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
