"""Schedule obligations by the clock, and handle those that need no channel (7.3, 8.1; docs/design.md, rule 4).

APScheduler only calls the ticks; its jobs are kept in memory. A tick inserts obligations with deterministic keys, so
every process may tick and no leader is needed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import SYSTEM, Actor
from complaints.deadlines.opening_hours import next_morning, working_day_from
from complaints.obligations.kinds import ACTS, NewObligation, SendPriority
from complaints.rulebook import Calendar
from complaints.times import at_minute, local_time
from scheduler.training import LearningSettings, schedule_retraining
from scheduler.worker import Handler
from store.cases.act import act as store_act
from store.cases.reviews import draw_reviews, give_review, rank_closed
from store.custody.erasure import (
    RETENTION,
    delete_expired_rows,
    erase_expired,
    erase_silent_people,
    list_expired,
    list_silent_people,
    record_receipt,
)
from store.outbox.complete import Completed, Outcome, Rescheduled, add_due
from store.outbox.failed import fail_orphaned
from store.outbox.rows import insert_obligation
from store.people.staff import list_members
from store.proof.log import add_checkpoint
from store.rulebooks import load_current_rulebook
from store.slack_posts import sweep_cards
from store.store import Store
from store.values import Obligation

#: A process of another release may know the kind and handle it within this time.
ORPHANED_AFTER = timedelta(minutes=15)
#: Complaints erased in one day, more than any organisation closes. The rest waits until the next day.
MAX_ERASED = 10_000
#: Months of each period that is counted in months.
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}

log = structlog.get_logger(__name__)


def schedule_next_morning(store: Store) -> None:
    """Schedule the next morning. Its key is the day, so that several processes and ticks make one."""
    calendar = store.read(load_current_rulebook).calendar
    opens = next_morning(store.now(), calendar)
    day = local_time(opens, calendar.zone).date().isoformat()
    store.write(
        insert_obligation, NewObligation(f"morning:{day}", "morning", opens, SendPriority.BULK, {"day": day})
    )


def morning_handlers(store: Store) -> Mapping[str, Handler]:
    """The handler of kind `morning`: schedules the next morning, the month's draw, and a digest for every reader."""

    def schedule_digests() -> None:
        now, calendar = store.now(), store.read(load_current_rulebook).calendar
        schedule_next_morning(store)
        # If the process was down for days, send only the digest of today.
        today = local_time(now, calendar.zone).date()
        if working_day_from(today, calendar) != today:
            return
        store.write(insert_obligation, monthly_draw(now, calendar.zone))
        day = today.isoformat()
        for member in store.read(list_members):
            if is_allowed(None, Access.READ, Actor(member.id, member.roles)):
                facts = {"member": member.id, "day": day}
                store.write(
                    insert_obligation,
                    NewObligation(f"digest:{day}:{member.id}", "digest", now, SendPriority.BULK, facts),
                )

    async def morning(_: Obligation) -> Outcome:
        await store.in_thread(schedule_digests)
        return Completed()

    return {"morning": morning}


# --- by the month: reviews of closed complaints (4.5, Annex C), and reports to a channel (8.4)


def monthly_draw(now: datetime, zone: str) -> NewObligation:
    """Draws from the complaints that were closed in the month before; its key is this month, so it is drawn once."""
    first = local_time(now, zone).date().replace(day=1)
    facts = {"period": f"{first - timedelta(days=1):%Y-%m}"}
    return NewObligation(f"draw_reviews:{first:%Y-%m}", "draw_reviews", now, SendPriority.BULK, facts)


def review_handlers(store: Store, each_month: int) -> Mapping[str, Handler]:
    """The handlers of `draw_reviews` and `redraw_review`."""

    async def draw(obligation: Obligation) -> Outcome:
        if not each_month:
            return Completed()
        zone = (await store.aread(load_current_rulebook)).calendar.zone
        period = str(obligation.facts["period"])
        first = date.fromisoformat(f"{period}-01")
        after = (first + timedelta(days=31)).replace(day=1)
        start, end = (at_minute(day, 0, zone) for day in (first, after))
        # The list may be long; on the writing thread everybody would wait for it.
        ranked, closed = await store.aread(rank_closed, period, start, end, each_month)
        await store.awrite(draw_reviews, period, ranked, closed, each_month)
        return Completed()

    async def redraw(obligation: Obligation) -> Outcome:
        await store.awrite(give_review, str(obligation.ref), f"{obligation.due:%Y-%m}")
        return Completed()

    return {"draw_reviews": draw, "redraw_review": redraw}


@dataclass(frozen=True)
class ScheduledReport:
    """A kind of report, the channel that gets it, and `when`: weekly, or one of `_MONTHS`."""

    kind: str
    channel: str
    when: str


def last_period(when: str, today: date) -> tuple[date, date]:
    """The first day of the last period that ended before today, and the day after its last one."""
    if when == "weekly":
        after = today - timedelta(days=today.weekday())
        return after - timedelta(days=7), after
    months = _MONTHS[when]
    after = date(today.year, (today.month - 1) // months * months + 1, 1)
    number = after.year * 12 + after.month - 1 - months
    return date(number // 12, number % 12 + 1, 1), after


def report_obligations(
    reports: Iterable[ScheduledReport], now: datetime, calendar: Calendar
) -> Iterator[NewObligation]:
    """The report of each last period, due on the first working morning after it; the key is the period."""
    for report in reports:
        first, after = last_period(report.when, local_time(now, calendar.zone).date())
        facts = {"report": report.kind, "channel": report.channel, "first": first.isoformat()}
        yield NewObligation(
            f"channel_report:{report.kind}:{report.channel}:{report.when}:{first}",
            "channel_report",
            next_morning(at_minute(after, 0, calendar.zone), calendar),
            SendPriority.BULK,
            facts | {"after": after.isoformat()},
        )


# --- the ticks, and the cleanup of each day


def create_ticks(
    store: Store,
    *,
    kinds: Collection[str] | None = None,
    purges: bool = False,
    learning: LearningSettings | None = None,
    compute_digest: Callable[[], str] | None = None,
    checkpoint_minutes: int = 10,
    reports: Sequence[ScheduledReport] = (),
) -> AsyncIOScheduler:
    """The product's ticks; the caller starts them.

    `kinds` are those that this process handles: overdue obligations of other kinds are reported (None: not reported).
    `purges` schedules a purge each day. `learning` schedules training runs (None: never). `compute_digest` returns
    the digest of what a run learns from apart from the record. `checkpoint_minutes` is the time between checkpoints.
    `reports` are those that go to channels.
    """
    ticks = AsyncIOScheduler(timezone="UTC")
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}

    async def housekeeping() -> None:
        # `compute_digest` reads files, so it does not run on a thread of the store.
        digest = None if compute_digest is None else await asyncio.to_thread(compute_digest)
        await store.in_thread(_housekeeping, store, purges, learning, digest, reports)
        if kinds is None:
            return
        for kind in sorted(await store.awrite(fail_orphaned, kinds, store.now() - ORPHANED_AFTER)):
            log.error(
                "nobody_performs", kind=kind, remedy="amends outbox list; install the release that does"
            )

    async def cards() -> None:
        await store.awrite(sweep_cards)

    async def checkpoints() -> None:
        await store.in_thread(schedule_checkpoint, store, checkpoint_minutes)

    ticks.add_job(_ends_when_cancelled(cards), "interval", minutes=5, id="cards", **defaults)
    for job, minutes in ((housekeeping, 15), (checkpoints, checkpoint_minutes)):
        ticks.add_job(
            _ends_when_cancelled(job),
            "interval",
            minutes=minutes,
            id=job.__name__,
            next_run_time=datetime.now(UTC),
            **defaults,
        )
    return ticks


def _ends_when_cancelled(job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The job; a stop that cancels it would be logged by APScheduler as an error of the job, with its places."""

    async def run() -> None:
        with suppress(asyncio.CancelledError):
            await job()

    return run


def schedule_checkpoint(store: Store, minutes: int) -> None:
    """Schedule a checkpoint of the log. Its key is the interval of so many minutes, as in `schedule_next_morning`."""
    now = store.now()
    start = now - timedelta(seconds=now.timestamp() % (minutes * 60))
    key = f"checkpoint:{start:%Y-%m-%dT%H:%M}"
    store.write(insert_obligation, NewObligation(key, "checkpoint", now, SendPriority.BULK))


def housekeeping_handlers(
    store: Store,
    *,
    retention: Mapping[str, str] | None = None,
    after_purge: Callable[[], None] | None = None,
    signing_key: bytes | None = None,
    send_checkpoint: Callable[[], Awaitable[None]] | None = None,
    each_day: Callable[[], Awaitable[None]] | None = None,
) -> Mapping[str, Handler]:
    """The handlers of `tidy`, `measure`, `checkpoint` and `purge`, which the ticks schedule, and of `remnants`.

    `retention` has for each country how long a complaint is kept after its closing; without it none is erased.
    `after_purge` lists the erasures where backups find them.
    `signing_key` signs checkpoints, and `send_checkpoint` sends the newest one to places outside of the database.
    `each_day` is called after the daily cleanup; it must not raise.
    """

    async def tidy(_: Obligation) -> Outcome:
        await store.awrite(delete_expired_rows)
        # The list reads every person; on the writing thread everybody would wait for it.
        silent = await store.aread(list_silent_people)
        for start in range(0, len(silent), 100):
            await store.awrite(erase_silent_people, silent[start : start + 100])
        if each_day is not None:
            await each_day()
        return Completed()

    async def purge(_: Obligation) -> Outcome:
        counts, complaints = Counter[str](), 0
        for expired in await store.aread(list_expired, retention or {}, MAX_ERASED):
            erased: Counter[str] | str | None = expired.kept_because
            if erased is None:
                erased = await store.awrite(erase_expired, expired.ref)
            if isinstance(erased, Counter):
                counts.update(erased)
                complaints += 1
            elif erased == "damaged":
                log.error("damaged_complaint", ref=expired.ref, remedy="amends db verify")
            elif expired.kept_because is None:
                # Reopened, or kept for a legal reason, since the list was made. The others are erased.
                log.info("not_purged", ref=expired.ref, why=erased)
        if complaints:
            await store.awrite(record_receipt, RETENTION, RETENTION, complaints, counts)
        if after_purge is not None:
            await store.in_reader_thread(after_purge)
        return Completed()

    async def remnants(_: Obligation) -> Outcome:
        if await store.in_thread(store.remove_remnants):
            return Completed()
        return Rescheduled(store.now() + timedelta(minutes=1), "another transaction still reads erased pages")

    return {
        "tidy": tidy,
        "measure": _measure_handler(store),
        "checkpoint": _checkpoint_handler(store, signing_key, send_checkpoint),
        "purge": purge,
        "remnants": remnants,
    }


def _measure_handler(store: Store) -> Handler:
    async def measure(_: Obligation) -> Outcome:
        # Not on the writing thread: looking for missing rows reads every complaint.
        pages = store.measure_missing()
        while await store.in_reader_thread(lambda: next(pages, 0)):
            pass
        return Completed()

    return measure


def _checkpoint_handler(
    store: Store, signing_key: bytes | None, send: Callable[[], Awaitable[None]] | None
) -> Handler:
    async def checkpoint(_: Obligation) -> Outcome:
        more = True
        while more:
            _newest, more = await store.awrite(add_checkpoint, signing_key)
        if send is not None:
            await send()
        return Completed()

    return checkpoint


def act_handlers(store: Store) -> Mapping[str, Handler]:
    """The handler of `add_due`, and one for each kind that only records an act.

    The row is completed in the same transaction.
    """

    async def add(obligation: Obligation) -> Outcome:
        return await store.awrite(add_due, obligation)

    async def act(obligation: Obligation) -> Outcome:
        await store.awrite(
            store_act,
            str(obligation.ref),
            ACTS[obligation.kind],
            SYSTEM,
            dict(obligation.facts),
            key=obligation.key,
            completes=obligation.id,
        )
        return Completed(settled=True)

    return {**dict.fromkeys(ACTS, act), "add_due": add}


def _housekeeping(
    store: Store,
    purges: bool,
    learning: LearningSettings | None = None,
    settings_digest: str | None = None,
    reports: Sequence[ScheduledReport] = (),
) -> None:
    """Schedule today's cleanup, missing words and measures; a purge, a training run and reports where due."""
    now = store.now()
    schedule_next_morning(store)
    obligations = [
        NewObligation(f"tidy:{now:%Y-%m-%d}", "tidy", now, SendPriority.BULK),
        NewObligation(f"words:{now:%Y-%m-%d}", "index_words", now, SendPriority.BULK),
        NewObligation(f"measure:{now:%Y-%m-%d}", "measure", now, SendPriority.BULK),
        NewObligation(f"figures:{now:%Y-%m-%d}", "register_figures", now, SendPriority.BULK),
    ]
    if purges:
        obligations.append(NewObligation(f"purge:{now:%Y-%m-%d}", "purge", now, SendPriority.BULK))
    if reports:
        obligations += report_obligations(reports, now, store.read(load_current_rulebook).calendar)
    for obligation in obligations:
        store.write(insert_obligation, obligation)
    if learning is not None:
        schedule_retraining(store, learning, settings_digest)
