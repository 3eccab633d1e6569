"""Calls `[on_call] heartbeat` while the desk works, so that a service outside notices when it does not."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from amends.runtime.commands import call_address, reason_of_failure
from amends.settings.sections import OnCallSettings

log = structlog.get_logger(__name__)


async def send_heartbeats(
    settings: OnCallSettings, works: Callable[[], Awaitable[bool]], on_sent: Callable[[str], None]
) -> None:
    """Call the address regularly, until cancelled. The log never has the address: who knows it could call it too.

    `on_sent` is called with the outcome: ok, failed, or withheld because the desk does not work.
    """
    while True:
        await asyncio.sleep(settings.heartbeat_every)
        outcome, why = "withheld", "the desk does not work"
        try:
            if await works():
                why = await reason_of_failure(call_address(str(settings.heartbeat), settings.timeout))
                outcome = "failed" if why else "ok"
        except Exception as error:  # noqa: BLE001  # it must never end the desk that it watches
            why = type(error).__name__
        if why:
            log.warning("heartbeat_not_sent", outcome=outcome, why=why)
        on_sent(outcome)
