"""The baseline of `benchmarks.intake`: the statements of one intake, built once and run in a row.

It has every statement of `receive_message` for a new person's first message: in the same order with all reads, on the
same tables and indexes, with several rows per statement where the product does so. As in the product, each is
compiled once and run on the driver's own cursor. It leaves out what the product does between the statements: rules,
due times, dialogue, encryption and hashes. Encrypted values are random bytes of the same length; the event's entry is
a text of the same length.

A test compares these statements with the product's, so that the baseline stays correct.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from complaints.rulebook import ALWAYS
from store.database.prepared import Prepared
from store.database.transaction import _insert_missing
from store.tables import (
    CASE_PEOPLE,
    COMPLAINTS,
    CONTACTS,
    CONVERSATIONS,
    EVENTS,
    MEASURES,
    MESSAGES,
    OBLIGATIONS,
    PEOPLE,
    RECEIVED_KEYS,
    SETTINGS,
    STAFF_ROLES,
    TARGETS,
    TEXTS,
)

#: The obligations of an intake: key, kind, days until due, whether it sends to the complainant, facts.
NEW_OBLIGATIONS: tuple[tuple[str, str, float, bool, dict[str, Any]], ...] = (
    ("card:1", "card", 0, False, {"version": 1}),
    ("propose:1", "propose", 0, False, {"words": 1}),
    ("propose:latest", "propose", 0, False, {}),
)
#: The targets of an intake: target, span, basis, days.
NEW_TARGETS: tuple[tuple[str, str, str, float], ...] = (
    ("ack", "1 bd", "ack", 1),
    ("look", "1 bd", "P3.look", 1),
    ("first_action", "3 bd", "P3.first_action", 3),
    ("update", "5 bd", "P3.update_every", 5),
    ("decide", "10 bd", "P3.decide, promised 10 bd", 10),
    ("legal", "10 bd", "legal", 10),
)
ENTRY = "x" * 1731


_FIND_PERSON = Prepared(
    select(
        CONTACTS.c.id,
        CONTACTS.c.person_id,
        CONTACTS.c.blocked,
        PEOPLE.c.key_wrapped,
        PEOPLE.c.language,
        PEOPLE.c.name_sealed,
        CONVERSATIONS.c.state,
    )
    .join(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
    .join(CONVERSATIONS, CONVERSATIONS.c.contact_id == CONTACTS.c.id)
    .where(CONTACTS.c.channel == "telegram", CONTACTS.c.address_index == bindparam("address"))
)
_ON_STAFF = select(STAFF_ROLES.c.member_id).where(
    STAFF_ROLES.c.role.in_(["handler", "manager"]), STAFF_ROLES.c.until.is_(None)
)
_FIND_COMPLAINTS = Prepared(
    select(
        COMPLAINTS.c.ref,
        COMPLAINTS.c.rulebook_id,
        COMPLAINTS.c.key_wrapped,
        COMPLAINTS.c.head,
        COMPLAINTS.c.version,
        COMPLAINTS.c.contact_id,
        COMPLAINTS.c.owner.not_in(_ON_STAFF).label("is_without_owner"),
    )
    .where(COMPLAINTS.c.complainant_id == bindparam("person"))
    .order_by(COMPLAINTS.c.received_at.desc(), COMPLAINTS.c.ref)
    .limit(20)
    # SQLite, which locks nothing, leaves it out.
    .with_for_update()
)
_NEWEST = select(func.max(SETTINGS.c.id)).where(SETTINGS.c.jurisdiction == "", SETTINGS.c.at == ALWAYS)
_FIND_RULES = Prepared(
    select(SETTINGS.c.rulebook_id, SETTINGS.c.at)
    .where(SETTINGS.c.jurisdiction == "")
    .where(SETTINGS.c.id >= _NEWEST.scalar_subquery())
    .order_by(SETTINGS.c.id)
)
_IS_DRAWN = Prepared(select(COMPLAINTS.c.ref).where(COMPLAINTS.c.ref == bindparam("ref")))
_CONVERSATION = Prepared(select(CONVERSATIONS).where(CONVERSATIONS.c.contact_id == bindparam("contact")))
_LATER = Prepared(
    select(OBLIGATIONS).where(OBLIGATIONS.c.scope == bindparam("ref"), OBLIGATIONS.c.key == "add_due")
)
_INSERT_CONTACT = Prepared(insert(CONTACTS).returning(CONTACTS.c.id))
_SET_STATE = Prepared(update(CONVERSATIONS).where(CONVERSATIONS.c.contact_id == bindparam("contact")))


@cache
def _insert_key(dialect: str) -> Prepared:
    statement: Any = (sqlite if dialect == "sqlite" else postgresql).insert(RECEIVED_KEYS)
    return Prepared(statement.on_conflict_do_nothing().returning(RECEIVED_KEYS.c.key))


def _insert_obligations(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """In one statement, as the product does, which returns their numbers."""
    statement = _insert_missing(OBLIGATIONS, tuple(rows[0]), len(rows), connection.dialect.name == "sqlite")
    values = {f"{name}_{n}": value for n, row in enumerate(rows) for name, value in row.items()}
    statement.rows(connection, **values)


@cache
def _insert(table: Table) -> Prepared:
    return Prepared(insert(table))


def intake(connection: Connection, name: str) -> None:
    """A new person's first message, in the transaction of the caller."""
    dialect = connection.dialect.name
    now = datetime.now(UTC)
    person, ref = secrets.token_hex(8), secrets.token_hex(5)
    address = secrets.token_bytes(32)

    # Lock the chat, insert the message's key, look for the person and create it.
    if dialect == "postgresql":
        number = int.from_bytes(address[:8], signed=True)
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%(number)s)", {"number": number})
    _insert_key(dialect).first(connection, key=f"tg:{name}", at=now)
    _FIND_PERSON.first(connection, address=address)
    _add(
        connection,
        PEOPLE,
        id=person,
        key_wrapped=secrets.token_bytes(64),
        name_sealed=secrets.token_bytes(41),
        needs_sealed=None,
        language=None,
        created_at=now,
        erased_at=None,
    )
    contact = _INSERT_CONTACT.first(
        connection,
        person_id=person,
        channel="telegram",
        address_sealed=secrets.token_bytes(39),
        address_index=address,
        verified=True,
        preferred=True,
        blocked=False,
        blocked_at=None,
        quiet_hours=None,
        created_at=now,
    ).id
    _add(connection, CONVERSATIONS, contact_id=contact, state={}, updated_at=now)

    # Look for the person's complaints, also whether their owners are on the staff, and the rules in force.
    _FIND_COMPLAINTS.rows(connection, person=person)
    _IS_DRAWN.rows(connection, ref="")
    rules = _FIND_RULES.rows(connection)[-1].rulebook_id

    # The complaint, its complainant, its first event, the words, the targets.
    _add(
        connection,
        COMPLAINTS,
        ref=ref,
        key_wrapped=secrets.token_bytes(64),
        complainant_id=person,
        contact_id=contact,
        rulebook_id=rules,
        incident_id=None,
        jurisdiction="GB",
        channel="telegram",
        language="en",
        received_at=now,
        logged_at=now,
        is_simulation=False,
        version=1,
        work_version=0,
        head=secrets.token_hex(32),
        state="received",
        kind="complaint",
        category=None,
        severity=2,
        safety=0,
        priority="P3",
        owner=None,
        level=1,
        flags=[],
        restriction=None,
        waits=False,
        form_open=True,
        last_words_at=now,
        next_target="ack",
        next_due_at=now + timedelta(days=1),
        reply=None,
        close_code=None,
        closed_at=None,
        erased_at=None,
    )
    _add(
        connection,
        CASE_PEOPLE,
        ref=ref,
        person_id=person,
        role="complainant",
        relation=None,
        authority=None,
        may_receive=True,
    )
    _add(
        connection,
        EVENTS,
        ref=ref,
        seq=1,
        verb="receive",
        at=now,
        by=person,
        role="complainant",
        entry=ENTRY,
        hash=secrets.token_hex(32),
        mac=secrets.token_bytes(32),
    )
    _add(
        connection,
        TEXTS,
        ref=ref,
        seq=1,
        field="description",
        role="complainant",
        at=now,
        source="1",
        replaces=None,
        sealed=secrets.token_bytes(408),
        masked=secrets.token_bytes(408),
    )
    _insert(TARGETS).run(
        connection,
        [
            {
                "ref": ref,
                "target": target,
                "of": 0,
                "version": 1,
                "start": now,
                "internal_due": now + timedelta(days=days),
                "promised_due": now + timedelta(days=days),
                "basis": basis,
                "span": span,
                "met_at": None,
            }
            for target, span, basis, days in NEW_TARGETS
        ],
    )
    _insert(MEASURES).run(connection, [_measures(ref, rules, now)])

    # The obligations, the message, and the receipt that the dialogue answers with.
    obligations = [
        _obligation(now, ref, ref, key, kind, days, facts, contact=contact if speaks else None)
        for key, kind, days, speaks, facts in NEW_OBLIGATIONS
    ]
    _insert_obligations(connection, obligations)
    facts = {"once": True, "first": "end_form"}
    _LATER.rows(connection, ref=ref)
    later = _obligation(now, ref, ref, "add_due", "add_due", 0.02, facts, contact=None)
    _insert_obligations(connection, [later])
    _add(
        connection,
        MESSAGES,
        ref=ref,
        contact_id=contact,
        seq=1,
        direction="in",
        channel="telegram",
        at=now,
        language=None,
        platform_id="1",
        state="received",
    )
    _CONVERSATION.rows(connection, contact=contact)
    _SET_STATE.run(
        connection, [{"contact": contact, "state": {"step": "story", "ref": ref}, "updated_at": now}]
    )
    receipt = _obligation(now, f"chat:{contact}", ref, f"receipt:{ref}", "say", 0, {}, contact=contact)
    _insert_obligations(connection, [{**receipt, "payload": secrets.token_bytes(119)}])


def _add(connection: Connection, table: Table, **values: Any) -> None:
    _insert(table).run(connection, [values])


def _measures(ref: str, rules: str, now: datetime) -> dict[str, Any]:
    values = dict.fromkeys(column.name for column in MEASURES.columns)
    return values | {
        "ref": ref,
        "rule": 1,
        "version": 1,
        "rulebook_id": rules,
        "received_at": now,
        "received_on": now.date(),
        "logged_at": now,
        "is_simulation": False,
        "is_history": False,
        "kind": "complaint",
        "channel": "telegram",
        "language": "en",
        "severity": 2,
        "safety": 0,
        "priority": "P3",
        "state": "received",
        "level": 1,
        "support_need": False,
        "missed_danger": False,
        "incomplete": False,
        "marks": "",
        "pending": "a1764000000000000;c1764000000000000;d1764000000000000;e1764000000000000;",
        "stages": "1764000000000000,1764000000000000,,;",
        "details": '{"levels":[[1,1764000000000000]]}',
    }


def _obligation(
    now: datetime,
    scope: str,
    ref: str,
    key: str,
    kind: str,
    days: float,
    facts: dict[str, Any],
    *,
    contact: int | None,
) -> dict[str, Any]:
    return {
        "scope": scope,
        "key": key,
        "kind": kind,
        "ref": ref,
        "contact_id": contact,
        "speaks": contact is not None,
        "lane": 1,
        "due": now + timedelta(days=days),
        "state": "open",
        "facts": facts,
        "payload": None,
        "lease_until": 0.0,
        "wait_until": 0.0,
        "attempts": 0,
        "why": None,
        "created_at": now,
        "ended_at": None,
    }
