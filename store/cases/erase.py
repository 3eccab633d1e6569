"""Erase words (8.1): the key and the sealed copies are deleted; the hash chain and the figures stay."""

import os

from sqlalchemy import or_, select

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
    # Must be first: the key opens the sketch, and the sketch names the hashes to delete.
    drop_sketch(tx, ref)
    tx.update_by(COMPLAINTS, {"ref": ref}, key_wrapped=None)
    tx.update_by(TEXTS, {"ref": ref}, sealed=None, masked=None)
    tx.update_by(MESSAGES, {"ref": ref}, sealed=None)
    tx.update_by(FILES, {"ref": ref}, meta_sealed=None, sha256=None)
    tx.update_by(OBLIGATIONS, {"ref": ref}, payload=None)
    # In Slack, files are deleted now and not a day after they were sent, messages by an obligation of their own.
    files = OBLIGATIONS.c.kind == "slack_file_delete", OBLIGATIONS.c.facts["ref"].as_string() == ref
    tx.update(OBLIGATIONS, *files, IS_OPEN, due=tx.now)
    posts = select(SLACK.c.id).where(SLACK.c.ref == ref, SLACK.c.deleted_at.is_(None))
    if tx.connection.execute(posts.limit(1)).first():
        facts = {"ref": ref}
        insert_obligation(
            tx, NewObligation(f"slack_erase:{ref}", "slack_erase", tx.now, SendPriority.BULK, facts)
        )
    for table in (BINDINGS, DRAFTS, IDENTIFIERS):
        tx.delete(table, table.c.ref == ref)
    files_with_bytes = select(CHUNKS.c.n).where(CHUNKS.c.ref == ref).distinct()
    for n in tx.connection.execute(files_with_bytes).scalars().all():
        # One file at a time: what is deleted is read for the journal.
        tx.delete(CHUNKS, CHUNKS.c.ref == ref, CHUNKS.c.n == n)
    insert_removal(tx)


def erase_person(tx: Tx, person: str) -> None:
    """Delete a person's key, name and addresses. Each of their complaints is erased by an event of its own."""
    gone = {"key_wrapped": None, "name_sealed": None, "needs_sealed": None, "erased_at": tx.now}
    tx.update_by(PEOPLE, {"id": person}, **gone)
    # The lookup hash is personal data too. It becomes random bytes, which no lookup finds.
    contacts = tx.update_each(
        CONTACTS,
        [CONTACTS.c.person_id == person],
        lambda _: {"address_sealed": None, "address_index": os.urandom(32)},
    )
    points = [contact.id for contact in contacts]
    tx.update(CONVERSATIONS, CONVERSATIONS.c.contact_id.in_(points), state={})
    tx.update(OBLIGATIONS, OBLIGATIONS.c.contact_id.in_(points), payload=None)
    of_person = or_(MESSAGES.c.ref.is_(None), MESSAGES.c.sealed_with == "person")
    tx.update(MESSAGES, MESSAGES.c.contact_id.in_(points), of_person, sealed=None)
    insert_removal(tx)
