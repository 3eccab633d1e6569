"""uvicorn as we run it: no log of its own, bounded callers, and nobody who holds a line without asking anything."""

from __future__ import annotations

import time
from typing import Any

import uvicorn
from starlette.applications import Starlette

#: Callers at once; the next hears 503 and comes again.
MOST_CALLERS = 512
#: Seconds for the head of a request, from the line's first moment or the answer before; as long as an idle line has.
HEAD_WITHIN = 15.0
_TICKS_A_SECOND = 10


class DeskServer(uvicorn.Server):
    """Closes lines on which no request has begun in time: uvicorn waits for a head that trickles for ever, and
    so many of them would leave no place for the platforms."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        #: For each line the answer that it had last, and since when no request is under way.
        self._asking_nothing: dict[Any, tuple[Any, float]] = {}

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's own tick, ten a second."""
        if counter % _TICKS_A_SECOND == 0:
            self._close_idle_lines(time.monotonic())
        return await super().on_tick(counter)

    def _close_idle_lines(self, now: float) -> None:
        waiting: dict[Any, tuple[Any, float]] = {}
        # A WebSocket would have no request; we serve none.
        for line in list(self.server_state.connections):
            cycle: Any = getattr(line, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                continue
            last, since = self._asking_nothing.get(line, (cycle, now))
            waiting[line] = (cycle, since if last is cycle else now)
            if now - waiting[line][1] > HEAD_WITHIN and (transport := getattr(line, "transport", None)):
                transport.close()
        self._asking_nothing = waiting


def server_for(app: Starlette, host: str, port: int) -> DeskServer:
    """The server of these routes; whoever starts it decides about signals."""
    return DeskServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=MOST_CALLERS,
            timeout_keep_alive=int(HEAD_WITHIN),
            timeout_graceful_shutdown=3,
        )
    )
