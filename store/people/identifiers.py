"""Identifiers of complaints (phone, e-mail, customer and order numbers): sealed, and looked up only by HMAC."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import select

from complaints.actors import Actor
from complaints.case import Case
from complaints.identifiers import numbers_in
from store.database.transaction import Tx
from store.proof.seal import place, seal
from store.record.load import CaseFile, load_case_file
from store.record.read_log import write_search_hit
from store.record.refused_attempts import record_refused_attempt
from store.record.worklists import load_visible_cases
from store.rulebooks import load_current_rulebooks
from store.tables import IDENTIFIERS

KINDS = ("phone", "email", "customer", "order")
_SEPARATORS = re.compile(r"[^0-9A-Za-z]")


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


def keep_identifier(tx: Tx, ref: str, kind: str, value: str) -> bool:
    """Store an identifier of the complaint; False if it is not a valid number of its kind."""
    return add_identifier(tx, load_case_file(tx, ref), kind, value)


def add_identifier(tx: Tx, file: CaseFile, kind: str, value: str) -> bool:
    """`keep_identifier` for a complaint that is loaded."""
    ref = file.case.ref
    spelled = normal_form(kind, value, file.case.rules.country)
    if spelled is None:
        return False
    sealed = seal(file.key(tx), value, place("identifiers", ref, kind))
    index = tx.keys.index(kind, spelled)
    tx.insert_new(IDENTIFIERS, [{"ref": ref, "kind": kind, "value_index": index, "sealed": sealed}])
    return True


def add_identifiers_in(tx: Tx, file: CaseFile, texts: Iterable[str]) -> None:
    """Store every number in these texts as an identifier of the complaint."""
    for number in numbers_in(texts):
        add_identifier(tx, file, number.kind, number.value)


def find_by_identifier(tx: Tx, value: str, *countries: str, limit: int = 50) -> list[str]:
    """References of the complaints with this exact phone, e-mail, customer or order number.

    A phone number without a country code is tried as a number of each of `countries`.
    """
    refs: list[str] = []
    spellings = {(kind, normal_form(kind, value, country)): None for kind in KINDS for country in countries}
    for kind, spelled in spellings:
        if spelled is None:
            continue
        query = select(IDENTIFIERS.c.ref).where(
            IDENTIFIERS.c.kind == kind, IDENTIFIERS.c.value_index.in_(tx.keys.indexes(kind, spelled))
        )
        refs += tx.connection.execute(query.order_by(IDENTIFIERS.c.ref).limit(limit)).scalars()
    return list(dict.fromkeys(refs))[:limit]


def search_number(tx: Tx, value: str, by: Actor) -> tuple[Case, ...]:
    """Complaints with this exact number that this person may know of; the search is logged (4.7).

    Each hit is logged as a read; a search without a hit is logged as an attempt.
    """
    refs = find_by_identifier(tx, value, *load_current_rulebooks(tx).codes)
    cases = load_visible_cases(tx, refs, by)
    for case in cases:
        write_search_hit(tx, case, by)
    if not cases:
        record_refused_attempt(tx, None, "search", by, "nothing_found")
    return cases
