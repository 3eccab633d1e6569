"""What became of each message that a complaint owes its complainant, as the channel told it (7.3).

"Delivered" is what the channel accepted: nobody knows whether it was read.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from sqlalchemy import and_, or_, select

from complaints.actors import Actor
from store.cases.worklists import known_to
from store.database.transaction import Tx
from store.outbox.complete import GIVEN_UP, IS_STUCK, NOTICES
from store.outbox.rows import SPEAKING
from store.tables import COMPLAINTS, MESSAGES, OBLIGATIONS
from store.values import Delivery, DeliveryStatus, FailedObligation, MessageState

#: The reasons that channels and performers give, as codes; any other is `other`.
REASONS: frozenset[str] = frozenset(
    {"blocked", "refused", "unreachable", "flood", "no_answer", "interrupted", "other"}
)
#: The newest of a complaint; what was told a hundred letters ago is in its messages.
MOST = 30
#: A person looks at what is stuck; nobody reads further than this.
MOST_STUCK = 200


def list_deliveries(tx: Tx, ref: str) -> tuple[Delivery, ...]:
    """The newest notices of a complaint and whatever of it was given up, the oldest first."""
    one = OBLIGATIONS.c
    begun = or_(one.state != "open", one.attempts > 0, one.why.is_not(None), one.due <= tx.now)
    query = select(
        one.id, one.kind, one.state, one.due, one.ended_at, one.created_at, one.attempts, one.why, one.facts
    ).where(one.scope == ref, or_(and_(one.kind.in_(sorted(NOTICES)), begun), one.state == "failed"))
    rows = list(tx.connection.execute(query.order_by(one.id.desc()).limit(MOST)))[::-1]
    sent = defaultdict(list)
    tried = select(MESSAGES.c.obligation_id, MESSAGES.c.state, MESSAGES.c.at, MESSAGES.c.reason).where(
        MESSAGES.c.obligation_id.in_([row.id for row in rows])
    )
    for message in tx.connection.execute(tried.order_by(MESSAGES.c.id)):
        sent[message.obligation_id].append(message)
    return tuple(found for row in rows if (found := _fate(tx, row, sent[row.id])) is not None)


def _fate(tx: Tx, row: Any, sent: list[Any]) -> Delivery | None:
    kind = _kind(row)
    told = partial(Delivery, row.id, kind, is_notice=kind in SPEAKING)
    last = sent[-1] if sent else None
    ended = row.ended_at or row.created_at
    why = _code(row.why if last is None else last.reason)
    if row.state == "failed":
        return told(DeliveryStatus.GIVEN_UP, ended, why=why)
    if row.state == GIVEN_UP:
        return told(DeliveryStatus.ENDED, ended)
    if row.state == "open":
        if row.attempts > 0:
            return told(DeliveryStatus.TRYING, row.due, why=why)
        if last is not None and last.state == MessageState.TO_TELL.value:
            return told(DeliveryStatus.TO_TELL, last.at)
        waits = row.why is not None and row.due > tx.now
        return told(DeliveryStatus.WAITING, row.due) if waits else None
    if last is None:
        # Nothing was needed any more.
        return None
    uncertain = next((one.at for one in sent if one.state == MessageState.UNCERTAIN.value), None)
    match last.state:
        case MessageState.SENT.value if uncertain is not None:
            return told(DeliveryStatus.SENT_AGAIN, last.at, first=uncertain)
        case MessageState.SENT.value:
            return told(DeliveryStatus.DELIVERED, last.at)
        case MessageState.TO_TELL.value:
            return told(DeliveryStatus.TO_TELL, last.at)
        case MessageState.TOLD.value:
            return told(DeliveryStatus.TOLD, last.at)
        case MessageState.FAILED.value:
            return told(DeliveryStatus.NOT_DELIVERED, last.at, why=why)
        case MessageState.UNCERTAIN.value | MessageState.SENDING.value:
            return told(DeliveryStatus.UNCERTAIN, last.at)
    return None


def _kind(row: Any) -> str:
    """What people are to tell by voice goes by the name of the letter that it is."""
    return str(row.facts["about"] if row.kind == "tell_by_voice" else row.kind)


def _code(reason: str | None) -> str:
    said = (reason or "").removesuffix(" again").replace(" ", "_")
    return said if said in REASONS else "other"


def list_failed_kinds(tx: Tx, by: Actor, limit: int = 20) -> tuple[FailedObligation, ...]:
    """What was given up and nobody took up yet, the oldest first, of what this person may know of."""
    one = OBLIGATIONS.c
    failed = select(one.id).where(IS_STUCK, one.state == "failed").order_by(one.due, one.id).limit(MOST_STUCK)
    query = (
        select(one.id, one.ref, one.kind, one.facts, one.ended_at, one.due)
        .outerjoin(COMPLAINTS, COMPLAINTS.c.ref == one.ref)
        .where(
            one.id.in_(list(tx.connection.execute(failed).scalars())),
            or_(one.ref.is_(None), and_(*known_to(by))),
        )
        .order_by(one.due, one.id)
        .limit(limit)
    )
    return tuple(
        FailedObligation(row.id, row.ref, _kind(row), row.ended_at or row.due, _kind(row) in SPEAKING)
        for row in tx.connection.execute(query)
    )
