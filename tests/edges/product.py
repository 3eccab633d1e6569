"""The product as installed: `amends` as a separate process with a small amends.toml and environment variables."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests.edges.trained_database import copy_trained_database
from tests.forked import Begun, Command

ROOT = Path(__file__).parents[2]
#: The smallest settings file: required keys only.
SETTINGS = """\
[organisation]
name = "Northwind Water"
country = "GB"
timezone = "Europe/London"
languages = ["en", "tr"]
staff_language = "en"
emergency_number = "112"
preset = "small_business"

[calendar]
hours = "always"

[slack]
triage_channel = "C0000001"
restricted_channel = "C0000002"
executive_channel = "C0000003"

[roles]
handler = ["U0000001"]
manager = ["U0000002"]
top_management = ["U0000003"]
auditor = ["U0000004"]

[dialogue]
quiet_hours = "none"
"""
#: A process that runs the desk.
Running = Begun | subprocess.Popen[bytes]
KEY = base64.b64encode(bytes(range(32))).decode()
#: Longest wait, in seconds: on a busy machine a start is slow.
PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)


@dataclass
class Product:
    """One installation in its own folder."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    #: Whether it already has a model. Without one, the first start trains a model in the background.
    learnt: bool = True

    def __post_init__(self) -> None:
        """Write amends.toml and choose a free port."""
        (self.folder / "amends.toml").write_text(SETTINGS, encoding="utf-8")
        defaults = {
            "AMENDS_DATABASE_URL": f"sqlite:///{self.folder / 'amends.db'}",
            "AMENDS_SECRET_KEY": KEY,
            "AMENDS_LISTEN": f"127.0.0.1:{free_port()}",
            "AMENDS_LOG": "debug",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        own = "AMENDS_DATABASE_URL" not in self.env
        self.env = defaults | self.env
        if self.learnt and own:
            copy_trained_database(self.folder / "amends.db", KEY)

    @property
    def url(self) -> str:
        """The address of its web server."""
        return f"http://{self.env['AMENDS_LISTEN']}"

    @property
    def log(self) -> str:
        """The output of the running desk. Standard output is included and should be empty."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    async def amends(
        self, *args: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Ended:
        """Run one command to its end."""

        return await asyncio.to_thread(run_command, args, self.folder, self.environment(env), stdin or "")

    @asynccontextmanager
    async def running(self, *args: str, from_shell: bool = False) -> AsyncIterator[Running]:
        """Run `amends run`, and kill the process at the end unless it was stopped before.

        It is forked from a process that has loaded the product, because loading takes seconds.
        `from_shell` loads it again.
        """
        environment, log = self.environment(), self.folder / "log"
        if from_shell:
            process: Running = _from_shell(args, self.folder, environment, log)
        else:
            streams = {"in": Path(os.devnull), "out": log, "err": log}
            command = Command(("run", *args), self.folder, environment, streams)
            process = await asyncio.to_thread(command.begin)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                await asyncio.to_thread(process.wait)

    async def stop(self, process: Running) -> int:
        """Send SIGTERM and return the exit code. Raises TimeoutExpired after ten seconds."""
        process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(process.wait, 10)

    async def ready(self) -> None:
        """Wait until every part is ready."""
        await until(self._is_ready, lambda: self.log)

    async def _is_ready(self) -> bool:
        async with httpx.AsyncClient(trust_env=False) as caller:
            try:
                return (await caller.get(f"{self.url}/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """All environment variables of its processes."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}
        return {**inherited, "PYTHONPATH": str(ROOT), **self.env, **(more or {})}


def run_command(args: tuple[str, ...], folder: Path, environment: Mapping[str, str], stdin: str) -> Ended:
    """Run one command to its end, in a process that has already loaded the product."""
    with TemporaryDirectory() as streams:
        files = {name: Path(streams) / name for name in ("in", "out", "err")}
        files["in"].write_text(stdin, encoding="utf-8")
        code = Command(args, folder, environment, files).run(PATIENCE)
        return Ended(code, *(files[name].read_text(encoding="utf-8") for name in ("out", "err")))


def _from_shell(
    args: tuple[str, ...], folder: Path, environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "amends", "run", *args],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
        )


async def until(condition: Any, describe: Any = lambda: "", *, seconds: float = PATIENCE) -> None:
    """Wait until a plain or async condition is true. `describe` gives the message of a timeout."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        result = condition()
        if asyncio.iscoroutine(result):
            result = await result
        if result:
            return
        if loop.time() > end:
            raise TimeoutError(describe())
        await asyncio.sleep(0.1)


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
