"""The product as a process to be killed, stopped, paused and starved: `amends run`, made from a warm one.

The process runs the real command; the only thing put in from outside is the pace, for at the platforms' own limits
ten thousand answers take six minutes. What a process needs to import it finds imported, so that a start costs what
starting costs and no more.
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

import triage.proposal  # noqa: F401  # heavy, and else only loaded with the first proposal
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

#: Where a process writes how many tasks it has, for whoever wants to know.
TASKS = "tasks"


class _Counted(Application):
    """A desk that tells how many asyncio tasks it has; nothing outside the process can see that."""

    async def start(self) -> None:
        """As ever, with a count beside."""
        self._counting = asyncio.create_task(_count_tasks())
        await super().start()


async def _count_tasks() -> None:
    while True:
        Path(TASKS).write_text(str(len(asyncio.all_tasks())), encoding="utf-8")
        await asyncio.sleep(2)


def serve(folder: str, environment: Mapping[str, str], args: tuple[str, ...], *, paced: bool) -> None:
    """`amends run`, in this process."""
    log = os.open(f"{folder}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.chdir(folder)
    for name in [one for one in os.environ if one.startswith("AMENDS_")]:
        del os.environ[name]
    os.environ.update(environment)
    if not paced:
        amends_process.Application = partial(_Counted, pace=SendIntervals(0.0, telegram=False))  # type: ignore[misc,assignment]
    # Loaded here: the command line reads the environment that was set above.
    from amends.cli.main import main

    sys.argv = ["amends", "run", *args]
    # A child of the warm process does not get what a shell's child gets.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()


@dataclass
class DeskProcess:
    """One installation in a folder, and at most one process of it."""

    folder: Path
    platforms: Mapping[str, str]
    database: str
    paced: bool = False
    args: tuple[str, ...] = ()
    process: ForkServerProcess | None = None
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Write what an installer writes."""
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
        """Where its web server listens."""
        return f"http://{self.environment['AMENDS_LISTEN']}"

    @property
    def log(self) -> str:
        """What it had to say, its last words."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace")[-6000:] if file.exists() else ""

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        return int(self.process.pid or 0) if self.process is not None else 0

    @property
    def lives(self) -> bool:
        """It has been started and has not ended."""
        return self.process is not None and self.process.is_alive()

    def start(self) -> None:
        """Start it; returns at once."""
        self.process = processes.Process(
            target=serve,
            args=(str(self.folder), self.environment, self.args),
            kwargs={"paced": self.paced},
            daemon=True,
        )
        self.process.start()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self.process
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.join)

    async def stop(self) -> int | None:
        """SIGTERM; its exit code, None where it does not end within a minute."""
        process = self.process
        if process is None:
            return None
        process.terminate()
        await asyncio.to_thread(process.join, PATIENCE)
        return process.exitcode

    def may_write(self, most_bytes: int) -> None:
        """No file of it grows beyond this: a full disk, as far as one process can have it alone."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

    def settings(self) -> Settings:
        """As the process reads them."""
        return load(self.folder / "amends.toml", self.environment)

    def opened(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
        """A second view of its database."""
        settings = self.settings()
        return open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()), clock)

    def prepare(self) -> Store:
        """Tables, rules in force, and no training owed: what is trained is not the subject here."""
        upgrade(self.database)
        settings = self.settings()
        store = open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()))
        store.write(use_rulebook, rulebook(settings))
        schedule_first_training(store)
        for owed in store.write(claim, ("train",), 1, 60.0):
            store.write(complete, owed.id)
        return store


async def waited(holds: Any, desk: DeskProcess, *, seconds: float = PATIENCE) -> None:
    """Until it holds; a failure shows the end of the process's log."""
    await until(holds, lambda: f"after {seconds:g} s, with this log:\n{desk.log}", seconds=seconds)
