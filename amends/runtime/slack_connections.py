"""Compares the Socket Mode connections that Slack counts with the processes that hold one.

Slack sends each button press to one of the app's connections at random. If a process ends without closing its
connection, Slack keeps it open for a while. A press sent to it is lost, because Slack never sends a press again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from amends.runtime.metrics import Metrics
from amends.runtime.names import unique_holder_name
from store.database.leases import record_listener
from store.store import Store

#: In seconds. How long a process counts as connected after its last report, and how often it reports.
REPORT_VALID_SECONDS, REPORT_INTERVAL_SECONDS = 90.0, 30.0
#: Reasons after which Slack opens no new connection until a person changes the app's settings.
_SWITCHED_OFF = frozenset({"link_disabled"})
_REMEDY = "switch Socket Mode on in the app's settings at Slack, or set AMENDS_SLACK_SIGNING_SECRET for HTTP"

log = structlog.get_logger(__name__)


class SlackConnections:
    """The number of the app's connections as Slack reports it, and the processes that hold one."""

    def __init__(self, store: Store, metrics: Metrics, *, holder: str | None = None) -> None:
        self._store, self._metrics = store, metrics
        self._holder = holder or unique_holder_name()
        self._is_new = asyncio.Event()
        #: As Slack counted when this process's connection was last opened.
        self.connections = 0

    def on_frame(self, message: Mapping[str, Any]) -> None:
        """Record a frame about the connection itself: `hello` or `disconnect`."""
        if message["type"] == "hello":
            self.connections = int(message.get("num_connections") or 0)
            self._metrics.increment("slack_socket_connects_total")
            self._is_new.set()
            return
        reason = str(message.get("reason") or "unknown")
        self._metrics.increment("slack_socket_disconnects_total", reason)
        if reason in _SWITCHED_OFF:
            log.error("slack_line_switched_off", reason=reason, remedy=_REMEDY)
        else:
            # A refresh, or the warning of one. The library opens the next connection, and Slack keeps events for it.
            log.info("slack_line_renewed", reason=reason)

    async def run(self) -> None:
        """Report this process regularly and compare after each new connection, until cancelled."""
        while True:
            await self.count_ghosts()
            self._is_new.clear()
            try:
                await asyncio.wait_for(self._is_new.wait(), REPORT_INTERVAL_SECONDS)
            except TimeoutError:
                continue

    async def count_ghosts(self) -> int:
        """Connections without a process, as far as is known. Logged after a new connection if there are any."""
        try:
            listening = await self._store.awrite(
                record_listener, "slack-line", self._holder, REPORT_VALID_SECONDS
            )
        except Exception as wrong:  # noqa: BLE001  # an unavailable store is logged elsewhere; counted again soon
            log.warning("slack_lines_not_counted", why=type(wrong).__name__)
            return 0
        ghosts = max(0, self.connections - listening)
        if ghosts and self._is_new.is_set():
            log.warning("slack_ghost_lines", connections=self.connections, processes=listening)
        return ghosts
