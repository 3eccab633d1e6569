"""Every working day at opening time: the digests of the staff are owed, one each (7.3, 4.9).

APScheduler as a clock and nothing else: memory store, interval jobs declared here.

A tick inserts duties with deterministic keys, so any replica may tick and none needs electing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from complaints.deadlines.local_time import wall
from complaints.deadlines.opening_hours import next_morning, working_day_from
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.permissions import READERS
from scheduler.training import LearningSettings, schedule_retraining
from scheduler.worker import Handler
from store.outbox.failed import fail_orphaned
from store.outbox.outcomes import Completed, Outcome
from store.outbox.rows import insert_obligation
from store.people.staff import list_members
from store.rulebooks import load_current_rulebook
from store.slack.posts import sweep_cards
from store.store import Store
from store.values import Obligation


def schedule_next_morning(store: Store) -> None:
    """Owe the next one once, whoever asks: by its day, so that several processes and ticks make one."""
    calendar = store.read(load_current_rulebook).calendar
    opens = next_morning(store.now(), calendar)
    day = wall(opens, calendar.zone).date().isoformat()
    store.write(
        insert_obligation, NewObligation(f"morning:{day}", "morning", opens, SendPriority.BULK, {"day": day})
    )


def mornings(store: Store) -> Mapping[str, Handler]:
    """The performer of kind `morning`: everybody who handles or manages, and the next morning."""

    def owe() -> None:
        now, calendar = store.now(), store.read(load_current_rulebook).calendar
        schedule_next_morning(store)
        # Late after a night of several days it is of today: yesterday's would help nobody.
        today = wall(now, calendar.zone).date()
        if working_day_from(today, calendar) != today:
            return
        day = today.isoformat()
        for member in store.read(list_members):
            if member.roles & READERS:
                facts = {"member": member.id, "day": day}
                store.write(
                    insert_obligation,
                    NewObligation(f"digest:{day}:{member.id}", "digest", now, SendPriority.BULK, facts),
                )

    async def morning(_: Obligation) -> Outcome:
        await store.in_thread(owe)
        return Completed()

    return {"morning": morning}


#: Another release beside ours may know the kind, and has done it by then.
ORPHANED_AFTER = timedelta(minutes=15)

log = structlog.get_logger(__name__)


def ticking(
    store: Store,
    *,
    kinds: Collection[str] | None = None,
    purges: bool = False,
    learning: LearningSettings | None = None,
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
        for kind in sorted(await store.awrite(fail_orphaned, kinds, store.now() - ORPHANED_AFTER)):
            log.error(
                "nobody_performs", kind=kind, remedy="amends outbox list; install the release that does"
            )

    async def cards() -> None:
        await store.awrite(sweep_cards)

    ticks.add_job(cards, "interval", minutes=5, id="cards", **defaults)
    ticks.add_job(
        house, "interval", minutes=15, id="housekeeping", next_run_time=datetime.now(UTC), **defaults
    )
    return ticks


def _housekeeping(
    store: Store, purges: bool, learning: LearningSettings | None = None, besides: str | None = None
) -> None:
    """Owe today's housekeeping once, whoever ticks: expired drafts and old keys go, a checkpoint is sealed."""
    now = store.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    schedule_next_morning(store)
    store.write(insert_obligation, NewObligation(f"tidy:{now:%Y-%m-%d}", "tidy", now, SendPriority.BULK))
    store.write(
        insert_obligation,
        NewObligation(f"checkpoint:{hour:%Y-%m-%dT%H}", "checkpoint", now, SendPriority.BULK),
    )
    if purges:
        store.write(
            insert_obligation, NewObligation(f"purge:{now:%Y-%m-%d}", "purge", now, SendPriority.BULK)
        )
    if learning is not None:
        schedule_retraining(store, learning, besides)
