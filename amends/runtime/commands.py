"""Runs commands that an operator names in the settings, with data on standard input and without our secrets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

#: No other variable reaches a command: our environment holds the tokens and the keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


async def run_command(
    words: Sequence[str], data: bytes, timeout_seconds: float, *, folder: Path | None = None
) -> int:
    """The exit code. Raises OSError or ValueError if there is no such program, and TimeoutError after killing it."""
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=nowhere,
        stderr=nowhere,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        cwd=folder,
    )
    try:
        await asyncio.wait_for(process.communicate(data), timeout_seconds)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0
