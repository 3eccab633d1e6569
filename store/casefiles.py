"""Taking a complaint out of its events: the fold, its key, and the row lock that an act needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from complaints.errors import UnknownReference
from complaints.folding import fold
from complaints.record import Case, Event
from store.chain import event_of
from store.errors import Erased
from store.rulebooks import rulebook
from store.sealing import place
from store.tables import COMPLAINTS, EVENTS
from store.transactions import Tx


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
    COMPLAINTS.c.contact_id,
)


def load(tx: Tx, ref: str, *, lock: bool = False) -> CaseFile:
    """One complaint; UnknownReference where there is none. `lock` holds its row until the commit."""
    rows = _headers(tx, _HEADER.where(COMPLAINTS.c.ref == ref), lock=lock)
    if not rows:
        raise UnknownReference(f"No complaint has the reference {ref}: check each letter.")
    return _files(tx, rows)[0]


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
    return tuple(event_of(row.entry) for row in rows)


def case_key(tx: Tx, ref: str, wrapped: bytes | None) -> bytes:
    """A case's key from its wrapped form."""
    if wrapped is None:
        raise Erased(f"The words of {ref} were erased.")
    return tx.keys.unwrap(wrapped, key_place(ref))


def key_place(ref: str) -> str:
    """What a case's wrapped key is bound to."""
    return place("complaints", ref, "key")


def _headers(tx: Tx, query: Select[Any], *, lock: bool = False) -> Sequence[Row[Any]]:
    # SQLite holds the whole file already: its writer began IMMEDIATE.
    return tx.connection.execute(query.with_for_update() if lock and not tx.is_sqlite else query).all()


def _files(tx: Tx, headers: Sequence[Row[Any]]) -> list[CaseFile]:
    if not headers:
        return []
    refs = [header.ref for header in headers]
    events: dict[str, list[Event]] = {ref: [] for ref in refs}
    condition = EVENTS.c.ref == refs[0] if len(refs) == 1 else EVENTS.c.ref.in_(refs)
    query = select(EVENTS.c.ref, EVENTS.c.entry).where(condition).order_by(EVENTS.c.ref, EVENTS.c.seq)
    for row in tx.connection.execute(query):
        events[row.ref].append(event_of(row.entry))
    return [
        CaseFile(
            case=fold(events[header.ref], rulebook(tx, header.rulebook_id)),
            events=tuple(events[header.ref]),
            key_wrapped=header.key_wrapped,
            head=header.head,
            contact_id=header.contact_id,
        )
        for header in headers
    ]
