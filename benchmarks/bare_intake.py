"""The baseline of `benchmarks.intake`: the statements of one intake, written plainly with SQLModel.

It has every statement of `receive_message` for a new person's first message: in the same order with all reads, on the
same tables and indexes, with several rows per statement where the product does so. It leaves out what the product
does between the statements: rules, due times, dialogue, encryption and hashes. Encrypted values are random bytes of
the same length; the event's entry is a text of the same length.

A test compares these statements with the product's, so that the baseline stays correct.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, insert, select, update

from complaints.rulebook import ALWAYS
from store.tables import MEASURES
from store.tables.complaints import ComplaintRow, TargetRow
from store.tables.people import CasePersonRow, ContactPointRow, ConversationRow, PersonRow, StaffRoleRow
from store.tables.record import EventRow, MessageRow, TextRow
from store.tables.rules import SettingRow
from store.tables.work import ObligationRow, ReceivedKeyRow

#: The obligations of an intake: key, kind, days until due, whether it sends to the complainant, facts.
OBLIGATIONS: tuple[tuple[str, str, float, bool, dict[str, Any]], ...] = (
    ("card:1", "card", 0, False, {"version": 1}),
    ("propose:1", "propose", 0, False, {"words": 1}),
    ("propose:latest", "propose", 0, False, {}),
)
#: The targets of an intake: target, span, basis, days.
TARGETS: tuple[tuple[str, str, str, float], ...] = (
    ("ack", "1 bd", "ack", 1),
    ("look", "1 bd", "P3.look", 1),
    ("first_action", "3 bd", "P3.first_action", 3),
    ("update", "5 bd", "P3.update_every", 5),
    ("decide", "10 bd", "P3.decide, promised 10 bd", 10),
    ("legal", "10 bd", "legal", 10),
)
ENTRY = "x" * 1731


def intake(session: Session, name: str) -> None:
    """A new person's first message, in one transaction; the caller commits."""
    dialect = session.get_bind().dialect.name
    insert_new: Any = (sqlite if dialect == "sqlite" else postgresql).insert
    now = datetime.now(UTC)
    person, ref = secrets.token_hex(8), secrets.token_hex(5)
    address = secrets.token_bytes(32)

    # Lock the chat, insert the message's key, look for the person and create it.
    if dialect == "postgresql":
        session.exec(select(func.pg_advisory_xact_lock(int.from_bytes(address[:8], signed=True))))
    session.exec(
        insert_new(ReceivedKeyRow)
        .values(key=f"tg:{name}", at=now)
        .on_conflict_do_nothing()
        .returning(col(ReceivedKeyRow.key))
    ).first()
    session.exec(
        select(  # type: ignore[call-overload]  # SQLModel types four columns
            ContactPointRow.id,
            ContactPointRow.person_id,
            ContactPointRow.blocked,
            PersonRow.key_wrapped,
            PersonRow.language,
            PersonRow.name_sealed,
            ConversationRow.state,
        )
        .join(PersonRow, col(PersonRow.id) == ContactPointRow.person_id)
        .join(ConversationRow, col(ConversationRow.contact_id) == ContactPointRow.id)
        .where(ContactPointRow.channel == "telegram", col(ContactPointRow.address_index).in_([address]))
    ).first()
    _add(
        session,
        PersonRow,
        id=person,
        key_wrapped=secrets.token_bytes(64),
        name_sealed=secrets.token_bytes(41),
        needs_sealed=None,
        language=None,
        created_at=now,
        erased_at=None,
    )
    contact = session.exec(
        insert(ContactPointRow)
        .values(
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
        )
        .returning(col(ContactPointRow.id))
    ).scalar_one()
    _add(session, ConversationRow, contact_id=contact, state={}, updated_at=now)

    # Look for the person's complaints, also whether their owners are on the staff, and the rules in force.
    on_staff = select(StaffRoleRow.member_id).where(
        col(StaffRoleRow.role).in_(["handler", "manager"]), col(StaffRoleRow.until).is_(None)
    )
    complaints = (
        select(  # type: ignore[call-overload]  # SQLModel types four columns
            ComplaintRow.ref,
            ComplaintRow.rulebook_id,
            ComplaintRow.key_wrapped,
            ComplaintRow.head,
            ComplaintRow.version,
            ComplaintRow.contact_id,
            col(ComplaintRow.owner).not_in(on_staff),
        )
        .where(ComplaintRow.complainant_id == person)
        .order_by(col(ComplaintRow.received_at).desc(), ComplaintRow.ref)
        .limit(20)
    )
    session.exec(complaints.with_for_update() if dialect == "postgresql" else complaints).all()
    newest = select(func.max(SettingRow.id)).where(SettingRow.jurisdiction == "", SettingRow.at == ALWAYS)
    rules, _ = session.exec(
        select(SettingRow.rulebook_id, SettingRow.at)
        .where(SettingRow.jurisdiction == "")
        .where(col(SettingRow.id) >= newest.scalar_subquery())
        .order_by(col(SettingRow.id))
    ).all()[-1]

    # The complaint, its complainant, its first event, the words, the targets.
    _add(
        session,
        ComplaintRow,
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
        session,
        CasePersonRow,
        ref=ref,
        person_id=person,
        role="complainant",
        relation=None,
        authority=None,
        may_receive=True,
    )
    _add(
        session,
        EventRow,
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
    session.exec(
        select(PersonRow.id, PersonRow.key_wrapped, PersonRow.name_sealed)
        .join(CasePersonRow, col(CasePersonRow.person_id) == PersonRow.id)
        .where(CasePersonRow.ref == ref, col(PersonRow.name_sealed).is_not(None))
    ).all()
    _add(
        session,
        TextRow,
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
    _add_all(
        session,
        TargetRow,
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
            for target, span, basis, days in TARGETS
        ],
    )
    session.exec(insert(MEASURES), params=_measures(ref, rules, now))

    # The obligations, the message, and the receipt that the dialogue answers with.
    session.exec(
        insert_new(_table(ObligationRow)).on_conflict_do_nothing(),
        params=[
            _obligation(now, ref, ref, key, kind, days, facts, contact=contact if speaks else None)
            for key, kind, days, speaks, facts in OBLIGATIONS
        ],
    )
    later = insert_new(_table(ObligationRow))
    session.exec(
        later.on_conflict_do_update(index_elements=["scope", "key"], set_={"due": later.excluded.due}),
        params=[
            _obligation(
                now, ref, ref, "add_due", "add_due", 0.02, {"once": True, "first": "end_form"}, contact=None
            )
        ],
    )
    _add(
        session,
        MessageRow,
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
    session.exec(
        update(ConversationRow)
        .where(col(ConversationRow.contact_id) == contact)
        .values(state={"step": "story", "ref": ref}, updated_at=now)
    )
    receipt = _obligation(now, f"chat:{contact}", ref, f"receipt:{ref}", "say", 0, {}, contact=contact)
    session.exec(
        insert_new(_table(ObligationRow)).on_conflict_do_nothing(),
        params=[{**receipt, "payload": secrets.token_bytes(119)}],
    )


def _add(session: Session, model: type[Any], **values: Any) -> None:
    """Insert one row in SQLModel's cheapest way: into the table, without a tracked object or a flush."""
    session.exec(insert(_table(model)), params=values)


def _add_all(session: Session, model: type[Any], rows: list[dict[str, Any]]) -> None:
    session.exec(insert(_table(model)), params=rows)


def _table(model: type[Any]) -> Any:
    return model.__table__


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
