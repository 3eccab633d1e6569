"""Processes made from one that has loaded the product: a start costs milliseconds, not the seconds of importing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

processes = multiprocessing.get_context("forkserver")
#: What commands import when they run.
COMMAND_ROOMS = (
    "store.database.keyring",
    "amends.settings",
    "amends.checks",
    "amends.process",
    "store.store",
)
# There is one such process for all: what any of them needs is loaded here, for the later of two lists would win.
processes.set_forkserver_preload(
    [
        "tests.stories.kill_points",
        "tests.faults.desk_process",
        "amends.cli.main",
        *COMMAND_ROOMS,
        "anyio._backends._asyncio",
        "httpcore",
        "certifi",
        "tests.loaded",
    ]
)

# Starting one looks after all others, and two threads may not ask for one exit code.
_one_at_a_time = threading.RLock()


def warm() -> None:
    """Begin to load the product into the process that all others are made from."""
    from multiprocessing import forkserver

    forkserver.ensure_running()


@dataclass(frozen=True)
class Command:
    """One command line; its streams `in`, `out` and `err` are files."""

    args: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    streams: Mapping[str, Path]

    def begin(self) -> Begun:
        """Start it."""
        process = processes.Process(target=_amends, args=(self,), daemon=True)
        with _one_at_a_time:
            process.start()
        return Begun(process, self.args)

    def run(self, patience: float) -> int:
        """The exit code; subprocess.TimeoutExpired when it takes longer than so many seconds."""
        begun = self.begin()
        try:
            return begun.wait(patience)
        except subprocess.TimeoutExpired:
            begun.kill()
            begun.wait()
            raise


@dataclass(frozen=True)
class Begun:
    """A command that runs, asked as `subprocess` would have it."""

    process: ForkServerProcess
    args: tuple[str, ...]

    @property
    def pid(self) -> int:
        """Its number."""
        return int(self.process.pid or 0)

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        with _one_at_a_time:
            return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code when it has ended; subprocess.TimeoutExpired when that takes longer."""
        wait([self.process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(["amends", *self.args], timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """As another process would."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)


def _amends(command: Command) -> None:
    """In the new process: become `amends`, as the shell would have started it."""
    os.environ.clear()
    os.environ.update(command.environment)
    os.chdir(command.folder)
    for number, name in enumerate(("in", "out", "err")):
        mode = os.O_WRONLY | os.O_APPEND if number else os.O_RDONLY
        os.dup2(os.open(command.streams[name], mode | os.O_CREAT), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.argv = ["amends", *command.args]
    # A child of the warm process does not get what a shell's child gets.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from amends.cli.main import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
