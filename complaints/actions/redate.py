"""Putting an open complaint under other rules, with a record and a reason (7.3).

Only this act applies a change of calendar, preset or jurisdiction to a complaint received before the change.
"""

from __future__ import annotations

from typing import Any

from complaints.actions.request import ActionRequest, require_words
from complaints.case import Case, Event, Facts, changed
from complaints.deadlines.rule_change import dates_under_new_rules, is_limited_by_promise
from complaints.errors import AlreadyDone, BadFacts, OutOfOrder


def check_redate(case: Case, request: ActionRequest) -> Facts:
    """Continue under `request.rules`; every live date is counted again from its own start.

    `facts["later"]` lets promised dates move later. Raises AlreadyDone where the rules say the same, OutOfOrder
    where they lack the level that the complaint has reached.
    """
    rules = request.rules
    if rules is None:
        raise BadFacts(
            f"'redate' on {case.ref} needs the rules to go on under: use `amends case redate`.",
            field="rulebook",
            code="required",
        )
    require_words(request, "reason", f"Say why {case.ref} goes on under other rules.")
    later = bool(request.facts.get("later")) and any(map(is_limited_by_promise, case.current_targets()))
    if case.rules.says_as(rules) and not later:
        raise AlreadyDone(f"{case.ref} is under these rules: nothing to do.", code="already_so")
    if case.level > rules.top_level:
        raise OutOfOrder(
            f"{case.ref} is at level {case.level}, which these rules do not have: decide it under its own.",
        )
    return request.facts


def apply_redate(case: Case, event: Event) -> Case:
    """The new rules; dates counted under the old ones keep them for their explanation.

    Raises ValueError for an event without its rules: the store adds them when it loads the event.
    """
    if event.rules is None:
        raise ValueError(f"event {event.seq} of {case.ref} changes the rules and comes without them")
    return changed(case, rules=event.rules, rules_before=(*case.rules_before, case.rules))


def redate_dates(before: Case, after: Case, event: Event) -> dict[str, list[dict[str, Any]]]:
    """The dates under the new rules."""
    return dates_under_new_rules(after, event.at, later=bool(event.facts.get("later")))
