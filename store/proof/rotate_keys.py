"""Newer keys for old: every key, seal, look-up hash and signature of an older secret moves to the newest one.

Words are not touched: only the keys of cases and people that open them are wrapped again. Each call is one
short transaction, so the desk goes on beside it, and a rotation that was interrupted goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, select, update

from complaints.timestamps import format_time
from store.cases.load import case_key, key_place
from store.database.errors import StoreError
from store.database.transaction import Tx
from store.models.history import history_place
from store.people.contacts import person_key
from store.people.identifiers import normal_form
from store.proof.checkpoints import statement_of
from store.proof.instance_log import list_instance_events, record_instance_event
from store.proof.seal import canonical, place, unseal
from store.rulebooks import rulebook
from store.similarity.sketches import move_sketch
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
#: Every closed value begins with the id of its secret, so long.
_ID = 4


def list_stale_keys(tx: Tx) -> int:
    """How many values an older secret still closes or signed."""
    return sum(
        int(tx.connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        for query, _ in _kinds(tx)
    )


def rotate_keys(tx: Tx, limit: int = BATCH) -> int:
    """Move up to `limit` values to the newest secret; how many there were. 0: nothing is left.

    Raises SealBroken where a value was closed by a secret that is not in the list.
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
    """Nothing is left: the record says which keys signed before, so that old checkpoints can be checked."""
    newest, *older = tx.keys.publics
    record_instance_event(tx, "rotate_keys", {"public": newest, "retired": older})


def retired(tx: Tx) -> frozenset[str]:
    """Public keys of secrets that may be gone from the list by now."""
    return frozenset(
        one for event in list_instance_events(tx, "rotate_keys") for one in event["facts"]["retired"]
    )


def _kinds(tx: Tx) -> Sequence[tuple[Select[Any], Callable[[Tx, Any], None]]]:
    """What is closed or signed with the instance's secret itself, and how each is moved."""
    people, cases, duties = PEOPLE.c, COMPLAINTS.c, OBLIGATIONS.c
    incidents, drafts = INCIDENTS.c, DRAFTS.c
    payloads = select(duties.id, duties.scope, duties.key, duties.payload).where(
        duties.contact_id.is_(None), _older(tx, duties.payload)
    )
    signed = select(CHECKPOINTS).where(CHECKPOINTS.c.public_key != tx.keys.publics[0])
    headers = select(cases.ref, cases.key_wrapped, cases.rulebook_id).where(_older(tx, cases.key_wrapped))
    return (
        (select(people.id, people.key_wrapped).where(_older(tx, people.key_wrapped)), _person),
        (headers, _case),
        (select(incidents.id, incidents.key_wrapped).where(_older(tx, incidents.key_wrapped)), _incident),
        (select(drafts.id, drafts.sealed).where(drafts.ref.is_(None), _older(tx, drafts.sealed)), _draft),
        (select(STAFF.c.id, STAFF.c.sealed).where(_older(tx, STAFF.c.sealed)), _member),
        (
            select(SET_ASIDE.c.id, SET_ASIDE.c.key, SET_ASIDE.c.sealed).where(_older(tx, SET_ASIDE.c.sealed)),
            _raw,
        ),
        (_history_parts(tx), _history_part),
        (payloads, _payload),
        (signed.order_by(CHECKPOINTS.c.n), _checkpoint),
    )


def _history_parts(tx: Tx) -> Select[Any]:
    one = HISTORY_PARTS.c
    return select(one.id, one.sha256, one.sealed).where(_older(tx, one.sealed))


def _older(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.is_not(None) & (func.substr(column, 1, _ID) != tx.keys.newest_id)


def _person(tx: Tx, row: Any) -> None:
    """A person's key, and the hashes by which the contact points are found."""
    key = person_key(tx, row.id, row.key_wrapped)
    points = select(CONTACTS).where(CONTACTS.c.person_id == row.id, CONTACTS.c.address_sealed.is_not(None))
    for point in tx.connection.execute(points).all():
        address = unseal(key, point.address_sealed, place("contact_points", row.id, "address"))
        index = tx.keys.index(point.channel, address)
        tx.connection.execute(update(CONTACTS).where(CONTACTS.c.id == point.id).values(address_index=index))
    wrapped = tx.keys.wrap(key, place("people", row.id, "key"))
    tx.connection.execute(update(PEOPLE).where(PEOPLE.c.id == row.id).values(key_wrapped=wrapped))


def _case(tx: Tx, row: Any) -> None:
    """A complaint's key, and the hashes of the numbers and of the words under which it is filed."""
    key = case_key(tx, row.ref, row.key_wrapped)
    country = rulebook(tx, row.rulebook_id).country
    filed = select(IDENTIFIERS).where(IDENTIFIERS.c.ref == row.ref, IDENTIFIERS.c.sealed.is_not(None))
    for one in tx.connection.execute(filed).all():
        value = unseal(key, one.sealed, place("identifiers", row.ref, one.kind))
        spelled = normal_form(one.kind, value, country)
        if spelled is not None:
            tx.connection.execute(
                update(IDENTIFIERS)
                .where(
                    IDENTIFIERS.c.ref == row.ref,
                    IDENTIFIERS.c.kind == one.kind,
                    IDENTIFIERS.c.value_index == one.value_index,
                )
                .values(value_index=tx.keys.index(one.kind, spelled))
            )
    move_sketch(tx, row.ref, key)
    wrapped = tx.keys.wrap(key, key_place(row.ref))
    tx.connection.execute(update(COMPLAINTS).where(COMPLAINTS.c.ref == row.ref).values(key_wrapped=wrapped))


def _incident(tx: Tx, row: Any) -> None:
    where = place("incidents", row.id, "key")
    wrapped = tx.keys.wrap(tx.keys.unwrap(row.key_wrapped, where), where)
    tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == row.id).values(key_wrapped=wrapped))


def _draft(tx: Tx, row: Any) -> None:
    """Of an incident: those of a complaint are sealed with its own key."""
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


def _reseal(tx: Tx, column: Column[Any], number: Any, sealed: bytes, where: str) -> None:
    """What the instance's key seals in this column, sealed again by the newest."""
    again = tx.keys.seal(tx.keys.unseal(sealed, where), where)
    table = column.table
    tx.connection.execute(update(table).where(table.c.id == number).values({column: again}))


def _checkpoint(tx: Tx, row: Any) -> None:
    """What we signed once and can still prove, we sign again."""
    said = statement_of(row.n, format_time(row.at), row.last_event_id, row.heads, row.root, row.previous)
    data = canonical(said).encode()
    if not tx.keys.verifies(data, row.public_key, row.signature):
        raise StoreError(
            f"Checkpoint {row.n} was not signed by a key in AMENDS_SECRET_KEY: add its key; `amends db verify` "
            "tells whether it was altered."
        )
    public_key, signature = tx.keys.sign(data)
    tx.connection.execute(
        update(CHECKPOINTS).where(CHECKPOINTS.c.n == row.n).values(public_key=public_key, signature=signature)
    )
