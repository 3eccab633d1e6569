"""uvicorn inside somebody else's event loop: quick to start, quick to stop, signals left alone."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

from simulator.lines import Line


class Server(uvicorn.Server):
    """A server that tells when it listens and can be stopped from its own loop."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Line,
                ws="websockets-sansio",
                log_level="critical",
                access_log=False,
                lifespan="on",
                timeout_keep_alive=120,
                ws_ping_interval=None,
            )
        )
        self.listening = listening
        self.ready = asyncio.Event()
        self.leaving = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the product."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn, then say so."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait for `stop`; the date header is renewed each second."""
        counter = 0
        while not self.leaving.is_set():
            await self.on_tick(counter)
            counter += 10
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.leaving.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close at once: whoever waits was woken by the lifespan's end."""
        for server in self.servers:
            server.close()
        self.listening.close()
        await self.lifespan.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=0.1)
        for connection in list(self.server_state.connections):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()
        await asyncio.sleep(0)
        unfinished = list(self.server_state.tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def start(self) -> None:
        """Listen; returns when connections are accepted."""
        self.task = asyncio.create_task(self.serve(sockets=[self.listening]))
        waiting = asyncio.create_task(self.ready.wait())
        await asyncio.wait({self.task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.task.done():
            self.task.result()
            raise RuntimeError("The simulator's server ended before it listened.")

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        self.leaving.set()
        if self.task is not None:
            await self.task


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises OSError when the port is taken."""
    # Without the protocol named asyncio leaves Nagle's algorithm on, which costs 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.setblocking(False)
    return listening
