"""Soak: half of what the machine can take in, for minutes, over twenty thousand chats; what grows and what does not.

`make soak MINUTES=20`. Resident memory against updates after the warm-up as a straight line, open files, threads and
tasks, the size of the write-ahead log, and the rows of every table: whatever grows faster than the record is told.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from benchmarks.noise import noise
from store.store import Store
from store.tables import METADATA
from tests.edges.product import until
from tests.faults.database import cluster
from tests.faults.desk import TASKS, DeskProcess
from tests.faults.standing import Platforms, platforms

CHATS = 20_000
#: The rate is measured for so long, and half of it is then kept up.
MEASURED_FOR = 30.0
EVERY = 5.0
#: Memory is read after this share of the time: caches are full by then.
WARM = 0.3
out = Console()


@dataclass(frozen=True)
class Sample:
    """The process at one moment."""

    updates: int
    resident_mb: float
    files: int
    threads: int
    tasks: int
    log_mb: float
    waiting: int


def main(arguments: Sequence[str]) -> None:
    """As the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args(arguments)
    out.print(noise())
    for table in asyncio.run(soak(given.minutes * 60, given.store)):
        out.print(table)


async def soak(seconds: float, store: str) -> list[Table]:
    """Measure, soak, read."""
    async with _database(store) as (url, folder), platforms() as far:
        desk = DeskProcess(folder, far.env(), url)
        looking = desk.prepare()
        try:
            desk.start()
            people = _People(far)
            rate = await _measured(people, far)
            before = await looking.in_thread(_rows, looking)
            samples = await _kept_up(people, far, desk, rate / 2, seconds)
            after = await looking.in_thread(_rows, looking)
            code = await desk.stop()
        finally:
            await desk.kill()
            looking.close()
        told = people.told - samples[0].updates
        return [_memory(samples, rate, code), _tables(before, after, told)]


class _People:
    """Twenty thousand of them, writing in no order."""

    def __init__(self, far: Platforms) -> None:
        self._far, self._chance = far, random.Random(1)
        self.told = 0

    def write(self) -> None:
        """One of them, one message."""
        chat = 5_000_000 + self._chance.randrange(CHATS)
        self._far.telegram.says(chat, f"The water meter {self.told} is broken and nobody came to look at it.")
        self.told += 1


async def _measured(people: _People, far: Platforms) -> float:
    """Updates taken in a second when there is always one waiting."""
    loop = asyncio.get_running_loop()
    for _ in range(200):
        people.write()
    await until(lambda: far.telegram.waiting < people.told)
    began, taken = loop.time(), people.told - far.telegram.waiting
    while loop.time() < began + MEASURED_FOR:
        while far.telegram.waiting < 200:
            people.write()
        await asyncio.sleep(0.02)
    return (people.told - far.telegram.waiting - taken) / (loop.time() - began)


async def _kept_up(
    people: _People, far: Platforms, desk: DeskProcess, rate: float, seconds: float
) -> list[Sample]:
    loop = asyncio.get_running_loop()
    began = look = loop.time()
    already, samples = people.told, []
    while loop.time() < began + seconds:
        while people.told - already < (loop.time() - began) * rate:
            people.write()
        if loop.time() >= look:
            samples.append(_sample(people.told - far.telegram.waiting, far, desk))
            look += EVERY
        await asyncio.sleep(0.02)
    return samples


def _sample(updates: int, far: Platforms, desk: DeskProcess) -> Sample:
    proc = Path(f"/proc/{desk.pid}")
    said = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line)
    tasks = desk.folder / TASKS
    log = desk.folder / "amends.db-wal"
    return Sample(
        updates=updates,
        resident_mb=int(said["VmRSS"].split()[0]) / 1024,
        files=len(list((proc / "fd").iterdir())),
        threads=int(said["Threads"]),
        tasks=int(tasks.read_text() or 0) if tasks.exists() else 0,
        log_mb=log.stat().st_size / 2**20 if log.exists() else 0.0,
        waiting=far.telegram.waiting,
    )


def _rows(store: Store) -> dict[str, int]:
    """How many rows each table has."""

    def count(tx: object) -> dict[str, int]:
        ask = tx.connection.execute  # type: ignore[attr-defined]
        return {
            one.name: int(ask(select(func.count()).select_from(one)).scalar_one())
            for one in METADATA.sorted_tables
        }

    return store.read(count)


def _memory(samples: list[Sample], rate: float, code: int | None) -> Table:
    warm = samples[int(len(samples) * WARM) :]
    half = len(warm) // 2
    title = f"Soak: {rate / 2:,.0f} updates a second (half of {rate:,.0f}), {samples[-1].updates:,} updates"
    drawn = Table(title=title, title_justify="left", show_edge=False)
    for column in ("", "after the warm-up", "at the end", "most"):
        drawn.add_column(column)
    for name in ("resident_mb", "files", "threads", "tasks", "log_mb", "waiting"):
        values = [float(getattr(one, name)) for one in warm]
        drawn.add_row(
            name.replace("_", " "), *(f"{one:,.1f}" for one in (values[0], values[-1], max(values)))
        )
    # What fills a cache grows less and less; what is forgotten grows on.
    for name, some in (
        ("after the warm-up", warm),
        ("of these, the first half", warm[:half]),
        ("the second", warm[half:]),
    ):
        over = some[-1].updates - some[0].updates
        drawn.add_row(f"resident MB per 100,000 updates, {name}", f"{_slope(some):.2f}", f"over {over:,}", "")
    drawn.add_row("exit code", str(code), "", "")
    return drawn


def _slope(samples: list[Sample]) -> float:
    updates = np.array([one.updates for one in samples], dtype=float)
    return float(np.polyfit(updates, [one.resident_mb for one in samples], 1)[0]) * 100_000


def _tables(before: dict[str, int], after: dict[str, int], told: int) -> Table:
    drawn = Table(title="Tables that grew", title_justify="left", show_edge=False)
    for column in ("table", "rows before", "rows after", "rows an update"):
        drawn.add_column(column)
    for name, rows in sorted(after.items(), key=lambda one: before[one[0]] - one[1]):
        if rows > before[name]:
            each = (rows - before[name]) / max(1, told)
            drawn.add_row(name, f"{before[name]:,}", f"{rows:,}", f"{each:.2f}")
    return drawn


@asynccontextmanager
async def _database(store: str) -> AsyncIterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="amends-soak-") as name:
        folder = Path(name)
        if store == "sqlite":
            yield f"sqlite:///{folder / 'amends.db'}", folder
            return
        with cluster() as made:
            yield made.url, folder
