"""HTTP requests that the platforms make themselves: webhooks and request URLs."""

import asyncio
import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit


class Unreached(Exception):
    """No answer: the message says why."""


@dataclass(frozen=True)
class Answer:
    """Status, content type and body."""

    status: int
    mime: str
    body: bytes


async def post(url: str, body: bytes, headers: dict[str, str], *, within: float) -> Answer:
    """POST and read the whole answer `within` so many seconds. Raises Unreached."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(_post, url, body, headers, within), within)
    except TimeoutError as late:
        raise Unreached("Read timeout expired") from late
    except (OSError, http.client.HTTPException) as broken:
        raise Unreached(f"Connection failed: {type(broken).__name__}") from broken


def _post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("Content-Type", ""), answer.read())
    finally:
        connection.close()
