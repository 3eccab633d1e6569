"""Who polls: one replica holds a short lease in the store and renews it beside the asking (docs/design.md, rule 7).

Our own long polling: the offset moves only past updates that the store knows (docs/design.md, rule 1).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bots.telegram.application import App
from bots.telegram.intake import Intake
from bots.telegram.updates import ALLOWED
from store.database.leases import acquire_leadership, release_leadership
from store.store import Store

LEADER = "telegram-poller"
#: A dead leader is followed after this long: within ten seconds the next one has asked.
LEASE_SECONDS = 7.0
RENEW_SECONDS = 2.0
#: How often a replica that stands by asks whether the lead is free.
LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class LeaderLease:
    """The lead of one process under its name. A long question at Telegram outlasts the lease: `keep` renews it."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store, self._holder = store, holder
        self._until = 0.0

    @property
    def is_held(self) -> bool:
        """True while nobody else can have taken it."""
        return time.monotonic() < self._until

    async def take(self) -> bool:
        """Take it if it is free, renew it if it is ours; raises what the store raises."""
        # Counted from before the question: the store's lease ends later than we believe, never earlier.
        asked = time.monotonic()
        had = self.is_held
        fencing = await self._store.awrite(acquire_leadership, LEADER, self._holder, LEASE_SECONDS)
        self._until = asked + LEASE_SECONDS if fencing is not None else 0.0
        if self.is_held and not had:
            log.info("telegram_lead_taken", fencing=fencing)
        return self.is_held

    async def keep(self, lost: Callable[[], None]) -> None:
        """Renew what is held, until cancelled; `lost` is called when it is held no longer."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if not self._until:
                continue
            try:
                # A question that the database keeps longer than the lease lasts is no answer.
                async with asyncio.timeout(max(0.0, self._until - time.monotonic())):
                    await self.take()
            except Exception as away:  # noqa: BLE001  # whatever ails the store, the lease runs out by itself
                log.warning("telegram_lead_not_renewed", why=type(away).__name__)
            if not self.is_held:
                self._until = 0.0
                log.warning("telegram_lead_lost")
                lost()

    async def let_go(self) -> None:
        """Another replica may take it at once."""
        self._until = 0.0
        try:
            await self._store.awrite(release_leadership, LEADER, self._holder)
        except Exception as away:  # noqa: BLE001  # on the way out; the lease runs out by itself
            log.warning("telegram_lead_not_let_go", why=type(away).__name__)


#: After a fault we ask again soon: what waits with Telegram must be heard within seconds of its end.
LEAST_WAIT, MOST_WAIT = 0.5, 5.0
#: So long Telegram keeps a question that has no answer yet, and so much later we believe that none will come: a line
#: that was forgotten on its way is noticed within their sum.
ASKS_FOR, ANSWERS_LATE = 5, 3
#: After a week without updates Telegram numbers them anew from anywhere: an offset that stood longer than so could
#: confirm, unheard, what bears a lower number. Never sooner: a far end that keeps what is confirmed sends all.
FORGETS_AFTER = timedelta(days=6).total_seconds()
#: A wrong token mends itself only by hand.
TOKEN_WAIT = 30.0


class Poller:
    """Asks for updates, one batch after the other. With `holder`, only while this process leads."""

    def __init__(
        self,
        app: App,
        store: Store,
        intake: Intake,
        *,
        holder: str | None = None,
        timeout: int = ASKS_FOR,
        recovered: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app, self._store, self._intake = app, store, intake
        self._lead = None if holder is None else LeaderLease(store, holder)
        self._timeout, self._recovered = timeout, recovered
        self._asking: asyncio.Task[list[dict[str, Any]]] | None = None
        self._stopping = False
        self._stopped = asyncio.Event()
        self._offset = 0
        # Of the wall, for a machine that slept: when the last update came.
        self._clock, self._moved = clock, clock()
        self._stands_by = False
        self.last_good: float | None = None

    async def run(self) -> None:
        """Until `stop`: ask, take, move on; whatever fails is waited out, for ever."""
        if self._lead is None:
            await self._ask_on()
            return
        # Once another may have the lead, our question at Telegram is broken off.
        keeping = asyncio.create_task(self._lead.keep(self._break_off))
        try:
            await self._ask_on()
        finally:
            keeping.cancel()
        await self._lead.let_go()

    async def _ask_on(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                self._stands_by = not await self._leads()
                if not self._stands_by:
                    wait = await self._once()
                    self.last_good = time.monotonic()
                    if failures and self._recovered is not None:
                        await self._recovered()
                    failures = 0
                else:
                    wait = LOOK_SECONDS
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Only our question was broken off: by `stop`, or because the lead was lost.
                wait = LOOK_SECONDS
            except Exception as wrong:  # noqa: BLE001  # no fault of the network or the store may end the intake
                failures += 1
                wait = wait_after(wrong, failures)
            await self._rest(wait)

    async def _once(self) -> float:
        """One batch; returns how long to wait before the next."""
        asked = time.monotonic()
        self._asking = asyncio.create_task(self._ask())
        updates = await self._asking
        outcomes = await asyncio.gather(*(self._intake.take(raw) for raw in updates), return_exceptions=True)
        self._move_past(updates, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        # A server that answers at once that there is nothing would be asked without end.
        waited = updates or self.last_good is None or time.monotonic() - asked > LEAST_WAIT
        return 0.0 if waited else LEAST_WAIT

    async def _ask(self) -> list[dict[str, Any]]:
        # The first answer comes at once: whether the line is well shows then, not after a quiet while.
        timeout = 0 if self.last_good is None else self._timeout
        if self._clock() - self._moved >= FORGETS_AFTER:
            self._offset = 0
        asked = {"offset": self._offset, "timeout": timeout, "allowed_updates": list(ALLOWED)}
        found = await self._app.bot.do_api_request(
            "getUpdates", api_kwargs=asked, read_timeout=self._timeout + ANSWERS_LATE
        )
        return [one for one in found if isinstance(one, dict) and isinstance(one.get("update_id"), int)]

    def _move_past(self, updates: Sequence[dict[str, Any]], outcomes: Sequence[BaseException | None]) -> None:
        """Up to the first that was not taken: `take` returns only for an update whose key it read from the store."""
        for raw, outcome in zip(updates, outcomes, strict=True):
            if outcome is not None:
                return
            self._offset, self._moved = int(raw["update_id"]) + 1, self._clock()

    async def _leads(self) -> bool:
        # What is held is renewed beside the asking.
        return self._lead is None or self._lead.is_held or await self._lead.take()

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return

    def stop(self) -> None:
        """Ask no more; a batch that came is finished."""
        self._stopping = True
        self._stopped.set()
        self._break_off()

    def _break_off(self) -> None:
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()

    @property
    def polls(self) -> bool:
        """True where this process asks Telegram, False where it stands by."""
        return not self._stands_by and not self._stopping

    def is_well(self) -> bool:
        """True while the last good answer is young enough (Telegram keeps updates for 24 hours).

        A replica that stands by while another one polls is well, too.
        """
        if self._stands_by:
            return True
        return self.last_good is not None and time.monotonic() - self.last_good < self._timeout + 60


def seconds_of(flood: RetryAfter) -> float:
    """How long Telegram asks us to wait."""
    asked: Any = flood.retry_after
    return float(asked.total_seconds() if isinstance(asked, timedelta) else asked)


def wait_after(wrong: Exception, failures: int) -> float:
    """Say in plain words why nothing comes in, and how long to wait."""
    wait = min(MOST_WAIT, LEAST_WAIT * float(2 ** min(failures, 10)))
    match wrong:
        case RetryAfter():
            wait = seconds_of(wrong)
            log.warning("telegram_asks_for_a_pause", seconds=wait)
        case Conflict():
            wait = max(wait, 3.0)
            remedy = "stop the other process that polls with this token, or delete its webhook"
            log.warning("telegram_conflict", remedy=remedy)
        case InvalidToken():
            wait = TOKEN_WAIT
            log.error(
                "telegram_refuses_the_token", remedy="set AMENDS_TELEGRAM_TOKEN to the token of BotFather"
            )
        case NetworkError():
            log.warning("telegram_unreachable", error=str(wrong.__cause__ or wrong)[:80], seconds=wait)
        case TelegramError():
            log.warning("telegram_refuses", error=wrong.message, seconds=wait)
        case _:
            log.error("updates_not_taken", error=type(wrong).__name__, seconds=wait)
    return wait
