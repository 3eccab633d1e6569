"""Long polling for updates, by one process at a time (docs/design.md, rules 1 and 7).

The leader holds a short lease in the store. The offset moves only past updates that the store has.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bots.telegram.application import App
from bots.telegram.intake import Intake
from bots.telegram.updates import ALLOWED_UPDATES
from store.database.leases import acquire_leadership, release_leadership
from store.store import Store

LEADER = "telegram-poller"
#: A dead leader is replaced after this many seconds at the latest, plus LOOK_SECONDS: within ten seconds.
LEASE_SECONDS = 7.0
RENEW_SECONDS = 2.0
#: How often a standby process tries to become the leader.
STANDBY_CHECK_SECONDS = 1.0
#: Waits after a failure, in seconds. Short: waiting updates must be handled within seconds of its end.
MIN_RETRY_WAIT, MAX_RETRY_WAIT = 0.5, 5.0
#: Long-poll timeout and extra read timeout, in seconds. A silently dropped connection is noticed after their sum.
POLL_TIMEOUT_SECONDS, EXTRA_READ_SECONDS = 5, 3
#: After a week without updates Telegram restarts their numbers anywhere. An offset older than this many seconds
#: could confirm lower numbers unseen, so it is reset. Not earlier: a server that keeps confirmed updates would
#: send them all again.
OFFSET_VALID_SECONDS = timedelta(days=6).total_seconds()
#: A wrong token stays wrong until the settings are corrected.
TOKEN_WAIT = 30.0

log = structlog.get_logger(__name__)


class LeaderLease:
    """The lease that makes one process the leader. A long poll outlasts it, so `keep_renewed` runs in parallel."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store, self._holder = store, holder
        self._held_until = 0.0

    @property
    def is_held(self) -> bool:
        """True while no other process can have the lease."""
        return time.monotonic() < self._held_until

    async def acquire(self) -> bool:
        """Acquire a free lease or renew our own; raises what the store raises."""
        # Counted from before the call: the lease in the store then ends later than we assume, never earlier.
        started = time.monotonic()
        was_held = self.is_held
        fencing = await self._store.awrite(acquire_leadership, LEADER, self._holder, LEASE_SECONDS)
        self._held_until = started + LEASE_SECONDS if fencing is not None else 0.0
        if self.is_held and not was_held:
            log.info("telegram_lead_taken", fencing=fencing)
        return self.is_held

    async def keep_renewed(self, on_lost: Callable[[], None]) -> None:
        """Renew the lease until cancelled; calls `on_lost` whenever it is lost."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if not self._held_until:
                continue
            try:
                # A database call that takes longer than the lease is too late.
                async with asyncio.timeout(max(0.0, self._held_until - time.monotonic())):
                    await self.acquire()
            except Exception as error:  # noqa: BLE001  # after any failure of the store the lease expires
                log.warning("telegram_lead_not_renewed", why=type(error).__name__)
            if not self.is_held:
                self._held_until = 0.0
                log.warning("telegram_lead_lost")
                on_lost()

    async def release(self) -> None:
        """Let another process become the leader at once."""
        self._held_until = 0.0
        try:
            await self._store.awrite(release_leadership, LEADER, self._holder)
        except Exception as error:  # noqa: BLE001  # during shutdown; the lease expires without it
            log.warning("telegram_lead_not_let_go", why=type(error).__name__)


class Poller:
    """Fetches updates, one batch after the other. With a `holder`, only while this process is the leader."""

    def __init__(
        self,
        app: App,
        store: Store,
        intake: Intake,
        *,
        holder: str | None = None,
        timeout: int = POLL_TIMEOUT_SECONDS,
        on_recovery: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app, self._store, self._intake = app, store, intake
        self._lease = None if holder is None else LeaderLease(store, holder)
        self._timeout, self._on_recovery = timeout, on_recovery
        self._request: asyncio.Task[list[dict[str, Any]]] | None = None
        self._stopping = False
        self._stopped = asyncio.Event()
        self._offset = 0
        # When the last update came. Wall-clock time, because a monotonic clock may stop while a machine sleeps.
        self._clock, self._offset_moved_at = clock, clock()
        self._is_standby = False
        #: Monotonic time of the last successful poll.
        self.last_good: float | None = None

    async def run(self) -> None:
        """Fetch and take updates until `stop`; every failure is retried, without limit."""
        if self._lease is None:
            await self._poll()
            return
        # Once another process may be the leader, our request must end.
        renewal = asyncio.create_task(self._lease.keep_renewed(self._cancel_request))
        try:
            await self._poll()
        finally:
            renewal.cancel()
        await self._lease.release()

    async def _poll(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                self._is_standby = not await self._is_leader()
                if not self._is_standby:
                    wait = await self._poll_once()
                    self.last_good = time.monotonic()
                    if failures and self._on_recovery is not None:
                        await self._on_recovery()
                    failures = 0
                else:
                    wait = STANDBY_CHECK_SECONDS
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Only the request was cancelled: by `stop`, or because the lease was lost.
                wait = STANDBY_CHECK_SECONDS
            except Exception as error:  # noqa: BLE001  # no failure of network or store may end the intake
                failures += 1
                wait = wait_after(error, failures)
            await self._wait(wait)

    async def _poll_once(self) -> float:
        """Fetch and take one batch; returns the seconds to wait before the next."""
        started = time.monotonic()
        self._request = asyncio.create_task(self._fetch_updates())
        updates = await self._request
        outcomes = await asyncio.gather(*(self._intake.take(raw) for raw in updates), return_exceptions=True)
        self._move_offset(updates, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        # A server that ignores the timeout and answers "nothing" at once would be called in a tight loop.
        waited = updates or self.last_good is None or time.monotonic() - started > MIN_RETRY_WAIT
        return 0.0 if waited else MIN_RETRY_WAIT

    async def _fetch_updates(self) -> list[dict[str, Any]]:
        # Without a timeout at first: the process then knows at once whether the connection is healthy.
        timeout = 0 if self.last_good is None else self._timeout
        if self._clock() - self._offset_moved_at >= OFFSET_VALID_SECONDS:
            self._offset = 0
        parameters = {"offset": self._offset, "timeout": timeout, "allowed_updates": list(ALLOWED_UPDATES)}
        updates = await self._app.bot.do_api_request(
            "getUpdates", api_kwargs=parameters, read_timeout=self._timeout + EXTRA_READ_SECONDS
        )
        return [
            update
            for update in updates
            if isinstance(update, dict) and isinstance(update.get("update_id"), int)
        ]

    def _move_offset(
        self, updates: Sequence[dict[str, Any]], outcomes: Sequence[BaseException | None]
    ) -> None:
        """Move the offset up to the first update that failed; `take` returns only for updates in the store."""
        for raw, outcome in zip(updates, outcomes, strict=True):
            if outcome is not None:
                return
            self._offset, self._offset_moved_at = int(raw["update_id"]) + 1, self._clock()

    async def _is_leader(self) -> bool:
        # A lease that is held is renewed in parallel.
        return self._lease is None or self._lease.is_held or await self._lease.acquire()

    async def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return

    def stop(self) -> None:
        """Fetch no more updates; a batch that has arrived is still taken."""
        self._stopping = True
        self._stopped.set()
        self._cancel_request()

    def _cancel_request(self) -> None:
        if self._request is not None and not self._request.done():
            self._request.cancel()

    @property
    def is_polling(self) -> bool:
        return not self._is_standby and not self._stopping

    def is_healthy(self) -> bool:
        """True while the last successful poll is recent (Telegram keeps updates for 24 hours), or on standby."""
        if self._is_standby:
            return True
        return self.last_good is not None and time.monotonic() - self.last_good < self._timeout + 60


def pause_seconds(flood: RetryAfter) -> float:
    pause: Any = flood.retry_after
    return float(pause.total_seconds() if isinstance(pause, timedelta) else pause)


def wait_after(error: Exception, failures: int) -> float:
    """Log why no updates come in, and return the seconds to wait."""
    wait = min(MAX_RETRY_WAIT, MIN_RETRY_WAIT * float(2 ** min(failures, 10)))
    match error:
        case RetryAfter():
            wait = pause_seconds(error)
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
            log.warning("telegram_unreachable", error=str(error.__cause__ or error)[:80], seconds=wait)
        case TelegramError():
            log.warning("telegram_refuses", error=error.message, seconds=wait)
        case _:
            log.error("updates_not_taken", error=type(error).__name__, seconds=wait)
    return wait
