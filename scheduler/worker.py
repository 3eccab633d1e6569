"""The worker of one process: claims due obligations, calls their handlers and completes them
(docs/design.md, rule 2).

Also its capacity (how many obligations run at the same time) and its retry delays.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from complaints.errors import ComplaintError
from complaints.obligations.kinds import SendPriority
from store.database.errors import DatabaseUnavailable, UnknownRow, WrongSchemaVersion
from store.outbox.claim import claim, claim_by_platform, count_claimable, is_only_work_due
from store.outbox.complete import (
    BACKGROUND,
    THREAD,
    Completed,
    Failed,
    Outcome,
    RateLimited,
    Rescheduled,
    Retry,
    complete,
    fail,
    is_still_required,
    release,
    renew_leases,
    reschedule,
    retry,
)
from store.store import Store
from store.values import Obligation, PlatformCapacity

#: Lease on a claimed obligation. If a worker dies, another takes over after this time.
LEASE_SECONDS = 20.0
#: A live worker renews the leases of what is still running this often.
RENEW_SECONDS = 5.0
#: A commit wakes the worker at once. Polling finds what became due since, and the commits of other processes.
POLL_SECONDS = 1.0
#: With this many free slots in every pool, claim all kinds with one query.
SINGLE_CLAIM_FROM = 4
#: With fewer free slots there is much to do: pause between claims to claim several obligations with each query.
CLAIM_INTERVAL_SECONDS = 0.05
#: A worker whose last claim is older than this hangs, has no free slot, or cannot reach the database.
CLAIM_MAX_AGE_SECONDS = 30.0

#: Slots of each platform, and of the kinds that use none.
PLATFORM_SLOTS, OTHER_SLOTS = 48, 32
#: How many obligations that use the CPU run at once: one computes while the other reads or writes the record.
CPU_SLOTS = 2
#: An answer that has run for so long, in seconds, waits for its platform and not for this process's CPU.
ANSWER_SECONDS = 2.0

FIRST_RETRY_SECONDS = 2.0
MAX_RETRY_SECONDS, MAX_RETRY_SECONDS_IN_DANGER = 600.0, 30.0
#: About ten hours of retries at either delay. After that a person must look at it.
MAX_ATTEMPTS, MAX_ATTEMPTS_IN_DANGER = 70, 1_250
#: Attempts of a handler that crashes, about five minutes: waiting does not fix a bug, and it blocks others.
MAX_CRASHES = 8
#: Kinds that are retried without limit: danger to people is paged until a person has seen it.
RETRIED_WITHOUT_LIMIT = frozenset({"page", "alert"})

Handler = Callable[[Obligation], Awaitable[Outcome]]
#: Called after each obligation with its kind and how the handling ended.
OnResult = Callable[[str, str], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NoLongerNeeded(Completed):
    """The complaint no longer requires it, or the record refused the act: nothing is left to do."""


@dataclass(frozen=True)
class HandlerCrashed(Retry):
    """The handler raised an unexpected error, or the record of its complaint cannot be opened."""


class Worker:
    """Handles what is due as long as the process runs; a restart loses nothing.

    Each collection in `platforms` has the kinds of one platform, so that a slow platform does not delay another.
    `cpu_bound` has the kinds that use the CPU. At most `CPU_SLOTS` of them run, and none starts while an answer to a
    person is due or in progress.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        platforms: Iterable[Collection[str]] = (),
        *,
        cpu_bound: Collection[str] = (),
        on_result: OnResult | None = None,
    ) -> None:
        self._store = store
        self._handlers = dict(handlers)
        self._cpu_bound = tuple(sorted(cpu_bound))
        self._others = tuple(kind for kind in handlers if kind not in cpu_bound)
        self._capacity = Capacity(self._others, platforms)
        self._answers: dict[asyncio.Task[None], float] = {}
        self._cpu_bound_running = 0
        self._on_result = on_result
        self._foreground = tuple(kind for kind in handlers if kind not in BACKGROUND)
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._foreground_tasks: set[asyncio.Task[None]] = set()
        self._running_ids: dict[asyncio.Task[None], int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._claiming = False
        self._last_claim = -CLAIM_MAX_AGE_SECONDS
        self._stopping = False

    def nudge(self) -> None:
        """Wake the worker: something may be due. Safe from any thread, for the store calls it after a commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Work until `stop`, then wait for what still runs."""
        self._loop = asyncio.get_running_loop()
        renewing = asyncio.create_task(self._renew_leases())
        try:
            while not self._stopping:
                self._woken.clear()
                try:
                    may_be_more = await self._claim_and_start()
                    if not may_be_more:
                        await self._start_cpu_bound()
                except Exception:
                    # The database is down. No obligation is lost, so the worker logs the error and continues.
                    log.exception("claiming_failed")
                    may_be_more = False
                if not may_be_more:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
            if self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            renewing.cancel()

    def stop(self) -> None:
        """Claim nothing new. Background kinds are cancelled and run again after the next start."""
        self._stopping = True
        for task in self._tasks - self._foreground_tasks:
            task.cancel()
        self.nudge()

    @property
    def is_claiming(self) -> bool:
        """True if it asked the record a moment ago for what is due, and got an answer."""
        return time.monotonic() - self._last_claim < CLAIM_MAX_AGE_SECONDS

    async def is_idle(self) -> bool:
        """True if nothing is due or running, background kinds left out."""
        claimable = await self._store.aread(count_claimable, self._foreground)
        # While `_claiming`, rows may be leased that no task runs yet.
        return claimable == 0 and not self._foreground_tasks and not self._claiming

    async def idle(self) -> None:
        """Wait until `is_idle` (for the demo's clock and the stories)."""
        while not await self.is_idle():
            self.nudge()
            if self._foreground_tasks:
                await asyncio.wait(set(self._foreground_tasks), return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0.005)

    async def _claim_and_start(self) -> bool:
        """Claim what there is capacity for and start it; true if more may be due at once."""
        if self._capacity.is_full:
            return False
        free = self._capacity.free_for_any_kind()
        is_scarce = free < SINGLE_CLAIM_FROM
        self._claiming = True
        try:
            if is_scarce:
                platforms = self._capacity.by_platform()
                obligations = await self._store.awrite(claim_by_platform, platforms, LEASE_SECONDS)
            else:
                obligations = await self._store.awrite(claim, self._others, free, LEASE_SECONDS)
        finally:
            self._claiming = False
        self._last_claim = time.monotonic()
        self._start_all(obligations)
        if is_scarce:
            await asyncio.sleep(CLAIM_INTERVAL_SECONDS)
            return False
        return len(obligations) == free

    async def _start_cpu_bound(self) -> None:
        """Start what uses the CPU, if no answer needs it: all threads share one interpreter lock."""
        free = CPU_SLOTS - self._cpu_bound_running
        recent = asyncio.get_running_loop().time() - ANSWER_SECONDS
        if not self._cpu_bound or free <= 0 or any(started > recent for started in self._answers.values()):
            return
        # Asked on a reader thread: on SQLite a claim would keep an incoming message waiting.
        if not await self._store.aread(is_only_work_due, self._cpu_bound, self._others):
            return
        self._claiming = True
        try:
            obligations = await self._store.awrite(claim, self._cpu_bound, free, LEASE_SECONDS)
        finally:
            self._claiming = False
        self._start_all(obligations)

    def _start_all(self, obligations: Iterable[Obligation]) -> None:
        running_ids = set(self._running_ids.values())
        for obligation in obligations:
            # After this machine was suspended, an expired lease may be of an obligation that still runs here.
            if obligation.id not in running_ids:
                self._start(obligation)

    def _start(self, obligation: Obligation) -> None:
        task = asyncio.create_task(self._handle_and_complete(obligation))
        if obligation.kind in self._cpu_bound:
            self._cpu_bound_running += 1
        else:
            self._capacity.acquire(obligation.kind)
            if obligation.lane <= SendPriority.DIALOGUE:
                self._answers[task] = asyncio.get_running_loop().time()
        self._tasks.add(task)
        self._running_ids[task] = obligation.id
        if obligation.kind not in BACKGROUND:
            self._foreground_tasks.add(task)
        task.add_done_callback(lambda done: self._end(done, obligation.kind))

    def _end(self, task: asyncio.Task[None], kind: str) -> None:
        # The commit of its outcome has woken the worker, unless something due waited for its slot or for the CPU.
        others_waited = self._capacity.free_for_any_kind() < SINGLE_CLAIM_FROM
        if kind in self._cpu_bound:
            self._cpu_bound_running -= 1
            others_waited = True
        else:
            self._capacity.release(kind)
        others_waited = self._answers.pop(task, None) is not None or others_waited
        self._tasks.discard(task)
        self._foreground_tasks.discard(task)
        del self._running_ids[task]
        if others_waited:
            self._woken.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("performing_broke", exc_info=task.exception())

    async def _handle_and_complete(self, obligation: Obligation) -> None:
        outcome = await self._handle(obligation)
        result = await self._complete(obligation, outcome)
        if self._on_result is not None:
            self._on_result(obligation.kind, result)

    async def _handle(self, obligation: Obligation) -> Outcome:
        """Call the handler of the obligation if its complaint still requires it."""
        try:
            if not await self._store.aread_with_retry(is_still_required, obligation):
                return NoLongerNeeded()
            return await self._handlers[obligation.kind](obligation)
        except ComplaintError as refusal:
            # The record refuses the act: another person was first, or the state changed. A retry would not help.
            log.info(
                "obligation_moot",
                id=obligation.id,
                kind=obligation.kind,
                ref=obligation.ref,
                why=refusal.code,
            )
            return NoLongerNeeded()
        except DatabaseUnavailable as error:
            log.warning("database_away", why=str(error), id=obligation.id, kind=obligation.kind)
            return Retry("the database was away")
        except WrongSchemaVersion as error:
            log.error("database_of_another_release", why=str(error), id=obligation.id, kind=obligation.kind)
            return Retry("the database is of another release")
        except Exception as error:
            log.exception("obligation_failed", id=obligation.id, kind=obligation.kind, ref=obligation.ref)
            return HandlerCrashed(f"{type(error).__name__}")

    async def _complete(self, obligation: Obligation, outcome: Outcome) -> str:
        """Complete, reschedule, release, retry or fail the obligation; returns the word for the metric."""
        try:
            return await self._write_outcome(obligation, outcome)
        except UnknownRow:
            # While it ran, a person gave it up, or another reminder completed it.
            log.info("obligation_ended_meanwhile", id=obligation.id, kind=obligation.kind, ref=obligation.ref)
            return "moot"

    async def _write_outcome(self, obligation: Obligation, outcome: Outcome) -> str:
        store, id_ = self._store, obligation.id
        match outcome:
            case Completed(settled=True):
                return "done"
            case Completed():
                await store.awrite_with_retry(complete, id_)
                return "moot" if isinstance(outcome, NoLongerNeeded) else "done"
            case Rescheduled():
                await store.awrite_with_retry(reschedule, id_, outcome.at, outcome.why)
                return "later"
            case RateLimited():
                await store.awrite_with_retry(release, id_, outcome.after_seconds)
                asyncio.get_running_loop().call_later(outcome.after_seconds, self._woken.set)
                return "no_place"
            case Retry() if _may_be_retried(obligation, outcome):
                requested = outcome.after_seconds
                delay = retry_delay(obligation.attempts, requested, obligation.lane)
                least = max(FIRST_RETRY_SECONDS, requested or 0.0)
                await store.awrite_with_retry(retry, id_, delay, outcome.why, least=least)
                return "retry"
            case Retry() | Failed():
                log.warning(
                    "obligation_given_up", id=id_, kind=obligation.kind, ref=obligation.ref, why=outcome.why
                )
                await store.awrite_with_retry(fail, id_, outcome.why)
                return "given_up"

    async def _renew_leases(self) -> None:
        """Renew the leases of what still runs, however slow a platform or the database is."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            running_ids = sorted(self._running_ids.values())
            if not running_ids:
                continue
            try:
                await self._store.awrite(renew_leases, running_ids, LEASE_SECONDS)
            except Exception as error:  # noqa: BLE001  # while the database is down, no other worker can claim them
                log.warning("leases_not_renewed", why=type(error).__name__)


def _may_be_retried(obligation: Obligation, outcome: Retry) -> bool:
    # Of a chat and of a thread only the oldest obligation is claimed: one that keeps crashing blocks all others.
    blocks_others = obligation.chat is not None or obligation.kind == THREAD
    limit = max_attempts(obligation.lane)
    if blocks_others and isinstance(outcome, HandlerCrashed):
        limit = MAX_CRASHES
    return obligation.kind in RETRIED_WITHOUT_LIMIT or obligation.attempts < limit


def max_attempts(priority: SendPriority) -> int:
    """Number of attempts before an obligation fails: about the same number of hours for every priority."""
    return MAX_ATTEMPTS_IN_DANGER if priority is SendPriority.DANGER else MAX_ATTEMPTS


def retry_delay(
    attempts: int, requested: float | None = None, priority: SendPriority = SendPriority.NOTICE
) -> float:
    """Seconds before attempt number `attempts + 1`: doubling, with jitter, and at least the `requested` seconds.

    The delay doubles up to ten minutes, in danger up to 30 s. The jitter spreads obligations that failed together.
    """
    longest = MAX_RETRY_SECONDS_IN_DANGER if priority is SendPriority.DANGER else MAX_RETRY_SECONDS
    doubled = min(longest, FIRST_RETRY_SECONDS * float(2 ** min(attempts, 12)))
    jittered = doubled * random.uniform(0.5, 1.0)  # not for security
    return max(jittered, requested or 0.0)


class Capacity:
    """Counts what runs in each pool of slots: one pool for each platform, one for the rest.

    A slow platform then takes no slots from another.
    """

    def __init__(self, kinds: Iterable[str], platforms: Iterable[Collection[str]] = ()) -> None:
        pools = [(platform, PLATFORM_SLOTS) for platform in platforms]
        rest = set(kinds).difference(*(pool for pool, _ in pools))
        pools.append((rest, OTHER_SLOTS))
        self._pools = [(tuple(sorted(pool)), slots) for pool, slots in pools if pool]
        self._pool_numbers = {kind: number for number, (pool, _) in enumerate(self._pools) for kind in pool}
        self._running: Counter[int] = Counter()

    def acquire(self, kind: str) -> None:
        self._running[self._pool_numbers[kind]] += 1

    def release(self, kind: str) -> None:
        self._running[self._pool_numbers[kind]] -= 1

    def by_platform(self) -> list[PlatformCapacity]:
        """The kinds of each pool with its free slots by priority."""
        return [
            PlatformCapacity(kinds, free_slots(slots, self._running[number]))
            for number, (kinds, slots) in enumerate(self._pools)
        ]

    def free_for_any_kind(self) -> int:
        """How many obligations of any kinds and priorities may start now."""
        return min((pool.free_slots[SendPriority.BULK] for pool in self.by_platform()), default=0)

    @property
    def is_full(self) -> bool:
        return all(not pool.free_slots[SendPriority.DANGER] for pool in self.by_platform())


def free_slots(slots: int, running: int) -> dict[SendPriority, int]:
    """Free slots by priority: surveys never fill the pool, nor do reminders, nor does the dialogue."""
    limits = {
        SendPriority.DANGER: slots,
        SendPriority.DIALOGUE: slots - 2,
        SendPriority.NOTICE: slots * 3 // 4,
        SendPriority.BULK: slots // 2,
    }
    return {priority: max(0, limit - running) for priority, limit in limits.items()}
