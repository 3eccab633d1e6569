"""Acts on many complaints in the database: what was previewed, who gets it, and how far it has come.

Each complaint has a row and an obligation of its own: after a crash the remaining ones go on, and none gets it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)

from complaints.batch import TAKEN_BACK, Audience, Batch
from complaints.obligations.kinds import NewObligation
from complaints.times import format_time, parse_time
from store.database.transaction import Tx, database_seconds
from store.outbox.complete import IS_OPEN, complete
from store.outbox.rows import insert_redraw, obligation_row
from store.slack_posts import keep_draft, read_typed
from store.tables import COMPLAINTS, INCIDENT_RECEIVERS, MESSAGES, OBLIGATIONS

#: The obligations that inform one complaint of an incident, and that decide it.
UPDATE = "incident_update"
DECISION = "incident_decision"
_RECEIVERS = INCIDENT_RECEIVERS.c


@dataclass(frozen=True)
class BatchDelivery:
    """The state of one complaint's letter of a batch (sent, waiting, failed, left_out, taken_back) and the reason."""

    ref: str
    state: str
    reason: str | None = None
    #: The act is in the complaint's record.
    is_recorded: bool = False


def save_batch(tx: Tx, batch: Batch) -> str:
    """Keep what was previewed for 24 hours, sealed with the instance's key; returns an unguessable id."""
    content = {
        "about": batch.about,
        "previewed_at": format_time(batch.previewed_at),
        "refs": list(batch.refs),
        "facts": dict(batch.facts),
        "words": dict(batch.words),
        "overruled": list(batch.overruled),
    }
    return keep_draft(tx, None, batch.by, batch.kind, batch.version, content)


def load_batch(tx: Tx, number: str, kind: str) -> Batch | None:
    """What was previewed; None after 24 hours."""
    row, typed = read_typed(tx, number)
    if row is None or row.form != kind:
        return None
    return Batch(
        kind, row.by, parse_time(typed["previewed_at"]), typed["about"], row.work_version, tuple(typed["refs"]),
        typed["facts"], typed["words"], tuple(typed["overruled"]), number,
    )  # fmt: skip


def insert_receivers(tx: Tx, batch: str, number: int, audience: Audience) -> None:
    """Record to which complaints a batch goes, and which are left out."""
    members = [*((case, None) for case in audience.to), *audience.left_out]
    rows = [
        {"batch": batch, "ref": case.ref, "incident_id": number, "left_out": why, "seq": None}
        for case, why in members
    ]
    tx.add_all(INCIDENT_RECEIVERS, rows)
    for case, _ in audience.left_out:
        insert_redraw(tx, case.ref, f"left_out:{batch}")


def list_receivers(tx: Tx, batch: str) -> list[str]:
    """The complaints to which a batch goes."""
    query = select(_RECEIVERS.ref).where(_RECEIVERS.batch == batch, _RECEIVERS.left_out.is_(None))
    return list(tx.connection.execute(query.order_by(_RECEIVERS.ref)).scalars())


def schedule_for_each(tx: Tx, obligation: NewObligation, refs: Sequence[str]) -> None:
    """One obligation for each complaint: until it is due nothing is recorded there, and it can be taken back."""
    rows = [obligation_row(obligation, scope=ref, ref=ref, contact_id=None, at=tx.now) for ref in refs]
    tx.insert_missing(OBLIGATIONS, rows)
    tx.obligations_changed = True


def end_waiting(tx: Tx, kind: str, batch: str) -> list[str]:
    """End what no worker has claimed yet; returns the complaints. They can be scheduled again."""
    columns = OBLIGATIONS.c
    waiting = (columns.key == f"{kind}:{batch}", IS_OPEN, columns.lease_until <= database_seconds())
    return [row.ref for row in tx.delete(OBLIGATIONS, *waiting)]


def record_taken_back(tx: Tx, batch: str, refs: Sequence[str]) -> None:
    tx.update(INCIDENT_RECEIVERS, _RECEIVERS.batch == batch, _RECEIVERS.ref.in_(refs), left_out=TAKEN_BACK)


def record_left_out(tx: Tx, ref: str, batch: str, why: str, *, completes: int | None = None) -> None:
    """A complaint of the batch is left to a person after all; nothing changes where the act was done before."""
    not_yet = (_RECEIVERS.batch == batch, _RECEIVERS.ref == ref, _RECEIVERS.seq.is_(None))
    tx.update(INCIDENT_RECEIVERS, *not_yet, left_out=why)
    insert_redraw(tx, ref, f"left_out:{batch}")
    if completes is not None:
        complete(tx, completes)


def record_reached(tx: Tx, ref: str, batch: str, seq: int) -> None:
    """The act of a batch is in the record of this complaint, as the event with this number."""
    tx.update_by(INCIDENT_RECEIVERS, {"batch": batch, "ref": ref}, seq=seq)


def list_batch_deliveries(tx: Tx, batch: str, kind: str = UPDATE) -> list[BatchDelivery]:
    """The delivery state of every complaint of a batch, by reference; `kind` is the obligation of its act."""
    act_obligation, letter, any_letter = (OBLIGATIONS.alias(name) for name in ("act", "letter", "any_letter"))
    # A letter can be sent again after a failed delivery: the newest one counts.
    last = select(func.max(any_letter.c.id)).where(_is_letter(any_letter, kind)).correlate(INCIDENT_RECEIVERS)
    newest = (
        select(MESSAGES.c.obligation_id, func.max(MESSAGES.c.id).label("id"))
        .join(letter, letter.c.id == MESSAGES.c.obligation_id)
        .join(INCIDENT_RECEIVERS, _is_letter(letter, kind))
        .where(_RECEIVERS.batch == batch)
        .group_by(MESSAGES.c.obligation_id)
        .subquery()
    )
    query = (
        select(
            _RECEIVERS.ref,
            _RECEIVERS.left_out,
            _RECEIVERS.seq,
            COMPLAINTS.c.restriction,
            act_obligation.c.state.label("act"),
            act_obligation.c.why.label("act_why"),
            letter.c.state.label("letter"),
            letter.c.why.label("letter_why"),
            MESSAGES.c.state.label("message"),
            MESSAGES.c.reason,
        )
        .select_from(INCIDENT_RECEIVERS)
        .join(COMPLAINTS, COMPLAINTS.c.ref == _RECEIVERS.ref)
        .outerjoin(
            act_obligation,
            and_(act_obligation.c.scope == _RECEIVERS.ref, act_obligation.c.key == f"{kind}:{batch}"),
        )
        .outerjoin(letter, letter.c.id == last.scalar_subquery())
        .outerjoin(newest, newest.c.obligation_id == letter.c.id)
        .outerjoin(MESSAGES, MESSAGES.c.id == newest.c.id)
        .where(_RECEIVERS.batch == batch)
        .order_by(_RECEIVERS.ref)
    )
    return [_delivery(row) for row in tx.connection.execute(query)]


def _is_letter(obligation: FromClause, kind: str) -> ColumnElement[bool]:
    """Whether this obligation is the letter of the complaint's event, also if it was scheduled to be resent."""
    key = literal("letter:" if kind == UPDATE else "decision:", String) + cast(_RECEIVERS.seq, String)
    has_key = or_(obligation.c.key == key, obligation.c.key.like(key + ":r%"))
    return and_(obligation.c.scope == _RECEIVERS.ref, has_key)


def _delivery(row: Any) -> BatchDelivery:
    is_recorded = row.seq is not None
    if row.left_out == TAKEN_BACK:
        return BatchDelivery(row.ref, TAKEN_BACK)
    if row.left_out is not None:
        # The reason must not show for a complaint that is restricted by now.
        return BatchDelivery(row.ref, "left_out", row.left_out if row.restriction is None else "restricted")
    if row.act == "failed" or row.letter == "failed":
        return BatchDelivery(row.ref, "failed", _code(row.letter_why or row.act_why), is_recorded)
    if row.letter == "done" and row.message == "sent":
        return BatchDelivery(row.ref, "sent", None, is_recorded)
    if row.letter == "done":
        return BatchDelivery(row.ref, "failed", _code(row.reason), is_recorded)
    if row.letter is None and row.act == "done":
        # Completed without an act: the complaint was erased while it waited.
        return BatchDelivery(row.ref, "left_out", "closed")
    return BatchDelivery(row.ref, "waiting", None, is_recorded)


def _code(why: str | None) -> str:
    """The channel's reason code; a whole sentence is shown in the outbox, so here it is `refused`."""
    return why if why is not None and " " not in why else "refused"
