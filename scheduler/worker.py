"""How long a failed try waits: doubling to ten minutes, in danger to half a minute, with jitter: a crowd spreads.

How many duties one process has in hand, and how many places are kept for what is urgent.

Claiming what is due and doing it, one lease at a time (docs/design.md, rule 2).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from complaints.errors import ComplaintError
from complaints.obligations.kinds import SendPriority
from store.database.errors import DatabaseUnavailable, UnknownRow, WrongSchemaVersion
from store.outbox.claim import claim, claim_by_platform, count_claimable
from store.outbox.complete import (
    THREAD,
    complete,
    fail,
    is_still_required,
    release,
    renew_leases,
    reschedule,
    retry,
)
from store.outbox.outcomes import Completed, Failed, Outcome, RateLimited, Rescheduled, Retry
from store.store import Store
from store.values import Obligation, PlatformCapacity

FIRST = 2.0
LONGEST, LONGEST_IN_DANGER = 600.0, 30.0
#: After this many tries (about ten hours of trying) a person must look.
MOST_TRIES, MOST_TRIES_IN_DANGER = 70, 1_250
#: A performer that breaks by itself (about five minutes): waiting mends no bug, and what is behind it waits too.
MOST_BREAKS = 8


def most_tries(lane: SendPriority) -> int:
    """How often it is tried, so that it is given up after the same hours in every lane."""
    return MOST_TRIES_IN_DANGER if lane is SendPriority.DANGER else MOST_TRIES


def wait(attempts: int, asked: float | None = None, lane: SendPriority = SendPriority.NOTICE) -> float:
    """Seconds before try number `attempts + 1`; what the other side asked for (Retry-After) is the least."""
    longest = LONGEST_IN_DANGER if lane is SendPriority.DANGER else LONGEST
    doubled = min(longest, FIRST * float(2 ** min(attempts, 12)))
    jittered = doubled * random.uniform(0.5, 1.0)  # spreading a crowd needs no secrecy
    return max(jittered, asked or 0.0)


#: Side by side at each platform; of what reckons long; and of all else, which asks nobody outside.
AT_A_PLATFORM, ELSEWHERE = 48, 32


def capacity_of(most: int, in_hand: int) -> dict[SendPriority, int]:
    """How many more each lane may take: surveys never fill every place, nor do reminders, nor does talk."""
    at_most = {
        SendPriority.DANGER: most,
        SendPriority.DIALOGUE: most - 2,
        SendPriority.NOTICE: most * 3 // 4,
        SendPriority.BULK: most // 2,
    }
    return {lane: max(0, each - in_hand) for lane, each in at_most.items()}


class Capacity:
    """One room for each platform, so that a slow one keeps nothing from the other, and one for the rest.

    What reckons long has a room of its own too: thousands of proposals keep nobody's next question waiting.
    """

    def __init__(
        self,
        kinds: Iterable[str],
        platforms: Iterable[Collection[str]] = (),
        reckoning: Collection[str] = (),
    ) -> None:
        apart = [*((one, AT_A_PLATFORM) for one in platforms), (reckoning, ELSEWHERE)]
        rest = set(kinds).difference(*(these for these, _ in apart))
        rooms = [*apart, (rest, ELSEWHERE)]
        self._rooms = [(tuple(sorted(these)), most) for these, most in rooms if these]
        self._of = {kind: number for number, (these, _) in enumerate(self._rooms) for kind in these}
        self._in_hand: Counter[int] = Counter()

    def enter(self, kind: str) -> None:
        """One more is in hand."""
        self._in_hand[self._of[kind]] += 1

    def leave(self, kind: str) -> None:
        """One less."""
        self._in_hand[self._of[kind]] -= 1

    def sides(self) -> list[PlatformCapacity]:
        """What may be claimed now."""
        return [
            PlatformCapacity(kinds, capacity_of(most, self._in_hand[number]))
            for number, (kinds, most) in enumerate(self._rooms)
        ]

    def for_any(self) -> int:
        """How many duties there is room for, whatever they are."""
        return min((side.room[SendPriority.BULK] for side in self.sides()), default=0)

    @property
    def is_full(self) -> bool:
        """No place at all is free."""
        return all(not side.room[SendPriority.DANGER] for side in self.sides())


Handler = Callable[[Obligation], Awaitable[Outcome]]
#: Told of each duty that was in hand: its kind and how that ended.
OnResult = Callable[[str, str], None]

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
class NoLongerNeeded(Completed):
    """The complaint does not ask for it any more, or the record says no: nothing is left to do."""


@dataclass(frozen=True)
class HandlerCrashed(Retry):
    """The performer itself broke, or the record of its complaint does not open."""


class Worker:
    """The loop that does what is due. Lives as long as the process; holds nothing that a restart would lose.

    `platforms` are the kinds that one platform performs, for each: none waits for the other's pace. `reckoning`
    are those that take the processor's time: nothing else waits for them.
    """

    def __init__(
        self,
        store: Store,
        performers: Mapping[str, Handler],
        platforms: Iterable[Collection[str]] = (),
        *,
        reckoning: Collection[str] = (),
        told: OnResult | None = None,
    ) -> None:
        self._told = told
        self._store = store
        self._performers = dict(performers)
        self._rooms = Capacity(performers, platforms, reckoning)
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
                await self._store.awrite(renew_leases, held, LEASE_SECONDS)
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
        waiting = await self._store.aread(count_claimable, self._foreground)
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
                claimed = await store.awrite(claim_by_platform, self._rooms.sides(), LEASE_SECONDS)
            else:
                most = self._rooms.for_any()
                claimed = await store.awrite(claim, tuple(self._performers), most, LEASE_SECONDS)
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
            case Completed(settled=True):
                return "done"
            case Completed():
                await store.awrite_with_retry(complete, one.id)
                return "moot" if isinstance(outcome, NoLongerNeeded) else "done"
            case Rescheduled(at=at, why=why):
                await store.awrite_with_retry(reschedule, one.id, at, why)
                return "later"
            case RateLimited(after_seconds=after):
                await store.awrite_with_retry(release, one.id, after)
                asyncio.get_running_loop().call_later(after, self._nudged.set)
                return "no_place"
            case Retry(why=why, after_seconds=after) if _is_tried_again(one, outcome):
                pause, least = wait(one.attempts, after, one.lane), max(FIRST, after or 0.0)
                await store.awrite_with_retry(retry, one.id, pause, why, least=least)
                return "retry"
            case Retry(why=why) | Failed(why=why):
                log.warning("obligation_given_up", id=one.id, kind=one.kind, ref=one.ref, why=why)
                await store.awrite_with_retry(fail, one.id, why)
                return "given_up"

    async def _try(self, one: Obligation) -> Outcome:
        try:
            if not await self._store.aread_with_retry(is_still_required, one):
                return NoLongerNeeded()
            return await self._performers[one.kind](one)
        except ComplaintError as refused:
            # The record says no (somebody else was first, the state moved on): a person cannot do better.
            log.info("obligation_moot", id=one.id, kind=one.kind, ref=one.ref, why=refused.code)
            return NoLongerNeeded()
        except DatabaseUnavailable as away:
            log.warning("database_away", why=str(away), id=one.id, kind=one.kind)
            return Retry("the database was away")
        except WrongSchemaVersion as other:
            log.error("database_of_another_release", why=str(other), id=one.id, kind=one.kind)
            return Retry("the database is of another release")
        except Exception as wrong:
            log.exception("obligation_failed", id=one.id, kind=one.kind, ref=one.ref)
            return HandlerCrashed(f"{type(wrong).__name__}")


def _is_tried_again(one: Obligation, outcome: Retry) -> bool:
    """Of a chat and of a thread only the oldest is done: one that breaks there holds all others back."""
    holds_others = one.chat is not None or one.kind == THREAD
    most = MOST_BREAKS if holds_others and isinstance(outcome, HandlerCrashed) else most_tries(one.lane)
    return one.kind in UNENDING or one.attempts < most
