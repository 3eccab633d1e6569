"""What the tables show of a case: pure rows from the fold, written with the event, compared by `verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, delete, insert, update

from complaints.case import Case, Event
from complaints.case_values import (
    Assessment,
    Decision,
    Improvement,
    Issue,
    OutsideDecision,
    Proposed,
    RemedyOwed,
    TargetSet,
)
from complaints.deadlines.targets import next_due
from complaints.priorities import priority_of
from complaints.vocabulary import Verb
from store.database.transaction import Tx
from store.tables import (
    ASSESSMENTS,
    DECISIONS,
    DENIED,
    EXTERNALS,
    IMPROVEMENTS,
    ISSUES,
    LINKS,
    PROPOSALS,
    REMEDIES,
    TARGETS,
)

#: Stands in `next_due_at` where nothing is due, so that one index orders every complaint.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

Values = dict[str, Any]


def complaint_row(case: Case) -> Values:
    """The columns of `complaints` that follow from the events."""
    due = next_due(case) if case.is_open else None
    return {
        "language": case.language,
        "received_at": case.received_at,
        "logged_at": case.logged_at,
        "is_simulation": case.is_simulation,
        "version": case.version,
        "work_version": case.work_version,
        "state": case.state.value,
        "kind": case.kind.value,
        "category": case.category,
        "severity": case.severity,
        "safety": case.safety,
        "priority": priority_of(case).value,
        "owner": case.owner,
        "level": case.level,
        "incident_id": case.incident,
        "flags": sorted(flag.value for flag in case.flags),
        "restriction": restriction(case),
        "waits": waits(case),
        "form_open": case.form_open,
        "last_words_at": case.last_words_at,
        "next_target": due.target.value if due else None,
        "next_due_at": due.internal_due if due else NEVER,
        "reply": case.reply,
        "close_code": None if case.close_code is None else str(case.close_code),
        "closed_at": case.closed_at,
        "erased_at": case.erased_at,
    }


def restriction(case: Case) -> str | None:
    """Who besides the owner may know of it; None: everybody who handles."""
    if not case.restricted:
        return None
    return "top" if case.fairness.leads else "managers"


def waits(case: Case) -> bool:
    """Does something on it wait for a second person?"""
    return case.is_open and case.awaits_approval


def issue_row(one: Issue) -> Values:
    """One row of `issues`."""
    return {"n": one.n, "category": one.category, "finding": one.finding.value if one.finding else None}


def decision_row(one: Decision) -> Values:
    """One row of `decisions`."""
    return {
        "seq": one.seq,
        "level": one.level,
        "external": False,
        "by": one.by,
        "at": one.at,
        "short": one.short,
        "findings": [finding.value for finding in one.findings],
        "cause_class": one.cause_class,
        "others_affected": one.others_affected,
        "needs_approval": one.needs_approval,
        "approved_by": one.approved_by,
        "communicated_at": one.communicated_at,
        "overturned": None,
    }


def outside_row(one: OutsideDecision) -> Values:
    """The row of an outside body's final decision in `decisions`; whose words they are stands in its event."""
    return {
        "seq": one.seq,
        "level": one.level,
        "external": True,
        "by": one.by,
        "at": one.at,
        "short": False,
        "findings": [],
        "cause_class": "",
        "others_affected": "",
        "needs_approval": False,
        "approved_by": None,
        "communicated_at": None,
        "overturned": one.overturned,
    }


def decision_rows(case: Case) -> list[Values]:
    """Ours by level, as they were taken, and those of outside bodies."""
    return [*map(decision_row, case.decisions), *map(outside_row, case.outside)]


def improvement_row(one: Improvement) -> Values:
    """A corrective action as it is opened, nobody's yet: `seq` is the event that opened it."""
    return {
        "what_sealed": None,
        "cause_class": one.cause_class,
        "owner": None,
        "state": "open",
        "due": one.due,
        "opened_at": one.opened_at,
        "closed_at": None,
        "effective": None,
    }


def remedy_row(one: RemedyOwed) -> Values:
    """One row of `remedies`."""
    return _columns(REMEDIES, one)


def target_row(one: TargetSet) -> Values:
    """One row of `targets`."""
    return _columns(TARGETS, one)


def proposal_row(one: Proposed) -> Values:
    """One row of `proposals`, but for its seq."""
    return _columns(PROPOSALS, one)


def assessment_row(one: Assessment) -> Values:
    """One row of `assessments`, but for its seq."""
    return _columns(ASSESSMENTS, one)


def _columns(table: Table, one: object) -> Values:
    """The value's own fields that the table has, codes as plain text; reference and seq are the event's."""
    names = (column.name for column in table.columns if column.name not in ("ref", "seq"))
    values = {name: getattr(one, name) for name in names}
    return {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}


#: Each list of a case with its table, its key beside the reference, and its rows.
LISTS: tuple[tuple[Table, tuple[str, ...], Callable[[Case], Iterable[Values]]], ...] = (
    (DENIED, ("member_id",), lambda case: ({"member_id": one} for one in sorted(case.denied))),
    (ISSUES, ("n",), lambda case: (issue_row(one) for one in case.issues)),
    (DECISIONS, ("seq",), decision_rows),
    (REMEDIES, ("n",), lambda case: (remedy_row(one) for one in case.remedies)),
    (TARGETS, ("target", "of", "version"), lambda case: (target_row(one) for one in case.targets)),
)


def event_rows(case: Case, event: Event) -> list[tuple[Table, Values]]:
    """The rows that belong to one event: what was proposed, assessed, linked, said outside."""
    facts, rows = event.facts, []
    if event.verb is Verb.PROPOSE and case.proposed is not None:
        rows.append((PROPOSALS, proposal_row(case.proposed)))
    elif event.verb in (Verb.ASSESS, Verb.REASSESS, Verb.RECEIVE) and case.assessment is not None:
        # Received and assessed at once is what was imported: its category was given elsewhere.
        rows.append((ASSESSMENTS, assessment_row(case.assessment)))
    elif event.verb in (Verb.LINK, Verb.MERGE):
        relation = facts.get("relation", "duplicate")
        # Who joins an incident need not name another complaint.
        if facts.get("other_ref"):
            rows.append((LINKS, {"other_ref": facts["other_ref"], "relation": relation, "at": event.at}))
    elif event.verb in (Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL):
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
        opened = (one for one in case.improvements if one.seq == event.seq)
        rows += [(IMPROVEMENTS, improvement_row(one)) for one in opened]
    return [(table, {"ref": case.ref, "seq": event.seq, **values}) for table, values in rows]


def project(tx: Tx, before: Case | None, case: Case, event: Event) -> None:
    """Bring the rows beside `complaints` to the case as the event left it; only what differs is written."""
    for table, key, rows in LISTS:
        old = {} if before is None else _keyed(rows(before), key)
        _differences(tx, table, case.ref, key, old, _keyed(rows(case), key))
    for table, values in event_rows(case, event):
        tx.add(table, **values)


def _keyed(rows: Iterable[Values], key: tuple[str, ...]) -> dict[tuple[Any, ...], Values]:
    return {tuple(row[name] for name in key): row for row in rows}


def _differences(
    tx: Tx,
    table: Table,
    ref: str,
    key: tuple[str, ...],
    old: Mapping[tuple[Any, ...], Values],
    new: Mapping[tuple[Any, ...], Values],
) -> None:
    added = [{"ref": ref, **row} for at, row in new.items() if at not in old]
    if added:
        tx.connection.execute(insert(table), added)
    for at, row in new.items():
        if at in old and old[at] != row:
            tx.connection.execute(update(table).where(*_at(table, ref, key, at)).values(**row))
    for at in old.keys() - new.keys():
        tx.connection.execute(delete(table).where(*_at(table, ref, key, at)))


def _at(table: Table, ref: str, key: tuple[str, ...], at: tuple[Any, ...]) -> list[Any]:
    return [table.c.ref == ref, *(table.c[name] == value for name, value in zip(key, at, strict=True))]
