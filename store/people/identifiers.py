"""Numbers by which a complaint is found: sealed with its key, looked up only by HMAC, in full."""

from __future__ import annotations

import re
from collections.abc import Iterable

import phonenumbers
from sqlalchemy import select

from complaints.actors import Actor
from complaints.case import Case
from complaints.identifiers import numbers_in
from store.cases.load import CaseFile, load_case_file
from store.cases.read_log import write_found
from store.cases.refused_attempts import record_refused_attempt
from store.cases.worklists import known_cases
from store.database.transaction import Tx
from store.proof.seal import place, seal
from store.rulebooks import load_current_rulebooks
from store.tables import IDENTIFIERS

KINDS = ("phone", "email", "customer", "order")
_SEPARATORS = re.compile(r"[^0-9A-Za-z]")


def normal_form(kind: str, value: str, country: str) -> str | None:
    """One spelling for all spellings of the same number; None where it is no such number.

    A phone becomes E.164, read as a number of `country` (ISO 3166) where it names none itself.
    """
    if kind == "phone":
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
    raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")


def keep_identifier(tx: Tx, ref: str, kind: str, value: str) -> bool:
    """File the complaint under this number; False where it is no such number."""
    return file_under(tx, load_case_file(tx, ref), kind, value)


def file_under(tx: Tx, file: CaseFile, kind: str, value: str) -> bool:
    """The same for a complaint that is loaded."""
    ref = file.case.ref
    spelled = normal_form(kind, value, file.case.rules.country)
    if spelled is None:
        return False
    sealed = seal(file.key(tx), value, place("identifiers", ref, kind))
    index = tx.keys.index(kind, spelled)
    tx.insert_new(IDENTIFIERS, [{"ref": ref, "kind": kind, "value_index": index, "sealed": sealed}])
    return True


def file_numbers(tx: Tx, file: CaseFile, texts: Iterable[str]) -> None:
    """File the complaint under every number that the complainant wrote."""
    for number in numbers_in(texts):
        file_under(tx, file, number.kind, number.value)


def find_by_identifier(tx: Tx, value: str, *countries: str, limit: int = 50) -> list[str]:
    """References of complaints filed under this exact phone, e-mail, customer or order number.

    A number without its country's prefix is looked for as each of `countries` writes it.
    """
    found: list[str] = []
    spellings = {(kind, normal_form(kind, value, country)): None for kind in KINDS for country in countries}
    for kind, spelled in spellings:
        if spelled is None:
            continue
        query = select(IDENTIFIERS.c.ref).where(
            IDENTIFIERS.c.kind == kind, IDENTIFIERS.c.value_index.in_(tx.keys.indexes(kind, spelled))
        )
        found += tx.connection.execute(query.order_by(IDENTIFIERS.c.ref).limit(limit)).scalars()
    return list(dict.fromkeys(found))[:limit]


def search_number(tx: Tx, value: str, by: Actor) -> tuple[Case, ...]:
    """Complaints filed under this exact number that this person may know of; the search is on the record (4.7).

    Each complaint found has a row among its reads; a search that found none stands among the attempts.
    """
    refs = find_by_identifier(tx, value, *load_current_rulebooks(tx).codes)
    cases = known_cases(tx, refs, by)
    for case in cases:
        write_found(tx, case, by)
    if not cases:
        record_refused_attempt(tx, None, "search", by, "nothing_found")
    return cases
