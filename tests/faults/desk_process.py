"""`amends run` as a process that tests kill, stop, pause and starve, forked from a process with all imports loaded.

Only the send interval is changed: at the platforms' own limits ten thousand answers take six minutes. Imports are
already loaded, so the measured start-up time leaves them out.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import triage.proposal  # noqa: F401  # slow to load; otherwise loaded only with the first proposal
from amends import process as amends_process
from amends.settings import Settings, load, rulebook
from amends.wiring import Application, SendIntervals
from scheduler.training import schedule_first_training
from store.database.keyring import Keyring
from store.database.migrate import upgrade
from store.outbox.claim import claim
from store.outbox.complete import complete
from store.rulebooks import use_rulebook
from store.store import Store, open_store
from tests.edges.product import KEY, PATIENCE, SETTINGS, free_port, until
from tests.forked import processes

#: The file to which a process writes its number of asyncio tasks.
TASKS = "tasks"


class _CountingApplication(Application):
    """Writes its number of asyncio tasks to a file, because no other process can see it."""

    async def start(self) -> None:
        """Start counting, then start as usual."""
        self._counting = asyncio.create_task(_count_tasks())
        await super().start()


async def _count_tasks() -> None:
    while True:
        Path(TASKS).write_text(str(len(asyncio.all_tasks())), encoding="utf-8")
        await asyncio.sleep(2)


def serve(folder: str, environment: Mapping[str, str], args: tuple[str, ...], *, paced: bool) -> None:
    """Run `amends run` in this process."""
    log = os.open(f"{folder}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.chdir(folder)
    for name in [variable for variable in os.environ if variable.startswith("AMENDS_")]:
        del os.environ[name]
    os.environ.update(environment)
    if not paced:
        amends_process.Application = partial(
            _CountingApplication, send_intervals=SendIntervals(0.0, telegram=False)
        )  # type: ignore[misc,assignment]
    # Loaded here: the command line reads the environment that was set above.
    from amends.cli.main import main

    sys.argv = ["amends", "run", *args]
    # A child of the warm process does not get what a shell's child gets.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


@dataclass
class DeskProcess:
    """An installation in a folder, with at most one running process."""

    folder: Path
    platforms: Mapping[str, str]
    database: str
    paced: bool = False
    args: tuple[str, ...] = ()
    process: ForkServerProcess | None = None
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Write the settings file and the environment, as an installer would."""
        self.folder.mkdir(exist_ok=True, parents=True)
        (self.folder / "amends.toml").write_text(SETTINGS, encoding="utf-8")
        self.environment = {
            **self.platforms,
            "AMENDS_DATABASE_URL": self.database,
            "AMENDS_SECRET_KEY": KEY,
            "AMENDS_LISTEN": f"127.0.0.1:{free_port()}",
            "AMENDS_LOG": "info",
        }

    @property
    def url(self) -> str:
        """The address of its web server."""
        return f"http://{self.environment['AMENDS_LISTEN']}"

    @property
    def log(self) -> str:
        """The last 20,000 characters of its log."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace")[-20000:] if file.exists() else ""

    @property
    def pid(self) -> int:
        """The process id, 0 before the start."""
        return int(self.process.pid or 0) if self.process is not None else 0

    @property
    def is_running(self) -> bool:
        """True after the start and before the end of the process."""
        return self.process is not None and self.process.is_alive()

    def start(self) -> None:
        """Start it and return at once."""
        self.process = processes.Process(
            target=serve,
            args=(str(self.folder), self.environment, self.args),
            kwargs={"paced": self.paced},
            daemon=True,
        )
        self.process.start()

    async def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        process = self.process
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.join)

    async def stop(self) -> int | None:
        """Send SIGTERM and return the exit code, or None if the process does not end within a minute."""
        process = self.process
        if process is None:
            return None
        process.terminate()
        await asyncio.to_thread(process.join, PATIENCE)
        return process.exitcode

    def limit_file_size(self, max_bytes: int) -> None:
        """Limit the size of its files in bytes: a full disk for this process alone."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (max_bytes, resource.RLIM_INFINITY))

    def settings(self) -> Settings:
        """Read the settings as the process does."""
        return load(self.folder / "amends.toml", self.environment)

    def opened(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
        """Open its database a second time."""
        settings = self.settings()
        return open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()), clock)

    def prepare(self) -> Store:
        """Create tables, put the rules in force and complete the first training, which these tests do not need."""
        upgrade(self.database)
        settings = self.settings()
        store = open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()))
        store.write(use_rulebook, rulebook(settings))
        schedule_first_training(store)
        for obligation in store.write(claim, ("train",), 1, 60.0):
            store.write(complete, obligation.id)
        return store


async def wait_for_desk(condition: Any, desk: DeskProcess, *, seconds: float = PATIENCE) -> None:
    """Wait until the condition is true; on a timeout, fail with the end of the process's log."""
    await until(condition, lambda: f"after {seconds:g} s, with this log:\n{desk.log}", seconds=seconds)
