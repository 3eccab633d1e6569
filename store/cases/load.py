"""Taking a complaint out of its events: the fold, its key, and the row lock that an act needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select

from complaints import permissions
from complaints.actions.fold import after, fold
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import UnknownReference
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from store.database.errors import Erased, SealBroken
from store.database.transaction import FoldedCase, Tx
from store.proof.hash_chain import event_of, named_before
from store.proof.seal import place
from store.rulebooks import rulebook
from store.tables import COMPLAINTS, EVENTS


@dataclass(frozen=True)
class CaseFile:
    """A complaint as an act needs it: the case, its events, its key (None once erased), the chain's head."""

    case: Case
    events: tuple[Event, ...]
    key_wrapped: bytes | None
    head: str
    contact_id: int | None

    def key(self, tx: Tx) -> bytes:
        """The case's own key; Erased when it was destroyed."""
        return case_key(tx, self.case.ref, self.key_wrapped)


_HEADER = select(
    COMPLAINTS.c.ref,
    COMPLAINTS.c.rulebook_id,
    COMPLAINTS.c.key_wrapped,
    COMPLAINTS.c.head,
    COMPLAINTS.c.version,
    COMPLAINTS.c.contact_id,
)


def load_case_file(tx: Tx, ref: str, *, lock: bool = False) -> CaseFile:
    """One complaint; UnknownReference where there is none. `lock` holds its row until the commit."""
    rows = _headers(tx, _HEADER.where(COMPLAINTS.c.ref == ref), lock=lock)
    if not rows:
        raise UnknownReference(f"No complaint has the reference {ref}: check each letter.")
    return _files(tx, rows)[0]


def may_open(tx: Tx, case: Case, by: Actor) -> bool:
    """May this person read it? What was taken into another complaint only with that one (4.5, C)."""
    while permissions.may_read(case, by):
        if case.merged_into is None:
            return True
        case = load_case_file(tx, case.merged_into).case
    return False


def load_many(tx: Tx, refs: Sequence[str]) -> list[CaseFile]:
    """Several complaints, in the order asked for."""
    found = {one.case.ref: one for one in _files(tx, _headers(tx, _HEADER.where(COMPLAINTS.c.ref.in_(refs))))}
    return [found[ref] for ref in refs if ref in found]


def load_of_person(tx: Tx, person: str, limit: int) -> list[CaseFile]:
    """A person's complaints, the newest first, their rows locked until the commit."""
    query = (
        _HEADER.where(COMPLAINTS.c.complainant_id == person)
        .order_by(COMPLAINTS.c.received_at.desc(), COMPLAINTS.c.ref)
        .limit(limit)
    )
    return _files(tx, _headers(tx, query, lock=True))


def events_of(tx: Tx, ref: str) -> tuple[Event, ...]:
    """The events of one complaint in order, without words."""
    rows = tx.connection.execute(select(EVENTS.c.entry).where(EVENTS.c.ref == ref).order_by(EVENTS.c.seq))
    return tuple(with_rules(tx, [row.entry for row in rows]))


def with_rules(tx: Tx, entries: Iterable[str]) -> list[Event]:
    """The events that these entries tell, with the rules of each that changed them."""
    return [
        replace(one, rules=rulebook(tx, one.facts["rulebook"])) if one.verb is Verb.REDATE else one
        for one in map(event_of, entries)
    ]


def first_rules(tx: Tx, events: Sequence[Event]) -> Rulebook:
    """The rules under which a complaint was received."""
    return rulebook(tx, events[0].facts["rulebook"])


def case_key(tx: Tx, ref: str, wrapped: bytes | None) -> bytes:
    """A case's key from its wrapped form."""
    if wrapped is None:
        raise Erased(f"The words of {ref} were erased.")
    return tx.keys.unwrap(wrapped, key_place(ref))


def require_key(tx: Tx) -> None:
    """SealBroken where our secrets do not open the newest complaint: each duty would be given up as unreadable."""
    newest = select(COMPLAINTS.c.ref, COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.key_wrapped.is_not(None))
    row = tx.connection.execute(newest.order_by(COMPLAINTS.c.received_at.desc()).limit(1)).first()
    if row is None:
        return
    try:
        case_key(tx, row.ref, row.key_wrapped)
    except SealBroken as wrong:
        raise SealBroken(
            "AMENDS_SECRET_KEY does not open this database: give it the key of its time, beside any newer one."
        ) from wrong


def key_place(ref: str) -> str:
    """What a case's wrapped key is bound to."""
    return place("complaints", ref, "key")


def _headers(tx: Tx, query: Select[Any], *, lock: bool = False) -> Sequence[Row[Any]]:
    # SQLite holds the whole file already: its writer began IMMEDIATE.
    return tx.connection.execute(query.with_for_update() if lock and not tx.is_sqlite else query).all()


def _files(tx: Tx, headers: Sequence[Row[Any]]) -> list[CaseFile]:
    return [
        CaseFile(
            case=one.case,
            events=one.events,
            key_wrapped=header.key_wrapped,
            head=header.head,
            contact_id=header.contact_id,
        )
        for header, one in zip(headers, _folded(tx, headers), strict=True)
    ]


def _folded(tx: Tx, headers: Sequence[Row[Any]]) -> list[FoldedCase]:
    """Each complaint at its head; of one folded before only the events since are read."""
    known = {header.ref: _begun(tx, header) for header in headers}
    behind = [header for header in headers if _version(known[header.ref]) < header.version]
    entries = _entries(tx, {header.ref: _version(known[header.ref]) for header in behind})
    for header in behind:
        begun, new = known[header.ref], entries.get(header.ref, [])
        if begun is not None and new and named_before(new[0]) != begun.head:
            # Folded inside a transaction that was rolled back: the record went another way.
            begun, new = None, _entries(tx, {header.ref: 0})[header.ref]
        folded = _continued(tx, header, begun, new)
        known[header.ref] = folded
        tx.folded.keep(header.ref, folded)
    return [one for header in headers if (one := known[header.ref]) is not None]


def _begun(tx: Tx, header: Row[Any]) -> FoldedCase | None:
    """What was folded before, where it is an earlier or the present state of the same record."""
    one = tx.folded.of(header.ref)
    if one is None or one.rulebook_id != header.rulebook_id or one.case.version > header.version:
        return None
    return one if one.case.version < header.version or one.head == header.head else None


def _version(one: FoldedCase | None) -> int:
    return 0 if one is None else one.case.version


def _entries(tx: Tx, since: Mapping[str, int]) -> dict[str, list[str]]:
    """The entries after these versions, in order."""
    entries: dict[str, list[str]] = {}
    if since:
        wanted = or_(*(and_(EVENTS.c.ref == ref, EVENTS.c.seq > seq) for ref, seq in since.items()))
        query = select(EVENTS.c.ref, EVENTS.c.entry).where(wanted).order_by(EVENTS.c.ref, EVENTS.c.seq)
        for row in tx.connection.execute(query):
            entries.setdefault(row.ref, []).append(row.entry)
    return entries


def _continued(tx: Tx, header: Row[Any], begun: FoldedCase | None, entries: Sequence[str]) -> FoldedCase:
    # An event written by somebody else since the header was read belongs to the next state.
    events = [one for one in with_rules(tx, entries) if one.seq <= header.version]
    if begun is not None:
        case = begun.case
        for event in events:
            case = after(case, event)
        return FoldedCase(header.head, header.rulebook_id, case, (*begun.events, *events))
    case = fold(events, first_rules(tx, events))
    return FoldedCase(header.head, header.rulebook_id, case, tuple(events))
