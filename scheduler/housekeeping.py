"""Keeping house: what expired goes, and the heads of all complaints are sealed (8.1; design.md, rule 4)."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation


def housekeeping(store: Store) -> Mapping[str, Perform]:
    """The performers of kinds `tidy` and `checkpoint`, owed by the ticks."""

    async def tidy(_: Obligation) -> Outcome:
        await store.in_thread(store.tidy)
        return Done()

    async def checkpoint(_: Obligation) -> Outcome:
        await store.in_thread(store.checkpoint)
        return Done()

    return {"tidy": tidy, "checkpoint": checkpoint}
