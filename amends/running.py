"""One process from its start to SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog

from amends.keys import keyring
from amends.parts import PARTS
from amends.settings import Settings
from amends.wiring import Desk
from store.migrating import begin
from store.open import open_store

#: SIGTERM drains and stops within ten seconds; what is not done by then is a row and waits.
DRAIN_SECONDS = 6.0
#: A thread that reckons (a proposal, a card) holds Python's lock for so long before another has its turn. A prompt
#: goes through several threads: with the interpreter's own 5 ms it would wait for each of them that long.
TURN_SECONDS = 0.0005

log = structlog.get_logger(__name__)


async def run_desk(settings: Settings, parts: tuple[str, ...] = PARTS) -> None:
    """Start, work, stop. Raises what ended a part, so that whoever watches the process starts it anew.

    An empty database gets its tables here; one of another release is refused (`amends db upgrade`).
    """
    sys.setswitchinterval(TURN_SECONDS)
    for unknown in settings.unknown:
        log.warning("unknown_variable", what=unknown)
    keys = keyring(settings)
    begin(settings.secrets.database_url)
    store = open_store(settings.secrets.database_url, keys)
    try:
        await _work(Desk(settings, store, parts=parts))
    finally:
        store.close()


async def _work(desk: Desk) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    starting = asyncio.create_task(_start(desk))
    stopping = asyncio.create_task(asked.wait())
    try:
        # Asked to stop in the middle of a start: the same way out.
        await asyncio.wait({stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            starting.result()
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        try:
            await asyncio.wait_for(desk.stop(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("stopped_before_all_was_done")


async def _start(desk: Desk) -> None:
    """Start, then stay until a part ends by itself, which it does only by failing."""
    await desk.start()
    await desk.failed()
