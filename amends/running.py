"""One process from its start to SIGTERM."""

from __future__ import annotations

import asyncio
import signal

import structlog

from amends.keys import keyring
from amends.settings import Settings
from amends.wiring import PARTS, Desk
from store.open import open_store

#: SIGTERM drains and stops within ten seconds; what is not done by then is a row and waits.
DRAIN_SECONDS = 9.0

log = structlog.get_logger(__name__)


async def run_desk(settings: Settings, parts: tuple[str, ...] = PARTS) -> None:
    """Start, work, stop. Raises what ended a part, so that whoever watches the process starts it anew."""
    store = open_store(settings.secrets.database_url, keyring(settings))
    desk = Desk(settings, store, parts=parts)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    try:
        await desk.start()
        stopping, failing = asyncio.create_task(asked.wait()), asyncio.create_task(desk.failed())
        await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
        failing.cancel()
        stopping.cancel()
    finally:
        try:
            await asyncio.wait_for(desk.stop(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("stopped_before_all_was_done")
        store.close()
