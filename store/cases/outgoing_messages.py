"""Messages to the complainant: recorded before the network call, and completed with the acts that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select

from complaints.actors import Actor
from complaints.errors import ComplaintError
from complaints.vocabulary import Verb
from store.cases.act import act_on
from store.database.transaction import Tx
from store.outbox.complete import complete, redraw_card
from store.outbox.deliveries import insert_message
from store.outbox.rate_limit import Limit, RateSlot, peek_wait, take_slot
from store.people.contacts import CHAT, chat_of, person_key
from store.record.load import case_key, load_case_file
from store.tables import COMPLAINTS, CONTACTS, MESSAGES, OBLIGATIONS, PEOPLE
from store.values import Chat, MessageState, Obligation

#: An act to record once the message is accepted: reference, verb, actor, facts, words.
FollowUpAct = tuple[str, Verb, Actor, Mapping[str, Any], Mapping[str, str]]
#: Built once, since every message runs it.
_ADDRESSEE = (
    select(
        OBLIGATIONS.c.contact_id,
        CONTACTS.c.channel,
        PEOPLE.c.id,
        PEOPLE.c.key_wrapped,
        COMPLAINTS.c.key_wrapped.label("case_key"),
    )
    .outerjoin(CONTACTS, CONTACTS.c.id == OBLIGATIONS.c.contact_id)
    .outerjoin(PEOPLE, PEOPLE.c.id == CONTACTS.c.person_id)
    .outerjoin(COMPLAINTS, COMPLAINTS.c.ref == bindparam("ref", type_=COMPLAINTS.c.ref.type))
    .where(OBLIGATIONS.c.id == bindparam("obligation"))
)


def begin_sending(
    tx: Tx,
    obligation: Obligation,
    text: str,
    *,
    template: str,
    language: str,
    ref: str | None,
    version: str | None = None,
) -> int:
    """Record the exact words before they are sent; returns the message's number.

    `version` is the fingerprint of the template's wording, if the text comes from a template (7.1).
    """
    row = tx.connection.execute(_ADDRESSEE, {"obligation": obligation.id, "ref": ref}).one()
    if ref is not None:
        key, sealed_with = case_key(tx, ref, row.case_key), "case"
    else:
        key, sealed_with = person_key(tx, row.id, row.key_wrapped), "person"
    return insert_message(
        tx,
        key,
        text,
        sealed_with=sealed_with,
        ref=ref,
        contact_id=row.contact_id,
        obligation_id=obligation.id,
        channel=row.channel or "",
        template=template,
        template_version=version,
        language=language,
        state=MessageState.SENDING.value,
    )


def begin_sending_in_order(
    tx: Tx,
    obligation: Obligation,
    text: str,
    limits: Sequence[Limit],
    within: float,
    *,
    template: str,
    language: str,
    ref: str | None,
    version: str | None = None,
) -> tuple[int, RateSlot] | float:
    """Record the message and take its rate-limit slot in one transaction, which costs one flush.

    Returns the message's number and its slot. If the next slot is more than `within` seconds away, returns those
    seconds and writes nothing. The slot is taken last, because other processes wait for its row.
    """
    wait = peek_wait(tx, limits)
    if wait > within:
        return wait
    number = begin_sending(
        tx, obligation, text, template=template, language=language, ref=ref, version=version
    )
    return number, take_slot(tx, limits)


def record_sent(
    tx: Tx, message: int, platform_id: str | None, *, completes: int | None, acts: Sequence[FollowUpAct] = ()
) -> tuple[ComplaintError, ...]:
    """The channel accepted the message: record that, the acts that follow, and the completed obligation.

    An act that the record refuses (acknowledged in another way by now) is returned, not raised. The message was
    sent, and without this record it would be sent again.
    """
    _mark(tx, message, MessageState.SENT, platform_id=platform_id, reason=None)
    refusals = _record_acts(tx, acts)
    if completes is not None:
        _complete(tx, completes, redraw=len(refusals) == len(acts))
    return refusals


def record_unsent(
    tx: Tx,
    message: int,
    state: MessageState,
    why: str,
    *,
    completes: int | None = None,
    acts: Sequence[FollowUpAct] = (),
) -> tuple[ComplaintError, ...]:
    """The message did not arrive (FAILED), or that is unknown (UNCERTAIN).

    The obligation `completes` is completed, because a retry would not help.
    """
    if state not in (MessageState.UNCERTAIN, MessageState.FAILED):
        raise ValueError(f"an unsent message is uncertain or failed, not {state.value}")
    _mark(tx, message, state, reason=why)
    refusals = _record_acts(tx, acts)
    if completes is not None:
        _complete(tx, completes, redraw=len(refusals) == len(acts))
    return refusals


def _complete(tx: Tx, obligation_id: int, *, redraw: bool) -> None:
    """Complete the obligation; `redraw` if no event was recorded, so that the card is not drawn for that reason."""
    complete(tx, obligation_id)
    if redraw:
        redraw_card(tx, obligation_id)


def _mark(tx: Tx, message: int, state: MessageState, **values: Any) -> None:
    tx.update_by(MESSAGES, {"id": message}, state=state.value, **values)


def _record_acts(tx: Tx, acts: Sequence[FollowUpAct]) -> tuple[ComplaintError, ...]:
    refusals = []
    for ref, verb, by, facts, words in acts:
        file = load_case_file(tx, ref, lock=True)
        try:
            act_on(tx, file, verb, by, facts, words)
        except ComplaintError as refusal:
            refusals.append(refusal)
    return tuple(refusals)


def load_contact(tx: Tx, ref: str) -> Chat | None:
    """The chat of the complainant; None if it is blocked or erased, or if there is no channel."""
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
    return replace(chat, language=chat.language or row.language)
