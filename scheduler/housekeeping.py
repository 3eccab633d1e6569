"""Handlers that need no channel (8.1; docs/design.md, rule 4).

They do the cleanup, the checkpoints, the erasure after the retention period, and the acts of the scheduler itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from complaints.actors import SYSTEM
from complaints.errors import ComplaintError
from complaints.obligations.kinds import ACTS
from scheduler.worker import Handler
from store.cases.act import act as store_act
from store.cleanup import delete_expired_rows
from store.custody.retention import erase, list_expired
from store.outbox.outcomes import Completed, Outcome
from store.proof.checkpoints import checkpoint as store_checkpoint
from store.store import Store
from store.values import Obligation

#: Complaints erased in one day, more than any organisation closes. The rest waits until the next day.
MAX_ERASED = 10_000

log = structlog.get_logger(__name__)


def housekeeping_handlers(
    store: Store, *, retention: Mapping[str, str] | None = None
) -> Mapping[str, Handler]:
    """The handlers of the kinds `tidy`, `checkpoint` and `purge`, which the ticks schedule.

    `retention` has for each country how long a complaint is kept after its closing; without it none is erased.
    """

    async def tidy(_: Obligation) -> Outcome:
        await store.awrite(delete_expired_rows)
        return Completed()

    async def checkpoint(_: Obligation) -> Outcome:
        await store.awrite(store_checkpoint)
        return Completed()

    async def purge(_: Obligation) -> Outcome:
        for expired in await store.aread(list_expired, retention or {}, MAX_ERASED):
            if expired.kept_because is not None:
                continue
            try:
                await store.awrite(erase, expired.ref, "retention")
            except ComplaintError as refusal:
                # Reopened, or kept for a legal reason, since the list was made. The others are erased.
                log.info("not_purged", ref=expired.ref, why=refusal.code)
        return Completed()

    return {"tidy": tidy, "checkpoint": checkpoint, "purge": purge}


def act_handlers(store: Store) -> Mapping[str, Handler]:
    """A handler for each kind that only records an act; the row is completed in the same transaction."""

    async def act(obligation: Obligation) -> Outcome:
        await store.awrite(
            store_act,
            str(obligation.ref),
            ACTS[obligation.kind],
            SYSTEM,
            dict(obligation.facts),
            key=obligation.key,
            settles=obligation.id,
        )
        return Completed(settled=True)

    return dict.fromkeys(ACTS, act)
