"""Runs commands that an operator names in the settings, with data on standard input and without our secrets."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

#: No other variable reaches a command: our environment holds the tokens and the keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


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
