"""Who is denied a complaint when somebody is named: their managers, their roles, and who is left (4.5, C).

The answers stand in the event: what somebody's role or line was at the time does not change with the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from complaints.doing import stamp
from complaints.fairness import independent
from complaints.record import Case
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from store.casefiles import CaseFile
from store.staff import roles_now
from store.tables import STAFF
from store.transactions import Tx

#: Acts of people that judge or carry a complaint: whoever did one does not look into how it was handled.
_HANDLED: frozenset[Verb] = frozenset(
    {Verb.ASSESS, Verb.REASSESS, Verb.INVESTIGATE, Verb.RESOLVE, Verb.RESPOND, Verb.APPROVE}
)


def with_people(
    tx: Tx, rules: Rulebook, facts: Mapping[str, Any], case: Case | None = None
) -> Mapping[str, Any]:
    """The facts with `lines`, `subject_roles` and `eligible` where they name somebody anew."""
    before = frozenset[str]() if case is None else case.denied
    subjects = {*facts.get("subjects", ()), *([facts["subject"]] if facts.get("subject") else [])}
    apart = {*facts.get("handlers", ()), *([facts["who"]] if facts.get("who") else [])}
    if not (subjects | apart) - before and not subjects:
        return facts
    held = roles_now(tx)
    lines = _lines(tx, subjects)
    roles = sorted({role.value for one in subjects for role in held.get(one, ())})
    known = frozenset[str]() if case is None else case.fairness.roles
    left = independent(
        {member: frozenset(role.value for role in roles) for member, roles in held.items()},
        levels=rules.levels,
        level=1 if case is None else case.level,
        acted_at={} if case is None else case.acted_at,
        denied=before | subjects | apart | lines,
        leads=bool((known | set(roles)) & {"manager", "top_management"}),
    )
    told = {"lines": sorted(lines), "subject_roles": roles} if subjects else {}
    return {**facts, **told, "eligible": len(left)}


def _lines(tx: Tx, subjects: Iterable[str]) -> set[str]:
    query = select(STAFF.c.line).where(STAFF.c.id.in_(sorted(subjects)), STAFF.c.line.is_not(None))
    return set(tx.connection.execute(query).scalars())


def handlers_of(file: CaseFile) -> list[str]:
    """Whoever owned, assessed, investigated, decided or approved a complaint."""
    acted = {one.by for one in file.events if one.verb in _HANDLED}
    owned = {str(one.facts["owner"]) for one in file.events if one.facts.get("owner")}
    return sorted(acted | owned)


def taken_in(file: CaseFile) -> dict[str, Any]:
    """What a complaint brings with it into the one that goes on: receipt, signs, and who is denied it."""
    case = file.case
    unseen = case.danger_at is not None and case.danger_receipt_at is None
    return {
        "relation": "merged",
        "other_ref": case.ref,
        "other_complainant": case.complainant,
        "received_at": stamp(case.received_at),
        "signs": [
            {
                "rule": one.rule,
                "severity": one.severity,
                "safety": one.safety,
                "danger": one.danger and unseen,
            }
            for one in case.signs
        ],
        "restricted": case.restricted,
        "subjects": sorted(case.subjects),
        "lines": sorted(case.lines),
        "subject_roles": sorted(case.fairness.roles),
        "handlers": sorted(case.conflicted),
    }
