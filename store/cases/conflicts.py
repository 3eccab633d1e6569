"""The people of a complaint: members of staff who lose access to it (4.5, C), and representatives (4.7, 7.2).

Roles and lines of management are written into the event, because they must not change with later settings.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event
from complaints.case_values import independent
from complaints.rulebook import Rulebook
from complaints.times import format_time
from store.database.keyring import place, seal, unseal
from store.database.transaction import Tx
from store.people.contacts import create_person, person_key
from store.people.staff import load_current_roles
from store.record.load import CaseFile
from store.tables import CASE_PEOPLE, PEOPLE, STAFF

REPRESENTATIVE, AFFECTED = "representative", "affected"

#: The representative has shown that the affected person authorised them (4.7).
SHOWN = "shown"


def with_conflicts(
    tx: Tx, rules: Rulebook, facts: Mapping[str, Any], case: Case | None = None
) -> Mapping[str, Any]:
    """The facts with `lines`, `subject_roles` and `eligible` added, if they name a member of staff.

    `lines` are the managers of the subjects; `eligible` is how many people may still handle the complaint.
    """
    before = frozenset[str]() if case is None else case.denied
    subjects = {*facts.get("subjects", ()), *([facts["subject"]] if facts.get("subject") else [])}
    conflicted = {*facts.get("handlers", ()), *([facts["who"]] if facts.get("who") else [])}
    if not (subjects | conflicted) - before and not subjects:
        return facts
    roles_by_member = load_current_roles(tx)
    lines = _lines(tx, subjects)
    roles = sorted({role.value for subject in subjects for role in roles_by_member.get(subject, ())})
    earlier_roles = frozenset[str]() if case is None else case.fairness.roles
    eligible = independent(
        {member: frozenset(role.value for role in roles) for member, roles in roles_by_member.items()},
        levels=rules.levels,
        level=1 if case is None else case.level,
        acted_at={} if case is None else case.acted_at,
        denied=before | subjects | conflicted | lines,
        leads=bool((earlier_roles | set(roles)) & {"manager", "top_management"}),
    )
    of_subjects = {"lines": sorted(lines), "subject_roles": roles} if subjects else {}
    return {**facts, **of_subjects, "eligible": len(eligible)}


def list_handlers(file: CaseFile) -> list[str]:
    """Everyone who owned, assessed, investigated, decided or approved a complaint."""
    acted = {event.by for event in file.events if ACTIONS[event.verb].is_handling}
    owned = {str(event.facts["owner"]) for event in file.events if event.facts.get("owner")}
    return sorted(acted | owned)


def merge_facts(file: CaseFile) -> dict[str, Any]:
    """The facts that a merged complaint hands to the other one: receipt, signs, and who has no access."""
    case = file.case
    is_open = case.alarm is not None
    return {
        "relation": "merged",
        "other_ref": case.ref,
        "other_complainant": case.complainant,
        "received_at": format_time(case.received_at),
        "signs": [
            replace(sign, danger=sign.danger and is_open, look=sign.look and is_open).facts
            for sign in case.signs
        ],
        "restricted": case.restricted,
        "subjects": sorted(case.subjects),
        "lines": sorted(case.excluded_managers),
        "subject_roles": sorted(case.fairness.roles),
        "handlers": sorted(case.conflicted),
    }


def update_people(tx: Tx, case: Case, event: Event, words: Mapping[str, str]) -> None:
    """Update representative, affected person and support needs after an event; most events change none.

    The complainant stays the person who writes. The affected person gets a row and a key of their own, without a
    name: the dialogue does not ask for one.
    """
    if not ACTIONS[event.verb].names_people:
        return
    facts = event.facts
    if facts.get("what") == "authority":
        _update_representative(tx, case.ref, case.complainant, {"authority": SHOWN, "may_receive": True})
    elif facts.get("for_whom") or facts.get("relation"):
        _write_representation(tx, case, facts)
    if facts.get("field") == "support_needs":
        _write_needs(tx, case.complainant, words)


def find_support_needs(tx: Tx, person: str) -> str | None:
    """The support that this person needs, in their latest words; None if unknown or erased."""
    row = tx.connection.execute(
        select(PEOPLE.c.key_wrapped, PEOPLE.c.needs_sealed).where(PEOPLE.c.id == person)
    ).first()
    if row is None or row.key_wrapped is None or row.needs_sealed is None:
        return None
    return unseal(person_key(tx, person, row.key_wrapped), row.needs_sealed, place("people", person, "needs"))


def _lines(tx: Tx, subjects: Iterable[str]) -> set[str]:
    query = select(STAFF.c.line).where(STAFF.c.id.in_(sorted(subjects)), STAFF.c.line.is_not(None))
    return set(tx.connection.execute(query).scalars())


def _write_representation(tx: Tx, case: Case, facts: Mapping[str, Any]) -> None:
    if facts.get("for_whom") == "for_me":
        _update_representative(tx, case.ref, case.complainant, {"authority": None, "may_receive": True})
        return
    if not _is_representative(tx, case):
        _add_representative_and_affected(tx, case)
    answers = {"authority": facts.get("for_whom"), "relation": facts.get("relation")}
    values: dict[str, Any] = {name: value for name, value in answers.items() if value is not None}
    if case.authority_shown:
        values.pop("authority", None)
    if values:
        _update_representative(tx, case.ref, case.complainant, values)


def _add_representative_and_affected(tx: Tx, case: Case) -> None:
    affected, _ = create_person(tx)
    authority = SHOWN if case.authority_shown else None
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
            authority=authority if role == REPRESENTATIVE else None,
            may_receive=may,
        )


def add_representative(tx: Tx, ref: str, name: str, language: str, *, may_receive: bool) -> None:
    """A person who acts for the complainant; `name` may have an address too."""
    person, _ = create_person(tx, name=name, language=language)
    authority = SHOWN if may_receive else None
    tx.add(
        CASE_PEOPLE,
        ref=ref, person_id=person, role=REPRESENTATIVE, relation=None, authority=authority, may_receive=may_receive,
    )  # fmt: skip


def _is_representative(tx: Tx, case: Case) -> bool:
    """Whether the complainant is on file as a person who acts for another person."""
    query = select(CASE_PEOPLE.c.person_id).where(
        CASE_PEOPLE.c.ref == case.ref,
        CASE_PEOPLE.c.person_id == case.complainant,
        CASE_PEOPLE.c.role == REPRESENTATIVE,
    )
    return tx.connection.execute(query).first() is not None


def _update_representative(tx: Tx, ref: str, person: str, values: Mapping[str, Any]) -> None:
    is_row = CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.person_id == person, CASE_PEOPLE.c.role == REPRESENTATIVE
    tx.update(CASE_PEOPLE, *is_row, **values)


def _write_needs(tx: Tx, person: str, words: Mapping[str, str]) -> None:
    """Keep the support needs with the person: they hold for all of the person's complaints."""
    needs = next((text for name, text in words.items() if name.split(".")[0] == "support_needs"), "")
    wrapped = tx.connection.execute(select(PEOPLE.c.key_wrapped).where(PEOPLE.c.id == person)).scalar()
    if not needs.strip() or wrapped is None:
        return
    sealed = seal(person_key(tx, person, wrapped), needs, place("people", person, "needs"))
    tx.update_by(PEOPLE, {"id": person}, needs_sealed=sealed)
