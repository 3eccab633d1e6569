"""What leaves the store as a whole: one complaint for its file, and everything about one person (8.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import or_, select

from complaints.doing import stamp
from complaints.incidents import Incident
from complaints.rulebook import Rulebook
from store.casefiles import CaseFile, load
from store.contacts import person_key
from store.errors import Erased, UnknownRow
from store.files import stored_bytes
from store.incidents import incident
from store.messages import message_place
from store.reading import name_of
from store.record_fields import contact_points
from store.records import record
from store.representing import needs_of
from store.rulebooks import current_rulebook
from store.sealing import place, unseal
from store.staff import names
from store.tables import CASE_PEOPLE, COMPLAINTS, CONTACTS, IDENTIFIERS, MESSAGES, PEOPLE, READS
from store.transactions import Tx
from store.whose import names_of

#: Who opens things at the command line: no member of staff signs in there (4.7: it is on the record).
OPERATOR = "operator"


@dataclass(frozen=True)
class WholeCase:
    """One complaint for its file: the record, and what stands beside it. `head` is the chain's newest hash,
    `names` all by which the complainant is known.
    """

    record: Mapping[str, Any]
    head: str
    names: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]
    needs: str | None
    rules: Rulebook
    incident: Incident | None


@dataclass(frozen=True)
class WholePerson:
    """Everything about one person. `cases` gives each complaint with the parts that the person has in it.

    `rules` are those of the newest complaint, else the organisation's in force; `staff` the names and aliases of
    staff, longest first, which are no data of this person.
    """

    id: str
    name: str | None
    needs: str | None
    language: str | None
    created_at: str
    contact_points: tuple[Mapping[str, Any], ...]
    cases: tuple[tuple[WholeCase, tuple[str, ...]], ...]
    rules: Rulebook
    messages: tuple[Mapping[str, Any], ...]
    staff: tuple[str, ...]


def whole_case(tx: Tx, ref: str) -> WholeCase:
    """One complaint with all that its file shows; UnknownReference where there is none."""
    file = load(tx, ref)
    return WholeCase(
        record(tx, ref),
        file.head,
        tuple(names_of(tx, ref)),
        tuple(_identifiers(tx, file)),
        needs_of(tx, file.case.complainant),
        file.case.rules,
        _incident(tx, ref),
    )


def export_person(tx: Tx, person: str) -> WholePerson:
    """Everything about one person (people.id), unsealed. Raises UnknownRow, or Erased where it is gone."""
    row = tx.connection.execute(select(PEOPLE).where(PEOPLE.c.id == person)).first()
    if row is None:
        raise UnknownRow(f"no person has the id {person}: give the reference of one of their complaints")
    if row.key_wrapped is None:
        raise Erased(f"The data of {person} were erased on {stamp(row.erased_at)}.")
    cases = tuple((_theirs(tx, ref, person, parts), parts) for ref, parts in roles_of(tx, person).items())
    return WholePerson(
        id=person,
        name=name_of(tx, person),
        needs=needs_of(tx, person),
        language=row.language,
        created_at=stamp(row.created_at),
        contact_points=tuple(contact_points(tx, person)),
        cases=cases,
        rules=cases[-1][0].rules if cases else current_rulebook(tx),
        messages=tuple(_loose_messages(tx, person, person_key(tx, person, row.key_wrapped))),
        staff=tuple(sorted({one for said in names(tx).values() for one in said if one}, key=len)[::-1]),
    )


def roles_of(tx: Tx, person: str) -> dict[str, tuple[str, ...]]:
    """The person's complaints, the earliest first, with the parts that they have in each."""
    of_person = (
        select(COMPLAINTS.c.ref, COMPLAINTS.c.complainant_id, CASE_PEOPLE.c.role)
        .outerjoin(CASE_PEOPLE, (CASE_PEOPLE.c.ref == COMPLAINTS.c.ref) & (CASE_PEOPLE.c.person_id == person))
        .where(or_(COMPLAINTS.c.complainant_id == person, CASE_PEOPLE.c.person_id == person))
        .order_by(COMPLAINTS.c.received_at, COMPLAINTS.c.ref, CASE_PEOPLE.c.role)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in tx.connection.execute(of_person):
        parts = (*found.get(row.ref, ()), row.role or "complainant")
        if row.complainant_id == person and "complainant" not in parts:
            parts = ("complainant", *parts)
        found[row.ref] = tuple(dict.fromkeys(parts))
    return found


def note_read(tx: Tx, refs: Sequence[str], by: str, what: str) -> None:
    """Somebody without a role in the case (the operator, the person concerned) was given it: on the record.

    `by` and the role are the same word: `operator` or `complainant`.
    """
    for ref in refs:
        version = load(tx, ref).case.version
        tx.add(READS, ref=ref, by=by, role=by, at=tx.now, what=what, version=version)


def stored_file(tx: Tx, ref: str, n: int) -> bytes:
    """The bytes of a file, for whoever writes down by `note_read` that it was given out."""
    return stored_bytes(tx, load(tx, ref), n)


def _theirs(tx: Tx, ref: str, person: str, parts: tuple[str, ...]) -> WholeCase:
    """The complaint with only those messages that this person sent or was sent."""
    whole = whole_case(tx, ref)
    kept = {**whole.record, "messages": _with_person(tx, ref, person, whole.record["messages"], parts)}
    return replace(whole, record=kept)


def _with_person(
    tx: Tx, ref: str, person: str, told: Sequence[Mapping[str, Any]], parts: tuple[str, ...]
) -> list[Mapping[str, Any]]:
    query = (
        select(CONTACTS.c.person_id)
        .select_from(MESSAGES)
        .outerjoin(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
        .where(MESSAGES.c.ref == ref)
        .order_by(MESSAGES.c.id)
    )
    owners = tx.connection.execute(query).scalars().all()
    # Without a contact point it was said by voice or letter to whoever complained.
    by_voice = person if "complainant" in parts else None
    return [one for one, owner in zip(told, owners, strict=True) if (owner or by_voice) == person]


def _incident(tx: Tx, ref: str) -> Incident | None:
    number = tx.connection.execute(
        select(COMPLAINTS.c.incident_id).where(COMPLAINTS.c.ref == ref)
    ).scalar_one()
    return None if number is None else incident(tx, number)


def _identifiers(tx: Tx, file: CaseFile) -> Iterator[tuple[str, str]]:
    ref = file.case.ref
    query = select(IDENTIFIERS.c.kind, IDENTIFIERS.c.sealed).where(IDENTIFIERS.c.ref == ref)
    for row in tx.connection.execute(query.order_by(IDENTIFIERS.c.kind)):
        if row.sealed is not None:
            yield row.kind, unseal(file.key(tx), row.sealed, place("identifiers", ref, row.kind))


def _loose_messages(tx: Tx, person: str, key: bytes) -> Iterator[dict[str, Any]]:
    """Messages that belong to no complaint: greetings, commands answered, surveys of nothing."""
    query = (
        select(MESSAGES)
        .join(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
        .where(CONTACTS.c.person_id == person, MESSAGES.c.ref.is_(None))
        .order_by(MESSAGES.c.id)
    )
    for row in tx.connection.execute(query):
        yield {
            "direction": row.direction,
            "at": stamp(row.at),
            "text": None if row.sealed is None else unseal(key, row.sealed, message_place(row.id)),
            "channel": row.channel,
            "language": row.language,
            "state": row.state,
        }
