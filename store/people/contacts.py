"""Persons and their contact points: looked up by HMAC, names and addresses sealed with the person's key."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, func, select

from store.database.errors import SealBroken, note_damage
from store.database.keyring import new_key, place, seal, unseal
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.tables import CONTACTS, CONVERSATIONS, PEOPLE
from store.values import Chat


@dataclass(frozen=True)
class ContactPoint:
    """A contact point that has written: its person, the person's key, and the state of the conversation."""

    id: int
    person: str
    key: bytes
    language: str | None
    name: str | None
    blocked: bool
    state: dict[str, Any]


#: The channel of a postal address.
LETTER = "letter"
#: The columns that `chat_of` needs.
CHAT = (
    CONTACTS.c.id.label("contact_number"),
    CONTACTS.c.person_id,
    CONTACTS.c.channel,
    CONTACTS.c.address_sealed,
    CONTACTS.c.blocked,
    PEOPLE.c.key_wrapped.label("person_key"),
    PEOPLE.c.language.label("person_language"),
    PEOPLE.c.name_sealed,
    select(CONVERSATIONS.c.state)
    .where(CONVERSATIONS.c.contact_id == CONTACTS.c.id)
    .scalar_subquery()
    .label("conversation"),
)
# Built once, since every message runs them.
_LOCK_CHAT = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))
_CONTACT = Prepared(
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
    .where(
        CONTACTS.c.channel == bindparam("channel"),
        CONTACTS.c.address_index == bindparam("index"),
    )
)
#: Key in the state of a conversation: the topic of the chat in which the person wrote last.
TOPIC = "topic"


def lock_chat(tx: Tx, chat: Chat) -> None:
    """Lock this chat until the commit: its messages are received one at a time and in order."""
    if tx.is_sqlite:
        return
    number = int.from_bytes(tx.keys.index(chat.channel, chat.address)[:8], signed=True)
    tx.connection.execute(_LOCK_CHAT, {"number": number})


def find_or_create_contact(tx: Tx, chat: Chat, person: str | None = None) -> ContactPoint:
    """The contact point of this chat, with its newest name; created with its person if it writes for the first time.

    `person` is the id that the person then gets.
    """
    contact = find_contact(tx, chat)
    if contact is None:
        return _create(tx, chat, person)
    if chat.name and chat.name != contact.name:
        keep_name(tx, contact.person, contact.key, chat.name)
        contact = replace(contact, name=chat.name)
    return contact


def find_contact(tx: Tx, chat: Chat) -> ContactPoint | None:
    """The contact point of this chat; None if the chat never wrote or was erased."""
    # An address that was indexed with an earlier secret is found by that one.
    rows = (
        _CONTACT.first(tx.connection, channel=chat.channel, index=index)
        for index in tx.keys.indexes(chat.channel, chat.address)
    )
    row = next((row for row in rows if row is not None), None)
    if row is None or row.key_wrapped is None:
        return None
    key = person_key(tx, row.person_id, row.key_wrapped)
    name = _name(key, row.person_id, row.name_sealed)
    return ContactPoint(row.id, row.person_id, key, row.language, name, row.blocked, row.state)


def new_person() -> str:
    """The id of a person who will be created."""
    return secrets.token_hex(8)


def create_person(
    tx: Tx, person: str | None = None, *, name: str | None = None, language: str | None = None
) -> tuple[str, bytes]:
    """Create a person with an own key; returns the id and the key."""
    person, key = person or new_person(), new_key()
    tx.add(PEOPLE, **person_row(tx, person, key, name, language))
    return person, key


def person_row(tx: Tx, person: str, key: bytes, name: str | None, language: str | None) -> dict[str, Any]:
    """The row of a new person."""
    return {
        "id": person,
        "key_wrapped": tx.keys.wrap(key, place("people", person, "key")),
        "name_sealed": seal(key, name, _name_place(person)) if name else None,
        "needs_sealed": None,
        "language": language,
        "created_at": tx.now,
        "erased_at": None,
    }


def contact_row(
    tx: Tx, person: str, key: bytes, channel: str, address: str, *, verified: bool, preferred: bool
) -> dict[str, Any]:
    """The row of a new contact point; `key` is the person's."""
    return {
        "person_id": person,
        "channel": channel,
        "address_sealed": seal(key, address, _address_place(person)),
        "address_index": point_index(tx, person, channel, address),
        "verified": verified,
        "preferred": preferred,
        "blocked": False,
        "blocked_at": None,
        "quiet_hours": None,
        "created_at": tx.now,
    }


def point_index(tx: Tx, person: str, channel: str, address: str) -> bytes:
    """By what a contact point is found; a postal address only with its person, as several may live there."""
    return tx.keys.index(channel, f"{person}/{address}" if channel == LETTER else address)


def keep_name(tx: Tx, person: str, key: bytes, name: str) -> None:
    sealed = seal(key, name, _name_place(person))
    tx.update_by(PEOPLE, {"id": person}, name_sealed=sealed)


def keep_language(tx: Tx, person: str, language: str) -> None:
    tx.update_by(PEOPLE, {"id": person}, language=language)


def keep_state(tx: Tx, contact_id: int, state: dict[str, Any]) -> None:
    tx.update_by(CONVERSATIONS, {"contact_id": contact_id}, state=state, updated_at=tx.now)


def mark_blocked(tx: Tx, chat: Chat, is_blocked: bool, at: datetime) -> None:
    """Record that the person blocked or unblocked the bot."""
    is_chat = (
        CONTACTS.c.channel == chat.channel,
        CONTACTS.c.address_index.in_(tx.keys.indexes(chat.channel, chat.address)),
    )
    tx.update(CONTACTS, *is_chat, blocked=is_blocked, blocked_at=at if is_blocked else None)


def chat_of(tx: Tx, row: Any) -> tuple[Chat | None, bytes | None]:
    """The chat in a row of `CHAT`, and the person's key; None for both if there is no chat or it was erased."""
    if row.contact_number is None or row.person_key is None or row.address_sealed is None:
        return None, None
    key = person_key(tx, row.person_id, row.person_key)
    return (
        Chat(
            channel=row.channel,
            address=unseal(key, row.address_sealed, _address_place(row.person_id)),
            language=row.person_language,
            name=_name(key, row.person_id, row.name_sealed),
            topic=(row.conversation or {}).get(TOPIC),
        ),
        key,
    )


def load_chat(tx: Tx, contact_id: int | None) -> Chat | None:
    """The chat of a contact point; None if there is none or it was erased."""
    query = select(*CHAT).outerjoin(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
    row = tx.connection.execute(query.where(CONTACTS.c.id == contact_id)).first()
    return None if row is None else chat_of(tx, row)[0]


def forget_topic(tx: Tx, chat: Chat) -> None:
    """Forget the topic of a chat, which the platform no longer knows; one that was opened since then is kept."""
    lock_chat(tx, chat)
    contact = find_or_create_contact(tx, replace(chat, name=None))
    if contact.state.get(TOPIC) == chat.topic:
        keep_state(tx, contact.id, {name: value for name, value in contact.state.items() if name != TOPIC})


def person_name(tx: Tx, person: str, wrapped: bytes | None, sealed: bytes | None) -> str | None:
    """Unseal a person's name; None if the person gave none or it was erased."""
    return None if wrapped is None else _name(person_key(tx, person, wrapped), person, sealed)


def readable_name(tx: Tx, row: Any) -> str | None:
    """`person_name` of this row of `people`; None if the name is damaged."""
    try:
        return person_name(tx, row.id, row.key_wrapped, row.name_sealed)
    except SealBroken:
        # `verify` names it; a message must not be refused for it.
        note_damage(_name_place(row.id))
        return None


def find_person_name(tx: Tx, person: str) -> str | None:
    """A person's name; None if the person gave none or it was erased."""
    row = tx.connection.execute(
        select(PEOPLE.c.key_wrapped, PEOPLE.c.name_sealed).where(PEOPLE.c.id == person)
    ).first()
    return None if row is None else person_name(tx, person, row.key_wrapped, row.name_sealed)


def person_key(tx: Tx, person: str, wrapped: bytes) -> bytes:
    return tx.keys.unwrap(wrapped, place("people", person, "key"))


def _create(tx: Tx, chat: Chat, person: str | None) -> ContactPoint:
    person, key = create_person(tx, person, name=chat.name)
    number = tx.add_numbered(
        CONTACTS, contact_row(tx, person, key, chat.channel, chat.address, verified=True, preferred=True)
    )
    tx.add(CONVERSATIONS, contact_id=number, state={}, updated_at=tx.now)
    return ContactPoint(number, person, key, None, chat.name, False, {})


def _name(key: bytes, person: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else unseal(key, sealed, _name_place(person))


def _name_place(person: str) -> str:
    return place("people", person, "name")


def _address_place(person: str) -> str:
    return place("contact_points", person, "address")
