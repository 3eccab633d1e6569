"""Reading HTTP request bodies with limits on size and time."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

#: Larger than any request of a platform.
MAX_BODY_BYTES = 1024 * 1024
#: A platform sends a body at once. A slower sender would block a connection that others need.
READ_TIMEOUT_SECONDS = 10.0


async def read_body(request: Request) -> bytes | Response:
    """The body; or the error response: too large (413), too slow (408), or broken off (400)."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        return Response(status_code=400)
    # Python refuses to read more than 4,300 digits.
    if len(length) > 20 or int(length) > MAX_BODY_BYTES:
        return Response(status_code=413)
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            return await _read(request)
    except TimeoutError:
        # Do not wait for the rest of the body.
        return Response(status_code=408, headers={"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)


async def _read(request: Request) -> bytes | Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return Response(status_code=413, headers={"Connection": "close"})
    return bytes(body)
