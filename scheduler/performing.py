"""Claiming what is due and doing it, one lease at a time (design.md, rule 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from complaints.errors import ComplaintError
from scheduler import backoff
from scheduler.room import Rooms
from store.errors import DatabaseAway, NotMigrated, UnknownRow
from store.obligations import THREAD
from store.open import Store
from store.outcomes import Done, GaveUp, Later, NoPlace, Outcome, Retry
from store.values import Obligation

Perform = Callable[[Obligation], Awaitable[Outcome]]
#: Told of each duty that was in hand: its kind and how that ended.
Told = Callable[[str, str], None]

#: What a process that died had in hand is done by another after this time; whoever lives renews what takes longer.
LEASE_SECONDS = 20.0
RENEW_SECONDS = 5.0
#: With at least so many free places everywhere, one question claims whatever is due.
PLENTY = 4
#: Where places are few there is much to do: claimed in handfuls, for each question costs the same.
BETWEEN_SECONDS = 0.05
#: Kinds that take long and that nobody waits for.
BACKGROUND = frozenset({"train"})
#: Kinds that go on until somebody has seen them: danger to people is never given up by itself.
UNENDING = frozenset({"page"})
#: The floor under the nudges: a due time reached, or another replica's commit, is seen within this time.
POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Moot(Done):
    """The complaint does not ask for it any more, or the record says no: nothing is left to do."""


@dataclass(frozen=True)
class Broke(Retry):
    """The performer itself broke, or the record of its complaint does not open."""


class Performing:
    """The loop that does what is due. Lives as long as the process; holds nothing that a restart would lose.

    `platforms` are the kinds that one platform performs, for each: none waits for the other's pace. `reckoning`
    are those that take the processor's time: nothing else waits for them.
    """

    def __init__(
        self,
        store: Store,
        performers: Mapping[str, Perform],
        platforms: Iterable[Collection[str]] = (),
        *,
        reckoning: Collection[str] = (),
        told: Told | None = None,
    ) -> None:
        self._told = told
        self._store = store
        self._performers = dict(performers)
        self._rooms = Rooms(performers, platforms, reckoning)
        self._nudged = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._in_hand: dict[asyncio.Task[None], int] = {}
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
        renewing = asyncio.create_task(self._renew())
        try:
            await self._work()
        finally:
            renewing.cancel()

    async def _work(self) -> None:
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

    async def _renew(self) -> None:
        """Keep what is in hand, however slow a platform or the database is."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            held = sorted(self._in_hand.values())
            if not held:
                continue
            try:
                await self._store.in_thread(self._store.renew, held, LEASE_SECONDS)
            except Exception as away:  # noqa: BLE001  # while the database is away, nobody else can claim them either
                log.warning("leases_not_renewed", why=type(away).__name__)

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
        if self._rooms.is_full:
            return False
        store, few = self._store, self._rooms.for_any() < PLENTY
        self._claiming = True
        try:
            if few:
                claimed = await store.in_thread(store.claim_apart, self._rooms.sides(), LEASE_SECONDS)
            else:
                most = self._rooms.for_any()
                claimed = await store.in_thread(store.claim, tuple(self._performers), most, LEASE_SECONDS)
        finally:
            self._claiming = False
        held = set(self._in_hand.values())
        for one in claimed:
            # A lease that ran out while this machine stood still: it is in hand here, and not begun twice.
            if one.id not in held:
                self._begin(one)
        if few:
            await asyncio.sleep(BETWEEN_SECONDS)
            return False
        return len(claimed) == most

    def _begin(self, one: Obligation) -> None:
        task = asyncio.create_task(self._perform(one))
        self._rooms.enter(one.kind)
        self._running.add(task)
        self._in_hand[task] = one.id
        if one.kind not in BACKGROUND:
            self._busy.add(task)
        task.add_done_callback(lambda done: self._finished(done, one.kind))

    def _finished(self, task: asyncio.Task[None], kind: str) -> None:
        self._rooms.leave(kind)
        self._running.discard(task)
        self._busy.discard(task)
        del self._in_hand[task]
        self._nudged.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("performing_broke", exc_info=task.exception())

    async def _perform(self, one: Obligation) -> None:
        ended = await self._performed(one)
        if self._told is not None:
            self._told(one.kind, ended)

    async def _performed(self, one: Obligation) -> str:
        """Do it and settle it; how it ended, in a word."""
        outcome = await self._try(one)
        try:
            return await self._settled(one, outcome)
        except UnknownRow:
            # A person gave it up, or another reminder spoke for it, while it was in hand.
            log.info("obligation_ended_meanwhile", id=one.id, kind=one.kind, ref=one.ref)
            return "moot"

    async def _settled(self, one: Obligation, outcome: Outcome) -> str:
        store = self._store
        match outcome:
            case Done(settled=True):
                return "done"
            case Done():
                await store.surely(store.settle, one.id)
                return "moot" if isinstance(outcome, Moot) else "done"
            case Later(at=at, why=why):
                await store.surely(store.postpone, one.id, at, why)
                return "later"
            case NoPlace(after_seconds=after):
                await store.surely(store.stand_back, one.id, after)
                asyncio.get_running_loop().call_later(after, self._nudged.set)
                return "no_place"
            case Retry(why=why, after_seconds=after) if _is_tried_again(one, outcome):
                pause, least = backoff.wait(one.attempts, after, one.lane), max(backoff.FIRST, after or 0.0)
                await store.surely(store.retry, one.id, pause, why, least=least)
                return "retry"
            case Retry(why=why) | GaveUp(why=why):
                log.warning("obligation_given_up", id=one.id, kind=one.kind, ref=one.ref, why=why)
                await store.surely(store.give_up, one.id, why)
                return "given_up"

    async def _try(self, one: Obligation) -> Outcome:
        try:
            if not await self._store.surely(self._store.still_owed, one):
                return Moot()
            return await self._performers[one.kind](one)
        except ComplaintError as refused:
            # The record says no (somebody else was first, the state moved on): a person cannot do better.
            log.info("obligation_moot", id=one.id, kind=one.kind, ref=one.ref, why=refused.code)
            return Moot()
        except DatabaseAway as away:
            log.warning("database_away", why=str(away), id=one.id, kind=one.kind)
            return Retry("the database was away")
        except NotMigrated as other:
            log.error("database_of_another_release", why=str(other), id=one.id, kind=one.kind)
            return Retry("the database is of another release")
        except Exception as wrong:
            log.exception("obligation_failed", id=one.id, kind=one.kind, ref=one.ref)
            return Broke(f"{type(wrong).__name__}")


def _is_tried_again(one: Obligation, outcome: Retry) -> bool:
    """Of a chat and of a thread only the oldest is done: one that breaks there holds all others back."""
    holds_others = one.chat is not None or one.kind == THREAD
    most = (
        backoff.MOST_BREAKS if holds_others and isinstance(outcome, Broke) else backoff.most_tries(one.lane)
    )
    return one.kind in UNENDING or one.attempts < most
