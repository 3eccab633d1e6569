"""The dates of an open complaint after a change of its rules: calendar, preset or jurisdiction (7.3).

A promised date does not move later, unless the operator allows it (`later`); then the complainant gets the new
date. What the law sets (the legal maximum, the answer about personal data) is corrected both ways.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.targets import (
    CAPPED_BY_LAW,
    GIVEN,
    KEPT,
    MISSED,
    REDATED,
    WantedTarget,
    due_row,
    is_same_target,
    met_rows,
    wanted_targets,
)
from complaints.times import format_time
from complaints.vocabulary import Target

#: Dates that the law sets. We did not promise them, so they move in both directions.
_LEGAL: frozenset[Target] = frozenset({Target.LEGAL, Target.PRIVACY})
#: Days that an act named (promised in a decision, asked of the complainant): no rule computed them.
_NAMED: frozenset[Target] = frozenset({Target.REMEDY, Target.WAITING})
#: The complainant knows these dates, and gets a new one when it moves later.
_KNOWN_TO_COMPLAINANT: tuple[Target, ...] = (Target.DECIDE, Target.UPDATE)


def is_limited_by_promise(target: TargetSet) -> bool:
    """True when the rules ask for a later date, but the promised one stays."""
    return target.met_at is None and KEPT in target.basis.split(";")


def dates_under_new_rules(case: Case, at: datetime, *, later: bool) -> dict[str, list[dict[str, Any]]]:
    """The dates as they go into the event's facts; `case` has its new rules and its old dates."""
    wanted_now = {(target.target, target.of): target for target in wanted_targets(case)}
    new = list(_rows(case, wanted_now.values(), at, later=later))
    return {name: rows for name, rows in (("targets", new), ("met", met_rows(case, wanted_now))) if rows}


def _rows(
    case: Case, targets: Iterable[WantedTarget], at: datetime, *, later: bool
) -> Iterator[dict[str, Any]]:
    for target in targets:
        latest = case.target(target.target, target.of)
        if latest is None or latest.met_at is not None:
            yield due_row(case, target, latest)
        elif target.target not in _NAMED:
            row = _recounted(case, target, latest, at, later=later)
            dates = (row["internal_due"], row["promised_due"])
            moves = dates != (format_time(latest.internal_due), format_time(latest.promised_due))
            # A promise that holds a later date back is recorded, though no date moves.
            if moves or not is_same_target(latest, target) or KEPT in row["basis"].split(";"):
                yield row


def _recounted(
    case: Case, target: WantedTarget, latest: TargetSet, at: datetime, *, later: bool
) -> dict[str, Any]:
    """The next version of a live date: what the rules ask for, limited by what was missed or promised."""
    row = due_row(case, target, latest, is_recount=True)
    internal = datetime.fromisoformat(row["internal_due"])
    promised = datetime.fromisoformat(row["promised_due"])
    notes = [REDATED]
    if latest.basis.startswith("extend"):
        # A date that a manager moved stays, within what the law allows.
        internal = _within_legal_maximum(case, latest.internal_due)
        promised = _within_legal_maximum(case, latest.promised_due)
        capped = internal < latest.internal_due
        row["basis"] = f"extend;{CAPPED_BY_LAW}" if capped else "extend"
    is_promised = target.target in (Target.UPDATE, Target.DATA_REQUEST)
    if (target.fixed is None or is_promised) and target.target not in _LEGAL:
        if latest.internal_due <= at and internal > latest.internal_due:
            # As with an extension: a missed date is not repaired afterwards.
            internal, notes = latest.internal_due, [*notes, MISSED]
        if target.target is Target.LAPSE and internal < latest.internal_due:
            # The time that the complainant has for an answer does not get shorter.
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


def _within_legal_maximum(case: Case, due_at: datetime) -> datetime:
    legal = next((target for target in wanted_targets(case) if target.target is Target.LEGAL), None)
    if legal is None:
        return due_at
    return min(due_at, datetime.fromisoformat(due_row(case, legal, None)["internal_due"]))


def promised_later(case: Case, event: Event) -> tuple[Target, ...]:
    """Which dates that the complainant knows this event moved later; `case` is as the event left it."""
    new = {
        (str(row["target"]), int(row["of"])): int(row["version"]) for row in event.facts.get("targets", ())
    }
    moved = []
    for name in _KNOWN_TO_COMPLAINANT:
        version = new.get((name.value, 0), 0)
        versions = {
            target.version: target for target in case.targets if target.target is name and target.of == 0
        }
        before, after = versions.get(version - 1), versions.get(version)
        # The start may have moved too: one scheme counts from the acknowledgement, another from receipt.
        if before is None or after is None or before.met_at is not None:
            continue
        if name is Target.UPDATE and case.assessment is None:
            # Only the letter after the assessment names the day of the next news.
            continue
        if before.promised_due < after.promised_due:
            moved.append(name)
    return tuple(moved)
