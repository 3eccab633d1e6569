"""What systemd is told (`Type=notify`): ready, alive, stopping; a datagram to the socket that it names."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger(__name__)


class Service:
    """The line to whoever started this process; without NOTIFY_SOCKET nobody listens and nothing is sent."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        self._address = env.get("NOTIFY_SOCKET", "")
        meant_for_us = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watched = int(env.get("WATCHDOG_USEC", "0")) / 1e6 if meant_for_us else 0.0

    def ready(self) -> None:
        """Every part was started: what depends on us may start, too."""
        self._tell("READY=1\nSTATUS=Working")

    def stopping(self) -> None:
        """Finishing what was begun."""
        self._tell("STOPPING=1\nSTATUS=Finishing what was begun")

    def waits_for(self, what: str) -> None:
        """Why we are not ready yet, for `systemctl status`; a start that waits for ever must not time out."""
        self._tell(f"STATUS=Waiting for {what}\nEXTEND_TIMEOUT_USEC=60000000")

    async def keep_alive(self) -> None:
        """Say that the loop turns, twice in each span that the watchdog allows; until cancelled.

        A loop that is stuck says nothing, and systemd starts the process anew.
        """
        if not self._watched:
            return
        while True:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watched / 2)

    def _tell(self, what: str) -> None:
        if not self._address:
            return
        # A name in the abstract namespace is written with an @ where the kernel wants a zero byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.sendto(what.encode(), address)
        except OSError as wrong:
            log.warning("service_not_told", why=type(wrong).__name__)
