"""Tries to open sealed values that are in no hash chain, from messages and masked copies to files and models."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Column, Select, select

from store.custody.secret_keys import INSTANCE_SEALED
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
            if key and row.sealed is not None:
                unseal_bytes(key, row.sealed, value_place(row))
        except SealBroken:  # not only Altered: with its first bytes altered it names no secret of the keyring
            if key:
                yield row.owner, getattr(row, "seq", None) or 0, f"{name(row)} does not open"
            else:
                yield row.owner, 0, "its key does not open"


def _of_cases() -> Iterator[_Sealed]:
    yield (
        _of_case(MESSAGES.c.sealed, "id", "seq", "direction"),
        lambda row: message_text_place(row.id),
        lambda row: f"message {row.id} ({row.direction})",
    )
    yield (
        _of_case(TEXTS.c.masked, "seq", "field"),
        lambda row: masked_place(row.owner, row.seq, row.field),
        lambda row: f"the masked copy of {row.field}",
    )
    yield (
        _of_case(DRAFTS.c.sealed, "id", "form"),
        lambda row: place("drafts", row.id, "typed"),
        lambda row: f"a draft ({row.form})",
    )
    yield (
        _of_case(IDENTIFIERS.c.sealed, "kind"),
        lambda row: place("identifiers", row.owner, row.kind),
        lambda row: f"a number ({row.kind})",
    )
    yield (
        _of_case(FILES.c.meta_sealed, "n", "seq"),
        lambda row: file_meta_place(row.owner, row.n),
        lambda row: f"the name of file {row.n}",
    )
    chunks = _of_case(CHUNKS.c.sealed, "n", "part").add_columns(FILES.c.seq, FILES.c.chunks)
    chunks = chunks.join(FILES, (FILES.c.ref == CHUNKS.c.ref) & (FILES.c.n == CHUNKS.c.n))
    yield (
        chunks.order_by(CHUNKS.c.part),
        lambda row: chunk_place(row.owner, row.n, row.part, row.chunks),
        lambda row: f"part {row.part} of file {row.n}",
    )


def _of_case(column: Column[Any], *names: str) -> Select[Any]:
    """The values of this column by complaint, with other columns of its table, in the order of the first of them."""
    case, row = COMPLAINTS.c, column.table.c
    query = _with_key(case.ref, case.key_wrapped, column, names).where(column.is_not(None))
    return query.join(column.table, row.ref == case.ref).order_by(row[names[0]])


def _of_people() -> Iterator[_Sealed]:
    # The first query has people without a name too, so that the key of a person without any sealed value is tried.
    names = _with_key(PEOPLE.c.id, PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed, ())
    for query, name in ((names, "name"), (_of_person(PEOPLE.c.needs_sealed), "needs")):
        yield query, partial(_personal_place, name), partial(_personal_name, name)
    is_own = CONTACTS.c.person_id == PEOPLE.c.id
    yield (
        _of_person(CONTACTS.c.address_sealed, "channel").join(CONTACTS, is_own),
        lambda row: place("contact_points", row.owner, "address"),
        lambda row: f"the address for {row.channel}",
    )
    messages = _of_person(MESSAGES.c.sealed, "id", "direction").join(CONTACTS, is_own)
    messages = messages.join(MESSAGES, MESSAGES.c.contact_id == CONTACTS.c.id)
    yield (
        messages.where(MESSAGES.c.ref.is_(None)).order_by(MESSAGES.c.id),
        lambda row: message_text_place(row.id),
        lambda row: f"message {row.id} ({row.direction})",
    )
    payloads = _of_person(OBLIGATIONS.c.payload, "scope", "key").join(CONTACTS, is_own)
    yield (
        payloads.join(OBLIGATIONS, OBLIGATIONS.c.contact_id == CONTACTS.c.id),
        lambda row: place("obligations", f"{row.scope}/{row.key}", "payload"),
        lambda row: f"the content of the obligation {row.key}",
    )


def _of_person(column: Column[Any], *names: str) -> Select[Any]:
    """The values of this column by person; the caller joins its table."""
    return _with_key(PEOPLE.c.id, PEOPLE.c.key_wrapped, column, names).where(column.is_not(None))


def _with_key(
    owner: Column[Any], wrapped: Column[Any], column: Column[Any], names: Sequence[str]
) -> Select[Any]:
    others = (column.table.c[name] for name in names)
    query = select(owner.label("owner"), wrapped.label("wrapped"), column.label("sealed"), *others)
    return query.where(wrapped.is_not(None)).order_by(owner)


def _personal_place(name: str, row: Any) -> str:
    return place("people", row.owner, name)


def _personal_name(name: str, _: Any) -> str:
    return f"the person's {name}"


def _person_place(person: str) -> str:
    return place("people", person, "key")
