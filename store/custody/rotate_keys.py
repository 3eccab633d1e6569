"""Key rotation: keys, seals, lookup hashes and signatures made with an older secret are made with the newest one.

Words are not encrypted again; only the keys of cases and people are wrapped again. Each call is one short
transaction, so the desk keeps running, and an interrupted rotation continues where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, select, update

from complaints.times import format_time
from store.database.errors import StoreError
from store.database.keyring import place, unseal
from store.database.transaction import Tx
from store.models.examples import history_place
from store.people.contacts import person_key
from store.people.identifiers import normal_form
from store.proof.checkpoints import statement_of
from store.proof.hash_chain import canonical, list_instance_events, record_instance_event
from store.record.load import case_key, key_place
from store.rulebooks import load_rulebook
from store.similarity.sketches import rotate_sketch
from store.tables import (
    CHECKPOINTS,
    COMPLAINTS,
    CONTACTS,
    DRAFTS,
    HISTORY_PARTS,
    IDENTIFIERS,
    INCIDENTS,
    OBLIGATIONS,
    PEOPLE,
    SET_ASIDE,
    STAFF,
)

BATCH = 200
#: Every sealed or wrapped value starts with the id of its secret, of this length.
_ID = 4


def list_stale_keys(tx: Tx) -> int:
    """How many values are still sealed, wrapped or signed with an older secret."""
    return sum(
        int(tx.connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        for query, _ in _kinds(tx)
    )


def rotate_keys(tx: Tx, limit: int = BATCH) -> int:
    """Move up to `limit` values to the newest secret; returns how many, and 0 if none is left.

    Raises SealBroken if a value was sealed with a secret that is not in the keyring.
    """
    for query, move in _kinds(tx):
        ordered = query.limit(limit)
        rows = tx.connection.execute(ordered if tx.is_sqlite else ordered.with_for_update()).all()
        for row in rows:
            move(tx, row)
        if rows:
            return len(rows)
    return 0


def record_keys_rotated(tx: Tx) -> None:
    """Record the end of a rotation with the retired public keys, so that old checkpoint documents can be verified."""
    newest, *older = tx.keys.publics
    record_instance_event(tx, "rotate_keys", {"public": newest, "retired": older})


def list_retired_keys(tx: Tx) -> frozenset[str]:
    """Public keys of secrets that may no longer be in the keyring."""
    events = list_instance_events(tx, "rotate_keys")
    return frozenset(public_key for event in events for public_key in event["facts"]["retired"])


def _kinds(tx: Tx) -> Sequence[tuple[Select[Any], Callable[[Tx, Any], None]]]:
    """Queries for the values made with an older secret, each with the function that moves a row."""
    people, cases, obligations = PEOPLE.c, COMPLAINTS.c, OBLIGATIONS.c
    incidents, drafts = INCIDENTS.c, DRAFTS.c
    payloads = select(obligations.id, obligations.scope, obligations.key, obligations.payload).where(
        obligations.contact_id.is_(None), _is_older(tx, obligations.payload)
    )
    checkpoints = select(CHECKPOINTS).where(CHECKPOINTS.c.public_key != tx.keys.publics[0])
    headers = select(cases.ref, cases.key_wrapped, cases.rulebook_id).where(_is_older(tx, cases.key_wrapped))
    return (
        (select(people.id, people.key_wrapped).where(_is_older(tx, people.key_wrapped)), _person),
        (headers, _case),
        (select(incidents.id, incidents.key_wrapped).where(_is_older(tx, incidents.key_wrapped)), _incident),
        (select(drafts.id, drafts.sealed).where(drafts.ref.is_(None), _is_older(tx, drafts.sealed)), _draft),
        (select(STAFF.c.id, STAFF.c.sealed).where(_is_older(tx, STAFF.c.sealed)), _member),
        (
            select(SET_ASIDE.c.id, SET_ASIDE.c.key, SET_ASIDE.c.sealed).where(
                _is_older(tx, SET_ASIDE.c.sealed)
            ),
            _raw,
        ),
        (_history_parts(tx), _history_part),
        (payloads, _payload),
        (checkpoints.order_by(CHECKPOINTS.c.n), _checkpoint),
    )


def _history_parts(tx: Tx) -> Select[Any]:
    columns = HISTORY_PARTS.c
    return select(columns.id, columns.sha256, columns.sealed).where(_is_older(tx, columns.sealed))


def _is_older(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.is_not(None) & (func.substr(column, 1, _ID) != tx.keys.newest_id)


def _person(tx: Tx, row: Any) -> None:
    """Move a person's key, and the lookup hashes of the contact points."""
    key = person_key(tx, row.id, row.key_wrapped)
    points = select(CONTACTS).where(CONTACTS.c.person_id == row.id, CONTACTS.c.address_sealed.is_not(None))
    for point in tx.connection.execute(points).all():
        address = unseal(key, point.address_sealed, place("contact_points", row.id, "address"))
        index = tx.keys.index(point.channel, address)
        tx.connection.execute(update(CONTACTS).where(CONTACTS.c.id == point.id).values(address_index=index))
    wrapped = tx.keys.wrap(key, place("people", row.id, "key"))
    tx.connection.execute(update(PEOPLE).where(PEOPLE.c.id == row.id).values(key_wrapped=wrapped))


def _case(tx: Tx, row: Any) -> None:
    """Move a complaint's key, and the lookup hashes of its identifiers and of its words."""
    key = case_key(tx, row.ref, row.key_wrapped)
    country = load_rulebook(tx, row.rulebook_id).country
    identifiers = select(IDENTIFIERS).where(IDENTIFIERS.c.ref == row.ref, IDENTIFIERS.c.sealed.is_not(None))
    for identifier in tx.connection.execute(identifiers).all():
        value = unseal(key, identifier.sealed, place("identifiers", row.ref, identifier.kind))
        normalised = normal_form(identifier.kind, value, country)
        if normalised is not None:
            tx.connection.execute(
                update(IDENTIFIERS)
                .where(
                    IDENTIFIERS.c.ref == row.ref,
                    IDENTIFIERS.c.kind == identifier.kind,
                    IDENTIFIERS.c.value_index == identifier.value_index,
                )
                .values(value_index=tx.keys.index(identifier.kind, normalised))
            )
    rotate_sketch(tx, row.ref, key)
    wrapped = tx.keys.wrap(key, key_place(row.ref))
    tx.connection.execute(update(COMPLAINTS).where(COMPLAINTS.c.ref == row.ref).values(key_wrapped=wrapped))


def _incident(tx: Tx, row: Any) -> None:
    where = place("incidents", row.id, "key")
    wrapped = tx.keys.wrap(tx.keys.unwrap(row.key_wrapped, where), where)
    tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == row.id).values(key_wrapped=wrapped))


def _draft(tx: Tx, row: Any) -> None:
    # Only drafts about incidents: those of a complaint are sealed with its own key.
    _reseal(tx, DRAFTS.c.sealed, row.id, row.sealed, place("drafts", row.id, "typed"))


def _member(tx: Tx, row: Any) -> None:
    _reseal(tx, STAFF.c.sealed, row.id, row.sealed, place("staff", row.id, "name"))


def _raw(tx: Tx, row: Any) -> None:
    _reseal(tx, SET_ASIDE.c.sealed, row.id, row.sealed, place("set_aside", row.key, "raw"))


def _history_part(tx: Tx, row: Any) -> None:
    _reseal(tx, HISTORY_PARTS.c.sealed, row.id, row.sealed, history_place(row.sha256))


def _payload(tx: Tx, row: Any) -> None:
    where = place("obligations", f"{row.scope}/{row.key}", "payload")
    _reseal(tx, OBLIGATIONS.c.payload, row.id, row.payload, where)


def _reseal(tx: Tx, column: Column[Any], row_id: Any, sealed: bytes, where: str) -> None:
    """Seal a value of this column with the newest secret."""
    resealed = tx.keys.seal(tx.keys.unseal(sealed, where), where)
    table = column.table
    tx.connection.execute(update(table).where(table.c.id == row_id).values({column: resealed}))


def _checkpoint(tx: Tx, row: Any) -> None:
    """Sign a checkpoint again after its old signature was verified."""
    statement = statement_of(row.n, format_time(row.at), row.last_event_id, row.heads, row.root, row.previous)
    data = canonical(statement).encode()
    if not tx.keys.verifies(data, row.public_key, row.signature):
        raise StoreError(
            f"Checkpoint {row.n} was not signed by a key in AMENDS_SECRET_KEY: add its key; `amends db verify` "
            "shows whether it was altered."
        )
    public_key, signature = tx.keys.sign(data)
    tx.connection.execute(
        update(CHECKPOINTS).where(CHECKPOINTS.c.n == row.n).values(public_key=public_key, signature=signature)
    )
