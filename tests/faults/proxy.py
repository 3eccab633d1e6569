"""A TCP proxy with a bad line: it cuts, delays, takes and keeps silent, refuses, or drips a byte a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Line:
    """How the line is. `silent`: connections stand, no byte passes (half open); `drips`: one byte a second."""

    delay: float = 0.0
    silent: bool = False
    drips: bool = False
    refuses: bool = False


GOOD = Line()


class Proxy:
    """Between whoever connects and one far end. `line` may be changed at any moment, `cut` at any moment called."""

    def __init__(self, far: tuple[str, int] | str) -> None:
        self._far = far
        self.line = GOOD
        self.port = 0
        self.cuts = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()

    def becomes(self, line: Line) -> None:
        """The line changes, for open connections too."""
        self.line = line
        self._changed.set()
        self._changed = asyncio.Event()

    def cut(self) -> None:
        """Every open connection breaks, in both directions, at once."""
        for one in list(self._open):
            self.cuts += 1
            one.transport.abort()

    def forget(self) -> None:
        """What stands now is dead at the far end and nobody says so: no byte will ever pass; new lines are good."""
        self._forgotten.update(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.line.refuses:
            writer.transport.abort()
            return
        try:
            there = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, there[1])
        self._open.update(ends)
        passing = [
            asyncio.create_task(self._pass(reader, there[1])),
            asyncio.create_task(self._pass(there[0], writer)),
        ]
        try:
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in passing:
                task.cancel()
            for one in ends:
                self._open.discard(one)
                self._forgotten.discard(one)
                one.close()

    async def _reach(self) -> Ends:
        if isinstance(self._far, str):
            return await asyncio.open_unix_connection(self._far)
        return await asyncio.open_connection(*self._far)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if writer not in self._forgotten:
                    await self._hand_on(data, writer)

    async def _hand_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
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
async def proxied(far: tuple[str, int] | str) -> AsyncIterator[Proxy]:
    """A proxy towards a port or a Unix socket, at a port of its own."""
    proxy = Proxy(far)
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.becomes(GOOD)
        proxy.cut()
