"""Identifiers of complaints and people, looked up by HMAC, and how a caller is identified (4.7)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from sqlalchemy import func, select

from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, NotAllowed, UnknownReference
from complaints.identifiers import Number, numbers_in
from store.database.keyring import new_key, place, seal
from store.database.transaction import Tx
from store.people.contacts import (
    LETTER,
    contact_row,
    keep_language,
    keep_name,
    new_person,
    person_key,
    person_name,
    person_row,
    readable_name,
)
from store.record.access_log import record_after_rollback
from store.record.load import CaseFile, load_case_file
from store.rulebooks import load_current_rulebook
from store.tables import ATTEMPTS, CASE_PEOPLE, CONTACTS, IDENTIFIERS, PEOPLE, READS

KINDS = ("phone", "email", "customer", "order")
_SEPARATORS = re.compile(r"[^0-9A-Za-z]")
#: Channels of a person other than a chat.
POINTS = ("phone", "email")
#: After this many wrong answers about one complaint within a day, only a handler may give information.
MOST_TRIES, TRIES_WITHIN = 5, timedelta(hours=24)
_WRONG_PROOF = "not_allowed.identity"


@lru_cache(maxsize=1024)  # an imported row asks for each of its numbers several times
def normal_form(kind: str, value: str, country: str) -> str | None:
    """The same spelling for all spellings of a number; None if it is not valid for this kind.

    A phone number becomes E.164; without a country code it is read as a number of `country` (ISO 3166).
    """
    if kind == "phone":
        import phonenumbers  # 58 modules, for the few commands that look for a number

        try:
            number = phonenumbers.parse(value, country)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if kind == "email":
        address = value.strip().casefold()
        return address if re.fullmatch(r"[^@\s]+@[^@\s]+", address) else None
    if kind in KINDS:
        return _SEPARATORS.sub("", value).upper() or None
    raise ValueError(f"{kind!r} is not one of {', '.join(KINDS)}")


def add_identifier(tx: Tx, file: CaseFile, kind: str, value: str) -> bool:
    """Store an identifier of the complaint; False if it is not a valid number of its kind."""
    ref = file.case.ref
    spelled = normal_form(kind, value, file.case.rules.country)
    if spelled is None:
        return False
    sealed = seal(file.key(tx), value, place("identifiers", ref, kind))
    index = tx.keys.index(kind, spelled)
    tx.insert_missing(IDENTIFIERS, [{"ref": ref, "kind": kind, "value_index": index, "sealed": sealed}])
    return True


def add_identifiers_in(tx: Tx, file: CaseFile, texts: Iterable[str], more: Iterable[Number] = ()) -> None:
    """Store every number in these texts, and `more` that others found in them, as identifiers of the complaint."""
    for number in (*numbers_in(texts), *more):
        add_identifier(tx, file, number.kind, number.value)


def find_by_identifier(tx: Tx, value: str, *countries: str, limit: int = 50) -> list[str]:
    """References of the complaints with this exact phone, e-mail, customer or order number.

    A phone number without a country code is tried as a number of each of `countries`. `value` may also be a text that
    names the number: "Kundennummer 4711".
    """
    refs: list[str] = []
    values = dict.fromkeys([value, *(number.value for number in numbers_in([value]))])
    spellings = {
        (kind, normal_form(kind, value, country)): None
        for value in values
        for kind in KINDS
        for country in countries
    }
    for kind, spelled in spellings:
        if spelled is None:
            continue
        query = select(IDENTIFIERS.c.ref).where(
            IDENTIFIERS.c.kind == kind, IDENTIFIERS.c.value_index.in_(tx.keys.indexes(kind, spelled))
        )
        refs += tx.connection.execute(query.order_by(IDENTIFIERS.c.ref).limit(limit)).scalars()
    return list(dict.fromkeys(refs))[:limit]


@dataclass(frozen=True)
class NamedPerson:
    """What staff or a file say of a person: `words` with name, phone, e-mail and address, of this country."""

    words: Mapping[str, str]
    country: str
    language: str
    preferred: str | None = None


@dataclass
class PersonOnFile:
    """A person with their key. `name` is empty if it cannot be read."""

    id: str
    key: bytes
    name: str | None = None
    language: str | None = None


def find_or_create_people(tx: Tx, named: Sequence[NamedPerson]) -> list[PersonOnFile]:
    """The person on file with the phone or e-mail of each of these; a new person if neither is on file.

    Raises BadFacts with the field that is not a valid phone or e-mail.
    """
    points_of = [_points(wanted.words, wanted.country) for wanted in named]
    on_file = _people_at(tx, {point for points in points_of for point in points.items()})
    before = {person.id: (person.name, person.language) for person in on_file.values()}
    people, contacts = [], []
    for wanted, points in zip(named, points_of, strict=True):
        person = next((on_file[point] for point in points.items() if point in on_file), None)
        person = person or PersonOnFile(new_person(), new_key())
        if person.name is None:
            person.name = wanted.words.get("name", "").strip() or None
        person.language = person.language or wanted.language
        new = [point for point in points.items() if point not in on_file]
        on_file.update(dict.fromkeys(new, person))
        if wanted.words.get("address", "").strip():
            new.append((LETTER, wanted.words["address"].strip()))
        contacts += [
            contact_row(
                tx, person.id, person.key, *point, verified=False, preferred=point[0] == wanted.preferred
            )
            for point in new
        ]
        people.append(person)
    _keep_people(tx, {person.id: person for person in people}.values(), before)
    tx.insert_missing(CONTACTS, contacts)
    return people


def _keep_people(
    tx: Tx, people: Iterable[PersonOnFile], before: Mapping[str, tuple[str | None, str | None]]
) -> None:
    """Write the new people, and what the others lacked; `before` has their names and languages by id."""
    new = []
    for person in people:
        if person.id not in before:
            new.append(person_row(tx, person.id, person.key, person.name, person.language))
            continue
        name, language = before[person.id]
        if person.name and person.name != name:
            keep_name(tx, person.id, person.key, person.name)
        if person.language and person.language != language:
            keep_language(tx, person.id, person.language)
    if new:
        tx.add_all(PEOPLE, new)


def list_complainant_names(tx: Tx, ref: str) -> list[str]:
    """The names of the complainant: the one that staff wrote down, and the one of the chat."""
    query = (
        select(PEOPLE.c.id, PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.person_id == PEOPLE.c.id)
        .where(CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.role == "complainant")
        .order_by(PEOPLE.c.created_at, PEOPLE.c.id)
    )
    names = (
        person_name(tx, row.id, row.key_wrapped, row.name_sealed) for row in tx.connection.execute(query)
    )
    return list(dict.fromkeys(name for name in names if name is not None))


def load_case_for_caller(tx: Tx, ref: str, by: Actor, proof: str) -> Case:
    """The complaint for a member of staff who informs a caller, after the caller is identified (4.7).

    `proof` is what the caller named in addition to the reference: a phone, e-mail, customer or order number, or the
    name on file. A match is logged as a read. Otherwise raises NotAllowed (recorded); after five
    misses within a day it always does. No complaint, and one that excludes this person, are refused as a wrong proof.
    """
    case: Case | None
    try:
        case = load_case_file(tx, ref, lock=True).case
    except UnknownReference:
        case = None
    refused = _refusal(tx, ref, case, by, proof)
    if refused is not None or case is None:
        raise refused or UnknownReference(ref)
    # Version 0: the person saw only the stage and read no words of the complaint.
    role = authorise(case, Access.STAGE, by)
    tx.add(READS, ref=ref, by=by.id, role=role.value, at=tx.now, what="stage", version=0, reason="contact")
    return case


def copy_roles(tx: Tx, ref: str, person: str, *, as_well_as: str) -> None:
    """Give this person every role in the complaint that the person on file, `as_well_as`, has."""
    query = select(CASE_PEOPLE).where(CASE_PEOPLE.c.ref == ref, CASE_PEOPLE.c.person_id == as_well_as)
    rows = [dict(row._mapping) for row in tx.connection.execute(query)]  # noqa: SLF001  # SQLAlchemy's public name
    tx.insert_missing(CASE_PEOPLE, [{**row, "person_id": person} for row in rows])


def _points(words: Mapping[str, str], country: str) -> dict[str, str]:
    points = {}
    for channel in POINTS:
        address = words.get(channel, "").strip()
        if not address:
            continue
        spelled = normal_form(channel, address, country)
        if spelled is None:
            code = f"not_a_{channel}"
            raise BadFacts.worded("not_a_email:contact", code=code, field=channel, channel=channel)
        points[channel] = spelled
    return points


def _people_at(tx: Tx, points: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PersonOnFile]:
    """The people who are not erased, by their contact points among these."""
    point_of = {index: point for point in points for index in tx.keys.indexes(*point)}
    query = (
        select(
            CONTACTS.c.address_index,
            PEOPLE.c.id,
            PEOPLE.c.key_wrapped,
            PEOPLE.c.name_sealed,
            PEOPLE.c.language,
        )
        .join(CONTACTS, CONTACTS.c.person_id == PEOPLE.c.id)
        .where(
            CONTACTS.c.channel.in_(POINTS),
            CONTACTS.c.address_index.in_(point_of),
            PEOPLE.c.key_wrapped.is_not(None),
        )
    )
    people: dict[str, PersonOnFile] = {}
    on_file = {}
    for row in tx.connection.execute(query) if point_of else ():
        if row.id not in people:
            name = None if row.name_sealed is None else readable_name(tx, row) or ""
            people[row.id] = PersonOnFile(row.id, person_key(tx, row.id, row.key_wrapped), name, row.language)
        on_file[point_of[row.address_index]] = people[row.id]
    return on_file


def _refusal(tx: Tx, ref: str, case: Case | None, by: Actor, proof: str) -> NotAllowed | None:
    """Record why the stage is not given, and return what the person learns of it; None if it is given."""
    denied: NotAllowed | None = None
    try:
        authorise(case, Access.STAGE, by)
    except NotAllowed as refused:
        denied = refused
    if denied is not None and not is_allowed(None, Access.STAGE, by):
        record_after_rollback(tx, ref, "stage", by, denied)
        return denied
    missed = select(func.count()).where(
        ATTEMPTS.c.ref == ref,
        ATTEMPTS.c.verb == "stage",
        ATTEMPTS.c.code.in_((_WRONG_PROOF, "not_allowed.excluded")),
        ATTEMPTS.c.at > tx.now - TRIES_WITHIN,
    )
    country = case.rules.country if case is not None else load_current_rulebook(tx).country
    matches = _matches_file(tx, ref, country, proof)
    if int(tx.connection.execute(missed).scalar_one()) >= MOST_TRIES:
        text = f"Too many wrong answers about {ref} today: a handler calls back on the number on file."
        code = "not_allowed.identity_locked"
    elif denied is not None or not matches:
        text = f"This does not match what {ref} has on file: ask for another number, or the name."
        code = _WRONG_PROOF
    else:
        return None
    record_after_rollback(tx, ref, "stage", by, denied or NotAllowed(text, code=code))
    return NotAllowed(text, code=code)


def _matches_file(tx: Tx, ref: str, country: str, proof: str) -> bool:
    proof = " ".join(proof.split())
    if not proof:
        return False
    if proof.casefold() in {" ".join(name.split()).casefold() for name in list_complainant_names(tx, ref)}:
        return True
    for kind in KINDS:
        spelled = normal_form(kind, proof, country)
        if spelled is not None and (
            _has_identifier(tx, ref, kind, spelled) or _has_contact_point(tx, ref, kind, spelled)
        ):
            return True
    return False


def _has_identifier(tx: Tx, ref: str, kind: str, spelled: str) -> bool:
    query = select(IDENTIFIERS.c.ref).where(
        IDENTIFIERS.c.ref == ref,
        IDENTIFIERS.c.kind == kind,
        IDENTIFIERS.c.value_index.in_(tx.keys.indexes(kind, spelled)),
    )
    return tx.connection.execute(query).first() is not None


def _has_contact_point(tx: Tx, ref: str, kind: str, spelled: str) -> bool:
    query = (
        select(CONTACTS.c.id)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.person_id == CONTACTS.c.person_id)
        .where(
            CASE_PEOPLE.c.ref == ref,
            CASE_PEOPLE.c.role == "complainant",
            CONTACTS.c.channel == kind,
            CONTACTS.c.address_index.in_(tx.keys.indexes(kind, spelled)),
        )
    )
    return tx.connection.execute(query).first() is not None
