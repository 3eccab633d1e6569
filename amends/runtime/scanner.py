"""The optional virus scanner for the files of complainants: a command that reads one file from its standard input."""

import shlex
from collections.abc import Awaitable, Callable

import structlog

from amends.runtime.commands import NoResult, command_result

#: In seconds. A scanner that needs longer for 20 MB is stopped; the worker renews the lease while it runs.
TIMEOUT_SECONDS = 60.0
_CLEAN, _INFECTED = 0, 1

log = structlog.get_logger(__name__)


def file_scanner(command: str) -> Callable[[bytes], Awaitable[bool | None]] | None:
    """The scanner of `[files] scanner`; None if no command is set.

    It returns True for a clean file, False for an infected one, and None if the command gave no verdict.
    """
    words = shlex.split(command)
    return (lambda data: scan(words, data)) if words else None


async def scan(words: list[str], data: bytes, timeout_seconds: float = TIMEOUT_SECONDS) -> bool | None:
    """Run the command on one file; None if it is missing, takes too long or ends with another code than 0 and 1."""
    try:
        code, _ = await command_result(words, data, timeout_seconds, accepted=(_CLEAN, _INFECTED))
    except NoResult as failed:
        log.error("scanner_failed", why=str(failed))
        return None
    return code == _CLEAN
