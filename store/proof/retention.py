"""Erasing on request and when the time to keep is over (8.1): what may go, what is kept and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from complaints.actors import SYSTEM
from complaints.errors import UnknownReference
from complaints.references import parse_reference
from complaints.retention import RetentionPeriod
from complaints.vocabulary import CloseCode, Flag, State, Verb
from store.cases.act import act
from store.cases.load import load_case_file
from store.database.transaction import Tx
from store.proof.erase import erase_person
from store.rulebooks import rulebook
from store.tables import CASE_PEOPLE, COMPLAINTS, PEOPLE

_PAGE = 500


@dataclass(frozen=True)
class Erasure:
    """What an erasure did. `kept` tells by reference why not: `open`, `legal_hold` or `external`."""

    person: str
    erased: tuple[str, ...]
    kept: Mapping[str, str]
    person_erased: bool


@dataclass(frozen=True)
class Expired:
    """A complaint whose time to be kept is over; `held` tells why it stays nevertheless."""

    ref: str
    closed_at: datetime
    due: datetime
    held: str | None


def find_person(tx: Tx, who: str) -> str:
    """The complainant meant by a reference or by a person's id; UnknownReference where there is none."""
    ref = parse_reference(who)
    found = None
    if ref is not None:
        found = tx.connection.execute(
            select(COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
        ).scalar()
    if found is None:
        found = tx.connection.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == who.strip())).scalar()
    if found is None:
        raise UnknownReference(f"{who} is neither a reference nor a person's id: see `amends case show REF`.")
    return str(found)


def erase_complainant(tx: Tx, who: str, because: str) -> Erasure:
    """Erase a person with all their complaints, but for what must be kept; one transaction."""
    person = find_person(tx, who)
    query = select(COMPLAINTS.c.ref).where(
        COMPLAINTS.c.complainant_id == person, COMPLAINTS.c.erased_at.is_(None)
    )
    erased, kept = [], {}
    for ref in (
        tx.connection.execute(query.order_by(COMPLAINTS.c.received_at, COMPLAINTS.c.ref)).scalars().all()
    ):
        held = _held(tx, ref)
        if held is None:
            erase(tx, ref, because)
            erased.append(ref)
        else:
            kept[ref] = held
    # Somebody who only wrote to us and never complained has no complaint that would take them along.
    _forget(tx, person)
    gone = tx.connection.execute(select(PEOPLE.c.erased_at).where(PEOPLE.c.id == person)).scalar_one()
    return Erasure(person, tuple(erased), kept, gone is not None)


def erase(tx: Tx, ref: str, because: str) -> None:
    """Erase one closed complaint, and every person of whom nothing else is kept.

    `because` is a code that stays on the record. Raises ComplaintError while it is open or under legal hold.
    """
    act(tx, ref, Verb.ERASE, SYSTEM, {"because": because})
    persons = select(CASE_PEOPLE.c.person_id).where(CASE_PEOPLE.c.ref == ref)
    complainant = select(COMPLAINTS.c.complainant_id).where(COMPLAINTS.c.ref == ref)
    for person in sorted({*tx.connection.execute(persons.union(complainant)).scalars()}):
        _forget(tx, person)


def list_unerased(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Which of these complaints are here and still have their words."""
    found: list[str] = []
    for at in range(0, len(refs), _PAGE):
        some = list(refs[at : at + _PAGE])
        query = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.ref.in_(some), COMPLAINTS.c.erased_at.is_(None))
        found += tx.connection.execute(query.order_by(COMPLAINTS.c.ref)).scalars()
    return found


def list_expired(tx: Tx, retention: Mapping[str, str], limit: int = _PAGE) -> list[Expired]:
    """Closed complaints kept longer than their country's `retention` (complaints.retention), earliest closed first.

    A country that is not in it keeps everything. What is held back is in the list too, and says why.
    """
    found: list[Expired] = []
    after: tuple[datetime, str] | None = None
    while len(found) < limit:
        rows = _closed_page(tx, after)
        for row in rows:
            rules = rulebook(tx, row.rulebook_id)
            kept = retention.get(rules.country)
            until = kept and RetentionPeriod.parse(kept).until(
                received=row.received_at, closed=row.closed_at, calendar=rules.calendar
            )
            if until and until <= tx.now:
                found.append(Expired(row.ref, row.closed_at, until, _held(tx, row.ref)))
        if len(rows) < _PAGE:
            break
        after = rows[-1].closed_at, rows[-1].ref
    return found[:limit]


def _closed_page(tx: Tx, after: tuple[datetime, str] | None) -> Sequence[Any]:
    one = COMPLAINTS.c
    query = select(one.ref, one.received_at, one.closed_at, one.rulebook_id).where(
        one.closed_at.is_not(None), one.erased_at.is_(None), one.closed_at <= tx.now
    )
    if after is not None:
        at, ref = after
        query = query.where(one.closed_at >= at, or_(one.closed_at > at, one.ref > ref))
    return tx.connection.execute(query.order_by(one.closed_at, one.ref).limit(_PAGE)).all()


def _held(tx: Tx, ref: str) -> str | None:
    """Why a complaint must be kept for now; None where it may go."""
    row = tx.connection.execute(
        select(COMPLAINTS.c.state, COMPLAINTS.c.flags, COMPLAINTS.c.close_code).where(COMPLAINTS.c.ref == ref)
    ).one()
    if row.state != State.CLOSED.value:
        return "open"
    if row.close_code == CloseCode.MERGED.value:
        # Its words are part of the complaint that goes on: they go no earlier than that one's.
        goes_on = load_case_file(tx, ref).case.merged_into
        held = None if goes_on is None else _held(tx, goes_on)
        if held is not None:
            return held
    if Flag.LEGAL_HOLD.value in row.flags:
        return "legal_hold"
    # The flag stands for good once an outside body was named: whether it is still at work, the events know.
    if Flag.EXTERNAL.value in row.flags and load_case_file(tx, ref).case.external_open:
        return "external"
    return None


def _forget(tx: Tx, person: str) -> None:
    """Erase a person with whom no complaint that still has its words is about or from."""
    known = COMPLAINTS.c.erased_at.is_(None)
    own = select(COMPLAINTS.c.ref).where(COMPLAINTS.c.complainant_id == person, known)
    named = (
        select(COMPLAINTS.c.ref)
        .join(CASE_PEOPLE, CASE_PEOPLE.c.ref == COMPLAINTS.c.ref)
        .where(CASE_PEOPLE.c.person_id == person, known)
    )
    if tx.connection.execute(own.union(named).limit(1)).first() is None:
        erase_person(tx, person)
