"""Processes made from one that has loaded the product: a start costs milliseconds, not the seconds of importing."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["tests.stories.killable", "amends.cli", "anyio._backends._asyncio", "httpcore", "certifi"]
)


def warm() -> None:
    """Begin to load the product into the process that all others are made from."""
    from multiprocessing import forkserver

    forkserver.ensure_running()


@dataclass(frozen=True)
class Command:
    """One command line; its three streams are files in `streams`, named in, out and err."""

    args: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    streams: Path

    def run(self, patience: float) -> int:
        """The exit code; subprocess.TimeoutExpired when it takes longer than so many seconds."""
        process = processes.Process(target=_amends, args=(self,), daemon=True)
        process.start()
        process.join(patience)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(["amends", *self.args], patience)
        return process.exitcode


def _amends(command: Command) -> None:
    """In the new process: become `amends`, as the shell would have started it."""
    os.environ.clear()
    os.environ.update(command.environment)
    os.chdir(command.folder)
    for number, (name, mode) in enumerate((("in", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))):
        os.dup2(os.open(command.streams / name, mode | os.O_CREAT), number)
    sys.stdin = Path("/dev/fd/0").open(encoding="utf-8")  # noqa: SIM115  # open as long as the process lives
    sys.stdout = Path("/dev/fd/1").open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = Path("/dev/fd/2").open("w", encoding="utf-8")  # noqa: SIM115
    sys.argv = ["amends", *command.args]
    from amends.cli import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
