"""APScheduler as a clock and nothing else: memory store, interval jobs declared here.

A tick inserts duties with deterministic keys, so any replica may tick and none needs electing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from complaints.duties import Lane, Owed
from scheduler.mornings import owe_next_morning
from scheduler.retraining import Learning, owe_retraining
from store.open import Store

#: Another release beside ours may know the kind, and has done it by then.
ORPHANED_AFTER = timedelta(minutes=15)

log = structlog.get_logger(__name__)


def ticking(
    store: Store,
    *,
    kinds: Collection[str] | None = None,
    purges: bool = False,
    learning: Learning | None = None,
    besides: Callable[[], str] | None = None,
) -> AsyncIOScheduler:
    """A started-by-the-caller scheduler with the product's ticks.

    `kinds` are the duties that this process performs: people hear of any other that is overdue (None: of none).
    `purges` owes a purge each day, `learning` a training run when it is time for one; None: never.
    `besides` tells what a run would learn from besides the record.
    """
    ticks = AsyncIOScheduler(timezone="UTC")
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}

    async def house() -> None:
        # It reads files: no thread of the store waits for that.
        known = None if besides is None else await asyncio.to_thread(besides)
        await store.in_thread(_housekeeping, store, purges, learning, known)
        if kinds is None:
            return
        for kind in sorted(await store.in_thread(store.orphaned, kinds, store.now() - ORPHANED_AFTER)):
            log.error(
                "nobody_performs", kind=kind, remedy="amends outbox list; install the release that does"
            )

    async def cards() -> None:
        await store.in_thread(store.sweep_cards)

    ticks.add_job(cards, "interval", minutes=5, id="cards", **defaults)
    ticks.add_job(
        house, "interval", minutes=15, id="housekeeping", next_run_time=datetime.now(UTC), **defaults
    )
    return ticks


def _housekeeping(
    store: Store, purges: bool, learning: Learning | None = None, besides: str | None = None
) -> None:
    """Owe today's housekeeping once, whoever ticks: expired drafts and old keys go, a checkpoint is sealed."""
    now = store.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    owe_next_morning(store)
    store.insert(Owed(f"tidy:{now:%Y-%m-%d}", "tidy", now, Lane.BULK))
    store.insert(Owed(f"checkpoint:{hour:%Y-%m-%dT%H}", "checkpoint", now, Lane.BULK))
    if purges:
        store.insert(Owed(f"purge:{now:%Y-%m-%d}", "purge", now, Lane.BULK))
    if learning is not None:
        owe_retraining(store, learning, besides)
