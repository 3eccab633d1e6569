"""Runs commands and asks services that an operator names in the settings, with data and without our secrets."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bots.loopback import is_loopback

#: No other variable reaches a command: our environment holds the tokens and the keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


#: In bytes of UTF-8. An hour of speech has about 60 KiB; a command that prints without end is cut.
LONGEST_OUTPUT = 256 * 1024


async def run_command(
    words: Sequence[str],
    data: bytes,
    timeout_seconds: float,
    *,
    folder: Path | None = None,
    printed: Path | None = None,
) -> int:
    """The exit code; what the command prints goes into the file `printed`.

    Raises OSError or ValueError if there is no such program, and TimeoutError after killing it and its children.
    """
    nowhere = asyncio.subprocess.DEVNULL
    with nullcontext(nowhere) if printed is None else printed.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=nowhere,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            cwd=folder,
            start_new_session=True,
        )
    try:
        await asyncio.wait_for(process.communicate(data), timeout_seconds)
    finally:
        if process.returncode is None:
            # The whole group: a script's own children would run on.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0


class NoResult(Exception):
    """Why a command or a service gave no result, without any words of the data."""


async def command_result(
    words: Sequence[str],
    data: bytes,
    timeout_seconds: float,
    *,
    accepted: Sequence[int] = (0,),
    as_file: bool = False,
) -> tuple[int, str]:
    """The exit code and what the command prints; it runs in a folder of its own, which is deleted afterwards.

    It gets the data on standard input, or with `as_file` the path of a file as its last argument. Raises
    NoResult if it is missing, takes too long or ends with another code.
    """
    with TemporaryDirectory(prefix="amends-") as name:
        file, printed = Path(name, "data"), Path(name, "printed")
        if as_file:
            await asyncio.to_thread(file.write_bytes, data)
            words, data = [*words, str(file)], b""
        try:
            code = await run_command(words, data, timeout_seconds, folder=Path(name), printed=printed)
        except TimeoutError:
            raise NoResult("timeout") from None
        except (OSError, ValueError) as error:
            raise NoResult(type(error).__name__) from None
        if code not in accepted:
            raise NoResult(f"exit code {code}")
        return code, await asyncio.to_thread(_read, printed)


def _read(printed: Path) -> str:
    with printed.open("rb") as output:
        return output.read(LONGEST_OUTPUT).decode(errors="replace").replace("\0", "").strip()


async def call_address(url: str, timeout_seconds: float, token: str | None = None, body: str = "") -> None:
    """POST the JSON, or nothing, and read no answer. Raises as `post`, and NoResult for another status than 2xx."""
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= {} if token is None else {"Authorization": f"Bearer {token}"}
    status, _ = await post(url, timeout_seconds, LONGEST_OUTPUT, content=body.encode(), headers=headers)
    if not httpx.codes.is_success(status):
        raise NoResult(f"HTTP {status}")


async def reason_of_failure(attempt: Awaitable[object]) -> str:
    """Why a command or a call failed, without its data or address; "" if it did not fail."""
    try:
        await attempt
    except NoResult as reason:
        return str(reason)
    except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return type(error).__name__
    return ""


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
