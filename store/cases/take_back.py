"""Take back a letter of staff before it leaves (7.3): the obligation to send it decides who was first."""

from sqlalchemy import and_, exists, or_, select, update

from complaints.actors import Actor
from complaints.errors import OutOfOrder
from complaints.vocabulary import Verb
from store.cases.act import act_on
from store.database.transaction import Tx, database_seconds
from store.outbox.complete import IS_OPEN
from store.record.load import load_case_file
from store.tables import MESSAGES, OBLIGATIONS
from store.values import MessageState, RecordedAct


def take_back(tx: Tx, ref: str, seq: int, by: Actor, *, key: str | None = None) -> RecordedAct:
    """Record that the sender takes back letter `seq`, and end the obligation to send it.

    Raises OutOfOrder (`already_sent`) if a worker has claimed it or it may have left; then nothing is recorded.
    """
    file = load_case_file(tx, ref, lock=True)
    unsent, decision = file.case.unsent_decision, file.case.decision
    is_decision = unsent is not None and unsent.event.seq == seq and decision is not None
    name = f"decision:{decision.seq}" if is_decision and decision is not None else f"letter:{seq}"
    recorded, _ = act_on(tx, file, Verb.TAKE_BACK, by, {"seq": seq}, {}, key=key)
    columns = OBLIGATIONS.c
    may_have_left = exists(select(MESSAGES.c.id)).where(
        MESSAGES.c.obligation_id == columns.id, MESSAGES.c.state != MessageState.FAILED.value
    )
    ended = tx.connection.execute(
        update(OBLIGATIONS)
        .where(
            columns.scope == ref,
            columns.key.in_([name, *(f"{name}:r{number}" for number in range(1, file.case.returns + 1))]),
            # A letter that failed has not left: an attachment could not be fetched, or the channel refused it.
            or_(columns.state == "failed", and_(IS_OPEN, columns.lease_until <= database_seconds())),
            ~may_have_left,
        )
        .values(state="done", ended_at=tx.now, payload=None, why=None)
    )
    if not ended.rowcount:
        raise OutOfOrder(f"Letter {seq} of {ref} was sent before: write again.", code="already_sent")
    attached = columns.key.startswith(f"attachment:{name.partition(':')[2]}:")
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(columns.scope == ref, attached, IS_OPEN)
        .values(state="done", ended_at=tx.now)
    )
    tx.obligations_changed = True
    return recorded
