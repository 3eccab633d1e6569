"""The delivery of each letter to the complainant (7.3): as the channel reported it, or read out by staff.

"Delivered" means that the channel accepted the message. It does not show whether the message was read. The record
holds the exact words of letters to a complainant without a chat; staff pass them on.
"""

from collections import defaultdict
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import and_, bindparam, or_, select

from complaints.actors import Actor
from complaints.case import Event
from complaints.obligations.kinds import OFFLINE_FACTS, NewObligation, SendPriority
from complaints.times import parse_time
from store.database.keyring import place, seal
from store.database.transaction import Tx
from store.outbox.complete import GIVEN_UP, IS_STUCK, NOTICES
from store.outbox.rows import SENT_TO_COMPLAINANT, schedule_for_case
from store.record.load import CaseFile, load_case_key
from store.record.worklists import visible_to
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from store.values import Delivery, DeliveryStatus, FailedObligation, MessageState, Obligation

#: Codes of the reasons that channels and handlers give; every other reason is `other`.
REASONS: frozenset[str] = frozenset(
    {"blocked", "refused", "unreachable", "flood", "no_answer", "interrupted", "other"}
)
#: The newest notices of a complaint. Older ones are among its messages.
MAX_DELIVERIES = 30
#: The first failed obligations; a person who looks at them does not need more.
MAX_FAILED = 200
#: The letters that an act with this `what` completes. `letter` completes all others, see `mark_read_out`.
_COMPLETES = {
    "acknowledge": frozenset({"acknowledge"}),
    "decision": frozenset({"decision"}),
    "accept": frozenset({"decision", "reply_reminder"}),
    "disagree": frozenset({"decision", "reply_reminder"}),
    "recourse": frozenset({"recourse"}),
}
#: Letters that only an act of their own completes.
_WITH_OWN_ACT = frozenset({"acknowledge", "decision", "recourse"})

# Built once, since every opened complaint and every card runs them.
_ROW = OBLIGATIONS.c
_HAS_STARTED = or_(
    _ROW.state != "open",
    _ROW.attempts > 0,
    _ROW.why.is_not(None),
    _ROW.due <= bindparam("now", type_=_ROW.due.type),
)
_DELIVERIES = (
    select(
        *(_ROW.id, _ROW.kind, _ROW.state, _ROW.due, _ROW.ended_at),
        *(_ROW.created_at, _ROW.attempts, _ROW.why, _ROW.facts),
    )
    .where(
        _ROW.scope == bindparam("ref"),
        or_(and_(_ROW.kind.in_(sorted(NOTICES)), _HAS_STARTED), _ROW.state == "failed"),
    )
    .order_by(_ROW.id.desc())
    .limit(MAX_DELIVERIES)
)
_ATTEMPTS = (
    select(*(MESSAGES.c[name] for name in ("obligation_id", "state", "at", "answered_at", "reason")))
    .where(MESSAGES.c.obligation_id.in_(bindparam("ids", expanding=True)))
    .order_by(MESSAGES.c.id)
)


def list_deliveries(tx: Tx, ref: str) -> tuple[Delivery, ...]:
    """The newest notices of a complaint and its failed obligations, the oldest first."""
    rows = list(tx.connection.execute(_DELIVERIES, {"ref": ref, "now": tx.now}))[::-1]
    messages = defaultdict(list)
    for message in tx.connection.execute(_ATTEMPTS, {"ids": [row.id for row in rows]}):
        messages[message.obligation_id].append(message)
    deliveries = (_delivery(tx, row, messages[row.id]) for row in rows)
    return tuple(delivery for delivery in deliveries if delivery is not None)


def find_delivery(tx: Tx, ref: str, key: str) -> Delivery | None:
    """The delivery of the message with this key; None while it waits for its first attempt or is being sent."""
    query = select(OBLIGATIONS).where(_ROW.scope == ref, _ROW.key == key)
    row = tx.connection.execute(query).one()
    if row.state == "open" and row.attempts == 0:
        return None
    messages = list(tx.connection.execute(_ATTEMPTS, {"ids": [row.id]}))
    return _delivery(tx, row, messages) or Delivery(
        row.id, row.kind, DeliveryStatus.ENDED, tx.now, is_notice=True
    )


def list_failed_obligations(tx: Tx, by: Actor, limit: int = 20) -> tuple[FailedObligation, ...]:
    """Failed obligations that no person has handled yet, the oldest first, of complaints that `by` may know of."""
    columns = OBLIGATIONS.c
    failed = select(columns.id).where(IS_STUCK, columns.state == "failed")
    failed = failed.order_by(columns.due, columns.id).limit(MAX_FAILED)
    query = (
        select(columns.id, columns.ref, columns.kind, columns.facts, columns.ended_at, columns.due)
        .outerjoin(COMPLAINTS, COMPLAINTS.c.ref == columns.ref)
        .where(
            columns.id.in_(list(tx.connection.execute(failed).scalars())),
            or_(columns.ref.is_(None), and_(*visible_to(by))),
        )
        .order_by(columns.due, columns.id)
        .limit(limit)
    )
    return tuple(
        FailedObligation(
            row.id, row.ref, _kind(row), row.ended_at or row.due, _kind(row) in SENT_TO_COMPLAINANT
        )
        for row in tx.connection.execute(query)
    )


def save_words_to_read_out(
    tx: Tx, obligation: Obligation, text: str, *, template: str, language: str
) -> None:
    """Record the exact words that staff must read out; only once for an obligation, even if it is retried."""
    ref = obligation.ref
    saved = tx.connection.execute(
        select(MESSAGES.c.id).where(MESSAGES.c.obligation_id == obligation.id)
    ).first()
    if saved is not None or ref is None:
        return
    insert_message(
        tx,
        load_case_key(tx, ref),
        text,
        sealed_with="case",
        ref=ref,
        obligation_id=obligation.id,
        channel=str(obligation.facts["by"]),
        template=template,
        language=language,
        state=MessageState.TO_TELL.value,
    )


def insert_message(tx: Tx, key: bytes, text: str, *, sealed_with: str, **values: Any) -> int:
    """Record the exact words of an outgoing message, sealed with this key; returns the message's number."""
    # The seal names the row.
    (number,) = tx.next_numbers(MESSAGES)
    sealed = seal(key, text, message_text_place(number))
    row = {"id": number, "direction": "out", "at": tx.now, "sealed_with": sealed_with, "sealed": sealed}
    tx.add(MESSAGES, **row, **values)
    return number


def message_text_place(number: int) -> str:
    return place("messages", number, "text")


def mark_read_out(tx: Tx, event: Event, ref: str) -> None:
    """Mark the letters as told that staff passed on by voice, according to this event."""
    if "given_at" not in event.facts:
        return
    what = str(event.facts.get("what", ""))
    completed = _COMPLETES.get(what, frozenset())
    for number, about in _letters_to_tell(tx, ref):
        if about in completed or (what == "letter" and about not in _WITH_OWN_ACT):
            _mark(tx, number, MessageState.TOLD, parse_time(str(event.facts["given_at"])))


def move_letters_to_chat(tx: Tx, file: CaseFile) -> None:
    """Send through the new chat the letters that staff have not passed on by voice yet."""
    ref = file.case.ref
    letters: dict[str, NewObligation] = {}
    query = select(OBLIGATIONS).where(
        OBLIGATIONS.c.ref == ref, OBLIGATIONS.c.kind == "tell_by_voice", OBLIGATIONS.c.state == "open"
    )
    waiting = list(tx.connection.execute(query))
    numbers = [number for number, _ in _letters_to_tell(tx, ref)]
    obligation_ids = select(MESSAGES.c.obligation_id).where(MESSAGES.c.id.in_(numbers))
    to_tell = tx.connection.execute(select(OBLIGATIONS).where(OBLIGATIONS.c.id.in_(obligation_ids)))
    for row in (*waiting, *to_tell):
        # What follows from the state of the complaint is scheduled anyway; a letter of one event is scheduled here.
        if row.facts.get("once"):
            key = row.key.removeprefix("voice:")
            facts = {name: value for name, value in row.facts.items() if name not in OFFLINE_FACTS}
            letters[key] = NewObligation(key, str(row.facts["about"]), tx.now, SendPriority.NOTICE, facts)
    for number in numbers:
        _mark(tx, number, MessageState.BY_CHAT)
    to_tell_by_voice = {"ref": ref, "kind": "tell_by_voice", "state": "open"}
    tx.update_by(OBLIGATIONS, to_tell_by_voice, state="done", ended_at=tx.now)
    schedule_for_case(tx, ref, file.contact_id, letters.values())


def _delivery(tx: Tx, row: Any, messages: list[Any]) -> Delivery | None:
    kind = _kind(row)
    delivery = partial(Delivery, row.id, kind, is_notice=kind in SENT_TO_COMPLAINANT)
    last = messages[-1] if messages else None
    ended = row.ended_at or row.created_at
    why = delivery_reason(row.why if last is None else last.reason)
    if row.state == "failed":
        return delivery(DeliveryStatus.GIVEN_UP, ended, reason=why)
    if row.state == GIVEN_UP:
        return delivery(DeliveryStatus.ENDED, ended)
    if row.state == "open":
        if row.attempts > 0:
            return delivery(DeliveryStatus.TRYING, row.due, reason=why)
        if last is not None and last.state == MessageState.TO_TELL.value:
            return delivery(DeliveryStatus.TO_TELL, last.at)
        waits = row.why is not None and row.due > tx.now
        return delivery(DeliveryStatus.WAITING, row.due) if waits else None
    if last is None:
        # It was no longer required, so nothing was sent.
        return None
    uncertain_at = next(
        (message.at for message in messages if message.state == MessageState.UNCERTAIN.value), None
    )
    match last.state:
        case MessageState.SENT.value if uncertain_at is not None:
            return delivery(DeliveryStatus.SENT_AGAIN, last.at, uncertain_since=uncertain_at)
        case MessageState.SENT.value:
            return delivery(DeliveryStatus.DELIVERED, last.at)
        case MessageState.TO_TELL.value:
            return delivery(DeliveryStatus.TO_TELL, last.at)
        case MessageState.TOLD.value:
            return delivery(DeliveryStatus.TOLD, last.answered_at)
        case MessageState.FAILED.value:
            return delivery(DeliveryStatus.NOT_DELIVERED, last.at, reason=why)
        case MessageState.UNCERTAIN.value | MessageState.SENDING.value:
            return delivery(DeliveryStatus.UNCERTAIN, last.at)
    return None


def _kind(row: Any) -> str:
    """The kind of the letter; one that staff pass on by voice counts as the letter itself."""
    return str(row.facts["about"] if row.kind == "tell_by_voice" else row.kind)


def delivery_reason(reason: str | None) -> str:
    """The code of why a message did not arrive, one of REASONS."""
    code = (reason or "").removesuffix(" again").replace(" ", "_")
    return code if code in REASONS else "other"


def _letters_to_tell(tx: Tx, ref: str) -> list[tuple[int, str]]:
    query = (
        select(MESSAGES.c.id, OBLIGATIONS.c.facts)
        .join(OBLIGATIONS, OBLIGATIONS.c.id == MESSAGES.c.obligation_id)
        .where(MESSAGES.c.ref == ref, MESSAGES.c.state == MessageState.TO_TELL.value)
        .order_by(MESSAGES.c.id)
    )
    return [(row.id, str(row.facts.get("about", ""))) for row in tx.connection.execute(query)]


def _mark(tx: Tx, number: int, state: MessageState, told_at: datetime | None = None) -> None:
    tx.update_by(MESSAGES, {"id": number}, state=state.value, answered_at=told_at)
