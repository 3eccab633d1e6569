"""The optional virus scanner for the files of complainants: a command that reads one file from its standard input."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Awaitable, Callable

import structlog

#: In seconds. A scanner that needs longer for 20 MB is stopped; the worker renews the lease while it runs.
TIMEOUT_SECONDS = 60.0
_CLEAN, _INFECTED = 0, 1
#: No other variable reaches the scanner: our environment holds the tokens and the keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")

log = structlog.get_logger(__name__)


def file_scanner(command: str) -> Callable[[bytes], Awaitable[bool | None]] | None:
    """The scanner of `[files] scanner`; None if no command is set.

    It returns True for a clean file, False for an infected one, and None if the command gave no verdict.
    """
    words = shlex.split(command)
    return (lambda data: scan(words, data)) if words else None


async def scan(words: list[str], data: bytes, timeout_seconds: float = TIMEOUT_SECONDS) -> bool | None:
    """Run the command on one file; None if it is missing, takes too long or ends with another code than 0 and 1."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    nowhere = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=nowhere, stderr=nowhere, env=environment
        )
    except (OSError, ValueError) as error:
        log.error("scanner_failed", why=type(error).__name__)
        return None
    try:
        await asyncio.wait_for(process.communicate(data), timeout_seconds)
    except TimeoutError:
        log.error("scanner_failed", why="timeout")
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in (_CLEAN, _INFECTED):
        log.error("scanner_failed", why=f"exit code {process.returncode}")
        return None
    return process.returncode == _CLEAN
