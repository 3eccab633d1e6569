"""The processes of a benchmark: the fake platforms, and desks as an installer runs them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from amends.settings import Settings, load
from store.database.keyring import Keyring
from store.models.models import load_active_model
from store.store import Store, open_store
from tests.edges.product import ROOT, Product, Running, free_port, until


class StandIn:
    """The fake platforms in their own process."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._http = httpx.AsyncClient(trust_env=False, timeout=60)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point the product at it."""
        return {
            "AMENDS_TELEGRAM_TOKEN": "1:t",
            "AMENDS_TELEGRAM_API_URL": self.url,
            "AMENDS_SLACK_BOT_TOKEN": "bot/token",
            "AMENDS_SLACK_APP_TOKEN": "app=token",
            "AMENDS_SLACK_API_URL": f"{self.url}/api/",
            "AMENDS_LOG": "warning",
        }

    async def writes(
        self, *, chat: int, number: int, each_second: float, text: str = "", texts: Sequence[str] = ()
    ) -> None:
        """Let `number` people write at this rate, each in a separate chat: the same text, or `texts` in turn."""
        request = {"chat": chat, "number": number, "each_second": each_second, "texts": [*texts] or [text]}
        (await self._http.post(f"{self.url}/control/updates", json=request)).raise_for_status()

    async def presses(self, presses: Sequence[Sequence[str]], *, each_second: float = 0.0) -> None:
        """Let people press *Take*: (member, value, block, ts) at this rate, or all at once."""
        request = {"presses": presses, "each_second": each_second}
        (await self._http.post(f"{self.url}/control/presses", json=request)).raise_for_status()

    async def seen(self, *, forget: bool = False) -> dict[str, Any]:
        """The counts of answers, messages and refusals; `forget` resets them."""
        response = await self._http.get(f"{self.url}/control/seen", params={"forget": "1"} if forget else {})
        result: dict[str, Any] = response.raise_for_status().json()
        return result

    async def is_there(self) -> bool:
        """True once it answers."""
        try:
            await self.seen()
        except httpx.HTTPError:
            return False
        return True


@asynccontextmanager
async def standin(*, limits: bool = False) -> AsyncIterator[StandIn]:
    """Run the fake platforms."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.standin", str(port), *(["--limits"] if limits else [])]
    with process(command):
        platforms = StandIn(port)
        await until(platforms.is_there)
        yield platforms


@contextmanager
def process(
    command: list[str], folder: Path = ROOT, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background; it is killed at the end."""
    running = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@asynccontextmanager
async def desk(platforms: StandIn, url: str, *args: str) -> AsyncIterator[tuple[Running, Product]]:
    """`amends run` on this database, ready."""
    with tempfile.TemporaryDirectory(prefix="amends-bench-desk-") as folder:
        product = Product(Path(folder), {"AMENDS_DATABASE_URL": url, **platforms.env})
        async with product.running(*args) as running:
            await product.ready()
            yield running, product


@asynccontextmanager
async def unlimited_desk(product: Product) -> AsyncIterator[subprocess.Popen[bytes]]:
    """`amends run` of this installation without the platforms' rate limits, ready and trained."""
    command = [sys.executable, "-m", "benchmarks.unlimited", "run"]
    with process(command, product.folder, product.environment()) as running:
        await product.ready()
        await trained(product)
        yield running


def settings_of(product: Product) -> Settings:
    """The desk's settings."""
    return load(product.folder / "amends.toml", env=product.env)


def store_of(product: Product) -> Store:
    """The desk's database, opened by this process."""
    settings = settings_of(product)
    return open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()))


async def trained(product: Product) -> None:
    """Wait until the first model is in use: its training would take a core of the machine."""
    with closing(store_of(product)) as store:
        await until(lambda: store.read(load_active_model) is not None, lambda: product.log, seconds=120)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def all_cpu_seconds(pid: int) -> float:
    """Processor time of a process and of those that it started and that still run, in seconds."""
    return cpu_seconds(pid) + sum(map(all_cpu_seconds, children(pid)))


def shared_mb(pid: int) -> float:
    """Memory of a process and all that it started, in MB; a page that several share counts once."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024
    return own + sum(map(shared_mb, children(pid)))


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
