"""Reading what somebody sends us over HTTP: so much, in so much time, and not a byte more.

Is an address on this machine? A proxy of the environment must not stand between us and it.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

#: Larger than anything a platform sends us.
MOST_BYTES = 1024 * 1024
#: A platform sends a body within moments; who trickles it holds a line that others need.
MOST_SECONDS = 10.0


async def body_of(request: Request) -> bytes | Response:
    """The body; or the answer, where it is too large (413), too slow (408) or broken off (400)."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal():
        return Response(status_code=400)
    if int(said) > MOST_BYTES:
        return Response(status_code=413)
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await _read(request)
    except TimeoutError:
        # What else it may still send is not ours to wait for.
        return Response(status_code=408, headers={"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)


async def _read(request: Request) -> bytes | Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return Response(status_code=413, headers={"Connection": "close"})
    return bytes(body)


def is_loopback(url: str) -> bool:
    """True for localhost and the loopback addresses; what is no address at all is on no machine."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
