"""Messages to the complainant: on the record before the network call, settled with what they bring about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from complaints.actors import Actor
from complaints.errors import ComplaintError
from complaints.vocabulary import Verb
from store.cases.act import act_on, settle
from store.cases.load import case_key, load_case_file
from store.database.transaction import Tx
from store.outbox.complete import retry, shows
from store.outbox.rate_limit import Limit, RateSlot, peek_wait, take_slot
from store.people.contacts import CHAT, chat_of, person_key
from store.proof.seal import place, seal
from store.tables import COMPLAINTS, CONTACTS, MESSAGES, OBLIGATIONS, PEOPLE
from store.values import Chat, MessageState, Obligation

#: An act that an accepted message brings about: reference, verb, actor, facts, words.
Following = tuple[str, Verb, Actor, Mapping[str, Any], Mapping[str, str]]


def begin_sending(
    tx: Tx,
    owed: Obligation,
    text: str,
    *,
    template: str,
    language: str,
    ref: str | None,
    version: str | None = None,
) -> int:
    """Write the exact words down before they are sent; returns the message's number.

    `version` is the fingerprint of the template's wording, where it is a text of ours (7.1).
    """
    row = tx.connection.execute(
        select(
            OBLIGATIONS.c.contact_id,
            CONTACTS.c.channel,
            PEOPLE.c.id,
            PEOPLE.c.key_wrapped,
            COMPLAINTS.c.key_wrapped.label("case_key"),
        )
        .outerjoin(CONTACTS, CONTACTS.c.id == OBLIGATIONS.c.contact_id)
        .outerjoin(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
        .outerjoin(COMPLAINTS, COMPLAINTS.c.ref == ref)
        .where(OBLIGATIONS.c.id == owed.id)
    ).one()
    number: int = tx.connection.execute(
        insert(MESSAGES)
        .values(
            ref=ref,
            contact_id=row.contact_id,
            obligation_id=owed.id,
            direction="out",
            channel=row.channel or "",
            at=tx.now,
            template=template,
            template_version=version,
            language=language,
            state=MessageState.SENDING.value,
        )
        .returning(MESSAGES.c.id)
    ).scalar_one()
    if ref is not None:
        key, whose = case_key(tx, ref, row.case_key), "case"
    else:
        key, whose = person_key(tx, row.id, row.key_wrapped), "person"
    tx.connection.execute(
        update(MESSAGES)
        .where(MESSAGES.c.id == number)
        .values(sealed=seal(key, text, message_place(number)), sealed_with=whose)
    )
    return number


def begin_sending_in_order(
    tx: Tx,
    owed: Obligation,
    text: str,
    limits: Sequence[Limit],
    within: float,
    *,
    template: str,
    language: str,
    ref: str | None,
    version: str | None = None,
) -> tuple[int, RateSlot] | float:
    """The message's number with its place in the pace, in one transaction and so one flush.

    A place that is further off than `within` seconds is not taken and nothing is written down: the seconds until it
    comes. The place is taken last, for other processes wait for its row.
    """
    wait = peek_wait(tx, limits)
    if wait > within:
        return wait
    number = begin_sending(tx, owed, text, template=template, language=language, ref=ref, version=version)
    return number, take_slot(tx, limits)


def record_sent(
    tx: Tx, message: int, platform_id: str | None, *, settles: int | None, acts: Sequence[Following] = ()
) -> tuple[ComplaintError, ...]:
    """The channel accepted it: the message, what it brings about, and the duty, all in one.

    An act that the record refuses meanwhile (acknowledged by another road) is returned, not raised: the
    message did leave, and not saying so would send it again.
    """
    _mark(tx, message, MessageState.SENT, platform_id=platform_id, reason=None)
    refused = _bring_about(tx, acts)
    if settles is not None:
        settle(tx, settles)
        if len(refused) == len(acts):
            # Nothing of the record moved, so nothing else draws the card.
            shows(tx, settles)
    return refused


def record_unsent(
    tx: Tx,
    message: int,
    state: MessageState,
    why: str,
    *,
    retry_after: float | None = None,
    settles: int | None = None,
    acts: Sequence[Following] = (),
) -> tuple[ComplaintError, ...]:
    """It did not arrive (FAILED) or nobody knows (UNCERTAIN).

    With `retry_after` the duty that `settles` names is tried again after so many seconds, else it is settled:
    nothing more can be done about it by itself.
    """
    if state not in (MessageState.UNCERTAIN, MessageState.FAILED):
        raise ValueError(f"an unsent message is uncertain or failed, not {state.value}")
    _mark(tx, message, state, reason=why)
    refused = _bring_about(tx, acts)
    if settles is not None and retry_after is not None:
        retry(tx, settles, retry_after, why)
    elif settles is not None:
        settle(tx, settles)
        if len(refused) == len(acts):
            shows(tx, settles)
    return refused


def _mark(tx: Tx, message: int, state: MessageState, **values: Any) -> None:
    tx.connection.execute(
        update(MESSAGES).where(MESSAGES.c.id == message).values(state=state.value, **values)
    )


def _bring_about(tx: Tx, acts: Sequence[Following]) -> tuple[ComplaintError, ...]:
    refused = []
    for ref, verb, by, facts, words in acts:
        file = load_case_file(tx, ref, lock=True)
        try:
            act_on(tx, file, verb, by, facts, words)
        except ComplaintError as no:
            refused.append(no)
    return tuple(refused)


def load_contact(tx: Tx, ref: str) -> Chat | None:
    """Where the complainant is reached; None where blocked, erased, or without a channel."""
    row = tx.connection.execute(
        select(*CHAT, COMPLAINTS.c.language)
        .select_from(COMPLAINTS)
        .join(CONTACTS, CONTACTS.c.id == COMPLAINTS.c.contact_id)
        .join(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
        .where(COMPLAINTS.c.ref == ref)
    ).first()
    if row is None or row.blocked:
        return None
    chat, _ = chat_of(tx, row)
    if chat is None:
        return None
    return Chat(chat.channel, chat.address, chat.language or row.language, chat.name)


def message_place(number: int) -> str:
    """What the words of a message are bound to."""
    return place("messages", number, "text")
