"""How many lines to Slack there are, and how many there should be: a ghost swallows presses (Socket Mode).

Slack sends each press down one of the app's lines at random. A line whose process is gone without a word stays open
on Slack's side for a while, and what is sent down it is lost: never sent again, for presses are not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from amends.runtime.metrics import Metrics
from amends.runtime.names import name_of_holder
from store.database.leases import record_listener
from store.store import Store

#: So long a process counts as listening after it last said so, and how often it says so.
COUNTED_SECONDS, SAY_EVERY = 90.0, 30.0
#: Reasons after which Slack opens no line again by itself: a person must look at the app's settings.
_SWITCHED_OFF = frozenset({"link_disabled"})
_REMEDY = "switch Socket Mode on in the app's settings at Slack, or set AMENDS_SLACK_SIGNING_SECRET for HTTP"

log = structlog.get_logger(__name__)


class Lines:
    """What Slack says of this app's lines, and which processes hold one."""

    def __init__(self, store: Store, metrics: Metrics, *, holder: str | None = None) -> None:
        self._store, self._metrics = store, metrics
        self._holder = holder or name_of_holder()
        self._look = asyncio.Event()
        #: As Slack counted when our line was last opened.
        self.connections = 0

    def heard(self, message: Mapping[str, Any]) -> None:
        """A frame about the line itself."""
        if message["type"] == "hello":
            self.connections = int(message.get("num_connections") or 0)
            self._metrics.increment("slack_socket_connects_total")
            self._look.set()
            return
        reason = str(message.get("reason") or "unknown")
        self._metrics.increment("slack_socket_disconnects_total", reason)
        if reason in _SWITCHED_OFF:
            log.error("slack_line_switched_off", reason=reason, remedy=_REMEDY)
        else:
            # A refresh or the warning of one: the library opens the next line, and what comes meanwhile waits there.
            log.info("slack_line_renewed", reason=reason)

    async def keep(self) -> None:
        """Say that this process listens, and compare after each new line; cancel it to stop."""
        while True:
            await self.compare()
            self._look.clear()
            try:
                await asyncio.wait_for(self._look.wait(), SAY_EVERY)
            except TimeoutError:
                continue

    async def compare(self) -> int:
        """How many lines have no process behind them, as far as can be told; above nought it is said in the log."""
        try:
            listening = await self._store.awrite(record_listener, "slack-line", self._holder, COUNTED_SECONDS)
        except Exception as away:  # noqa: BLE001  # the store is away: said elsewhere, and counted again soon
            log.warning("slack_lines_not_counted", why=type(away).__name__)
            return 0
        ghosts = max(0, self.connections - listening)
        if ghosts and self._look.is_set():
            log.warning("slack_ghost_lines", connections=self.connections, processes=listening)
        return ghosts
