"""Projections: the rows that follow from a complaint's events, written with each event, checked by `verify`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, bindparam, cast, delete, update

from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event
from complaints.case_values import Assessment, Decision, OutsideDecision, Proposed
from complaints.deadlines.targets import next_due
from complaints.priorities import priority_of
from complaints.vocabulary import Flag, Role
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.tables import (
    ASSESSMENTS,
    COMPLAINTS,
    DECISIONS,
    DENIED_MEMBERS,
    EXTERNALS,
    ISSUES,
    LINKS,
    PROPOSALS,
    REMEDIES,
    TARGETS,
)

#: The value of `next_due_at` if nothing is due, so that one index orders every complaint.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

Values = dict[str, Any]
#: Columns of `complaints` that are fields of a case.
_OF_CASE = (
    "language", "received_at", "logged_at", "is_simulation", "version", "work_version", "state", "kind", "category",
    "severity", "safety", "owner", "level", "form_open", "last_words_at", "reply", "close_code", "closed_at",
    "erased_at",
)  # fmt: skip
#: Columns of `decisions` that are fields of a decision.
_OF_DECISION = (
    *("seq", "level", "by", "at", "short", "cause_class", "others_affected"),
    *("needs_approval", "approved_by", "communicated_at"),
)
#: What the row of an outside body's decision has in the columns of the organisation's own; its event names the body.
_NO_OWN_DECISION: Values = {
    "external": True,
    "short": False,
    "findings": [],
    "cause_class": "",
    "others_affected": "",
    "needs_approval": False,
    "approved_by": None,
    "communicated_at": None,
}


def may_be_used(columns: Any = COMPLAINTS.c) -> ColumnElement[bool]:
    """Whether training, similar cases and search may use a complaint: its processing is not restricted."""
    return cast(columns.flags, Text).not_like(f"%{Flag.PROCESSING_RESTRICTED.value}%")


def complaint_row(case: Case) -> Values:
    """The columns of `complaints` that follow from the events."""
    due = next_due(case) if case.is_open else None
    return {
        **_fields(case, _OF_CASE),
        "priority": priority_of(case).value,
        "incident_id": case.incident,
        "flags": sorted(flag.value for flag in case.flags),
        "restriction": restriction(case),
        "waits": waits(case),
        "next_target": due.target.value if due else None,
        "next_due_at": due.internal_due if due else NEVER,
    }


def restriction(case: Case) -> str | None:
    """Who may know of the complaint apart from its owner: `top`, `managers`, or None for every handler."""
    if not case.restricted:
        return None
    return "top" if case.fairness.leads else "managers"


def waits(case: Case) -> bool:
    return case.awaits_approval and (case.is_open or case.conduct.pending is not None)


def decision_row(decision: Decision) -> Values:
    """The row of one of the organisation's decisions in `decisions`."""
    return {
        **_fields(decision, _OF_DECISION),
        "findings": [finding.value for finding in decision.findings],
        "external": False,
        "overturned": None,
    }


def decision_rows(case: Case) -> list[Values]:
    """The organisation's decisions in the order in which they were made, then the final ones of outside bodies."""
    return [*map(decision_row, case.decisions), *map(_outside_row, case.outside)]


def _outside_row(decision: OutsideDecision) -> Values:
    return {**_NO_OWN_DECISION, **_fields(decision, ("seq", "level", "by", "at", "overturned"))}


def proposal_row(proposal: Proposed) -> Values:
    """One row of `proposals`, without its seq."""
    return _columns(PROPOSALS, proposal)


def assessment_row(assessment: Assessment) -> Values:
    """One row of `assessments`, without its seq."""
    return _columns(ASSESSMENTS, assessment)


def _columns(table: Table, source: object) -> Values:
    """The fields of `source` that the table has, without reference and seq."""
    return _fields(source, (column.name for column in table.columns if column.name not in ("ref", "seq")))


def _fields(source: object, names: Iterable[str]) -> Values:
    """These fields of a value, codes as plain text."""
    values = {name: getattr(source, name) for name in names}
    return {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}


#: Each list of a case: its table, its key in addition to the reference, its rows, and the fields they come from.
LISTS: tuple[tuple[Table, tuple[str, ...], Callable[[Case], Iterable[Values]], tuple[str, ...]], ...] = (
    (
        DENIED_MEMBERS,
        ("member_id",),
        lambda case: ({"member_id": member} for member in sorted(case.denied)),
        ("subjects", "excluded_managers", "conflicted"),
    ),
    (ISSUES, ("n",), lambda case: (_columns(ISSUES, issue) for issue in case.issues), ("issues",)),
    (DECISIONS, ("seq",), decision_rows, ("decisions", "outside")),
    (REMEDIES, ("n",), lambda case: (_columns(REMEDIES, remedy) for remedy in case.remedies), ("remedies",)),
    (
        TARGETS,
        ("target", "of", "version"),
        lambda case: (_columns(TARGETS, target) for target in case.targets),
        ("targets",),
    ),
)


def event_rows(case: Case, event: Event) -> list[tuple[Table, Values]]:
    """The rows that belong to one event: proposal, assessment, link, contact with an outside body."""
    facts, rows = event.facts, []
    if event.role is Role.MODEL and case.proposed is not None:
        rows.append((PROPOSALS, proposal_row(case.proposed)))
    elif case.assessment is not None and (ACTIONS[event.verb].form == "assess" or event.seq == 1):
        # An imported complaint is received and assessed in one event.
        rows.append((ASSESSMENTS, assessment_row(case.assessment)))
    elif ACTIONS[event.verb].form == "link":
        relation = facts.get("relation", "duplicate")
        # A complaint can join an incident without naming another complaint.
        if facts.get("other_ref"):
            rows.append((LINKS, {"other_ref": facts["other_ref"], "relation": relation, "at": event.at}))
    elif ACTIONS[event.verb].form == "external":
        comply_by = facts.get("comply_by")
        rows.append(
            (
                EXTERNALS,
                {
                    "event": facts.get("event", "notified"),
                    "comply_by": date.fromisoformat(comply_by) if comply_by else None,
                    "at": event.at,
                },
            )
        )
    return [(table, {"ref": case.ref, "seq": event.seq, **values}) for table, values in rows]


def project(tx: Tx, before: Case | None, case: Case, event: Event) -> None:
    """Update every table except `complaints` to the case after the event; only differences are written."""
    for table, key, rows, fields in LISTS:
        if before is not None and all(getattr(before, name) is getattr(case, name) for name in fields):
            # Most events leave most lists as they are, and comparing their rows takes a tenth of the act.
            continue
        old = {} if before is None else _keyed(rows(before), key)
        _write_differences(tx, table, case.ref, key, old, _keyed(rows(case), key))
    for table, values in event_rows(case, event):
        tx.add(table, **values)


def _keyed(rows: Iterable[Values], key: tuple[str, ...]) -> dict[tuple[Any, ...], Values]:
    return {tuple(row[name] for name in key): row for row in rows}


def _write_differences(
    tx: Tx,
    table: Table,
    ref: str,
    key: tuple[str, ...],
    old: Mapping[tuple[Any, ...], Values],
    new: Mapping[tuple[Any, ...], Values],
) -> None:
    added = [{"ref": ref, **row} for values, row in new.items() if values not in old]
    if added:
        tx.add_all(table, added)
    names = ["is_ref", *(f"is_{name}" for name in key)]
    changed = [
        {**row, **dict(zip(names, (ref, *values), strict=True))}
        for values, row in new.items()
        if values in old and old[values] != row
    ]
    if changed:
        _update_row(table, key).run(tx.connection, changed)
    removed = [dict(zip(names, (ref, *values), strict=True)) for values in old.keys() - new.keys()]
    if removed:
        _delete_row(table, key).run(tx.connection, removed)


@cache
def _update_row(table: Table, key: tuple[str, ...]) -> Prepared:
    return Prepared(update(table).where(*_is_row(table, key)))


@cache
def _delete_row(table: Table, key: tuple[str, ...]) -> Prepared:
    return Prepared(delete(table).where(*_is_row(table, key)))


def _is_row(table: Table, key: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(f"is_{name}") for name in ("ref", *key)]
