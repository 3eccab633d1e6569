"""Duties as rows: inserted once by their key, never changed by a later act (docs/design.md, rule 2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.people.contacts import find
from store.proof.keyring import Keyring
from store.proof.seal import place, seal, unseal
from store.tables import OBLIGATIONS
from store.values import Chat

#: Kinds that speak to the complainant: of one chat only the oldest open one is claimed.
SPEAKING: frozenset[str] = frozenset(
    {
        "say",
        "acknowledge",
        "decision",
        "recourse",
        "progress",
        "delay",
        "letter",
        "dates",
        "danger_seen",
        "legal_passed",
        "confirmation",
        "remedy_notice",
        "reply_reminder",
        "closing",
        "survey",
        "survey_reminder",
        "outside",
        "next_recourse",
        "no_independent",
        "summary",
        "mydata",
    }
)


def chat_scope(contact_id: int) -> str:
    """In which a key of the dialogue is unique."""
    return f"chat:{contact_id}"


def row_of(
    owed: NewObligation,
    *,
    scope: str,
    ref: str | None,
    contact_id: int | None,
    at: datetime,
    payload: bytes | None = None,
) -> dict[str, Any]:
    """The row of a duty that nobody has begun."""
    return {
        "scope": scope,
        "key": owed.key,
        "kind": owed.kind,
        "ref": ref,
        "contact_id": contact_id,
        "speaks": contact_id is not None and owed.kind in SPEAKING,
        "lane": int(owed.lane),
        "due": owed.due,
        "state": "open",
        "facts": dict(owed.facts),
        "payload": payload,
        "lease_until": 0.0,
        "wait_until": 0.0,
        "attempts": 0,
        "why": None,
        "created_at": at,
        "ended_at": None,
    }


def schedule_for_case(tx: Tx, ref: str, contact_id: int | None, owed: Iterable[NewObligation]) -> None:
    """Insert the duties of a case that are not there yet."""
    rows = [
        row_of(
            one,
            scope=ref,
            ref=ref,
            contact_id=contact_id if one.kind in SPEAKING else None,
            at=tx.now,
        )
        for one in owed
    ]
    tx.insert_new(OBLIGATIONS, rows)
    tx.owing = tx.owing or bool(rows)


def insert_obligation(
    tx: Tx,
    owed: NewObligation,
    ref: str | None = None,
    chat: Chat | None = None,
    payload: Mapping[str, Any] | None = None,
) -> bool:
    """Owe something that follows from no verb (a digest, a training run); False when its key is there.

    With `chat` it speaks to that contact point, which must be known.
    """
    contact = None if chat is None else find(tx, chat)
    if chat is not None and contact is None:
        raise UnknownRow("this chat never spoke to us: nothing can be owed to it")
    number, key = (contact.id, contact.key) if contact else (None, None)
    scope = ref or ("" if number is None else chat_scope(number))
    sealed = seal_payload(tx.keys, key, payload, scope, owed.key) if payload else None
    new = tx.take(
        OBLIGATIONS, row_of(owed, scope=scope, ref=ref, contact_id=number, at=tx.now, payload=sealed)
    )
    tx.owing = tx.owing or new
    return new


def seal_payload(
    keys: Keyring, key: bytes | None, payload: Mapping[str, Any], scope: str, name: str
) -> bytes:
    """Close the words of a duty under the person's key, or the instance's where it is nobody's."""
    text, aad = json.dumps(payload, ensure_ascii=False), place("obligations", f"{scope}/{name}", "payload")
    return keys.seal(text.encode(), aad) if key is None else seal(key, text, aad)


def unseal_payload(
    keys: Keyring, key: bytes | None, sealed: bytes | None, scope: str, name: str
) -> dict[str, Any]:
    """The words of a duty; empty where it has none."""
    if sealed is None:
        return {}
    aad = place("obligations", f"{scope}/{name}", "payload")
    text = keys.unseal(sealed, aad).decode() if key is None else unseal(key, sealed, aad)
    read: dict[str, Any] = json.loads(text)
    return read


def wake(contact_id: int, key: str, what: str, due: datetime) -> dict[str, Any]:
    """The row of a later look at a talk; its key is unique beyond the chat, for `hear` takes it."""
    owed = NewObligation(f"wake:{contact_id}:{key}", "wake", due, SendPriority.DIALOGUE, {"what": what})
    return row_of(owed, scope=chat_scope(contact_id), ref=None, contact_id=contact_id, at=due)
