"""A Starlette app behind the real server, as the desk serves it, and a bare line to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext

from starlette.applications import Starlette

from amends.runtime.web import Hook, create_server, web_app


@asynccontextmanager
async def serving(hooks: Mapping[str, Hook]) -> AsyncIterator[str]:
    """The address of the web part with these routes of the platforms."""

    async def ready() -> tuple[bool, dict[str, object]]:
        return True, {}

    async def figures() -> str:
        return ""

    app = web_app(page=lambda *_: "page", readiness=ready, metrics=figures, hooks=hooks)
    async with serving_app(app) as address:
        yield address


@asynccontextmanager
async def serving_app(app: Starlette) -> AsyncIterator[str]:
    """The address of these routes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = create_server(app, "127.0.0.1", port)
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


async def bare_line(address: str, sent: bytes) -> bytes:
    """Send these bytes, then nothing more; what comes back until the other side is silent or closes."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        await writer.drain()
        return await asyncio.wait_for(reader.readline(), 20)
    finally:
        writer.close()
