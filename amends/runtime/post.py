"""One request to a service that an operator names in the settings, with limits on time and size."""

import asyncio
from typing import Any

import httpx

from amends.runtime.commands import NoResult
from bots.loopback import is_loopback


async def post(url: str, timeout_seconds: float, max_bytes: int, **body: Any) -> tuple[int, bytes]:
    """The status and the body of the answer; redirects are not followed, so no other host gets the body.

    `body` is `content` or `json` of httpx. Raises TimeoutError, httpx.HTTPError, httpx.InvalidURL, and NoResult for
    an answer that is too long.
    """
    answer = bytearray()
    async with (
        asyncio.timeout(timeout_seconds),
        httpx.AsyncClient(timeout=timeout_seconds, trust_env=not is_loopback(url)) as client,
        client.stream("POST", url, **body) as response,
    ):
        async for chunk in response.aiter_bytes():
            answer += chunk
            if len(answer) > max_bytes:
                raise NoResult("its answer is too long")
    return response.status_code, bytes(answer)
