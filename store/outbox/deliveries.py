"""The delivery status of each notice to the complainant, as the channel reported it (7.3).

"Delivered" means that the channel accepted the message. It does not show whether the message was read.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from sqlalchemy import and_, or_, select

from complaints.actors import Actor
from store.database.transaction import Tx
from store.outbox.complete import GIVEN_UP, IS_STUCK, NOTICES
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.record.worklists import visible_to
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from store.values import Delivery, DeliveryStatus, FailedObligation, MessageState

#: Codes of the reasons that channels and handlers give; every other reason is `other`.
REASONS: frozenset[str] = frozenset(
    {"blocked", "refused", "unreachable", "flood", "no_answer", "interrupted", "other"}
)
#: The newest notices of a complaint. Older ones are among its messages.
MAX_DELIVERIES = 30
#: The first failed obligations; a person who looks at them does not need more.
MAX_FAILED = 200


def list_deliveries(tx: Tx, ref: str) -> tuple[Delivery, ...]:
    """The newest notices of a complaint and its failed obligations, the oldest first."""
    columns = OBLIGATIONS.c
    has_started = or_(
        columns.state != "open", columns.attempts > 0, columns.why.is_not(None), columns.due <= tx.now
    )
    query = select(
        columns.id,
        columns.kind,
        columns.state,
        columns.due,
        columns.ended_at,
        columns.created_at,
        columns.attempts,
        columns.why,
        columns.facts,
    ).where(
        columns.scope == ref,
        or_(and_(columns.kind.in_(sorted(NOTICES)), has_started), columns.state == "failed"),
    )
    rows = list(tx.connection.execute(query.order_by(columns.id.desc()).limit(MAX_DELIVERIES)))[::-1]
    messages = defaultdict(list)
    attempts = select(MESSAGES.c.obligation_id, MESSAGES.c.state, MESSAGES.c.at, MESSAGES.c.reason).where(
        MESSAGES.c.obligation_id.in_([row.id for row in rows])
    )
    for message in tx.connection.execute(attempts.order_by(MESSAGES.c.id)):
        messages[message.obligation_id].append(message)
    deliveries = (_delivery(tx, row, messages[row.id]) for row in rows)
    return tuple(delivery for delivery in deliveries if delivery is not None)


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


def _delivery(tx: Tx, row: Any, messages: list[Any]) -> Delivery | None:
    kind = _kind(row)
    delivery = partial(Delivery, row.id, kind, is_notice=kind in SENT_TO_COMPLAINANT)
    last = messages[-1] if messages else None
    ended = row.ended_at or row.created_at
    why = _code(row.why if last is None else last.reason)
    if row.state == "failed":
        return delivery(DeliveryStatus.GIVEN_UP, ended, why=why)
    if row.state == GIVEN_UP:
        return delivery(DeliveryStatus.ENDED, ended)
    if row.state == "open":
        if row.attempts > 0:
            return delivery(DeliveryStatus.TRYING, row.due, why=why)
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
            return delivery(DeliveryStatus.SENT_AGAIN, last.at, first=uncertain_at)
        case MessageState.SENT.value:
            return delivery(DeliveryStatus.DELIVERED, last.at)
        case MessageState.TO_TELL.value:
            return delivery(DeliveryStatus.TO_TELL, last.at)
        case MessageState.TOLD.value:
            return delivery(DeliveryStatus.TOLD, last.at)
        case MessageState.FAILED.value:
            return delivery(DeliveryStatus.NOT_DELIVERED, last.at, why=why)
        case MessageState.UNCERTAIN.value | MessageState.SENDING.value:
            return delivery(DeliveryStatus.UNCERTAIN, last.at)
    return None


def _kind(row: Any) -> str:
    """The kind of the letter; one that staff pass on by voice counts as the letter itself."""
    return str(row.facts["about"] if row.kind == "tell_by_voice" else row.kind)


def _code(reason: str | None) -> str:
    code = (reason or "").removesuffix(" again").replace(" ", "_")
    return code if code in REASONS else "other"
