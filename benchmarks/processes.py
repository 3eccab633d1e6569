"""The processes of a benchmark: the stand-in, and desks as an installer has them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from amends.keys import keyring
from amends.settings import Settings, load
from store.models.models import load_active_model
from store.store import Store, open_store
from tests.edges.product import ROOT, Product, free_port, until


class StandIn:
    """Both platforms, in a process of their own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._http = httpx.AsyncClient(trust_env=False, timeout=60)

    @property
    def url(self) -> str:
        """Where they are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The product's variables for them."""
        return {
            "AMENDS_TELEGRAM_TOKEN": "1:t",
            "AMENDS_TELEGRAM_API_URL": self.url,
            "AMENDS_SLACK_BOT_TOKEN": "bot/token",
            "AMENDS_SLACK_APP_TOKEN": "app=token",
            "AMENDS_SLACK_API_URL": f"{self.url}/api/",
            "AMENDS_LOG": "warning",
        }

    async def writes(self, *, chat: int, number: int, each_second: float, text: str) -> None:
        """People begin to write, each from a chat of their own."""
        asked = {"chat": chat, "number": number, "each_second": each_second, "text": text}
        (await self._http.post(f"{self.url}/control/updates", json=asked)).raise_for_status()

    async def seen(self, *, forget: bool = False) -> dict[str, Any]:
        """What came back."""
        got = await self._http.get(f"{self.url}/control/seen", params={"forget": "1"} if forget else {})
        told: dict[str, Any] = got.raise_for_status().json()
        return told

    async def is_there(self) -> bool:
        """Does it answer?"""
        try:
            await self.seen()
        except httpx.HTTPError:
            return False
        return True


@asynccontextmanager
async def standin(*, limits: bool = False) -> AsyncIterator[StandIn]:
    """A stand-in that answers."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.standin", str(port), *(["--limits"] if limits else [])]
    with process(command):
        far = StandIn(port)
        await until(far.is_there)
        yield far


@contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run something beside us; killed on the way out."""
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@asynccontextmanager
async def desk(far: StandIn, url: str, *args: str) -> AsyncIterator[tuple[subprocess.Popen[bytes], Product]]:
    """`amends run` on this database, ready, its first model trained."""
    with tempfile.TemporaryDirectory(prefix="amends-bench-desk-") as folder:
        product = Product(Path(folder), {"AMENDS_DATABASE_URL": url, **far.env})
        async with product.running(*args) as running:
            await product.ready()
            yield running, product


def settings_of(product: Product) -> Settings:
    """What the desk reads."""
    return load(product.folder / "amends.toml", env=product.env)


def store_of(product: Product) -> Store:
    """The desk's store, opened beside it."""
    settings = settings_of(product)
    return open_store(settings.secrets.database_url, keyring(settings))


async def trained(product: Product) -> None:
    """Return once the first model is in use: its training would take a core of the machine."""

    with closing(store_of(product)) as store:
        await until(lambda: store.read(load_active_model) is not None, lambda: product.log, seconds=120)


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
