"""What happens to an obligation after a worker claimed it: completed, rescheduled, retried, released or failed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, case, literal_column, select, text, update

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.resend import OF_ONE_EVENT
from complaints.obligations.standing import current_obligations
from store.database.errors import UnknownRow
from store.database.prepared import Prepared
from store.database.transaction import Tx, database_seconds
from store.outbox import rows
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.record.load import load_case_file
from store.tables import COMPLAINTS, OBLIGATIONS
from store.values import Obligation

#: Why an obligation waits: its message may have arrived; or it was sent again and may have arrived twice.
NO_ANSWER, NO_ANSWER_AGAIN = "no answer", "no answer again"
#: Obligations of one event, done once, also if the complaint changes later. All others are checked against the
#: complaint again before they are handled.
PER_EVENT: frozenset[str] = OF_ONE_EVENT | {
    "thread", "danger_seen", "told_owner", "ask_approval", "draft_settled", "told_checked", "told_overturned",
    "fetch", "slack_fetch", "transcribe", "translate", "say", "told_failed", "incident_update", "incident_decision",
    "talk", "talk_show", "talk_mark", "talk_heard",
}  # fmt: skip
#: Kinds that may run for minutes: a stop and a test clock do not wait for them. After the next start they run again.
BACKGROUND: frozenset[str] = frozenset({"train", "transcribe", "translate", "alert"})
#: The kind that posts one line under the card. The lines of a complaint are posted in the order of its events.
THREAD = "thread"
#: What is meant for the complainant. What the dialogue says or brings is part of a conversation, not a notice.
NOTICES: frozenset[str] = (SENT_TO_COMPLAINANT - {"say", "mydata", "form_copy"}) | {"tell_by_voice"}
#: The state of an obligation that a person gave up with a reason.
GIVEN_UP = "given_up"
#: Literals and not parameters: only then do both databases use the partial indexes of open rows.
IS_OPEN = OBLIGATIONS.c.state == literal_column("'open'")
IS_STUCK = text("(state = 'failed' OR (state = 'open' AND attempts > 0))")
#: Kinds that draw in Slack themselves. When Slack refused one of them, drawing the card would be refused too.
_DRAWS: frozenset[str] = frozenset({"card", "redraw", "thread", "told_failed"})
#: Value of `wait_until` in a row that is being tried while its platform comes back: `retry` then waits less.
_PLATFORM_IS_BACK = -1.0

# Built once, since every obligation runs them.
_IS_THIS = OBLIGATIONS.c.id == bindparam("obligation")
_ABOUT = Prepared(
    select(
        OBLIGATIONS.c.ref, OBLIGATIONS.c.kind, OBLIGATIONS.c.state, OBLIGATIONS.c.attempts, OBLIGATIONS.c.due
    ).where(_IS_THIS)
)
_ERASED_AT = Prepared(select(COMPLAINTS.c.erased_at).where(COMPLAINTS.c.ref == bindparam("ref")))


@dataclass(frozen=True)
class Completed:
    """Done, or nothing was needed. `settled` is true if the handler completed the row itself."""

    settled: bool = False


@dataclass(frozen=True)
class Rescheduled:
    """Not yet: due again at `at`, by the desk's clock. This is not a failure."""

    at: datetime
    why: str


@dataclass(frozen=True)
class Retry:
    """The attempt failed: retry after so many seconds of real time; None means the usual backoff."""

    why: str
    after_seconds: float | None = None


@dataclass(frozen=True)
class RateLimited:
    """The platform's rate limit has no slot yet: claim again after so many real seconds. This is not a failure."""

    after_seconds: float


@dataclass(frozen=True)
class Failed:
    """It cannot be done; a person must look at it."""

    why: str


Outcome = Completed | Rescheduled | Retry | RateLimited | Failed


def is_still_required(tx: Tx, obligation: Obligation) -> bool:
    """True if the complaint still requires this obligation; always true for one that belongs to no complaint."""
    if obligation.ref is None:
        return True
    if (obligation.kind in PER_EVENT or obligation.facts.get("once")) and not _is_erased(tx, obligation.ref):
        return True
    # Of an erased complaint only the card is still drawn: it shows that the words were erased.
    required = current_obligations(load_case_file(tx, obligation.ref).case)
    return obligation.key in {current.key for current in required}


def add_due(tx: Tx, obligation: Obligation) -> Completed:
    """Insert what the complaint owes by now, and come again when the next of it is due."""
    file = load_case_file(tx, str(obligation.ref), lock=True)
    # An act that comes after this moves the row again: both hold the complaint's lock.
    complete(tx, obligation.id)
    rows.schedule_after_act(tx, file.case.ref, file.contact_id, current_obligations(file.case))
    return Completed(settled=True)


def renew_leases(tx: Tx, ids: Collection[int], lease_seconds: float) -> int:
    """Extend the leases of obligations in progress; returns how many of them are still leased.

    One that was rescheduled a moment ago may still be among the ids: a lease would block its chat for so long.
    """
    renewed = tx.connection.execute(
        update(OBLIGATIONS)
        .where(OBLIGATIONS.c.id.in_(sorted(ids)), IS_OPEN, OBLIGATIONS.c.lease_until > 0)
        .values(lease_until=database_seconds() + lease_seconds)
    )
    return int(renewed.rowcount)


def complete(tx: Tx, obligation_id: int) -> None:
    """Mark it as done, or as no longer required, and delete its payload."""
    done = {"state": "done", "ended_at": tx.now, "payload": None, "why": None}
    tx.update_by(OBLIGATIONS, {"id": obligation_id, "state": "open"}, **done)
    # A later message of the same chat may now be claimed.
    tx.obligations_changed = True


def reschedule(tx: Tx, obligation_id: int, due: datetime, why: str) -> None:
    """Make it due later by the desk's clock (quiet hours, a card that waits). This is not a failure."""
    _change(tx, obligation_id, due=due, why=why, lease_until=0.0)
    redraw_card(tx, obligation_id)


def release(tx: Tx, obligation_id: int, after_seconds: float) -> None:
    """Give the lease back because of the platform's rate limit; it may be claimed after so many real seconds."""
    _change(tx, obligation_id, lease_until=0.0, wait_until=database_seconds() + after_seconds)


def retry(tx: Tx, obligation_id: int, after_seconds: float, why: str, *, least: float | None = None) -> None:
    """It failed: try again after so many real seconds, or after `least` if the platform came back since.

    The card is redrawn only for a new reason: thousands of obligations may wait for one platform, and their retries
    must not burden the other one.
    """
    columns = OBLIGATIONS.c
    before = tx.connection.execute(
        select(columns.attempts, columns.why).where(columns.id == obligation_id)
    ).first()
    soon = after_seconds if least is None or why == NO_ANSWER_AGAIN else least
    _change(
        tx,
        obligation_id,
        why=why,
        lease_until=0.0,
        wait_until=database_seconds()
        + case((columns.wait_until == _PLATFORM_IS_BACK, soon), else_=after_seconds),
        attempts=OBLIGATIONS.c.attempts + 1,
    )
    if before is None or before.attempts == 0 or before.why != why:
        redraw_card(tx, obligation_id)


def fail(tx: Tx, obligation_id: int, why: str) -> None:
    """It cannot be done: the outbox lists it, and an obligation of kind `told_failed` notifies the staff."""
    row = _change(tx, obligation_id, why=why, state="failed", ended_at=tx.now)
    if row.kind == "told_failed":
        return
    redraw_card(tx, obligation_id)
    facts = {"id": obligation_id, "kind": row.kind, "ref": row.ref}
    key = f"told_failed:{obligation_id}"
    rows.insert_obligation(tx, NewObligation(key, "told_failed", tx.now, SendPriority.NOTICE, facts), row.ref)


def redraw_card(tx: Tx, obligation_id: int) -> None:
    """Draw the complaint's card again if it shows this obligation (7.3).

    The delivery of a notice is no event of the record, so no event makes the card change.
    """
    row = _ABOUT.first(tx.connection, obligation=obligation_id)
    if row is None or row.ref is None or row.kind in _DRAWS:
        return
    if row.kind in NOTICES or row.state in ("failed", GIVEN_UP):
        rows.insert_redraw(
            tx, row.ref, f"told:{obligation_id}:{row.state}:{row.attempts}:{tx.now.isoformat()}"
        )


def end_retry_pauses(tx: Tx, kinds: Collection[str]) -> None:
    """The platform is back: retry at once what waits for its next try, unless it may arrive twice.

    An obligation that is being tried at this moment may fail from before and would wait its full pause. It is marked,
    so that `retry` makes it wait less.
    """
    columns = OBLIGATIONS.c
    waiting = select(columns.id).where(
        IS_OPEN,
        columns.kind.in_(sorted(kinds)),
        columns.wait_until > 0,
        columns.why.is_distinct_from(NO_ANSWER_AGAIN),
    )
    # Rows that another transaction has locked are skipped: waiting for them could be a deadlock.
    freed = tx.connection.execute(
        update(OBLIGATIONS)
        .where(columns.id.in_(skip_locked(waiting, is_sqlite=tx.is_sqlite)))
        .values(wait_until=0.0)
    )
    tx.obligations_changed = tx.obligations_changed or freed.rowcount > 0
    in_progress = select(columns.id).where(
        IS_OPEN, columns.kind.in_(sorted(kinds)), columns.lease_until > database_seconds()
    )
    tx.connection.execute(
        update(OBLIGATIONS)
        .where(columns.id.in_(skip_locked(in_progress, is_sqlite=tx.is_sqlite)))
        .values(wait_until=_PLATFORM_IS_BACK)
    )


def skip_locked(query: Select[Any], *, is_sqlite: bool) -> Select[Any]:
    """Lock the rows of a query and leave out those that another transaction has locked."""
    return query if is_sqlite else query.with_for_update(skip_locked=True, of=OBLIGATIONS)


def end_all_leases(tx: Tx) -> int:
    """End all leases at the start on SQLite, where no other process can hold one; returns their number."""
    freed = tx.connection.execute(
        update(OBLIGATIONS).where(IS_OPEN, OBLIGATIONS.c.lease_until > 0).values(lease_until=0.0)
    ).rowcount
    tx.obligations_changed = tx.obligations_changed or freed > 0
    return freed


def complete_others(tx: Tx, kinds: Collection[str], until: datetime) -> None:
    """Complete every open obligation of any other kind that is due by `until` (the demo's past)."""
    columns = OBLIGATIONS.c
    others = IS_OPEN, columns.kind.not_in(sorted(kinds)), columns.due <= until
    tx.update(OBLIGATIONS, *others, state="done", ended_at=tx.now, payload=None, why=None)


def find_next_due(tx: Tx) -> tuple[str, str | None, datetime] | None:
    """Kind, reference and due time of the earliest open obligation, background kinds left out.

    Of rows that come later it is the kind of the first.
    """
    columns = OBLIGATIONS.c
    query = select(columns.kind, columns.ref, columns.due, columns.facts).where(
        IS_OPEN, columns.kind.not_in(BACKGROUND)
    )
    row = tx.connection.execute(query.order_by(columns.due, columns.id).limit(1)).first()
    if row is None:
        return None
    return row.facts["first"] if row.kind == "add_due" else row.kind, row.ref, row.due


def _is_erased(tx: Tx, ref: str) -> bool:
    # Reads the row: a question of the dialogue need not wait until the complaint is folded from its events.
    row = _ERASED_AT.first(tx.connection, ref=ref)
    return row is not None and row.erased_at is not None


def _change(tx: Tx, obligation_id: int, **values: Any) -> Any:
    row = next(
        iter(tx.update_each(OBLIGATIONS, [OBLIGATIONS.c.id == obligation_id, IS_OPEN], lambda _: values)),
        None,
    )
    if row is None:
        raise UnknownRow(f"no open obligation has the number {obligation_id}: see `amends outbox list --all`")
    tx.obligations_changed = True
    return row
