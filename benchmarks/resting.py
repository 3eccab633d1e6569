"""Start and memory, from the shell: seconds to ready, memory idle and after 200 people wrote, processor time idle."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from benchmarks import databases
from benchmarks.measuring import result_table
from benchmarks.processes import StandIn, cpu_seconds, resident_mb, shared_mb, standin, trained
from tests.edges.product import Product

#: How long the desk is idle before its memory and processor time are read.
REST_SECONDS = 20.0
#: How many people write then, and how many of them each second.
PEOPLE, EACH_SECOND = 200, 10
STORY = "The meter was read wrong twice, and nobody calls me back about the bill of 130 pounds."
_COLUMNS = " | ready after | main process: ready | idle | 200 wrote | all: idle | 200 wrote | CPU at rest"


async def table() -> Table:
    """On each store: the first start (it creates tables and trains a model) and the second."""
    report = result_table("A desk at rest, memory in MB", _COLUMNS)
    for name, fresh in databases.each():
        url = fresh()
        for start in ("first start", "second start"):
            report.add_row(f"{name}, {start}", *await _rested(url))
    return report


async def _rested(url: str) -> tuple[str, ...]:
    with TemporaryDirectory(prefix="amends-bench-desk-") as folder:
        async with standin() as platforms:
            product = Product(Path(folder), {"AMENDS_DATABASE_URL": url, **platforms.env})
            started = time.perf_counter()
            async with product.running(from_shell=True) as running:
                await product.ready()
                ready, memory = time.perf_counter() - started, [resident_mb(running.pid)]
                await trained(product)
                before = cpu_seconds(running.pid)
                await asyncio.sleep(REST_SECONDS)
                busy = (cpu_seconds(running.pid) - before) / REST_SECONDS
                memory.append(resident_mb(running.pid))
                together = [shared_mb(running.pid)]
                await _written(platforms)
                memory.append(resident_mb(running.pid))
                together.append(shared_mb(running.pid))
                shown = (f"{figure:,.0f}" for figure in (*memory, *together))
                return f"{ready:.1f} s", *shown, f"{busy:.1%}"


async def _written(platforms: StandIn) -> None:
    """People write, and the desk has answered and proposed."""
    await platforms.writes(chat=int(time.time()), number=PEOPLE, each_second=EACH_SECOND, text=STORY)
    await asyncio.sleep(2 * PEOPLE / EACH_SECOND)
