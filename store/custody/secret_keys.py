"""Secret keys: a wrong one is recognised at a start, and what an older one made is made with the newest (rotation).

Words are not encrypted again; only the keys of cases and people are wrapped again. Each call is one short
transaction, so the desk keeps running, and an interrupted rotation continues where it stopped.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, select, update

from store.database.errors import Altered, SealBroken
from store.database.keyring import place, unseal
from store.database.transaction import Tx
from store.models.models import model_place
from store.models.training_examples import history_place
from store.outbox.rows import insert_removal
from store.people.contacts import person_key, point_index
from store.people.identification import normal_form
from store.proof.hash_chain import INSTANCE_CHAIN, record_instance_event, rotate_mac_key
from store.record.load import case_key, key_place
from store.registers import words_place
from store.rulebooks import load_rulebook
from store.similarity.sketches import rotate_sketch
from store.tables import (
    COMPLAINTS,
    CONTACTS,
    DEAD_LETTERS,
    DRAFTS,
    EVENTS,
    HISTORY_PARTS,
    IDENTIFIERS,
    INCIDENTS,
    MODELS,
    OBLIGATIONS,
    PEOPLE,
    PROOF_KEYS,
    REGISTER_ENTRIES,
    STAFF,
)

BATCH = 200
#: Every sealed or wrapped value starts with the id of its secret, of this length.
_ID = 4
#: What is sealed with the instance's own key: its column, further conditions, and the place that a row is bound to.
INSTANCE_SEALED: tuple[tuple[Column[Any], list[ColumnElement[bool]], Callable[[Any], str]], ...] = (
    # Only drafts about incidents: those of a complaint are sealed with its own key.
    (DRAFTS.c.sealed, [DRAFTS.c.ref.is_(None)], lambda row: place("drafts", row.id, "typed")),
    (STAFF.c.sealed, [], lambda row: place("staff", row.id, "name")),
    (DEAD_LETTERS.c.sealed, [], lambda row: place("dead_letters", row.key, "raw")),
    (MODELS.c.blob, [func.length(MODELS.c.blob) > 0], lambda row: model_place(row.sha256)),
    (HISTORY_PARTS.c.sealed, [], lambda row: history_place(row.sha256)),
    (
        REGISTER_ENTRIES.c.words_sealed,
        [],
        lambda row: words_place(row.register_name, row.number, row.version),
    ),
    (
        OBLIGATIONS.c.payload,
        [OBLIGATIONS.c.contact_id.is_(None)],
        lambda row: place("obligations", f"{row.scope}/{row.key}", "payload"),
    ),
)


def list_stale_keys(tx: Tx) -> int:
    """How many values are still sealed or wrapped with an older secret."""
    return sum(
        int(tx.connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        for _, query, _ in _kinds(tx)
    )


def rotate_keys(tx: Tx, limit: int = BATCH, damaged: set[str] | None = None) -> int:
    """Move up to `limit` values to the newest secret; returns how many, and 0 if none is left.

    What no secret of the keyring opens cannot be moved: its table and row are added to `damaged`, and the rest is
    moved; without `damaged` it raises SealBroken.
    """
    for table, query, move in _kinds(tx):
        skipped = set() if damaged is None else damaged
        ordered = query.limit(limit + len(skipped))
        moved = 0
        for row in tx.connection.execute(ordered if tx.is_sqlite else ordered.with_for_update()).all():
            name = f"{table} {row[0]}"
            if name in skipped:
                continue
            try:
                move(tx, row)
            except SealBroken:  # not only Altered: with its first bytes altered it names no secret at all
                if damaged is None:
                    raise
                damaged.add(name)
            else:
                moved += 1
        if moved:
            return moved
    return 0


def record_keys_rotated(tx: Tx) -> None:
    """Record the end of a rotation: only the newest secret is needed from now on."""
    record_instance_event(tx, "rotate_keys", {"check": tx.keys.checks[0]})
    insert_removal(tx)


def _kinds(tx: Tx) -> Sequence[tuple[str, Select[Any], Callable[[Tx, Any], None]]]:
    """The table and the query of values made with an older secret, and the function that moves a row."""
    people, cases, incidents = PEOPLE.c, COMPLAINTS.c, INCIDENTS.c
    headers = select(cases.ref, cases.key_wrapped, cases.rulebook_id).where(_is_older(tx, cases.key_wrapped))
    persons = select(people.id, people.key_wrapped).where(_is_older(tx, people.key_wrapped))
    outages = select(incidents.id, incidents.key_wrapped).where(_is_older(tx, incidents.key_wrapped))
    return (
        ("people", persons, _person),
        ("complaints", headers, _case),
        ("incidents", outages, _incident),
        ("proof_keys", select(PROOF_KEYS).where(_is_older(tx, PROOF_KEYS.c.key_wrapped)), _proof_key),
        *(
            (
                column.table.name,
                select(column.table).where(_is_older(tx, column), *conditions),
                partial(_reseal, column, where),
            )
            for column, conditions, where in INSTANCE_SEALED
        ),
    )


def _is_older(tx: Tx, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.is_not(None) & (func.substr(column, 1, _ID) != tx.keys.newest_id)


def _person(tx: Tx, row: Any) -> None:
    """Move a person's key, and the lookup hashes of the contact points."""
    key = person_key(tx, row.id, row.key_wrapped)
    points = select(CONTACTS).where(CONTACTS.c.person_id == row.id, CONTACTS.c.address_sealed.is_not(None))
    for point in tx.connection.execute(points).all():
        try:
            address = unseal(key, point.address_sealed, place("contact_points", row.id, "address"))
        except Altered:
            continue  # without its address it cannot be found by any hash; the person's other data move
        index = point_index(tx, row.id, point.channel, address)
        tx.update_by(CONTACTS, {"id": point.id}, address_index=index)
    wrapped = tx.keys.wrap(key, place("people", row.id, "key"))
    tx.connection.execute(update(PEOPLE).where(PEOPLE.c.id == row.id).values(key_wrapped=wrapped))


def _case(tx: Tx, row: Any) -> None:
    """Move a complaint's key, and the lookup hashes of its identifiers and of its words."""
    key = case_key(tx, row.ref, row.key_wrapped)
    country = load_rulebook(tx, row.rulebook_id).country
    identifiers = select(IDENTIFIERS).where(IDENTIFIERS.c.ref == row.ref, IDENTIFIERS.c.sealed.is_not(None))
    for identifier in tx.connection.execute(identifiers).all():
        try:
            value = unseal(key, identifier.sealed, place("identifiers", row.ref, identifier.kind))
        except Altered:
            continue
        normalised = normal_form(identifier.kind, value, country)
        if normalised is not None:
            tx.update(
                IDENTIFIERS,
                IDENTIFIERS.c.ref == row.ref,
                IDENTIFIERS.c.kind == identifier.kind,
                IDENTIFIERS.c.value_index == identifier.value_index,
                value_index=tx.keys.index(identifier.kind, normalised),
            )
    rotate_sketch(tx, row.ref, key)
    wrapped = tx.keys.wrap(key, key_place(row.ref))
    tx.connection.execute(update(COMPLAINTS).where(COMPLAINTS.c.ref == row.ref).values(key_wrapped=wrapped))


def _incident(tx: Tx, row: Any) -> None:
    where = place("incidents", row.id, "key")
    wrapped = tx.keys.wrap(tx.keys.unwrap(row.key_wrapped, where), where)
    tx.connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == row.id).values(key_wrapped=wrapped))


def _proof_key(tx: Tx, _: Any) -> None:
    rotate_mac_key(tx)


def _reseal(column: Column[Any], where: Callable[[Any], str], tx: Tx, row: Any) -> None:
    sealed_place, table = where(row), column.table
    resealed = tx.keys.seal(tx.keys.unseal(getattr(row, column.name), sealed_place), sealed_place)
    tx.update_by(table, {"id": row.id}, **{column.name: resealed})


_USE, _ROTATION = "use_key", "rotate_keys"


def require_keys(tx: Tx) -> None:
    """Raise SealBroken unless the keyring has every secret that the record still needs."""
    try:
        if set(_used_checks(tx)) - set(tx.keys.checks):
            raise SealBroken("a secret in use is missing")
        _open_newest_complaint(tx)
    except SealBroken as wrong:
        raise SealBroken(
            "AMENDS_SECRET_KEY does not open this database: add the key it was written with, after any newer one. "
            "An older key may be taken out only after `amends db rotate-key`."
        ) from wrong


def record_key_use(tx: Tx) -> None:
    """Record the check value of the newest secret in the instance's log, unless it is the last one there.

    Raises SealBroken as `require_keys` does.
    """
    require_keys(tx)
    if _used_checks(tx)[-1:] != [tx.keys.checks[0]]:
        record_instance_event(tx, _USE, {"check": tx.keys.checks[0]})


def _used_checks(tx: Tx) -> list[str]:
    """The check values of the secrets in use, oldest first: that of the last rotation, and those since."""
    query = (
        select(EVENTS.c.verb, EVENTS.c.entry)
        .where(EVENTS.c.ref == INSTANCE_CHAIN, EVENTS.c.verb.in_((_USE, _ROTATION)))
        .order_by(EVENTS.c.seq)
    )
    checks: list[str] = []
    for verb, entry in tx.connection.execute(query):
        check = json.loads(entry)["facts"]["check"]
        checks = [check] if verb == _ROTATION else [*checks, check]
    return checks


def _open_newest_complaint(tx: Tx) -> None:
    """For a record that no desk was started on yet: it has no check value."""
    newest = select(COMPLAINTS.c.ref, COMPLAINTS.c.key_wrapped).where(COMPLAINTS.c.key_wrapped.is_not(None))
    row = tx.connection.execute(newest.order_by(COMPLAINTS.c.received_at.desc()).limit(1)).first()
    if row is not None:
        # A damaged key of the right secret does not stop the desk; `amends db verify` names it.
        with suppress(Altered):
            case_key(tx, row.ref, row.key_wrapped)
