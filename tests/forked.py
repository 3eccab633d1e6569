"""Processes made from one that has loaded the product: a start costs milliseconds, not the seconds of importing."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

processes = multiprocessing.get_context("forkserver")
# There is one such process for all: what any of them needs is loaded here, for the later of two lists would win.
processes.set_forkserver_preload(
    [
        "tests.stories.killable",
        "tests.faults.desk",
        "amends.cli",
        "amends.cli.ending",
        "anyio._backends._asyncio",
        "httpcore",
        "certifi",
    ]
)

_one_at_a_time = threading.Lock()


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
        # Starting one looks after all others, and two threads may not ask for one exit code.
        with _one_at_a_time:
            process.start()
            process.join(patience)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise subprocess.TimeoutExpired(["amends", *self.args], patience)
            return process.exitcode


def _amends(command: Command) -> None:
    """In the new process: become `amends`, as the shell would have started it."""
    os.environ.clear()
    os.environ.update(command.environment)
    os.chdir(command.folder)
    for number, (name, mode) in enumerate((("in", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))):
        os.dup2(os.open(command.streams / name, mode | os.O_CREAT), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.argv = ["amends", *command.args]
    from amends.cli import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
