"""Failed obligations, which a person lists, retries or gives up (8.1), and orphans that no handler exists for."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, not_, or_, select, update

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import format_time
from store.database.errors import UnknownRow
from store.database.transaction import Tx, database_seconds
from store.outbox import rows as outbox_rows
from store.outbox.claim import HAS_KNOWN_PRIORITY
from store.outbox.complete import GIVEN_UP, IS_OPEN, IS_STUCK, redraw_card, retry
from store.proof.hash_chain import record_instance_event
from store.tables import OBLIGATIONS
from store.values import FailureReason

#: Retry an orphan once a day: the release that handles its kind may be installed by then.
ORPHAN_RETRY_SECONDS = 86_400.0
#: More orphans than one kind can leave between two checks. The next check handles the rest.
MAX_ORPHANS = 1000
ORPHAN_REASON = "this release does nothing of this kind"

_COLUMNS = OBLIGATIONS.c
_IS_FAILED = _COLUMNS.state == "failed"


def list_failed(
    tx: Tx, *, everything: bool = False, kind: str | None = None, ref: str | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Obligations that failed or are being retried; `everything` adds all open ones."""
    state: list[ColumnElement[bool]] = [_COLUMNS.state.in_(("open", "failed"))] if everything else [IS_STUCK]  # type: ignore[list-item]  # a text clause is one
    query = select(
        _COLUMNS.id,
        _COLUMNS.kind,
        _COLUMNS.key,
        _COLUMNS.ref,
        _COLUMNS.due,
        _COLUMNS.state,
        _COLUMNS.attempts,
        _COLUMNS.why,
    )
    rows = tx.connection.execute(
        query.where(*state, *_filters(kind, ref)).order_by(_COLUMNS.due, _COLUMNS.id).limit(limit)
    )
    return [{**row._mapping, "due": format_time(row.due)} for row in rows]  # noqa: SLF001  # SQLAlchemy's public name


def retry_failed(tx: Tx, obligation_id: int) -> None:
    """Retry now an obligation that failed or waits for its next attempt.

    Raises UnknownRow if there is no such number, or nothing to retry.
    """
    row = tx.connection.execute(
        update(OBLIGATIONS)
        .where(_COLUMNS.id == obligation_id, IS_STUCK)
        .values(
            state="open",
            ended_at=None,
            # If a worker is handling it at this moment, it keeps its lease.
            lease_until=case((_IS_FAILED, 0.0), else_=_COLUMNS.lease_until),
            wait_until=0.0,
            attempts=0,
            why=None,
        )
        .returning(_COLUMNS.ref)
    ).first()
    if row is None:
        raise _refusal(tx, obligation_id, "try again")
    redraw_card(tx, obligation_id)
    # The key is freed, so that staff are notified again if it fails again.
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(_COLUMNS.scope == (row.ref or ""), _COLUMNS.key == f"told_failed:{obligation_id}")
        .values(key=f"told_failed:{obligation_id}:{format_time(tx.now)}")
    )
    tx.obligations_changed = True


def retry_all(tx: Tx, *, kind: str | None = None, ref: str | None = None) -> list[int]:
    """Retry all obligations that failed; returns their numbers."""
    query = (
        select(_COLUMNS.id)
        .where(IS_STUCK, _IS_FAILED, *_filters(kind, ref))
        .order_by(_COLUMNS.due, _COLUMNS.id)
    )
    ids = list(tx.connection.execute(query).scalars())
    for obligation_id in ids:
        retry_failed(tx, obligation_id)
    return ids


def give_up_obligation(tx: Tx, obligation_id: int, reason: FailureReason) -> None:
    """End an obligation with a reason, recorded in the instance's own log (8.1); only its words are deleted.

    Raises UnknownRow if there is no such number, or it has ended already.
    """
    row = tx.connection.execute(
        update(OBLIGATIONS)
        .where(_COLUMNS.id == obligation_id, _COLUMNS.state.in_(("open", "failed")))
        .values(state=GIVEN_UP, ended_at=tx.now, payload=None, why=f"given up by hand: {reason.value}")
        .returning(_COLUMNS.kind, _COLUMNS.ref)
    ).first()
    if row is None:
        raise _refusal(tx, obligation_id, "give up")
    record_instance_event(
        tx,
        "obligation_given_up",
        {"id": obligation_id, "kind": row.kind, "ref": row.ref, "reason": reason.value},
    )
    redraw_card(tx, obligation_id)
    # The next message of the same chat may be claimed now.
    tx.obligations_changed = True


def fail_orphaned(tx: Tx, kinds: Collection[str], since: datetime) -> set[str]:
    """Report open obligations due before `since` that this release cannot handle; returns their kinds.

    Their kind is not among `kinds`, or their priority is of a newer release. Other schedulers delete such rows. Here
    the outbox shows them, managers are notified once a day for each kind, and they no longer block the later
    messages of their chat.
    """
    query = select(_COLUMNS.id, _COLUMNS.kind).where(
        IS_OPEN,
        or_(_COLUMNS.kind.not_in(sorted(kinds)), not_(HAS_KNOWN_PRIORITY)),
        _COLUMNS.due <= since,
        _COLUMNS.wait_until <= database_seconds(),
    )
    orphans = tx.connection.execute(query.order_by(_COLUMNS.due, _COLUMNS.id).limit(MAX_ORPHANS)).all()
    for row in orphans:
        retry(tx, row.id, ORPHAN_RETRY_SECONDS, ORPHAN_REASON)
    if orphans:
        tx.connection.execute(
            update(OBLIGATIONS).where(_COLUMNS.id.in_([row.id for row in orphans])).values(speaks=False)
        )
    orphaned_kinds = {str(row.kind) for row in orphans}
    for kind in sorted(orphaned_kinds):
        key = f"told_failed:kind:{kind}:{tx.now:%Y-%m-%d}"
        outbox_rows.insert_obligation(
            tx, NewObligation(key, "told_failed", tx.now, SendPriority.NOTICE, {"kind": kind})
        )
    return orphaned_kinds


def _filters(kind: str | None, ref: str | None) -> list[ColumnElement[bool]]:
    filters = ((_COLUMNS.kind, kind), (_COLUMNS.ref, ref))
    return [column == value for column, value in filters if value is not None]


def _refusal(tx: Tx, obligation_id: int, action: str) -> UnknownRow:
    row = tx.connection.execute(
        select(_COLUMNS.state, _COLUMNS.ended_at, _COLUMNS.due, _COLUMNS.kind).where(
            _COLUMNS.id == obligation_id
        )
    ).first()
    if row is None:
        return UnknownRow(f"no obligation has the number {obligation_id}: see `amends outbox list --all`")
    if row.state == "open":
        return UnknownRow(
            f"{obligation_id} ({row.kind}) has not failed; it is due {_when(row.due)}: leave it, or give it up"
        )
    ending = "given up by hand" if row.state == GIVEN_UP else "done"
    return UnknownRow(
        f"{obligation_id} ({row.kind}) was {ending} {_when(row.ended_at)}: nothing is left to {action}"
    )


def _when(moment: datetime | None) -> str:
    return "" if moment is None else f"at {format_time(moment)}"
