"""Who polls: one replica holds a short lease in the store and renews it beside the asking (design.md, rule 7)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from store.open import Store

LEADER = "telegram-poller"
#: A dead leader is followed after this long: within ten seconds the next one has asked.
LEASE_SECONDS = 7.0
RENEW_SECONDS = 2.0
#: How often a replica that stands by asks whether the lead is free.
LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Lead:
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
        fencing = await self._store.in_thread(self._store.lead, LEADER, self._holder, LEASE_SECONDS)
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
            await self._store.in_thread(self._store.let_go, LEADER, self._holder)
        except Exception as away:  # noqa: BLE001  # on the way out; the lease runs out by itself
            log.warning("telegram_lead_not_let_go", why=type(away).__name__)
