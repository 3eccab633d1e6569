"""Puts the settings' rules in force once every process that receives messages can read them."""

from __future__ import annotations

import asyncio

import structlog

from bots.telegram.polling import LEADER, STANDBY_CHECK_SECONDS
from complaints.rulebook import Rulebooks
from store.database.errors import DatabaseUnavailable
from store.rulebooks import use_rulebooks_when_readable
from store.store import Store

log = structlog.get_logger(__name__)


class RulesActivation:
    """Puts the rules of this process in force at its start, or later during a rolling restart.

    Until its last polling process has ended, the older release receives messages. It cannot read rules with newer
    fields: if they were in force, it could receive nothing from our start on.
    """

    def __init__(self, store: Store, rulebooks: Rulebooks, holder: str) -> None:
        self._store, self._rulebooks, self._holder = store, rulebooks, holder
        self._waiting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Put the rules in force, or retry in the background until that is possible."""
        if not await self._activate():
            log.warning(
                "rules_wait",
                why="another process receives messages and may be of a release that cannot read these rules",
            )
            self._waiting = asyncio.create_task(self._retry(), name="rules")

    async def _retry(self) -> None:
        in_force = False
        while not in_force:
            await asyncio.sleep(STANDBY_CHECK_SECONDS)
            try:
                in_force = await self._activate()
            except DatabaseUnavailable:
                # Retried below. Until then no process can receive messages either.
                continue
        log.info("rules_in_force")

    async def _activate(self) -> bool:
        return await self._store.awrite(
            use_rulebooks_when_readable, self._rulebooks, lead=LEADER, holder=self._holder
        )

    def stop(self) -> None:
        """Stop retrying."""
        if self._waiting is not None:
            self._waiting.cancel()
