"""Writing one act into the record: event, words, projections and duties, all in the open transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import insert, update

from complaints.acts import Done
from complaints.errors import Stale
from complaints.record import Case, Event
from complaints.vocabulary import Verb
from store.canonical import sha256
from store.casefiles import CaseFile, key_place
from store.chain import GENESIS, entry_of
from store.erasing import erase_words
from store.incident_cards import owe_for_move
from store.keyring import new_key
from store.likes import owe_for_likes
from store.owed_rows import owe_for_case
from store.projections import complaint_row, project
from store.sealing import commitment, place, seal
from store.tables import CASE_PEOPLE, COMPLAINTS, EVENTS, TEXTS
from store.transactions import Tx


def begin_record(tx: Tx, done: Done, *, contact_id: int | None) -> CaseFile:
    """Write a new complaint with its first event, a key of its own, and whose it is."""
    case, event = done.case, done.event
    key = new_key()
    wrapped = tx.keys.wrap(key, key_place(case.ref))
    entry = entry_of(case.ref, event, commit=commitment(key, event.words), prev=GENESIS)
    head = sha256(entry)
    tx.add(
        COMPLAINTS,
        ref=case.ref,
        key_wrapped=wrapped,
        complainant_id=case.complainant,
        contact_id=contact_id,
        rulebook_id=event.facts["rulebook"],
        jurisdiction=case.rules.country,
        channel=case.channel,
        head=head,
        **complaint_row(case),
    )
    tx.add(
        CASE_PEOPLE,
        ref=case.ref,
        person_id=case.complainant,
        role="complainant",
        relation=None,
        authority=None,
        may_receive=True,
    )
    _write(tx, None, done, entry=entry, head=head, key=key, contact_id=contact_id)
    return CaseFile(case, (event,), wrapped, head, contact_id)


def continue_record(
    tx: Tx, before: Case, done: Done, *, key: bytes, head: str, contact_id: int | None
) -> str:
    """Write one more event; Stale when somebody else's was written since `before` was loaded."""
    case, event = done.case, done.event
    entry = entry_of(case.ref, event, commit=commitment(key, event.words), prev=head)
    new_head = sha256(entry)
    changed = tx.connection.execute(
        update(COMPLAINTS)
        .where(
            COMPLAINTS.c.ref == case.ref,
            COMPLAINTS.c.version == before.version,
            COMPLAINTS.c.work_version == before.work_version,
        )
        .values(head=new_head, **complaint_row(case), **_ruled(event))
    )
    if changed.rowcount != 1:
        raise Stale(f"{case.ref} moved on meanwhile: look at it again.")
    _write(tx, before, done, entry=entry, head=new_head, key=key, contact_id=contact_id)
    return new_head


def _ruled(event: Event) -> Mapping[str, str]:
    """Under which rules the complaint goes on, where the event changed them."""
    if event.verb is not Verb.REDATE:
        return {}
    return {"rulebook_id": event.facts["rulebook"], "jurisdiction": event.facts["jurisdiction"]}


def _write(
    tx: Tx, before: Case | None, done: Done, *, entry: str, head: str, key: bytes, contact_id: int | None
) -> None:
    case, event = done.case, done.event
    tx.add(
        EVENTS,
        ref=case.ref,
        seq=event.seq,
        verb=event.verb.value,
        at=event.at,
        by=event.by,
        role=event.role.value,
        entry=entry,
        hash=head,
    )
    _keep_words(tx, case.ref, event, event.words, key)
    project(tx, before, case, event)
    owe_for_move(tx, before, case)
    owe_for_likes(tx, before, case)
    owe_for_case(tx, case.ref, contact_id, done.owed)
    if event.verb is Verb.ERASE:
        erase_words(tx, case.ref)


def _keep_words(tx: Tx, ref: str, event: Event, words: Mapping[str, str], key: bytes) -> None:
    rows = [
        {
            "ref": ref,
            "seq": event.seq,
            "field": path,
            "role": event.role.value,
            "at": event.at,
            "source": event.facts.get("source"),
            "replaces": event.facts.get("replaces"),
            "sealed": seal(key, said, place("texts", f"{ref}/{event.seq}", path)),
        }
        for path, said in words.items()
    ]
    if rows:
        tx.connection.execute(insert(TEXTS), rows)
