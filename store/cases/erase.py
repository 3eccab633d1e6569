"""Erase words (8.1): the key and the sealed copies are deleted; the hash chain and the figures stay."""

import os

from sqlalchemy import delete, or_, select, update

from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.transaction import Tx
from store.outbox.complete import IS_OPEN
from store.outbox.rows import insert_obligation, insert_removal
from store.similarity.sketches import drop_sketch
from store.tables import (
    BINDINGS,
    CHUNKS,
    COMPLAINTS,
    CONTACTS,
    CONVERSATIONS,
    DRAFTS,
    FILES,
    IDENTIFIERS,
    MESSAGES,
    OBLIGATIONS,
    PEOPLE,
    SLACK,
    TEXTS,
)


def erase_words(tx: Tx, ref: str) -> None:
    """Delete a complaint's key and every sealed copy of its words; its rows, codes and times stay."""
    run = tx.connection.execute
    # Must be first: the key opens the sketch, and the sketch names the hashes to delete.
    drop_sketch(tx, ref)
    run(update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(key_wrapped=None))
    run(update(TEXTS).where(TEXTS.c.ref == ref).values(sealed=None, masked=None))
    run(update(MESSAGES).where(MESSAGES.c.ref == ref).values(sealed=None))
    run(update(FILES).where(FILES.c.ref == ref).values(meta_sealed=None, sha256=None))
    run(update(OBLIGATIONS).where(OBLIGATIONS.c.ref == ref).values(payload=None))
    # In Slack, files are deleted now and not a day after they were sent, messages by an obligation of their own.
    files = OBLIGATIONS.c.kind == "slack_file_delete", OBLIGATIONS.c.facts["ref"].as_string() == ref
    run(update(OBLIGATIONS).where(*files, IS_OPEN).values(due=tx.now))
    if run(select(SLACK.c.id).where(SLACK.c.ref == ref, SLACK.c.deleted_at.is_(None)).limit(1)).first():
        facts = {"ref": ref}
        insert_obligation(
            tx, NewObligation(f"slack_erase:{ref}", "slack_erase", tx.now, SendPriority.BULK, facts)
        )
    for table in (BINDINGS, CHUNKS, DRAFTS, IDENTIFIERS):
        run(delete(table).where(table.c.ref == ref))
    insert_removal(tx)


def erase_person(tx: Tx, person: str) -> None:
    """Delete a person's key, name and addresses. Each of their complaints is erased by an event of its own."""
    run = tx.connection.execute
    run(
        update(PEOPLE)
        .where(PEOPLE.c.id == person)
        .values(key_wrapped=None, name_sealed=None, needs_sealed=None, erased_at=tx.now)
    )
    points = run(select(CONTACTS.c.id).where(CONTACTS.c.person_id == person)).scalars().all()
    for contact_id in points:
        # The lookup hash is personal data too. It becomes random bytes, which no lookup finds.
        noise = os.urandom(32)
        run(
            update(CONTACTS)
            .where(CONTACTS.c.id == contact_id)
            .values(address_sealed=None, address_index=noise)
        )
    run(update(CONVERSATIONS).where(CONVERSATIONS.c.contact_id.in_(points)).values(state={}))
    run(update(OBLIGATIONS).where(OBLIGATIONS.c.contact_id.in_(points)).values(payload=None))
    of_person = or_(MESSAGES.c.ref.is_(None), MESSAGES.c.sealed_with == "person")
    run(update(MESSAGES).where(MESSAGES.c.contact_id.in_(points), of_person).values(sealed=None))
    insert_removal(tx)
