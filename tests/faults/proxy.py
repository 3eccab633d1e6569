"""A TCP proxy that can cut, delay, stall, refuse or slow down connections, for tests of network faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Line:
    """The state of the network.

    `silent`: connections stay open but no byte passes (half open). `drips`: one byte a second.
    """

    delay: float = 0.0
    silent: bool = False
    drips: bool = False
    refuses: bool = False


GOOD = Line()


class Proxy:
    """Forwards connections to one address. The line may change, and connections may be cut, at any time."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        self._target = target
        self.line = GOOD
        self.port = 0
        self.cuts = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()

    def change_line(self, line: Line) -> None:
        """Change the line, for open connections too."""
        self.line = line
        self._changed.set()
        self._changed = asyncio.Event()

    def cut(self) -> None:
        """Break every open connection at once, in both directions."""
        for writer in list(self._open):
            self.cuts += 1
            writer.transport.abort()

    def forget(self) -> None:
        """Silently drop everything on the connections that are open now; new connections work."""
        self._forgotten.update(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.line.refuses:
            writer.transport.abort()
            return
        try:
            target = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, target[1])
        self._open.update(ends)
        tasks = [
            asyncio.create_task(self._forward(reader, target[1])),
            asyncio.create_task(self._forward(target[0], writer)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for end in ends:
                self._open.discard(end)
                self._forgotten.discard(end)
                end.close()

    async def _connect(self) -> Ends:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection(*self._target)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if writer not in self._forgotten:
                    await self._send(data, writer)

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.line.delay)
        while data:
            if self.line.silent:
                await self._changed.wait()
            elif self.line.drips:
                writer.write(data[:1])
                data = data[1:]
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 1.0)
            else:
                writer.write(data)
                data = b""
            await writer.drain()


@asynccontextmanager
async def proxied(target: tuple[str, int] | str) -> AsyncIterator[Proxy]:
    """Run a proxy to a TCP port or a Unix socket, on a port of its own."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.change_line(GOOD)
        proxy.cut()
