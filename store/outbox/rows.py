"""Obligations as rows: inserted once by their key and never changed by a later act (docs/design.md, rule 2).

Only `add_due`, the one row that adds what a case owes later, is moved by each act.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from complaints.obligations.kinds import (
    NewObligation,
    SendPriority,
    addition,
    is_for_later,
    kinds_that_are,
)
from complaints.times import format_time
from store.database.errors import UnknownRow
from store.database.keyring import Keyring, place, seal, unseal
from store.database.transaction import Tx
from store.people.contacts import find_contact
from store.tables import OBLIGATIONS
from store.values import Chat

#: Kinds that send a message to the complainant. Only the oldest open one of a chat is claimed.
SENT_TO_COMPLAINANT = kinds_that_are("sent") | {"say", "mydata", "form_copy"}


def chat_scope(contact_id: int) -> str:
    """The scope in which the key of an obligation of the dialogue is unique."""
    return f"chat:{contact_id}"


def obligation_row(
    obligation: NewObligation,
    *,
    scope: str,
    ref: str | None,
    contact_id: int | None,
    at: datetime,
    payload: bytes | None = None,
) -> dict[str, Any]:
    return {
        "scope": scope,
        "key": obligation.key,
        "kind": obligation.kind,
        "ref": ref,
        "contact_id": contact_id,
        "speaks": contact_id is not None and obligation.kind in SENT_TO_COMPLAINANT,
        "lane": int(obligation.priority),
        "due": obligation.due,
        "state": "open",
        "facts": dict(obligation.facts),
        "payload": payload,
        "lease_until": 0.0,
        "wait_until": 0.0,
        "attempts": 0,
        "why": None,
        "created_at": at,
        "ended_at": None,
    }


def schedule_for_case(tx: Tx, ref: str, contact_id: int | None, obligations: Iterable[NewObligation]) -> None:
    """Insert those obligations of a case that do not exist yet."""
    rows = [
        obligation_row(
            obligation,
            scope=ref,
            ref=ref,
            contact_id=contact_id if obligation.kind in SENT_TO_COMPLAINANT else None,
            at=tx.now,
        )
        for obligation in obligations
    ]
    tx.insert_missing(OBLIGATIONS, rows)
    tx.obligations_changed = tx.obligations_changed or bool(rows)


def schedule_after_act(
    tx: Tx, ref: str, contact_id: int | None, obligations: Iterable[NewObligation]
) -> None:
    """Insert what an act leaves. What follows from the dates of the case is inserted later, by `add_due`.

    Many of these dates are met or moved before they come, and each row costs the writer.
    """
    at_once, later = list[NewObligation](), list[NewObligation]()
    for obligation in obligations:
        (later if is_for_later(obligation, tx.now) else at_once).append(obligation)
    schedule_for_case(tx, ref, contact_id, at_once)
    if later:
        row = obligation_row(addition(later), scope=ref, ref=ref, contact_id=None, at=tx.now)
        # The one row of its case: an act moves it, also after it was done or has failed.
        tx.upsert_all(OBLIGATIONS, [row], keys=("scope", "key"))


def insert_obligation(
    tx: Tx,
    obligation: NewObligation,
    ref: str | None = None,
    chat: Chat | None = None,
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """Insert an obligation that follows from no verb (a digest, a training run); False if its key exists.

    With `chat` it sends to that contact point. Raises UnknownRow if the contact point is unknown.
    """
    contact = None if chat is None else find_contact(tx, chat)
    if chat is not None and contact is None:
        raise UnknownRow("no message ever came from this chat: no obligation can send to it")
    contact_id, key = (contact.id, contact.key) if contact else (None, None)
    scope = ref or ("" if contact_id is None else chat_scope(contact_id))
    sealed = seal_payload(tx.keys, key, payload, scope, obligation.key) if payload else None
    is_new = tx.take(
        OBLIGATIONS,
        obligation_row(obligation, scope=scope, ref=ref, contact_id=contact_id, at=tx.now, payload=sealed),
    )
    tx.obligations_changed = tx.obligations_changed or is_new
    return is_new


def insert_redraw(
    tx: Tx, ref: str, cause: str, *, due: datetime | None = None, priority: SendPriority = SendPriority.BULK
) -> None:
    """Draw the card of this complaint again, at once without `due`, although its record did not change."""
    # `once`: it follows from no event, so the record cannot say whether it is still required.
    facts = {"ref": ref, "once": True}
    insert_obligation(tx, NewObligation(f"redraw:{cause}", "redraw", due or tx.now, priority, facts), ref)


def insert_removal(tx: Tx) -> None:
    """On SQLite, remove what was erased from the write-ahead log at the end of this minute, once for all of it."""
    if tx.is_sqlite:
        due = tx.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        insert_obligation(
            tx, NewObligation(f"remnants:{format_time(due)}", "remnants", due, SendPriority.BULK)
        )


def seal_payload(
    keys: Keyring, key: bytes | None, payload: Mapping[str, Any], scope: str, name: str
) -> bytes:
    """Seal the words of an obligation with the person's key, or with the instance's if it has no person."""
    text, aad = json.dumps(payload, ensure_ascii=False), place("obligations", f"{scope}/{name}", "payload")
    return keys.seal(text.encode(), aad) if key is None else seal(key, text, aad)


def unseal_payload(
    keys: Keyring, key: bytes | None, sealed: bytes | None, scope: str, name: str
) -> dict[str, Any]:
    """The words of an obligation; empty if it has none."""
    if sealed is None:
        return {}
    aad = place("obligations", f"{scope}/{name}", "payload")
    text = keys.unseal(sealed, aad).decode() if key is None else unseal(key, sealed, aad)
    payload: dict[str, Any] = json.loads(text)
    return payload


def wake_up_row(contact_id: int, key: str, what: str, due: datetime) -> dict[str, Any]:
    """The row of a later call of the dialogue. The key is unique in all chats, as `receive_message` requires."""
    obligation = NewObligation(f"wake:{contact_id}:{key}", "wake", due, SendPriority.DIALOGUE, {"what": what})
    return obligation_row(obligation, scope=chat_scope(contact_id), ref=None, contact_id=contact_id, at=due)
