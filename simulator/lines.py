"""Connections that break on purpose."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulator.changes import Changes
from simulator.trouble import Fault

# Open connections by the caller's address, so that a request can cut its own.
OPEN: dict[Any, asyncio.Transport] = {}


class Line(H11Protocol):
    """uvicorn's connection, remembered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember."""
        OPEN[transport.get_extra_info("peername")[:2]] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget."""
        OPEN.pop(self.transport.get_extra_info("peername", (None, None))[:2], None)
        super().connection_lost(exc)


async def cut(request: Request) -> Response:
    """Close the caller's connection without a word."""
    client = request.client
    transport = OPEN.get((client.host, client.port)) if client else None
    if transport is not None:
        transport.abort()
        # Let the protocol notice, so that nothing is written to the dead line.
        await asyncio.sleep(0)
    return Response(status_code=444)


async def answer_with_fault(
    request: Request,
    response: Response,
    fault: Fault,
    changes: Changes,
    html_502: str,
) -> Response:
    """What the caller gets of a call that was ordered to go wrong."""
    match fault.how:
        case "cut_after_accept" | "cut_before":
            return await cut(request)
        case "timeout_after_accept":
            # The caller's patience ends it; so does the simulator's end.
            while not changes.closed and not await request.is_disconnected():
                await changes.beyond(changes.version, 0.05)
            return await cut(request)
        case "html_502":
            return Response(html_502, 502, media_type="text/html")
        case "bad_json":
            return Response('{"ok": tru', 200, media_type="application/json")
        case "answer" | "lost" | "twice":
            return response
