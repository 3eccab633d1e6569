"""Tries to open sealed values that are in no hash chain, from messages and masked copies to files and models."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import Select, select

from store.custody.rotate_keys import INSTANCE_SEALED
from store.database.errors import SealBroken
from store.database.journaled import DESK, PERSON
from store.database.keyring import place, unseal_bytes
from store.database.transaction import Tx
from store.files import chunk_place, file_meta_place
from store.outbox.deliveries import message_text_place
from store.people.masked_texts import masked_place
from store.record.load import key_place
from store.tables import (
    CHUNKS,
    COMPLAINTS,
    CONTACTS,
    DRAFTS,
    FILES,
    IDENTIFIERS,
    MESSAGES,
    OBLIGATIONS,
    PEOPLE,
    TEXTS,
)

#: A query with columns `owner` (reference or person), `wrapped` and `sealed`; the place and the name of a value.
_Sealed = tuple[Select[Any], Callable[[Any], str], Callable[[Any], str]]


def list_unopened(tx: Tx) -> Iterator[tuple[str, int, str]]:
    """For every damaged value the reference, person or table of the desk, the event or 0, and what does not open."""
    for queries, where, prefix in ((_of_cases(), key_place, ""), (_of_people(), _person_place, PERSON)):
        for query, value_place, name in queries:
            for owner, seq, why in _unopened(tx, query, where, value_place, name):
                yield f"{prefix}{owner}", seq, why
    for column, conditions, value_place in INSTANCE_SEALED:
        query, table = select(column.table).where(column.is_not(None), *conditions), column.table.name
        # A model is megabytes.
        for row in tx.connection.execute(query.execution_options(yield_per=10)):
            try:
                tx.keys.unseal(getattr(row, column.name), value_place(row))
            except SealBroken:
                yield f"{DESK}{table}", 0, f"row {row.id} of {table} does not open"


def _unopened(
    tx: Tx,
    query: Select[Any],
    where: Callable[[str], str],
    value_place: Callable[[Any], str],
    name: Callable[[Any], str],
) -> Iterator[tuple[str, int, str]]:
    owner, key = "", b""
    for row in tx.connection.execute(query.execution_options(yield_per=100)):
        try:
            if row.owner != owner:
                owner, key = row.owner, b""
                key = tx.keys.unwrap(row.wrapped, where(row.owner))
            if key:
                unseal_bytes(key, row.sealed, value_place(row))
        except SealBroken:  # not only Altered: with its first bytes altered it names no secret of the keyring
            if key:
                yield row.owner, getattr(row, "seq", None) or 0, f"{name(row)} does not open"
            else:
                yield row.owner, 0, "its key does not open"


def _of_cases() -> Iterator[_Sealed]:
    case = COMPLAINTS.c
    keys = (case.ref.label("owner"), case.key_wrapped.label("wrapped"))
    messages = select(*keys, MESSAGES.c.id, MESSAGES.c.seq, MESSAGES.c.direction, MESSAGES.c.sealed).join(
        MESSAGES, MESSAGES.c.ref == case.ref
    )
    yield (
        messages.where(MESSAGES.c.sealed.is_not(None), case.key_wrapped.is_not(None)).order_by(
            case.ref, MESSAGES.c.id
        ),
        lambda row: message_text_place(row.id),
        lambda row: f"message {row.id} ({row.direction})",
    )
    copies = select(*keys, TEXTS.c.seq, TEXTS.c.field, TEXTS.c.masked.label("sealed")).join(
        TEXTS, TEXTS.c.ref == case.ref
    )
    yield (
        copies.where(TEXTS.c.masked.is_not(None), case.key_wrapped.is_not(None)).order_by(
            case.ref, TEXTS.c.seq
        ),
        lambda row: masked_place(row.owner, row.seq, row.field),
        lambda row: f"the masked copy of {row.field}",
    )
    drafts = select(*keys, DRAFTS.c.id, DRAFTS.c.form, DRAFTS.c.sealed).join(DRAFTS, DRAFTS.c.ref == case.ref)
    yield (
        drafts.where(case.key_wrapped.is_not(None)).order_by(case.ref),
        lambda row: place("drafts", row.id, "typed"),
        lambda row: f"a draft ({row.form})",
    )
    numbers = select(*keys, IDENTIFIERS.c.kind, IDENTIFIERS.c.sealed).join(
        IDENTIFIERS, IDENTIFIERS.c.ref == case.ref
    )
    yield (
        numbers.where(IDENTIFIERS.c.sealed.is_not(None), case.key_wrapped.is_not(None)).order_by(case.ref),
        lambda row: place("identifiers", row.owner, row.kind),
        lambda row: f"a number ({row.kind})",
    )
    files = select(*keys, FILES.c.n, FILES.c.seq, FILES.c.meta_sealed.label("sealed")).join(
        FILES, FILES.c.ref == case.ref
    )
    yield (
        files.where(FILES.c.meta_sealed.is_not(None), case.key_wrapped.is_not(None)).order_by(
            case.ref, FILES.c.n
        ),
        lambda row: file_meta_place(row.owner, row.n),
        lambda row: f"the name of file {row.n}",
    )
    chunks = (
        select(*keys, FILES.c.n, FILES.c.seq, FILES.c.chunks, CHUNKS.c.part, CHUNKS.c.sealed)
        .join(FILES, FILES.c.ref == case.ref)
        .join(CHUNKS, (CHUNKS.c.ref == FILES.c.ref) & (CHUNKS.c.n == FILES.c.n))
    )
    yield (
        chunks.where(case.key_wrapped.is_not(None)).order_by(case.ref, FILES.c.n, CHUNKS.c.part),
        lambda row: chunk_place(row.owner, row.n, row.part, row.chunks),
        lambda row: f"part {row.part} of file {row.n}",
    )


def _of_people() -> Iterator[_Sealed]:
    person = PEOPLE.c
    keys = (person.id.label("owner"), person.key_wrapped.label("wrapped"))
    for column, name in ((person.name_sealed, "name"), (person.needs_sealed, "needs")):
        query = select(*keys, column.label("sealed"))
        yield (
            query.where(column.is_not(None), person.key_wrapped.is_not(None)),
            partial(_personal_place, name),
            partial(_personal_name, name),
        )
    points = select(*keys, CONTACTS.c.channel, CONTACTS.c.address_sealed.label("sealed")).join(
        CONTACTS, CONTACTS.c.person_id == person.id
    )
    yield (
        points.where(CONTACTS.c.address_sealed.is_not(None), person.key_wrapped.is_not(None)).order_by(
            person.id
        ),
        lambda row: place("contact_points", row.owner, "address"),
        lambda row: f"the address for {row.channel}",
    )
    messages = (
        select(*keys, MESSAGES.c.id, MESSAGES.c.direction, MESSAGES.c.sealed)
        .join(CONTACTS, CONTACTS.c.person_id == person.id)
        .join(MESSAGES, MESSAGES.c.contact_id == CONTACTS.c.id)
    )
    yield (
        messages.where(
            MESSAGES.c.ref.is_(None), MESSAGES.c.sealed.is_not(None), person.key_wrapped.is_not(None)
        ).order_by(person.id, MESSAGES.c.id),
        lambda row: message_text_place(row.id),
        lambda row: f"message {row.id} ({row.direction})",
    )

    payloads = (
        select(*keys, OBLIGATIONS.c.scope, OBLIGATIONS.c.key, OBLIGATIONS.c.payload.label("sealed"))
        .join(CONTACTS, CONTACTS.c.person_id == person.id)
        .join(OBLIGATIONS, OBLIGATIONS.c.contact_id == CONTACTS.c.id)
    )
    yield (
        payloads.where(OBLIGATIONS.c.payload.is_not(None), person.key_wrapped.is_not(None)).order_by(
            person.id
        ),
        lambda row: place("obligations", f"{row.scope}/{row.key}", "payload"),
        lambda row: f"the content of the obligation {row.key}",
    )


def _personal_place(name: str, row: Any) -> str:
    return place("people", row.owner, name)


def _personal_name(name: str, _: Any) -> str:
    return f"the person's {name}"


def _person_place(person: str) -> str:
    return place("people", person, "key")
