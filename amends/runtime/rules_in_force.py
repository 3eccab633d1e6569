"""The settings' rules come into force when whoever works beside us can read them, or works no more."""

from __future__ import annotations

import asyncio

import structlog

from bots.telegram.polling import LEADER, LOOK_SECONDS
from complaints.rulebook import Rulebooks
from store.database.errors import DatabaseUnavailable
from store.rulebooks import use_rulebooks_when_readable
from store.store import Store

log = structlog.get_logger(__name__)


class RulesInForce:
    """One process's rules, put in force at its start, or as soon as they may be.

    In a rolling restart the older release hears people until its last process that polls has ended. Rules in which a
    newer one says more it cannot read: it would hear nobody from our start on.
    """

    def __init__(self, store: Store, rulebooks: Rulebooks, holder: str) -> None:
        self._store, self._rulebooks, self._holder = store, rulebooks, holder
        self._waiting: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Put them in force, or wait for it beside everything else."""
        if not await self._put():
            log.warning(
                "rules_wait",
                why="another process hears people, and may be of a release that cannot read them",
            )
            self._waiting = asyncio.create_task(self._wait(), name="rules")

    async def _wait(self) -> None:
        in_force = False
        while not in_force:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                in_force = await self._put()
            except DatabaseUnavailable:
                # It is asked again: until then nobody is heard either.
                continue
        log.info("rules_in_force")

    async def _put(self) -> bool:
        return await self._store.awrite(
            use_rulebooks_when_readable, self._rulebooks, lead=LEADER, holder=self._holder
        )

    def end(self) -> None:
        """Wait no longer."""
        if self._waiting is not None:
            self._waiting.cancel()
