"""Whose a complaint is: persons known by an exact phone or e-mail, and what a caller must know (4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, NotAllowed
from complaints.permissions import is_excluded
from complaints.vocabulary import Verb
from store.cases.load import load_case_file
from store.cases.refused_attempts import remember
from store.database.transaction import Tx
from store.people.contacts import keep_language, keep_name, make_person, person_key
from store.people.identifiers import KINDS, normal_form
from store.proof.seal import place, seal, unseal
from store.tables import ATTEMPTS, CASE_PEOPLE, CONTACTS, IDENTIFIERS, PEOPLE, READS

#: Addresses of a person outside a chat.
POINTS = ("phone", "email")
#: So many wrong answers about one complaint within a day, then only a handler looks.
MOST_TRIES, TRIES_WITHIN = 5, timedelta(hours=24)


def person_of(tx: Tx, words: Mapping[str, str], country: str, *, language: str, preferred: str | None) -> str:
    """The person whom these words name, known by the exact phone or e-mail, else made; returns the id.

    Raises BadFacts for what is no phone or e-mail, naming the field.
    """
    points = _points(words, country)
    known = next((found for one in points.items() if (found := _at(tx, *one)) is not None), None)
    name = words.get("name", "").strip()
    if known is None:
        person, key = make_person(tx, name=name or None, language=language)
    else:
        person, wrapped, named, spoken = known
        key = person_key(tx, person, wrapped)
        if name and named is None:
            keep_name(tx, person, key, name)
        if spoken is None:
            keep_language(tx, person, language)
    tx.insert_new(
        CONTACTS,
        [
            {
                "person_id": person,
                "channel": channel,
                "address_sealed": seal(key, address, place("contact_points", person, "address")),
                "address_index": tx.keys.index(channel, address),
                "verified": False,
                "preferred": channel == preferred,
                "blocked": False,
                "blocked_at": None,
                "quiet_hours": None,
                "created_at": tx.now,
            }
            for channel, address in points.items()
            if _at(tx, channel, address) is None
        ],
    )
    return person


def _points(words: Mapping[str, str], country: str) -> dict[str, str]:
    points = {}
    for channel in POINTS:
        given = words.get(channel, "").strip()
        if not given:
            continue
        spelled = normal_form(channel, given, country)
        if spelled is None:
            raise BadFacts(
                f"That is no {channel}: write it in full, or leave it out.",
                field=channel,
                code=f"not_a_{channel}",
            )
        points[channel] = spelled
    return points


def _at(tx: Tx, channel: str, address: str) -> tuple[str, bytes, bytes | None, str | None] | None:
    row = tx.connection.execute(
        select(PEOPLE.c.id, PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed, PEOPLE.c.language)
        .join(CONTACTS, CONTACTS.c.person_id == PEOPLE.c.id)
        .where(CONTACTS.c.channel == channel, CONTACTS.c.address_index.in_(tx.keys.indexes(channel, address)))
    ).first()
    if row is None or row.key_wrapped is None:
        return None
    return row.id, row.key_wrapped, row.name_sealed, row.language


def names_of(tx: Tx, ref: str) -> list[str]:
    """The names by which the complainant of this complaint is known: as told to staff, and in the chat."""
    query = (
        select(PEOPLE.c.id, PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.person_id == PEOPLE.c.id)
        .where(CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.role == "complainant")
        .order_by(PEOPLE.c.created_at, PEOPLE.c.id)
    )
    found = []
    for row in tx.connection.execute(query):
        if row.key_wrapped is not None and row.name_sealed is not None:
            key = person_key(tx, row.id, row.key_wrapped)
            found.append(unseal(key, row.name_sealed, place("people", row.id, "name")))
    return list(dict.fromkeys(found))


def load_case_for_caller(tx: Tx, ref: str, by: Actor, proof: str) -> Case:
    """The complaint for somebody who tells a caller where it stands, once the caller is known (4.7).

    `proof` is what the caller gave beside the reference: the phone, e-mail, customer or order number, or the
    name on file. A hit is a read, a miss a recorded attempt; NotAllowed after five misses within a day.
    """
    case = load_case_file(tx, ref, lock=True).case
    refused = _refusal(tx, case, by, proof)
    if refused is not None:
        remember(tx, ref, "stage", by, refused)
        raise refused
    role = by.least(ACTIONS[Verb.NOTE].roles)
    # Version 0: whoever hears the stage has read nothing of what was said.
    row: dict[str, Any] = {"ref": ref, "by": by.id, "at": tx.now, "what": "stage", "version": 0}
    tx.add(READS, role="" if role is None else role.value, **row)
    return case


def _refusal(tx: Tx, case: Case, by: Actor, proof: str) -> NotAllowed | None:
    if by.least(ACTIONS[Verb.NOTE].roles) is None:
        return NotAllowed("You have no role that may tell this.", code="not_allowed.role")
    if is_excluded(case, by.id):
        return NotAllowed(f"{case.ref} is not open to you.", code="not_allowed.excluded")
    missed = select(func.count()).where(
        ATTEMPTS.c.ref == case.ref,
        ATTEMPTS.c.verb == "stage",
        ATTEMPTS.c.code == "not_allowed.identity",
        ATTEMPTS.c.at > tx.now - TRIES_WITHIN,
    )
    if int(tx.connection.execute(missed).scalar_one()) >= MOST_TRIES:
        return NotAllowed(
            f"Too many wrong answers about {case.ref} today: a handler calls back on the number on file.",
            code="not_allowed.identity_locked",
        )
    if not _is_known_by(tx, case, proof):
        return NotAllowed(
            f"That is not what {case.ref} has on file: ask for another number, or the name.",
            code="not_allowed.identity",
        )
    return None


def _is_known_by(tx: Tx, case: Case, proof: str) -> bool:
    given = " ".join(proof.split())
    if not given:
        return False
    if given.casefold() in {" ".join(one.split()).casefold() for one in names_of(tx, case.ref)}:
        return True
    for kind in KINDS:
        spelled = normal_form(kind, given, case.rules.country)
        if spelled is not None and (
            _filed_under(tx, case, kind, spelled) or _reached_at(tx, case, kind, spelled)
        ):
            return True
    return False


def _filed_under(tx: Tx, case: Case, kind: str, spelled: str) -> bool:
    query = select(IDENTIFIERS.c.ref).where(
        IDENTIFIERS.c.ref == case.ref,
        IDENTIFIERS.c.kind == kind,
        IDENTIFIERS.c.value_index.in_(tx.keys.indexes(kind, spelled)),
    )
    return tx.connection.execute(query).first() is not None


def _reached_at(tx: Tx, case: Case, kind: str, spelled: str) -> bool:
    query = (
        select(CONTACTS.c.id)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.person_id == CONTACTS.c.person_id)
        .where(
            CASE_PEOPLE.c.ref == case.ref,
            CASE_PEOPLE.c.role == "complainant",
            CONTACTS.c.channel == kind,
            CONTACTS.c.address_index.in_(tx.keys.indexes(kind, spelled)),
        )
    )
    return tx.connection.execute(query).first() is not None


def also_complains(tx: Tx, ref: str, person: str, *, as_well_as: str) -> None:
    """The person of the chat has every part in the complaint that the one who was written down has."""
    query = select(CASE_PEOPLE).where(CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.person_id == as_well_as)
    rows = [dict(row._mapping) for row in tx.connection.execute(query)]  # noqa: SLF001  # SQLAlchemy's public name
    tx.insert_new(CASE_PEOPLE, [{**row, "person_id": person} for row in rows])
