"""Claiming what is due and doing it, one lease at a time (design.md, rule 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from complaints.errors import ComplaintError
from scheduler import backoff
from store.obligations import THREAD
from store.open import Store
from store.outcomes import Done, GaveUp, Later, Outcome, Retry
from store.values import Obligation

Perform = Callable[[Obligation], Awaitable[Outcome]]

#: Longer than the slowest send (30 s), else two replicas would both acknowledge.
LEASE_SECONDS = 90.0
AT_ONCE = 16
#: Kinds that take long and that nobody waits for.
BACKGROUND = frozenset({"train"})
#: The floor under the nudges: a due time reached, or another replica's commit, is seen within this time.
POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Broke(Retry):
    """The performer itself broke, or the record of its complaint does not open."""


class Performing:
    """The loop that does what is due. Lives as long as the process; holds nothing that a restart would lose."""

    def __init__(self, store: Store, performers: Mapping[str, Perform]) -> None:
        self._store = store
        self._performers = dict(performers)
        self._nudged = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        # Training takes its time beside everything else; nobody waits for it.
        self._foreground = tuple(kind for kind in performers if kind not in BACKGROUND)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._claiming = False
        self._stopping = False

    def nudge(self) -> None:
        """Something may be due now. Safe to call from any thread: the store calls it after a commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._nudged.set)

    async def run(self) -> None:
        """Work until `stop`; on the way out finish what was begun."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            self._nudged.clear()
            try:
                full = await self._claim_and_start()
            except Exception:
                # The database is away: no duty is lost, the rows wait. Saying so beats dying with them.
                log.exception("claiming_failed")
                full = False
            if not full:
                await self._rest()
        if self._running:
            await asyncio.wait(self._running)

    def stop(self) -> None:
        """Take nothing new; what takes long is left, and is done again after the next start."""
        self._stopping = True
        for task in self._running - self._busy:
            task.cancel()
        self.nudge()

    async def is_idle(self) -> bool:
        """True when nothing due is left to claim and nothing is being done."""
        waiting = await self._store.in_thread(self._store.claimable, self._foreground)
        # Rows just leased are neither claimable any more nor in hand yet.
        return waiting == 0 and not self._busy and not self._claiming

    async def idle(self) -> None:
        """Return once `is_idle` (for the demo's clock and stories)."""
        while not await self.is_idle():
            self.nudge()
            if self._busy:
                await asyncio.wait(set(self._busy), return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0.005)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._nudged.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    async def _claim_and_start(self) -> bool:
        """Claim what there is room for; True when there may be more at once."""
        room = AT_ONCE - len(self._running)
        if room <= 0:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            return True
        self._claiming = True
        try:
            claimed = await self._store.in_thread(
                self._store.claim, tuple(self._performers), room, LEASE_SECONDS
            )
        finally:
            self._claiming = False
        for one in claimed:
            task = asyncio.create_task(self._perform(one))
            self._running.add(task)
            if one.kind not in BACKGROUND:
                self._busy.add(task)
            task.add_done_callback(self._finished)
        return len(claimed) == room

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._busy.discard(task)
        self._nudged.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("performing_broke", exc_info=task.exception())

    async def _perform(self, one: Obligation) -> None:
        store = self._store
        outcome = await self._try(one)
        match outcome:
            case Done(settled=True):
                return
            case Done():
                await store.in_thread(store.settle, one.id)
            case Later(at=at, why=why):
                await store.in_thread(store.postpone, one.id, at, why)
            case Retry(why=why, after_seconds=after) if one.attempts < _most_tries(one, outcome):
                await store.in_thread(store.retry, one.id, backoff.wait(one.attempts, after), why)
            case Retry(why=why) | GaveUp(why=why):
                log.warning("obligation_given_up", id=one.id, kind=one.kind, ref=one.ref, why=why)
                await store.in_thread(store.give_up, one.id, why)

    async def _try(self, one: Obligation) -> Outcome:
        try:
            if not await self._store.in_thread(self._store.still_owed, one):
                return Done()
            return await self._performers[one.kind](one)
        except ComplaintError as refused:
            # The record says no (somebody else was first, the state moved on): a person cannot do better.
            log.info("obligation_moot", id=one.id, kind=one.kind, ref=one.ref, why=refused.code)
            return Done()
        except Exception as wrong:
            log.exception("obligation_failed", id=one.id, kind=one.kind, ref=one.ref)
            return Broke(f"{type(wrong).__name__}")


def _most_tries(one: Obligation, outcome: Retry) -> int:
    """Of a chat and of a thread only the oldest is done: one that breaks there holds all others back."""
    holds_others = one.chat is not None or one.kind == THREAD
    return backoff.MOST_BREAKS if holds_others and isinstance(outcome, Broke) else backoff.MOST_TRIES
