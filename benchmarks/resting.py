"""Start-up and memory: seconds from `amends run` to ready, then resident memory and processor time when idle."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from benchmarks import databases
from benchmarks.measuring import result_table
from benchmarks.processes import cpu_seconds, resident_mb, standin, trained
from tests.edges.product import Product

#: How long the desk is idle before its memory and processor time are read.
REST_SECONDS = 10.0


async def table() -> Table:
    """On each store: the first start (it creates tables and trains a model) and the second."""
    report = result_table("A desk at rest", " | ready after | resident at rest | CPU at rest")
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
            async with product.running() as running:
                await product.ready()
                ready = time.perf_counter() - started
                await trained(product)
                before = cpu_seconds(running.pid)
                await asyncio.sleep(REST_SECONDS)
                busy = (cpu_seconds(running.pid) - before) / REST_SECONDS
                return f"{ready:.1f} s", f"{resident_mb(running.pid):,.0f} MB", f"{busy:.1%}"
