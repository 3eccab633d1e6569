"""Keeping house: what expired goes, and the heads of all complaints are sealed (8.1; docs/design.md, rule 4).

The duties that are acts on the record and need no channel: a form ended, a complaint lapsed.
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
from store.outbox.outcomes import Completed, Outcome
from store.proof.checkpoints import checkpoint as store_checkpoint
from store.proof.retention import erase, list_expired
from store.store import Store
from store.values import Obligation

#: More than a day's worth anywhere; what is over waits until tomorrow.
EVERY = 10_000

log = structlog.get_logger(__name__)


def housekeeping(store: Store, *, retention: Mapping[str, str] | None = None) -> Mapping[str, Handler]:
    """The performers of kinds `tidy`, `checkpoint` and `purge`, owed by the ticks.

    `retention` says by country how long after its closing a complaint is kept; without one nothing is purged.
    """

    async def tidy(_: Obligation) -> Outcome:
        await store.awrite(delete_expired_rows)
        return Completed()

    async def checkpoint(_: Obligation) -> Outcome:
        await store.awrite(store_checkpoint)
        return Completed()

    async def purge(_: Obligation) -> Outcome:
        for one in await store.aread(list_expired, retention or {}, EVERY):
            if one.held is not None:
                continue
            try:
                await store.awrite(erase, one.ref, "retention")
            except ComplaintError as refused:
                # Reopened or held since the list was made: the others go all the same.
                log.info("not_purged", ref=one.ref, why=refused.code)
        return Completed()

    return {"tidy": tidy, "checkpoint": checkpoint, "purge": purge}


def acting(store: Store) -> Mapping[str, Handler]:
    """A performer for each kind of duty that only writes the record; the row is settled with the event."""

    async def act(one: Obligation) -> Outcome:
        verb = ACTS[one.kind]
        await store.awrite(
            store_act, str(one.ref), verb, SYSTEM, dict(one.facts), key=one.key, settles=one.id
        )
        return Completed(settled=True)

    return dict.fromkeys(ACTS, act)
