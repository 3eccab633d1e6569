"""Soak: half of the machine's maximum rate for many minutes, over 20,000 chats, to find what grows.

`make soak MINUTES=20`. Shows resident memory per update after the warm-up (a fitted line), open files, threads,
tasks, the size of the write-ahead log, and the rows of every table.
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

from benchmarks.measuring import result_table
from benchmarks.noise import noise
from store.store import Store
from store.tables import METADATA
from tests.edges.product import until
from tests.faults.database_faults import cluster
from tests.faults.desk_process import TASKS, DeskProcess
from tests.faults.platforms import Platforms, platforms

CHATS = 20_000
#: The maximum rate is measured for this long; the soak then runs at half of it.
MEASURE_SECONDS = 30.0
SAMPLE_SECONDS = 5.0
#: Memory counts after this share of the time: caches are full by then.
WARM_UP = 0.3
out = Console()


@dataclass(frozen=True)
class Sample:
    """The measurements of the process at one time."""

    updates: int
    resident_mb: float
    files: int
    threads: int
    tasks: int
    log_mb: float
    waiting: int


def main(arguments: Sequence[str]) -> None:
    """Run the soak with these arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args(arguments)
    out.print(noise())
    for table in asyncio.run(soak(options.minutes * 60, options.store)):
        out.print(table)


async def soak(seconds: float, store: str) -> list[Table]:
    """Measure the maximum rate, run at half of it for `seconds`, and return the tables."""
    async with _database(store) as (url, folder), platforms() as platforms_:
        desk = DeskProcess(folder, platforms_.env(), url)
        store_view = desk.prepare()
        try:
            desk.start()
            people = _People(platforms_)
            rate = await _measure(people, platforms_)
            before = await store_view.in_thread(_rows, store_view)
            samples = await _keep_up(people, platforms_, desk, rate / 2, seconds)
            after = await store_view.in_thread(_rows, store_view)
            code = await desk.stop()
        finally:
            await desk.kill()
            store_view.close()
        updates = people.written - samples[0].updates
        return [_memory(samples, rate, code), _tables(before, after, updates)]


class _People:
    """20,000 people who write in random order."""

    def __init__(self, platforms_: Platforms) -> None:
        self._platforms, self._chance = platforms_, random.Random(1)
        self.written = 0

    def write(self) -> None:
        """One person writes one message."""
        chat = 5_000_000 + self._chance.randrange(CHATS)
        self._platforms.telegram.add_message(
            chat, f"The water meter {self.written} is broken and nobody came to look at it."
        )
        self.written += 1


async def _measure(people: _People, platforms_: Platforms) -> float:
    """Updates per second when one is always waiting."""
    loop = asyncio.get_running_loop()
    for _ in range(200):
        people.write()
    await until(lambda: platforms_.telegram.waiting < people.written)
    started, before = loop.time(), people.written - platforms_.telegram.waiting
    while loop.time() < started + MEASURE_SECONDS:
        while platforms_.telegram.waiting < 200:
            people.write()
        await asyncio.sleep(0.02)
    return (people.written - platforms_.telegram.waiting - before) / (loop.time() - started)


async def _keep_up(
    people: _People, platforms_: Platforms, desk: DeskProcess, rate: float, seconds: float
) -> list[Sample]:
    loop = asyncio.get_running_loop()
    started = next_sample = loop.time()
    before, samples = people.written, []
    while loop.time() < started + seconds:
        while people.written - before < (loop.time() - started) * rate:
            people.write()
        if loop.time() >= next_sample:
            samples.append(_sample(people.written - platforms_.telegram.waiting, platforms_, desk))
            next_sample += SAMPLE_SECONDS
        await asyncio.sleep(0.02)
    return samples


def _sample(updates: int, platforms_: Platforms, desk: DeskProcess) -> Sample:
    proc = Path(f"/proc/{desk.pid}")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line)
    tasks = desk.folder / TASKS
    log = desk.folder / "amends.db-wal"
    return Sample(
        updates=updates,
        resident_mb=int(status["VmRSS"].split()[0]) / 1024,
        files=len(list((proc / "fd").iterdir())),
        threads=int(status["Threads"]),
        tasks=int(tasks.read_text() or 0) if tasks.exists() else 0,
        log_mb=log.stat().st_size / 2**20 if log.exists() else 0.0,
        waiting=platforms_.telegram.waiting,
    )


def _rows(store: Store) -> dict[str, int]:
    """The number of rows of each table."""

    def count(tx: object) -> dict[str, int]:
        execute = tx.connection.execute  # type: ignore[attr-defined]
        return {
            table.name: int(execute(select(func.count()).select_from(table)).scalar_one())
            for table in METADATA.sorted_tables
        }

    return store.read(count)


def _memory(samples: list[Sample], rate: float, code: int | None) -> Table:
    warm = samples[int(len(samples) * WARM_UP) :]
    half = len(warm) // 2
    title = f"Soak: {rate / 2:,.0f} updates a second (half of {rate:,.0f}), {samples[-1].updates:,} updates"
    report = result_table(title, " | after the warm-up | at the end | most")
    for name in ("resident_mb", "files", "threads", "tasks", "log_mb", "waiting"):
        values = [float(getattr(sample, name)) for sample in warm]
        report.add_row(
            name.replace("_", " "), *(f"{value:,.1f}" for value in (values[0], values[-1], max(values)))
        )
    # A cache grows ever more slowly; a leak keeps growing: compare both halves.
    for name, part in (
        ("after the warm-up", warm),
        ("of these, the first half", warm[:half]),
        ("the second", warm[half:]),
    ):
        updates = part[-1].updates - part[0].updates
        report.add_row(
            f"resident MB per 100,000 updates, {name}", f"{_slope(part):.2f}", f"over {updates:,}", ""
        )
    report.add_row("exit code", str(code), "", "")
    return report


def _slope(samples: list[Sample]) -> float:
    updates = np.array([sample.updates for sample in samples], dtype=float)
    return float(np.polyfit(updates, [sample.resident_mb for sample in samples], 1)[0]) * 100_000


def _tables(before: dict[str, int], after: dict[str, int], updates: int) -> Table:
    report = result_table("Tables that grew", "table | rows before | rows after | rows per update")
    for name, rows in sorted(after.items(), key=lambda item: before[item[0]] - item[1]):
        if rows > before[name]:
            rows_per_update = (rows - before[name]) / max(1, updates)
            report.add_row(name, f"{before[name]:,}", f"{rows:,}", f"{rows_per_update:.2f}")
    return report


@asynccontextmanager
async def _database(store: str) -> AsyncIterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="amends-soak-") as name:
        folder = Path(name)
        if store == "sqlite":
            yield f"sqlite:///{folder / 'amends.db'}", folder
            return
        with cluster() as cluster_:
            yield cluster_.url, folder
