"""Who is denied a complaint when somebody is named: their managers, their roles, and who is left (4.5, C).

The answers stand in the event: what somebody's role or line was at the time does not change with the settings.

Who stands for whom in a complaint, and what support a person needs: rows that follow from what was told.

The one who writes stays the complainant; for somebody else they are a representative too, and the one it is
about gets a row (and a key of their own) without a name, for nobody was asked for one (4.7, 7.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update

from complaints.case import Case, Event
from complaints.case_values import independent
from complaints.rulebook import Rulebook
from complaints.timestamps import format_time
from complaints.vocabulary import Verb
from store.cases.load import CaseFile
from store.database.transaction import Tx
from store.people.contacts import make_person, person_key
from store.people.staff import roles_now
from store.proof.seal import place, seal, unseal
from store.tables import CASE_PEOPLE, PEOPLE, STAFF

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
        "received_at": format_time(case.received_at),
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


REPRESENTATIVE, AFFECTED = "representative", "affected"
SHOWN = "shown"
_TELLS: frozenset[Verb] = frozenset({Verb.RECEIVE, Verb.ADD, Verb.ANSWER, Verb.CONFIRM, Verb.NOTE})


def keep(tx: Tx, case: Case, event: Event, words: Mapping[str, str]) -> None:
    """Bring the people of the case to what this event told; most tell nothing of them."""
    if event.verb not in _TELLS:
        return
    facts = event.facts
    if facts.get("what") == "authority":
        _represents(tx, case.ref, case.complainant, {"authority": SHOWN, "may_receive": True})
    elif facts.get("for_whom") or facts.get("relation"):
        _told(tx, case, facts)
    if facts.get("field") == "support_needs":
        _needs(tx, case.complainant, words)


def _told(tx: Tx, case: Case, facts: Mapping[str, Any]) -> None:
    """For whom it is, and what they are to each other."""
    if facts.get("for_whom") == "for_me":
        _represents(tx, case.ref, case.complainant, {"authority": None, "may_receive": True})
        return
    known = _row(tx, case.ref, REPRESENTATIVE)
    if known is None:
        _add_both(tx, case)
    told = {"authority": facts.get("for_whom"), "relation": facts.get("relation")}
    values: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if case.authority_shown:
        values.pop("authority", None)
    if values:
        _represents(tx, case.ref, case.complainant, values)


def _add_both(tx: Tx, case: Case) -> None:
    affected, _ = make_person(tx)
    shown = SHOWN if case.authority_shown else None
    for person, role, may in (
        (case.complainant, REPRESENTATIVE, case.authority_shown),
        (affected, AFFECTED, True),
    ):
        tx.add(
            CASE_PEOPLE,
            ref=case.ref,
            person_id=person,
            role=role,
            relation=None,
            authority=shown if role == REPRESENTATIVE else None,
            may_receive=may,
        )


def _row(tx: Tx, ref: str, role: str) -> Any:
    query = select(CASE_PEOPLE.c.person_id).where(CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.role == role)
    return tx.connection.execute(query).first()


def _represents(tx: Tx, ref: str, person: str, values: Mapping[str, Any]) -> None:
    tx.connection.execute(
        update(CASE_PEOPLE)
        .where(
            CASE_PEOPLE.c.ref == ref,
            CASE_PEOPLE.c.person_id == person,
            CASE_PEOPLE.c.role == REPRESENTATIVE,
        )
        .values(**values)
    )


def needs_of(tx: Tx, person: str) -> str | None:
    """What makes it easier for this person, as they said it last."""
    row = tx.connection.execute(
        select(PEOPLE.c.key_wrapped, PEOPLE.c.needs_sealed).where(PEOPLE.c.id == person)
    ).first()
    if row is None or row.key_wrapped is None or row.needs_sealed is None:
        return None
    return unseal(person_key(tx, person, row.key_wrapped), row.needs_sealed, place("people", person, "needs"))


def _needs(tx: Tx, person: str, words: Mapping[str, str]) -> None:
    """What to do for this person, as they said it last; it holds for every complaint of theirs."""
    told = next((text for name, text in words.items() if name.split(".")[0] == "support_needs"), "")
    wrapped = tx.connection.execute(select(PEOPLE.c.key_wrapped).where(PEOPLE.c.id == person)).scalar()
    if not told.strip() or wrapped is None:
        return
    sealed = seal(person_key(tx, person, wrapped), told, place("people", person, "needs"))
    tx.connection.execute(update(PEOPLE).where(PEOPLE.c.id == person).values(needs_sealed=sealed))
