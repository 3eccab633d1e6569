"""Keeping house: what expired goes, and the heads of all complaints are sealed (8.1; design.md, rule 4)."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from complaints.errors import ComplaintError
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation

#: More than a day's worth anywhere; what is over waits until tomorrow.
EVERY = 10_000

log = structlog.get_logger(__name__)


def housekeeping(store: Store, *, retention: Mapping[str, str] | None = None) -> Mapping[str, Perform]:
    """The performers of kinds `tidy`, `checkpoint` and `purge`, owed by the ticks.

    `retention` says by country how long after its closing a complaint is kept; without one nothing is purged.
    """

    async def tidy(_: Obligation) -> Outcome:
        await store.in_thread(store.tidy)
        return Done()

    async def checkpoint(_: Obligation) -> Outcome:
        await store.in_thread(store.checkpoint)
        return Done()

    async def purge(_: Obligation) -> Outcome:
        for one in await store.in_thread(store.expired, retention or {}, EVERY):
            if one.held is not None:
                continue
            try:
                await store.in_thread(store.erase, one.ref, "retention")
            except ComplaintError as refused:
                # Reopened or held since the list was made: the others go all the same.
                log.info("not_purged", ref=one.ref, why=refused.code)
        return Done()

    return {"tidy": tidy, "checkpoint": checkpoint, "purge": purge}
